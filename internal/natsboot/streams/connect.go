package streams

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"time"

	"github.com/nats-io/nats.go"
)

// reconnectWait and reconnectJitter pace attempts to get back to a server: soon enough that a rollout hardly notices a
// restart, spread enough that a hundred agents do not arrive in the same millisecond.
const (
	reconnectWait   = 250 * time.Millisecond
	reconnectJitter = 250 * time.Millisecond
	// pingEvery and pingsUnanswered say when a connection counts as dead on which nothing comes: within half a minute, for a server that
	// is gone without a word leaves no other sign. NATS's own choice is six minutes. A server that is merely busy has time to answer.
	pingEvery       = 10 * time.Second
	pingsUnanswered = 2
	// writeTimeout bounds one write to a server that takes nothing: all who use the connection wait for it.
	writeTimeout = 10 * time.Second
	// loginTimeout is how long a server may take to let somebody in: longer than it gives itself, so that what it says is heard.
	loginTimeout = 12 * time.Second
	// dialTimeout bounds the way to a server, so that one that is gone does not keep a connection from the next one for long.
	dialTimeout = 2 * time.Second
	// connectAttempts bounds how often a first connection is tried.
	connectAttempts = 3
	// drainTimeout bounds how long a closing connection waits for what is under way.
	drainTimeout = 5 * time.Second
)

// ErrRefused: the server does not know the name or the secret.
var ErrRefused = errors.New("login refused")

// Connect connects to the servers at url (comma-separated for a cluster) and stays connected: it reconnects for as long
// as it takes. name shows in the server's connection list. The caller closes the connection.
func Connect(url, name string, logger *slog.Logger, extra ...nats.Option) (*nats.Conn, error) {
	nc, err := Insist(url, append(Options(name, logger), extra...)...)
	if errors.Is(err, nats.ErrAuthorization) {
		err = fmt.Errorf("%w: %w", ErrRefused, err)
	}
	if err != nil {
		return nil, fmt.Errorf("connect to nats at %s: %w", url, err)
	}
	return nc, nil
}

// Insist connects, and tries again where a server is there but did not let anybody in or refuse them in time: one that takes two
// seconds over a login asks after the client before it answers, which this client takes for a fault.
func Insist(url string, options ...nats.Option) (nc *nats.Conn, err error) {
	for range connectAttempts {
		nc, err = nats.Connect(url, options...)
		if err == nil || errors.Is(err, nats.ErrAuthorization) || errors.Is(err, nats.ErrNoServers) {
			break
		}
	}
	return nc, err
}

// Login makes a connection one of a user's: of Slipway's own parts, or of anybody who has a password.
func Login(user, secret string) nats.Option { return nats.UserInfo(user, secret) }

// Options are the settings of every connection of Slipway.
func Options(name string, logger *slog.Logger) []nats.Option {
	return []nats.Option{
		nats.Name(name),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(reconnectWait),
		nats.ReconnectJitter(reconnectJitter, reconnectJitter),
		nats.Timeout(loginTimeout),
		nats.SetCustomDialer(&net.Dialer{Timeout: dialTimeout}),
		nats.PingInterval(pingEvery),
		nats.MaxPingsOutstanding(pingsUnanswered),
		nats.FlusherTimeout(writeTimeout),
		nats.DrainTimeout(drainTimeout),
		nats.IgnoreAuthErrorAbort(), // a server that is too busy to log somebody in will do so a little later
		// A request while the server is away waits for it instead of failing; its time-out still counts.
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				logger.Warn("nats connection lost", "err", err)
			}
		}),
		nats.ReconnectHandler(func(nc *nats.Conn) { logger.Info("nats connection restored", "url", nc.ConnectedUrlRedacted()) }),
		nats.ErrorHandler(func(_ *nats.Conn, sub *nats.Subscription, err error) {
			subject := ""
			if sub != nil {
				subject = sub.Subject
			}
			logger.Error("nats connection error", "subject", subject, "err", err)
		}),
	}
}

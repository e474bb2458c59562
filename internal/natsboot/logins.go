package natsboot

import (
	"context"
	"log/slog"
	"net"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"slipway/internal/auth"
)

// Logins says who connects: [auth.Authority].
type Logins interface {
	RecheckNATS(caller string, known func() ([]auth.Place, error)) (auth.NATSLogin, error)
	CheckNATS(ctx context.Context, name, secret, address string, known func() ([]auth.Place, error)) (auth.NATSLogin, error)
}

// Limits of logins.
const (
	// authTimeout is how long a connection may take to log in. A password costs 60 ms of a processor, and a machine may have
	// better things to do.
	authTimeout = 10 * time.Second
	// placesTimeout bounds the look-up of the spaces, within it.
	placesTimeout = 5 * time.Second
	// recheckEvery is how long somebody stays connected whose rights or password are gone. No event tells of a change: the file of
	// logins is edited by hand. A look costs microseconds, and a query where somebody is connected who may read some spaces only.
	recheckEvery = 2 * time.Second
)

// checker answers the server's question who a connection is.
type checker struct {
	logins Logins
	places func(context.Context) ([]auth.Place, error)
	people *people
	logger *slog.Logger
}

// Check implements [server.Authentication].
func (c *checker) Check(client server.ClientAuthentication) bool {
	ctx, cancel := context.WithTimeout(context.Background(), authTimeout)
	defer cancel()
	given := client.GetOpts()
	login, err := c.logins.CheckNATS(ctx, given.Username, given.Password, host(client.RemoteAddress()), func() ([]auth.Place, error) { return c.known(ctx) })
	if err != nil {
		c.logger.LogAttrs(ctx, slog.LevelDebug, "nats login refused", slog.Any("err", err))
		return false
	}
	user, err := c.user(login)
	if err != nil {
		c.logger.LogAttrs(ctx, slog.LevelError, "nats login failed", slog.Any("err", err))
		return false
	}
	user.Username = given.Username
	client.RegisterUser(user)
	return true
}

// user is what the server keeps of a login.
func (c *checker) user(l auth.NATSLogin) (*server.User, error) {
	switch l.Part {
	case auth.ServiceUser:
		account, err := c.people.server.LookupAccount(accountSlipway)
		return &server.User{Account: account}, err
	case auth.ServiceFeedUser:
		account, err := c.people.server.LookupAccount(accountReaders)
		return &server.User{Account: account}, err
	}
	account, err := c.people.account(l)
	return &server.User{Account: account, Permissions: permissions(l)}, err
}

// known lists the spaces. Nobody logs in while they cannot be read, who may not read all of them: they would hear nothing until
// they connect again.
func (c *checker) known(ctx context.Context) ([]auth.Place, error) {
	if c.places == nil {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, placesTimeout)
	defer cancel()
	places, err := c.places(ctx)
	if err != nil {
		c.logger.LogAttrs(ctx, slog.LevelWarn, "spaces cannot be read: users cannot log in over NATS", slog.Any("err", err))
	}
	return places, err
}

// host is where a connection comes from.
func host(a net.Addr) string {
	if a == nil {
		return ""
	}
	host, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return host
}

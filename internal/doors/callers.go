package doors

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"slipway/events"
	"slipway/internal/auth"
)

// Callers says who asks: [auth.Authority].
type Callers interface {
	Vouched(caller string) (auth.Identity, error)
	VerifyAt(ctx context.Context, authorization []string, at time.Time) (auth.Identity, error)
}

// vouched is how the part of a subject begins that the server puts before what its caller wrote: "by.<caller>.".
const vouched = "by."

// unknown is who sent a command that nobody vouches for. It can be no user's or client's: see [auth.Identity.Actor].
const unknown events.Actor = "unknown"

// headerAuthorization may carry a token: then the command is its owner's, not that of whoever is connected.
const headerAuthorization = "Authorization"

// splitCaller takes the caller off what follows a door's prefix. Without one, what a client wrote stands there as it is.
func splitCaller(subject string) (caller, name string) {
	rest, ok := strings.CutPrefix(subject, vouched)
	if !ok {
		return "", subject
	}
	caller, name, ok = strings.Cut(rest, ".")
	if !ok {
		return "", subject
	}
	return caller, name
}

// identify says who sent a message: the owner of its token, or else who was logged in. A token must have been good at
// the moment when the message came. What the server says of a caller in headers is not asked: a header that hides from the
// server in front of its own would look the same.
func (cfg Config) identify(ctx context.Context, caller string, header nats.Header, at time.Time) (auth.Identity, error) {
	if tokens := authorization(header); len(tokens) > 0 {
		return cfg.Callers.VerifyAt(ctx, tokens, at)
	}
	if caller == "" {
		return auth.Identity{}, auth.ErrNoToken
	}
	return cfg.Callers.Vouched(caller)
}

// authorization gives the header's values, however a client writes its name.
func authorization(header nats.Header) (values []string) {
	for key, v := range header {
		if strings.EqualFold(key, headerAuthorization) {
			values = append(values, v...)
		}
	}
	return values
}

// actorOf is how history names who sent a command.
func actorOf(i auth.Identity, err error) events.Actor {
	if err != nil {
		return unknown
	}
	return i.Actor()
}

// forbidden says whether err refuses the caller, whatever the command is.
func forbidden(err error) bool {
	return errors.Is(err, auth.ErrNoToken) || errors.Is(err, auth.ErrBadToken) || errors.Is(err, auth.ErrScope)
}

package auth

import (
	"context"
	"errors"

	"slipway/events"
)

// What is wrong with a caller. Cloud Foundry's errors for them are 10002, 1000 and 10003.
var (
	ErrNoToken  = errors.New("no token")
	ErrBadToken = errors.New("invalid token")
	ErrScope    = errors.New("the token's scopes do not allow that")
)

// Identity is who calls, as far as a token and the configuration agree.
type Identity struct {
	UserID   string // empty for a client that acts for itself
	UserName string
	ClientID string
	Scopes   Scopes // that the token has and the configuration still gives
	Grants   []Grant
	// Automation: no person decides what the caller does.
	Automation bool
}

// Actor is how history names the caller: "user/<name>" or "client/<id>". It can be no part of Slipway's: see
// [events.Actor.System].
func (i Identity) Actor() events.Actor {
	if i.UserID != "" {
		return events.Actor("user/" + i.UserName)
	}
	return events.Actor("client/" + i.ClientID)
}

// Verifier says who shows a token. [Authority] is one.
type Verifier interface {
	// Verify takes the values of the header Authorization. The error is [ErrNoToken] or [ErrBadToken].
	Verify(ctx context.Context, authorization []string) (Identity, error)
}

type contextKey struct{}

// NewContext gives a context that knows who calls.
func NewContext(ctx context.Context, i Identity) context.Context {
	return context.WithValue(ctx, contextKey{}, i)
}

// FromContext says who calls. Without [NewContext] before, it is somebody who may do nothing.
func FromContext(ctx context.Context) Identity {
	i, _ := ctx.Value(contextKey{}).(Identity)
	return i
}

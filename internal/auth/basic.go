package auth

import (
	"context"
	"errors"
	"fmt"

	"slipway/events"
)

// VerifyClient says which client shows its secret with a request, in place of a token: for programs that can keep a secret and
// not fetch tokens. address is where the request comes from; guessing is bounded as at a login. The error is [ErrBadToken], or
// that there are too many logins at once.
func (a *Authority) VerifyClient(ctx context.Context, id, secret, address string) (Identity, error) {
	d := a.source.directory()
	err := a.proofs.check(id, d.hashOf(id), secret, address, func() error {
		c, err := a.client(ctx, id, secret, address)
		if err == nil && c.public() {
			return errCredentials
		}
		return err
	})
	if errors.Is(err, errCredentials) || errors.Is(err, errLocked) {
		return Identity{}, fmt.Errorf("%w: %w", ErrBadToken, err)
	}
	if err != nil {
		return Identity{}, err
	}
	i, err := d.vouched(events.FeedToken(id))
	if err == nil && i.ClientID != id {
		err = ErrBadToken // the secret is a user's, or that of Slipway's own parts
	}
	return i, err
}

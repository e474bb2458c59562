package auth

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// Authority knows who may log in, gives out tokens and says whose they are. It may be used by many at once.
type Authority struct {
	source *source
	gate   *gate
	proofs *proofs
	now    func() time.Time
	logger *slog.Logger
}

// Open makes an Authority of a directory that [Bootstrap] has prepared. A nil clock is the system's.
func Open(dir string, now func() time.Time, logger *slog.Logger) (*Authority, error) {
	if now == nil {
		now = time.Now
	}
	logger = logger.With(slog.String("component", "auth"))
	s, err := openSource(dir, now, logger)
	if err != nil {
		return nil, fmt.Errorf("open logins in %s: %w", dir, err)
	}
	return &Authority{source: s, gate: newGate(now), proofs: newProofs(), now: now, logger: logger}, nil
}

// Verify says who shows a token, from the values of the header Authorization. The error is [ErrNoToken] or [ErrBadToken].
func (a *Authority) Verify(ctx context.Context, authorization []string) (Identity, error) {
	return a.VerifyAt(ctx, authorization, a.now())
}

// VerifyAt is Verify for a message that waited: its token must have been good at the moment when the message was stored.
// Who the caller is and what they may do is as of now.
func (a *Authority) VerifyAt(ctx context.Context, authorization []string, at time.Time) (Identity, error) {
	token, err := bearer(authorization)
	if err != nil {
		return Identity{}, err
	}
	d := a.source.directory()
	c, err := d.parse(token, typeAccess, at)
	if err == nil {
		var i Identity
		if i, err = d.identify(c); err == nil {
			return i, nil
		}
	}
	a.logger.LogAttrs(ctx, slog.LevelDebug, "token refused", slog.Any("err", err))
	return Identity{}, err
}

// UserID is the guid of the user who has a name now; known is false where nobody has it.
func (a *Authority) UserID(name string) (guid string, known bool) {
	u, known := a.source.directory().users[name]
	return u.GUID, known
}

// bearer takes the token out of the header. Two headers are as bad as a wrong one: nobody knows which one somebody else saw.
func bearer(authorization []string) (string, error) {
	if len(authorization) == 0 || len(authorization) == 1 && authorization[0] == "" {
		return "", ErrNoToken
	}
	scheme, token, ok := strings.Cut(authorization[0], " ")
	if len(authorization) > 1 || !ok || !strings.EqualFold(scheme, "bearer") {
		return "", fmt.Errorf("%w: not one bearer token", ErrBadToken)
	}
	return strings.TrimSpace(token), nil
}

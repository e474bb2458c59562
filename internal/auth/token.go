package auth

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"slipway/events"
)

// How long tokens are good for.
const (
	// AccessLifetime bounds what a stolen token is worth. The cf CLI renews one a minute before it ends.
	AccessLifetime = 10 * time.Minute
	// RefreshLifetime is how long a session lasts; renewing does not prolong it.
	RefreshLifetime = 30 * 24 * time.Hour
	// leeway is how far the clocks of two machines may be apart.
	leeway = 30 * time.Second
)

// The two uses of tokens. Each has its own type in the token's header and its own audience, so that neither passes for the
// other. "JWT" is what clients expect of an access token.
const (
	typeAccess      = "JWT"
	typeRefresh     = "refresh+jwt"
	audienceAccess  = "cloud_controller"
	audienceRefresh = "slipway.refresh"
)

// algorithm is pinned: what a token says of itself is never believed.
const algorithm = "RS256"

// maxTokenBytes bounds what is parsed at all. Ours have some 1,000.
const maxTokenBytes = 8 << 10

// originUAA is where all users come from, as the cf CLI shows it.
const originUAA = "uaa"

// claims are what a token says. The cf CLI wants user_name, user_id and origin together, or none of them.
type claims struct {
	jwt.RegisteredClaims
	UserName  string `json:"user_name,omitempty"`
	UserID    string `json:"user_id,omitempty"`
	Origin    string `json:"origin,omitempty"`
	ClientID  string `json:"client_id"`
	CID       string `json:"cid"`
	Zone      string `json:"zid"`
	GrantType string `json:"grant_type"`
	Scope     Scopes `json:"scope"`
	// Password, in a refresh token, tells the password it was given for from a later one.
	Password string `json:"pwv,omitempty"`
}

// passwordVersion changes with every new hash and tells nothing of it.
func passwordVersion(hash string) string {
	sum := sha256.Sum256([]byte("password version\x00" + hash))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}

// userClaims is what tokens of a user have in common.
func userClaims(u User, client, grantType string, scope Scopes) claims {
	c := clientClaims(client, grantType, scope)
	c.Subject, c.UserName, c.UserID, c.Origin = u.GUID, u.Name, u.GUID, originUAA
	return c
}

func clientClaims(id, grantType string, scope Scopes) claims {
	return claims{
		RegisteredClaims: jwt.RegisteredClaims{Subject: id}, ClientID: id, CID: id, Zone: "uaa", GrantType: grantType, Scope: scope,
	}
}

// sign makes a token of c for a use.
func (d *directory) sign(c claims, typ string, now time.Time) (token string, signed claims, err error) {
	audience, lifetime := audienceAccess, AccessLifetime
	if typ == typeRefresh {
		audience, lifetime = audienceRefresh, RefreshLifetime
	}
	c.Issuer, c.ID, c.Audience = d.issuer, events.NewID(), jwt.ClaimStrings{audience}
	c.IssuedAt, c.ExpiresAt = jwt.NewNumericDate(now), jwt.NewNumericDate(now.Add(lifetime))
	t := jwt.NewWithClaims(jwt.SigningMethodRS256, c)
	t.Header["typ"], t.Header["kid"] = typ, d.active
	token, err = t.SignedString(d.keys[d.active])
	if err != nil {
		return "", c, fmt.Errorf("sign a token: %w", err)
	}
	return token, c, nil
}

// parse gives the claims of a token that this installation signed for a use and that is good at a moment. Every other gives
// [ErrBadToken] with the reason, which is for a log: whoever shows it learns nothing.
func (d *directory) parse(token, typ string, at time.Time) (claims, error) {
	if len(token) > maxTokenBytes {
		return claims{}, fmt.Errorf("%w: %d bytes", ErrBadToken, len(token))
	}
	audience := audienceAccess
	if typ == typeRefresh {
		audience = audienceRefresh
	}
	var c claims
	_, err := jwt.ParseWithClaims(token, &c, func(t *jwt.Token) (any, error) { return d.keyOf(t, typ) },
		jwt.WithValidMethods([]string{algorithm}), jwt.WithIssuer(d.issuer), jwt.WithAudience(audience),
		jwt.WithExpirationRequired(), jwt.WithIssuedAt(), jwt.WithLeeway(leeway), jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return at }))
	if err != nil {
		return claims{}, fmt.Errorf("%w: %w", ErrBadToken, err)
	}
	return c, nil
}

// keyOf finds the key that a token must be signed with.
func (d *directory) keyOf(t *jwt.Token, typ string) (any, error) {
	if t.Header["typ"] != typ {
		return nil, fmt.Errorf("typ is not %s", typ)
	}
	kid, _ := t.Header["kid"].(string)
	key, ok := d.keys[kid]
	if !ok {
		return nil, fmt.Errorf("no key %.40q", kid)
	}
	return &key.PublicKey, nil
}

// identify says who a valid access token is of, by what the configuration says of them now.
func (d *directory) identify(c claims) (Identity, error) {
	i := Identity{ClientID: c.ClientID}
	var rights Rights
	client, known := d.clients[c.ClientID]
	if !known {
		return Identity{}, fmt.Errorf("%w: its client is gone", ErrBadToken)
	}
	if c.UserID == "" {
		if client.public() {
			return Identity{}, fmt.Errorf("%w: its client has no secret any more", ErrBadToken)
		}
		rights = client.Rights
	} else {
		u, ok := d.guids[c.UserID]
		if !ok {
			return Identity{}, fmt.Errorf("%w: its user is gone", ErrBadToken)
		}
		i.UserID, i.UserName, rights = u.GUID, u.Name, u.Rights
	}
	i.Scopes, i.Grants, i.Automation = c.Scope.and(rights.scopes()), rights.Roles, rights.Automation
	return i, nil
}

package auth

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/matryer/is"
)

func publicKeys(t testing.TB, jwks []byte) map[string]*rsa.PublicKey {
	t.Helper()
	var set struct {
		Keys []struct{ Kid, Kty, N, E string }
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		t.Fatal(err)
	}
	number := func(s string) *big.Int {
		data, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return new(big.Int).SetBytes(data)
	}
	keys := map[string]*rsa.PublicKey{}
	for _, k := range set.Keys {
		keys[k.Kid] = &rsa.PublicKey{N: number(k.N), E: int(number(k.E).Int64())}
	}
	return keys
}

// forge makes a token with anything changed.
type forge struct {
	method jwt.SigningMethod
	key    any
	header map[string]any
	claims map[string]any
}

func (f forge) token(t testing.TB) string {
	t.Helper()
	token := jwt.NewWithClaims(f.method, jwt.MapClaims(f.claims))
	maps.Copy(token.Header, f.header)
	maps.DeleteFunc(token.Header, func(_ string, v any) bool { return v == nil })
	signed, err := token.SignedString(f.key)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// TestAttacks: only a token that is right in everything passes.
func TestAttacks(t *testing.T) {
	r := newRig(t)
	d := r.source.directory()
	own := d.keys[d.active]
	foreign, err := rsa.GenerateKey(rand.Reader, keyBits)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&own.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	now := r.now()
	honest := func() forge {
		return forge{jwt.SigningMethodRS256, own, map[string]any{"kid": d.active, "typ": typeAccess}, map[string]any{
			"iss": d.issuer, "aud": []string{audienceAccess}, "sub": "guid-ann", "user_id": "guid-ann", "user_name": "ann",
			"client_id": "cf", "scope": []string{ScopeRead}, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix(), "jti": "1",
		}}
	}
	claim := func(name string, value any) string {
		f := honest()
		f.claims[name] = value
		if value == nil {
			delete(f.claims, name)
		}
		return f.token(t)
	}
	header := func(name string, value any) string {
		f := honest()
		f.header[name] = value
		return f.token(t)
	}
	signed := func(method jwt.SigningMethod, key any) string {
		f := honest()
		f.method, f.key = method, key
		return f.token(t)
	}
	part := func(token string, n int) string { return strings.Split(token, ".")[n] }
	good := honest().token(t)
	none := signed(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType)
	session := r.loggedIn(t, "ann", annPassword)
	for name, tt := range map[string]struct {
		token string
		good  bool
	}{
		"honest":                       {good, true},
		"alg none":                     {none, false},
		"alg none with a signature":    {part(none, 0) + "." + part(none, 1) + "." + part(good, 2), false},
		"alg None":                     {base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"None","typ":"JWT"}`)) + "." + part(good, 1) + ".", false},
		"HS256 with the public key":    {signed(jwt.SigningMethodHS256, public), false},
		"HS256 with its DER":           {signed(jwt.SigningMethodHS256, der), false},
		"HS256 with the modulus":       {signed(jwt.SigningMethodHS256, own.N.Bytes()), false},
		"RS512 with the right key":     {signed(jwt.SigningMethodRS512, own), false},
		"PS256 with the right key":     {signed(jwt.SigningMethodPS256, own), false},
		"a foreign key":                {signed(jwt.SigningMethodRS256, foreign), false},
		"an unknown kid":               {header("kid", "other"), false},
		"no kid":                       {header("kid", nil), false},
		"a kid that is a path":         {header("kid", "../../dev/null"), false},
		"a kid that is a number":       {header("kid", 1), false},
		"another typ":                  {header("typ", "at+jwt"), false},
		"no typ":                       {header("typ", nil), false},
		"its own key in the header":    {header("jwk", map[string]any{"kty": "RSA"}), true}, // not looked at
		"expired":                      {claim("exp", now.Add(-leeway).Unix()), false},
		"expired within the leeway":    {claim("exp", now.Add(-leeway+2*time.Second).Unix()), true},
		"no expiry":                    {claim("exp", nil), false},
		"an expiry that is a text":     {claim("exp", "tomorrow"), false},
		"not before tomorrow":          {claim("nbf", now.Add(24*time.Hour).Unix()), false},
		"issued tomorrow":              {claim("iat", now.Add(24*time.Hour).Unix()), false},
		"another issuer":               {claim("iss", "urn:other"), false},
		"no issuer":                    {claim("iss", nil), false},
		"another audience":             {claim("aud", []string{"other"}), false},
		"no audience":                  {claim("aud", nil), false},
		"the refresh audience":         {claim("aud", audienceRefresh), false},
		"an unknown user":              {claim("user_id", "guid-bob"), false},
		"an unknown client":            {claim("client_id", "evil"), false},
		"a public client by itself":    {claim("user_id", nil), false},
		"a scope that is no list":      {claim("scope", 7), false},
		"more scopes than the user's":  {claim("scope", []string{ScopeAdmin, ScopeRead}), true}, // see TestScopes...
		"truncated":                    {good[:len(good)-1], false},
		"without signature":            {part(good, 0) + "." + part(good, 1) + ".", false},
		"two segments":                 {part(good, 0) + "." + part(good, 1), false},
		"four segments":                {good + "." + part(good, 2), false},
		"another's payload":            {part(good, 0) + "." + part(claim("user_id", "x"), 1) + "." + part(good, 2), false},
		"padded":                       {good + "=", false},
		"a loose last digit":           {loosened(good), false},
		"huge":                         {claim("x", strings.Repeat("x", maxTokenBytes)), false},
		"nothing":                      {"", false},
		"noise":                        {"a.b.c", false},
		"the session's access token":   {session.Access, true},
		"the session's refresh token":  {session.Refresh, false},
		"a refresh token, renamed typ": {retyped(t, session.Refresh), false},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			i, err := r.verify(t, tt.token)
			if tt.good {
				is.NoErr(err)
				is.Equal(i.UserName, "ann")
				is.True(!i.Scopes.Has(ScopeAdmin)) // never more than the configuration gives
				return
			}
			is.True(errors.Is(err, ErrBadToken))
			is.Equal(i.UserID+i.ClientID, "") // and no identity comes with it
		})
	}
	t.Run("an access token as refresh token", func(t *testing.T) {
		is := is.New(t)
		_, err := d.parse(session.Access, typeRefresh, now)
		is.True(errors.Is(err, ErrBadToken))
	})
}

// loosened changes bits of the last digit that base64 does not need: 256 bytes end in the middle of one.
func loosened(token string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := strings.IndexByte(digits, token[len(token)-1])
	return token[:len(token)-1] + string(digits[last^1])
}

func retyped(t testing.TB, token string) string {
	t.Helper()
	segments := strings.Split(token, ".")
	data, err := base64.RawURLEncoding.DecodeString(segments[0])
	if err != nil {
		t.Fatal(err)
	}
	segments[0] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(data), typeRefresh, typeAccess, 1)))
	return strings.Join(segments, ".")
}

func TestTheHeaderAuthorization(t *testing.T) {
	r := newRig(t)
	token := r.loggedIn(t, "ann", annPassword).Access
	for name, tt := range map[string]struct {
		values []string
		want   error
	}{
		"bearer":          {[]string{"bearer " + token}, nil},
		"Bearer":          {[]string{"Bearer " + token}, nil},
		"none":            {nil, ErrNoToken},
		"empty":           {[]string{""}, ErrNoToken},
		"two":             {[]string{"bearer " + token, "bearer " + token}, ErrBadToken},
		"an empty first":  {[]string{"", "bearer " + token}, ErrBadToken},
		"no scheme":       {[]string{token}, ErrBadToken},
		"another scheme":  {[]string{"Basic " + token}, ErrBadToken},
		"scheme alone":    {[]string{"bearer "}, ErrBadToken},
		"something after": {[]string{"bearer " + token + " x"}, ErrBadToken},
		"a list":          {[]string{"bearer " + token + ", bearer x"}, ErrBadToken},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := r.Verify(t.Context(), tt.values)
			is.True(errors.Is(err, tt.want))
		})
	}
}

// TestAMessageThatWaited: the token counts at the moment when the message was stored, the rights as of now.
func TestAMessageThatWaited(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	token := []string{"bearer " + r.loggedIn(t, "ann", annPassword).Access}
	stored := r.now().Add(time.Minute)
	r.pass(24 * time.Hour)
	_, err := r.Verify(t.Context(), token)
	is.True(errors.Is(err, ErrBadToken))
	_, err = r.VerifyAt(t.Context(), token, stored)
	is.NoErr(err)
	_, err = r.VerifyAt(t.Context(), token, r.now())
	is.True(errors.Is(err, ErrBadToken)) // it was sent when the token had ended
	r.edit(t, func(c *Config) { c.Users = c.Users[:1] })
	_, err = r.VerifyAt(t.Context(), token, stored)
	is.True(errors.Is(err, ErrBadToken)) // ann is gone by now
}

func TestRotation(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	old := r.loggedIn(t, "ann", annPassword)
	first := r.source.directory().active
	kid, err := RotateKey(r.dir, r.now(), false)
	is.NoErr(err)
	is.True(kid != first)
	_, err = r.verify(t, old.Access)
	is.NoErr(err) // the old key is still believed
	renewed := r.post(t, "cf:", map[string][]string{"grant_type": {"refresh_token"}, "refresh_token": {old.Refresh}})
	is.Equal(renewed.Status, 200)
	is.True(strings.Contains(header(t, renewed.Access), kid)) // and the new one signs
	is.Equal(len(r.source.directory().keys), 2)

	r.pass(RefreshLifetime + 2*leeway)
	_, err = RotateKey(r.dir, r.now(), false)
	is.NoErr(err)
	is.Equal(len(r.source.directory().keys), 2) // the first is forgotten, with its file
	is.Equal(len(keyFiles(t, r.dir)), 2)

	fresh := r.loggedIn(t, "ann", annPassword)
	_, err = RotateKey(r.dir, r.now(), true)
	is.NoErr(err)
	_, err = r.verify(t, fresh.Access)
	is.True(errors.Is(err, ErrBadToken)) // distrusted at once
	is.Equal(len(keyFiles(t, r.dir)), 1)
	r.loggedIn(t, "ann", annPassword) // with the newest
}

func header(t testing.TB, token string) string {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[0])
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// FuzzVerify: whatever is shown, it is refused or it is a token of ours; nothing panics.
func FuzzVerify(f *testing.F) {
	r := newRig(f)
	good := r.loggedIn(f, "ann", annPassword).Access
	for _, s := range []string{"", ".", "..", "a.b.c", good, good[:len(good)/2], strings.ToUpper(good), "eyJhbGciOiJub25lIn0.e30."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		i, err := r.verify(t, token)
		if (err == nil) != (strings.TrimSpace(token) == good) || (err == nil) != (i.UserName == "ann") {
			t.Fatalf("%q: %v, %v", token, i, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	r := newRig(b)
	token := []string{"bearer " + r.loggedIn(b, "ann", annPassword).Access}
	for b.Loop() {
		if _, err := r.Verify(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}

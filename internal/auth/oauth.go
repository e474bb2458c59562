package auth

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"math/big"
	"mime"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// maxFormBytes bounds the body of a request for a token.
const maxFormBytes = 64 << 10

// tokens is the answer to a successful login.
type tokens struct {
	Access  string `json:"access_token"`
	Type    string `json:"token_type"`
	Refresh string `json:"refresh_token,omitempty"`
	Expires int    `json:"expires_in"` // seconds
	Scope   string `json:"scope"`
	ID      string `json:"jti"`
}

// Handler answers for the token server: GET /login and /info, POST /oauth/token, GET /token_keys. The root of the API links to
// where it is mounted, as "login" and "uaa".
func (a *Authority) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", a.login)
	mux.HandleFunc("GET /info", a.login)
	mux.HandleFunc("POST /oauth/token", a.token)
	mux.HandleFunc("GET /token_keys", a.tokenKeys)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		reply(w, http.StatusNotFound, &refusal{Code: "not_found", Text: "Unknown request"})
	})
	return mux
}

// login says what to ask a user for.
func (a *Authority) login(w http.ResponseWriter, _ *http.Request) {
	reply(w, http.StatusOK, map[string]any{
		"app":       map[string]string{"version": "77.0.0"}, // what clients take for UAA's
		"zone_name": "uaa",
		"prompts":   map[string][2]string{"username": {"text", "User name"}, "password": {"password", "Password"}},
	})
}

// tokenKeys tells the public keys (RFC 7517), so that others can check tokens by themselves.
func (a *Authority) tokenKeys(w http.ResponseWriter, _ *http.Request) {
	d := a.source.directory()
	keys := []map[string]string{}
	for kid, key := range d.keys {
		keys = append(keys, map[string]string{
			"kid": kid, "kty": "RSA", "alg": algorithm, "use": "sig",
			"n": base64.RawURLEncoding.EncodeToString(key.N.Bytes()),
			"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(key.E)).Bytes()),
		})
	}
	slices.SortFunc(keys, func(x, y map[string]string) int { return strings.Compare(y["kid"], x["kid"]) })
	reply(w, http.StatusOK, map[string]any{"keys": keys})
}

// token gives tokens for credentials.
func (a *Authority) token(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxFormBytes)
	given, err := a.grant(r)
	if err == nil {
		reply(w, http.StatusOK, given)
		return
	}
	shown := shownAs(err)
	a.logRefusal(r.Context(), shown, err)
	switch shown {
	case locked:
		w.Header().Set("Retry-After", strconv.Itoa(int(failureWindow.Seconds())))
	case busy:
		w.Header().Set("Retry-After", "1")
	case badClient:
		w.Header().Set("WWW-Authenticate", `Basic realm="uaa", charset="UTF-8"`)
	}
	reply(w, shown.status, shown)
}

func (a *Authority) grant(r *http.Request) (tokens, error) {
	f, err := readForm(r)
	if err != nil {
		return tokens{}, err
	}
	client, err := a.authenticate(r, f)
	if err != nil {
		return tokens{}, err
	}
	grantType := f.Get("grant_type")
	switch {
	case grantType != "password" && grantType != "refresh_token" && grantType != "client_credentials":
		return tokens{}, badGrantType
	case client.public() == (grantType == "client_credentials"):
		return tokens{}, badClientGrant
	case grantType == "password":
		return a.byPassword(r, f, client)
	case grantType == "refresh_token":
		return a.byRefresh(f, client)
	}
	return a.issue(clientClaims(client.ID, grantType, nil), client.scopes(), f.Get("scope"), "")
}

// readForm reads the body's form. What stands in the URL is no part of it: URLs are logged everywhere.
func readForm(r *http.Request) (url.Values, error) {
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != "application/x-www-form-urlencoded" {
		return nil, invalid("Want Content-Type application/x-www-form-urlencoded")
	}
	if err := r.ParseForm(); err != nil {
		return nil, invalid("The form cannot be read")
	}
	for _, values := range r.PostForm {
		if len(values) > 1 {
			return nil, invalid("A parameter is given more than once")
		}
	}
	return r.PostForm, nil
}

// authenticate says which client asks, by Basic credentials or by the form, not both.
func (a *Authority) authenticate(r *http.Request, f url.Values) (Client, error) {
	id, secret := f.Get("client_id"), f.Get("client_secret")
	if name, password, ok := r.BasicAuth(); ok {
		name, password = unescaped(name), unescaped(password)
		if secret != "" || id != "" && id != name {
			return Client{}, invalid("The client is named twice")
		}
		id, secret = name, password
	} else if r.Header.Get("Authorization") != "" {
		return Client{}, badClient
	}
	client, err := a.client(r.Context(), id, secret, address(r))
	if errors.Is(err, errCredentials) {
		return Client{}, badClient
	}
	return client, err
}

// unescaped undoes the form encoding that OAuth 2 wants inside of Basic credentials and that some clients leave out.
func unescaped(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// address is where a request comes from. What a proxy says of it is not believed: anybody can say it.
func address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

func (a *Authority) byPassword(r *http.Request, f url.Values, client Client) (tokens, error) {
	hint := r.Form.Get("login_hint") // the cf CLI has it in the URL
	var wanted struct{ Origin string }
	if hint != "" && (json.Unmarshal([]byte(hint), &wanted) != nil || wanted.Origin != originUAA) {
		return tokens{}, badOrigin
	}
	u, err := a.user(r.Context(), f.Get("username"), f.Get("password"), address(r))
	if err != nil {
		return tokens{}, err
	}
	c := userClaims(u, client.ID, "password", nil)
	session := c
	session.Password = passwordVersion(u.Password)
	if session.Scope, err = narrowed(u.scopes(), f.Get("scope")); err != nil {
		return tokens{}, err
	}
	refresh, _, err := a.source.directory().sign(session, typeRefresh, a.now())
	if err != nil {
		return tokens{}, err
	}
	return a.issue(c, u.scopes(), f.Get("scope"), refresh)
}

// byRefresh renews a session. The refresh token stays the same, and with it the session's end.
func (a *Authority) byRefresh(f url.Values, client Client) (tokens, error) {
	d := a.source.directory()
	session, err := d.parse(f.Get("refresh_token"), typeRefresh, a.now())
	if err != nil {
		return tokens{}, err
	}
	u, known := d.guids[session.UserID]
	if !known || session.ClientID != client.ID || session.Password != passwordVersion(u.Password) {
		return tokens{}, badRefresh
	}
	c := userClaims(u, client.ID, "refresh_token", nil)
	return a.issue(c, session.Scope.and(u.scopes()), f.Get("scope"), f.Get("refresh_token"))
}

// issue makes the answer with an access token for what is asked of what may be had.
func (a *Authority) issue(c claims, may Scopes, asked, refresh string) (tokens, error) {
	scope, err := narrowed(may, asked)
	if err != nil {
		return tokens{}, err
	}
	c.Scope = scope
	access, signed, err := a.source.directory().sign(c, typeAccess, a.now())
	if err != nil {
		return tokens{}, err
	}
	return tokens{
		Access: access, Type: "bearer", Refresh: refresh, Expires: int(AccessLifetime.Seconds()),
		Scope: strings.Join(scope, " "), ID: signed.ID,
	}, nil
}

// narrowed gives the scopes that are asked for, or all where none are.
func narrowed(may Scopes, asked string) (Scopes, error) {
	if strings.TrimSpace(asked) == "" {
		return may, nil
	}
	scope := may.and(strings.Fields(asked))
	for _, s := range strings.Fields(asked) {
		if !scope.Has(s) {
			return nil, badScope
		}
	}
	return scope, nil
}

// reply sends JSON that nobody may keep.
func reply(w http.ResponseWriter, status int, body any) {
	h := w.Header()
	h.Set("Content-Type", "application/json; charset=utf-8")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // to a client that is gone
}

package auth

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/matryer/is"
)

// TestAUserLogsInAsTheCfCLIDoes: prompts, password, a call, a renewal.
func TestAUserLogsInAsTheCfCLIDoes(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	response, err := http.Get(r.http.URL + "/uaa/login")
	is.NoErr(err)
	defer response.Body.Close()
	var prompts struct{ Prompts map[string][]string }
	is.NoErr(json.NewDecoder(response.Body).Decode(&prompts))
	is.Equal(prompts.Prompts["password"], []string{"password", "Password"})
	is.Equal(len(prompts.Prompts["username"]), 2)

	a := r.loggedIn(t, "ann", annPassword)
	is.Equal(a.Type, "bearer")
	is.Equal(a.Expires, 600)
	is.Equal(a.Scope, "cloud_controller.read cloud_controller.write openid")
	is.Equal(a.header.Get("Cache-Control"), "no-store")
	i, err := r.verify(t, a.Access)
	is.NoErr(err)
	is.Equal(i, Identity{
		UserID: "guid-ann", UserName: "ann", ClientID: "cf", Scopes: Scopes{ScopeRead, ScopeWrite, ScopeOpenID},
		Grants: []Grant{{Role: SpaceDeveloper, Organization: "acme", Space: "prod"}},
	})

	r.pass(AccessLifetime + leeway)
	_, err = r.verify(t, a.Access)
	is.True(err != nil) // it has ended
	again := r.post(t, "cf:", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.Refresh}})
	is.Equal(again.Status, http.StatusOK)
	is.Equal(again.Refresh, a.Refresh) // the session keeps its end
	is.True(again.ID != a.ID)
	renewed, err := r.verify(t, again.Access)
	is.NoErr(err)
	is.Equal(renewed, i)
}

// TestWhatClientsReadInTokens: what the cf CLI and go-cfclient take out of them.
func TestWhatClientsReadInTokens(t *testing.T) {
	r := newRig(t)
	read := func(t *testing.T, token string) (header, payload map[string]any) {
		is := is.New(t)
		segments := strings.Split(token, ".")
		is.Equal(len(segments), 3)
		for n, into := range []*map[string]any{&header, &payload} {
			data, err := base64.RawURLEncoding.DecodeString(segments[n])
			is.NoErr(err)
			is.NoErr(json.Unmarshal(data, into))
		}
		return header, payload
	}
	t.Run("of a user", func(t *testing.T) {
		is := is.New(t)
		header, payload := read(t, r.loggedIn(t, AdminUser, adminPassword).Access)
		is.Equal(header["alg"], "RS256")
		is.Equal(header["typ"], "JWT")
		is.Equal(payload["user_name"], AdminUser)
		is.Equal(payload["origin"], "uaa")
		is.Equal(payload["client_id"], "cf")
		is.Equal(payload["sub"], payload["user_id"])
		is.Equal(payload["aud"], []any{"cloud_controller"})
		is.Equal(payload["exp"], float64(r.now().Add(AccessLifetime).Unix()))
		is.Equal(payload["scope"], []any{"cloud_controller.admin", "cloud_controller.read", "cloud_controller.write", "openid"})
		_, has := payload["pwv"]
		is.True(!has) // nothing about the password leaves with an access token
	})
	t.Run("of a client", func(t *testing.T) {
		is := is.New(t)
		a := r.post(t, "", url.Values{"grant_type": {"client_credentials"}, "client_id": {"ci"}, "client_secret": {ciSecret}})
		is.Equal(a.Status, http.StatusOK)
		is.Equal(a.Refresh, "") // it has its secret
		_, payload := read(t, a.Access)
		is.Equal(payload["client_id"], "ci")
		_, has := payload["user_name"]
		is.True(!has) // the CLI would take it for a user and look for the rest
		i, err := r.verify(t, a.Access)
		is.NoErr(err)
		is.Equal(string(i.Actor()), "client/ci")
	})
}

func TestTheKeysVerifyTokensElsewhere(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	token := r.loggedIn(t, "ann", annPassword).Access
	response, err := http.Get(r.http.URL + "/uaa/token_keys")
	is.NoErr(err)
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	is.NoErr(err)
	is.True(!strings.Contains(string(data), `"d"`)) // no private part
	keys := publicKeys(t, data)
	is.Equal(len(keys), 1)
	_, err = jwt.Parse(token, func(t *jwt.Token) (any, error) { return keys[t.Header["kid"].(string)], nil },
		jwt.WithTimeFunc(r.now))
	is.NoErr(err)
}

// TestRefusals: each wrong request has OAuth's answer for it.
func TestRefusals(t *testing.T) {
	refresh := func(token string) url.Values {
		return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
	}
	with := func(f url.Values, key, value string) url.Values {
		f.Add(key, value)
		return f
	}
	clientForm := url.Values{"grant_type": {"client_credentials"}}
	for name, tt := range map[string]struct {
		basic  string
		form   url.Values
		status int
		code   string
	}{
		"wrong password":           {"cf:", passwordForm("ann", "wrong wrong"), 401, "unauthorized"},
		"no password":              {"cf:", passwordForm("ann", ""), 401, "unauthorized"},
		"unknown user":             {"cf:", passwordForm("bob", annPassword), 401, "unauthorized"},
		"no user":                  {"cf:", passwordForm("", ""), 401, "unauthorized"},
		"a password and its tail":  {"cf:", passwordForm("ann", annPassword+strings.Repeat("x", MaxSecret)), 401, "unauthorized"},
		"the hash as password":     {"cf:", passwordForm("ann", "$2a$"), 401, "unauthorized"},
		"no client":                {"", passwordForm("ann", annPassword), 401, "invalid_client"},
		"unknown client":           {"evil:", passwordForm("ann", annPassword), 401, "invalid_client"},
		"public client, secret":    {"cf:secret", passwordForm("ann", annPassword), 401, "invalid_client"},
		"client with wrong secret": {"ci:wrong", clientForm, 401, "invalid_client"},
		"client with no secret":    {"ci:", clientForm, 401, "invalid_client"},
		"public client for itself": {"cf:", clientForm, 401, "unauthorized_client"},
		"user through own client":  {"ci:" + url.QueryEscape(ciSecret), passwordForm("ann", annPassword), 401, "unauthorized_client"},
		"client named twice":       {"cf:", with(passwordForm("ann", annPassword), "client_id", "ci"), 400, "invalid_request"},
		"secret given twice":       {"cf:", with(passwordForm("ann", annPassword), "client_secret", "x"), 400, "invalid_request"},
		"two passwords":            {"cf:", with(passwordForm("ann", annPassword), "password", "x"), 400, "invalid_request"},
		"no grant type":            {"cf:", url.Values{}, 400, "unsupported_grant_type"},
		"unknown grant type":       {"cf:", url.Values{"grant_type": {"implicit"}}, 400, "unsupported_grant_type"},
		"a scope too much":         {"cf:", with(passwordForm("ann", annPassword), "scope", ScopeAdmin), 400, "invalid_scope"},
		"another origin":           {"cf:", with(passwordForm("ann", annPassword), "login_hint", `{"origin":"ldap"}`), 400, "invalid_request"},
		"no refresh token":         {"cf:", refresh(""), 401, "invalid_token"},
		"a made-up refresh token":  {"cf:", refresh("a.b.c"), 401, "invalid_token"},
		"a huge body":              {"cf:", with(passwordForm("ann", annPassword), "x", strings.Repeat("x", maxFormBytes)), 400, "invalid_request"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			r := newRig(t)
			a := r.post(t, tt.basic, tt.form)
			is.Equal(a.Status, tt.status)
			is.Equal(a.Error, tt.code)
			is.True(a.Text != "")
			is.Equal(a.Access, "")
			for _, secret := range []string{annPassword, ciSecret, "wrong wrong", "a.b.c"} {
				is.True(!strings.Contains(r.log.String(), secret)) // no secret in the log
			}
		})
	}
}

func TestOddRequests(t *testing.T) {
	r := newRig(t)
	send := func(t *testing.T, method, path, contentType, body string, header ...string) answer {
		request, err := http.NewRequestWithContext(t.Context(), method, r.http.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", contentType)
		request.SetBasicAuth("cf", "")
		if len(header) == 2 {
			request.Header.Set(header[0], header[1])
		}
		return r.do(t, request)
	}
	const form = "application/x-www-form-urlencoded"
	valid := passwordForm("ann", annPassword).Encode()
	for name, tt := range map[string]struct {
		answer answer
		status int
		code   string
	}{
		"form with a charset":     {send(t, "POST", "/uaa/oauth/token", form+"; charset=utf-8", valid), 200, ""},
		"JSON":                    {send(t, "POST", "/uaa/oauth/token", "application/json", `{}`), 400, "invalid_request"},
		"credentials in the URL":  {send(t, "POST", "/uaa/oauth/token?"+valid, form, ""), 400, "unsupported_grant_type"},
		"a broken form":           {send(t, "POST", "/uaa/oauth/token", form, "%zz"), 400, "invalid_request"},
		"the origin uaa":          {send(t, "POST", "/uaa/oauth/token?login_hint=%7B%22origin%22%3A%22uaa%22%7D", form, valid), 200, ""},
		"another origin":          {send(t, "POST", "/uaa/oauth/token?login_hint=%7B%22origin%22%3A%22x%22%7D", form, valid), 400, "invalid_request"},
		"an origin that is noise": {send(t, "POST", "/uaa/oauth/token?login_hint=x", form, valid), 400, "invalid_request"},
		"a bearer as client":      {send(t, "POST", "/uaa/oauth/token", form, valid, "Authorization", "bearer x"), 401, "invalid_client"},
		"GET":                     {send(t, "GET", "/uaa/oauth/token", form, ""), 404, "not_found"},
		"an unknown path":         {send(t, "GET", "/uaa/oauth/authorize", form, ""), 404, "not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			is.Equal(tt.answer.Status, tt.status)
			is.Equal(tt.answer.Error, tt.code)
		})
	}
}

func TestEscapedBasicCredentials(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	form := url.Values{"grant_type": {"client_credentials"}}
	is.Equal(r.post(t, "ci:"+url.QueryEscape(ciSecret), form).Status, http.StatusOK) // as golang.org/x/oauth2 does
	secret, err := Hash("plain%zz")
	is.NoErr(err)
	r.edit(t, func(c *Config) { c.Clients[1].Secret = secret })
	is.Equal(r.post(t, "ci:plain%zz", form).Status, http.StatusOK) // as others do
}

func TestANarrowToken(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	form := passwordForm("ann", annPassword)
	form.Set("scope", ScopeRead)
	a := r.post(t, "cf:", form)
	is.Equal(a.Scope, ScopeRead)
	i, err := r.verify(t, a.Access)
	is.NoErr(err)
	is.NoErr(i.Permits(http.MethodGet))
	is.Equal(i.Permits(http.MethodPost), ErrScope)
	prod := Place{Organization: "acme", Space: "prod"}
	is.True(i.Can(Read, prod))
	is.True(!i.Can(Write, prod)) // although ann is a developer there
	renewed := r.post(t, "cf:", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.Refresh}})
	is.Equal(renewed.Scope, ScopeRead) // a session does not grow
}

// TestChangesCountAtOnce: what the file says now holds for tokens of before.
func TestChangesCountAtOnce(t *testing.T) {
	ann := func(c *Config) *User { return &c.Users[1] }
	for name, tt := range map[string]struct {
		change  func(*Config)
		valid   bool // the access token
		renewed int  // status of a refresh
	}{
		"nothing":            {func(*Config) {}, true, 200},
		"user removed":       {func(c *Config) { c.Users = c.Users[:1] }, false, 401},
		"user made anew":     {func(c *Config) { ann(c).GUID = "guid-other" }, false, 401},
		"user renamed":       {func(c *Config) { ann(c).Name = "anne" }, true, 200},
		"another password":   {func(c *Config) { ann(c).Password, _ = Hash("another one") }, true, 401},
		"the same, new hash": {func(c *Config) { ann(c).Password, _ = Hash(annPassword) }, true, 401},
		"client removed":     {func(c *Config) { c.Clients = c.Clients[1:] }, false, 401},
		"another issuer":     {func(c *Config) { c.Issuer = "urn:other" }, false, 401},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			r := newRig(t)
			a := r.loggedIn(t, "ann", annPassword)
			r.edit(t, tt.change)
			_, err := r.verify(t, a.Access)
			is.Equal(err == nil, tt.valid)
			is.Equal(r.post(t, "cf:", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.Refresh}}).Status, tt.renewed)
		})
	}
	t.Run("rights", func(t *testing.T) {
		is := is.New(t)
		r := newRig(t)
		token := r.loggedIn(t, AdminUser, adminPassword).Access
		r.edit(t, func(c *Config) { c.Users[0].Admin = false })
		i, err := r.verify(t, token)
		is.NoErr(err)
		is.True(!i.Scopes.Has(ScopeAdmin)) // whatever the token says
	})
	t.Run("a client that loses its secret", func(t *testing.T) {
		is := is.New(t)
		r := newRig(t)
		a := r.post(t, "ci:"+url.QueryEscape(ciSecret), url.Values{"grant_type": {"client_credentials"}})
		r.edit(t, func(c *Config) { c.Clients[1] = Client{ID: "ci"} })
		_, err := r.verify(t, a.Access)
		is.True(err != nil) // a public client acts for nobody
	})
	t.Run("another client's session", func(t *testing.T) {
		is := is.New(t)
		r := newRig(t)
		r.edit(t, func(c *Config) { c.Clients = append(c.Clients, Client{ID: "web"}) })
		a := r.loggedIn(t, "ann", annPassword)
		is.Equal(r.post(t, "web:", url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.Refresh}}).Error, "invalid_token")
	})
}

func TestASessionEnds(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	a := r.loggedIn(t, "ann", annPassword)
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {a.Refresh}}
	r.pass(RefreshLifetime - time.Second)
	is.Equal(r.post(t, "cf:", form).Status, http.StatusOK)
	r.pass(leeway + time.Second)
	is.Equal(r.post(t, "cf:", form).Error, "invalid_token")
}

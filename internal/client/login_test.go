package client_test

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/internal/auth"
	"slipway/internal/client"
)

// api is a token server, and one resource behind it.
func api(t *testing.T) (url, secret string) {
	t.Helper()
	is := is.New(t)
	dir := t.TempDir()
	_, err := auth.Bootstrap(dir, func(string) string { return "" })
	is.NoErr(err)
	authority, err := auth.Open(dir, nil, slog.New(slog.DiscardHandler))
	is.NoErr(err)
	secret, err = auth.ServiceSecret(dir)
	is.NoErr(err)
	mux := http.NewServeMux()
	mux.Handle("/uaa/", http.StripPrefix("/uaa", authority.Handler()))
	mux.HandleFunc("/v3/apps", func(w http.ResponseWriter, r *http.Request) {
		if i, err := authority.Verify(r.Context(), r.Header.Values("Authorization")); err != nil || !i.Scopes.Has(auth.ScopeAdmin) {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server.URL, secret
}

// TestLogin: with the right secret a call is carried out; with another one the error says what to look at, not the secret.
func TestLogin(t *testing.T) {
	is := is.New(t)
	url, secret := api(t)
	is.NoErr(client.New(url, secret).Call(t.Context(), http.MethodGet, "/v3/apps", nil, nil))
	for _, wrong := range []string{"another Slipway's", ""} {
		err := client.New(url, wrong).Call(t.Context(), http.MethodGet, "/v3/apps", nil, nil)
		is.True(errors.Is(err, client.ErrSecret))
		is.True(strings.Contains(err.Error(), url))
		is.True(strings.Contains(err.Error(), "data directory"))
		is.True(wrong == "" || !strings.Contains(err.Error(), wrong))
	}
}

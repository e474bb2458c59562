package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/api"
	"slipway/internal/auth"
	"slipway/internal/auth/sigv4"
	"slipway/projections"
)

const accessSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

// accessKeys lets in who signs with an access key named after what its holder is.
type accessKeys struct{}

var holders = map[string]auth.Identity{
	"ADMIN":     {UserID: "admin", UserName: "admin", Scopes: auth.Scopes{auth.ScopeAdmin}},
	"DEVELOPER": {UserID: "ann", UserName: "ann", Scopes: auth.Scopes{auth.ScopeRead, auth.ScopeWrite}, Grants: []auth.Grant{{Role: auth.SpaceDeveloper, Organization: "acme", Space: "prod"}}},
	"AUDITOR":   {UserID: "bob", UserName: "bob", Scopes: auth.Scopes{auth.ScopeRead, auth.ScopeWrite}, Grants: []auth.Grant{{Role: auth.SpaceAuditor, Organization: "acme", Space: "prod"}}},
	"READER":    {UserID: "eve", UserName: "eve", Scopes: auth.Scopes{auth.ScopeRead}, Grants: []auth.Grant{{Role: auth.SpaceDeveloper, Organization: "acme", Space: "prod"}}},
	"NOBODY":    {UserID: "joe", UserName: "joe", Scopes: auth.Scopes{auth.ScopeRead, auth.ScopeWrite}},
}

func (accessKeys) VerifySigned(_ context.Context, r *http.Request, body []byte) (auth.Identity, error) {
	id, err := sigv4.Check(r, body, "appconfig", time.Now(), func(id string) (string, bool) {
		_, known := holders[id]
		return accessSecret, known
	})
	return holders[id], err
}

// signed sends a request that is signed with an access key; change comes after it was signed.
func (w *world) signed(key, method, path, body string, change func(*http.Request)) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequest(method, server+path, strings.NewReader(body))
	hash := sha256.Sum256([]byte(body))
	err := v4.NewSigner().SignHTTP(w.t.Context(), aws.Credentials{AccessKeyID: key, SecretAccessKey: accessSecret}, r,
		hex.EncodeToString(hash[:]), "appconfig", "us-east-1", time.Now())
	if err != nil {
		w.t.Fatal(err)
	}
	if change != nil {
		change(r)
	}
	got := httptest.NewRecorder()
	w.api.ServeHTTP(got, r)
	return got
}

// TestWhoMayWhatWithStrategies: everybody reads; who may write in some space, and an admin, changes.
func TestWhoMayWhatWithStrategies(t *testing.T) {
	w := newWorld(t)
	for key, writes := range map[string]bool{"ADMIN": true, "DEVELOPER": true, "AUDITOR": false, "READER": false, "NOBODY": false} {
		t.Run(key, func(t *testing.T) {
			is := is.New(t)
			id := w.strategy() // the admin's
			is.Equal(w.signed(key, "GET", "/deploymentstrategies/"+id, "", nil).Code, 200)
			is.Equal(w.signed(key, "GET", "/deploymentstrategies?max_results=3&next_token="+text(w.must(200, "GET", "/deploymentstrategies?max_results=1", ""), "NextToken"), "", nil).Code, 200)
			for _, request := range []struct {
				method, path, body string
				status             int
			}{
				{"POST", "", careful, 201}, {"PATCH", "/" + id, `{"FinalBakeTimeInMinutes":1}`, 200}, {"DELETE", "/" + id, "", 204},
			} {
				got := w.signed(key, request.method, "/deploymentstrategies"+request.path, request.body, nil)
				if writes {
					is.Equal(got.Code, request.status)
					continue
				}
				is.Equal(got.Code, 403)
				exception(t, got, "AccessDeniedException")
			}
			s, err := w.store.History(t.Context(), projections.HistoryFilter{Types: []events.Type{events.TypeStrategyDeleted}}, projections.Order{}, projections.Page{})
			is.NoErr(err)
			if writes {
				is.Equal(s.Rows[len(s.Rows)-1].Actor, holders[key].Actor()) // history says who it was
			}
		})
	}
}

// TestSignatures: what a signed request is answered, and that it is good for AppConfig's paths alone.
func TestSignatures(t *testing.T) {
	w := newWorld(t)
	id := w.strategy()
	for name, c := range map[string]struct {
		key    string
		change func(*http.Request)
		want   string
	}{
		"an unknown key": {"SOMEBODY", nil, "UnrecognizedClientException The security token"},
		"another body": {"ADMIN", func(r *http.Request) {
			r.Body = http.NoBody
		}, "InvalidSignatureException The request signature we calculated does not match"},
		"another path":   {"ADMIN", func(r *http.Request) { r.URL.Path += "x"; r.RequestURI += "x" }, "InvalidSignatureException"},
		"half a header":  {"ADMIN", func(r *http.Request) { r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=A") }, "IncompleteSignatureException 'SignedHeaders'"},
		"a wrong token":  {"ADMIN", func(r *http.Request) { r.Header.Set("Authorization", "bearer x") }, "UnrecognizedClientException"},
		"long ago":       {"ADMIN", func(r *http.Request) { r.Header.Set("X-Amz-Date", "20150830T123600Z") }, "InvalidSignatureException Date in Credential scope"},
		"a slash behind": {"ADMIN", func(r *http.Request) { r.RequestURI += "/" }, "InvalidSignatureException"}, // signed without one
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			got := w.signed(c.key, "PATCH", "/deploymentstrategies/"+id, `{"FinalBakeTimeInMinutes":9}`, c.change)
			is.Equal(got.Code, 403)
			exception(t, got, c.want)
			is.Equal(at(w.must(200, "GET", "/deploymentstrategies/"+id, ""), "FinalBakeTimeInMinutes"), 0.0) // nothing was changed
		})
	}
	t.Run("no header at all", func(t *testing.T) {
		is := is.New(t)
		got := call(api.New(api.Config{Store: w.store, Logger: quiet}), "GET", "/deploymentstrategies", "")
		is.Equal(got.Code, 403)
		exception(t, got, "MissingAuthenticationTokenException Missing Authentication Token")
	})
	t.Run("a slash behind that was signed", func(t *testing.T) {
		is := is.New(t)
		is.Equal(w.signed("ADMIN", "GET", "/deploymentstrategies/"+id+"/", "", nil).Code, 200)
	})
	t.Run("elsewhere", func(t *testing.T) {
		is := is.New(t)
		is.Equal(w.signed("ADMIN", "GET", "/v3/apps", "", nil).Code, 401) // Cloud Foundry's face takes tokens
	})
	t.Run("a body that is too large to be hashed", func(t *testing.T) {
		is := is.New(t)
		got := w.signed("ADMIN", "POST", "/deploymentstrategies", strings.Repeat(" ", 600<<10), nil)
		is.Equal(got.Code, 413)
		exception(t, got, "PayloadTooLargeException")
	})
}

// TestTheQuotaOnTheWire: the 21st strategy is refused as AWS's clients know it.
func TestTheQuotaOnTheWire(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	for n := range 20 {
		is.Equal(fmt.Sprint(n, w.call("POST", "/deploymentstrategies", careful).Code), fmt.Sprint(n, 201))
	}
	got := w.call("POST", "/deploymentstrategies", careful)
	is.Equal(got.Code, 402)
	exception(t, got, "ServiceQuotaExceededException at most 20")
}

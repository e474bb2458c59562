package api_test

import (
	"context"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/internal/api"
	"slipway/internal/auth"
	"slipway/projections/storetest"
)

// who lets everybody in with these scopes, or refuses with an error.
type who struct {
	scopes auth.Scopes
	err    error
}

func (w who) Verify(context.Context, []string) (auth.Identity, error) {
	return auth.Identity{UserID: "u", UserName: "u", Scopes: w.scopes}, w.err
}

// TestAccess: what each kind of caller is answered; the status is all that counts.
func TestAccess(t *testing.T) {
	store := storetest.Open(t)
	const read, secrets, write, root = "GET /v3/apps", "GET /v3/apps/x/env", "POST /v3/resource_matches", "GET /v3/info"
	for name, tt := range map[string]struct {
		auth   auth.Verifier
		status map[string]int
	}{
		"no verifier":    {nil, map[string]int{read: 401, secrets: 401, write: 401, root: 200}},
		"a wrong token":  {who{err: auth.ErrBadToken}, map[string]int{read: 401, write: 401, root: 200}},
		"a user":         {who{scopes: auth.Scopes{auth.ScopeRead, auth.ScopeWrite}}, map[string]int{read: 200, secrets: 404, write: 201}},
		"may not write":  {who{scopes: auth.Scopes{auth.ScopeRead}}, map[string]int{read: 200, secrets: 404, write: 403}},
		"may not read":   {who{scopes: auth.Scopes{auth.ScopeWrite}}, map[string]int{read: 403, secrets: 403, write: 201}},
		"global auditor": {who{scopes: auth.Scopes{auth.ScopeGlobalAuditor}}, map[string]int{read: 200, secrets: 404, write: 403}},
		"read-only":      {who{scopes: auth.Scopes{auth.ScopeAdminReadOnly}}, map[string]int{read: 200, secrets: 404, write: 403}},
		"admin":          {who{scopes: auth.Scopes{auth.ScopeAdmin}}, map[string]int{read: 200, secrets: 404, write: 201}},
	} {
		t.Run(name, func(t *testing.T) {
			a := api.New(api.Config{Auth: tt.auth, Store: store, Logger: quiet})
			for request, want := range tt.status {
				is := is.New(t)
				method, path, _ := strings.Cut(request, " ")
				is.Equal(call(a, method, path, "").Code, want)
			}
		})
	}
}

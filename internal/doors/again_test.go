package doors

import (
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"slipway/internal/api/apitest"
	"slipway/internal/auth"
	"slipway/internal/commands"
)

// removes says whether a command takes something away.
func removes(name string) bool {
	_, verb, _ := strings.Cut(name, ".")
	return strings.HasPrefix(verb, "delete") || strings.HasPrefix(verb, "remove") || verb == "lift"
}

// TestARemovalSentAgainIsAnsweredTheSame: who lost the answer to a command that takes something away sends it again and is answered as
// the first time, right after and when all around it has gone too, by the gate and the read models that run in production. So are
// admins and those who may do it by a role.
func TestARemovalSentAgainIsAnsweredTheSame(t *testing.T) {
	for who, i := range map[string]auth.Identity{
		"admin": {UserID: "guid-admin", UserName: "admin", Scopes: auth.Scopes{auth.ScopeAdmin}},
		"owner": {UserID: "guid-owner", UserName: "owner", Scopes: auth.Scopes{auth.ScopeRead, auth.ScopeWrite}, Grants: ownership()},
	} {
		t.Run(who, func(t *testing.T) {
			is := is.New(t)
			r, cfg := staffed(t)
			cfg.Callers = logins{who: i, "admin": {UserID: "guid-admin", UserName: "admin", Scopes: auth.Scopes{auth.ScopeAdmin}}}
			open(t, cfg)
			send := func(as string, s step) (code, body string) {
				t.Helper()
				subject := RPCSubjects + vouched + as + "." + s.name
				answer, err := r.nc.RequestMsg(&nats.Msg{Subject: subject, Header: header(s.id), Data: []byte(s.body)}, patience)
				is.NoErr(err)
				return answer.Header.Get(micro.ErrorHeader), string(answer.Data)
			}
			removed, first := []step{}, map[string]string{}
			carryOut := func(s step) {
				t.Helper()
				if s.name == "group.continue" {
					r.begin(t)
					r.pause(t)
				}
				as := "admin"
				if removes(s.name) && s.name != "organization.delete" { // which no role may
					as = who
				}
				refused, body := send(as, s)
				is.Equal(refused, "")
				if !removes(s.name) {
					return
				}
				removed, first[s.id] = append(removed, s), body
				refused, body = send(as, s)
				is.Equal(refused, "") // again
				is.Equal(body, first[s.id])
			}
			before, after := everything()
			for _, s := range before {
				carryOut(s)
			}
			r.upload(t)
			for _, s := range after {
				if s.name == "organization.delete" { // with it go the names by which roles are given
					for _, s := range removed {
						refused, body := send(who, s)
						is.Equal(refused, "")                             // once more, after all that came later
						is.Equal(guidIn(t, body), guidIn(t, first[s.id])) // which is all there is of what has gone meanwhile
					}
				}
				carryOut(s)
			}
			for _, name := range commands.Names() {
				is.True(!removes(name) || slices.ContainsFunc(removed, func(s step) bool { return s.name == name })) // none is left out
			}
		})
	}
}

func guidIn(t *testing.T, body string) string {
	t.Helper()
	return apitest.Text(apitest.Object(t, []byte(body)), "guid")
}

// ownership is every role, everywhere.
func ownership() (grants []auth.Grant) {
	for _, role := range auth.Roles() {
		for _, o := range []string{"default", "acme", "emca"} {
			g := auth.Grant{Role: role, Organization: o}
			if role.OfSpace() {
				g.Space = "*"
			}
			grants = append(grants, g)
		}
	}
	return grants
}

package access_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
)

// elsewhere is what commands are answered that are about more than one space, or name a thing in another way than in the table of
// all commands; the signs are those of that table.
const elsewhere = `
                              developer manager org_manager org_auditor foreign admin read_only
declare-halt-organization     .         .       x           .           -       x     .
declare-halt-everywhere       .         .       .           .           .       x     .
lift-halt-organization        .         .       x           -           -       x     .
lift-halt-everywhere          .         .       .           .           .       x     .
create-policy-organization    .         .       x           .           -       x     .
create-policy-everywhere      .         .       .           .           .       x     .
update-policy-organization    .         .       x           -           -       x     .
delete-policy-organization    .         .       x           -           -       x     .
delete-policy-everywhere      .         .       .           .           .       x     .
create-domain-everywhere      .         .       .           .           .       x     .
create-quota-organizations    .         .       .           .           .       x     .
subscribe-organization        -         -       .           .           -       x     .
subscribe-everywhere          .         .       .           .           .       x     .
scale-by-type                 x         .       .           -           -       x     .
reject-revision               -         -       -           -           -       x     .
group-of-nothing              x         .       .           .           x       x     .
`

// TestElsewhere holds that table against the gate: an organization is its managers', and what holds everywhere the admins'.
func TestElsewhere(t *testing.T) {
	w := newWorld(t)
	th := w.prod()
	org := events.OrganizationID(th.org)
	halt := func(o events.OrganizationID) events.HaltID {
		return events.HaltID(w.must(commands.DeclareHalt{Organization: o, Reason: "incident"}))
	}
	policy := func(o events.OrganizationID) events.PolicyID {
		return events.PolicyID(w.must(commands.CreatePolicy{Organization: o, Called: "none", Rule: allowing}))
	}
	subscribe := commands.CreateSubscription{Called: "all", URL: "https://hooks.test", Types: []string{"*"}}
	subscribeThere := subscribe
	subscribeThere.Organization = org
	asked := map[string]commands.Command{
		"declare-halt-organization":  commands.DeclareHalt{Organization: org, Reason: "incident"},
		"declare-halt-everywhere":    commands.DeclareHalt{Reason: "incident"},
		"lift-halt-organization":     commands.LiftHalt{Halt: halt(org)},
		"lift-halt-everywhere":       commands.LiftHalt{Halt: halt("")},
		"create-policy-organization": commands.CreatePolicy{Organization: org, Called: "new", Rule: allowing},
		"create-policy-everywhere":   commands.CreatePolicy{Called: "new", Rule: allowing},
		"update-policy-organization": commands.UpdatePolicy{Policy: policy(org)},
		"delete-policy-organization": commands.DeletePolicy{Policy: policy(org)},
		"delete-policy-everywhere":   commands.DeletePolicy{Policy: policy("")},
		"create-domain-everywhere":   commands.CreateDomain{Called: "acme.test"},
		"create-quota-organizations": commands.CreateQuota{Called: "q"},
		"subscribe-organization":     subscribeThere,
		"subscribe-everywhere":       subscribe,
		"scale-by-type":              commands.ScaleProcess{App: events.AppID(th.app), Type: "web", Instances: new(3)},
		"reject-revision":            commands.RejectVersion{Revision: "n1", Reason: "leaks"},
		"group-of-nothing":           commands.CreateGroup{},
	}
	lines := strings.Split(strings.TrimSpace(elsewhere), "\n")
	heads := strings.Fields(lines[0])
	is.New(t).Equal(len(lines)-1, len(asked))
	for _, line := range lines[1:] {
		row := strings.Fields(line)
		for n, head := range heads {
			t.Run(row[0]+" by "+head, func(t *testing.T) {
				is := is.New(t)
				err := w.gate.Allow(t.Context(), callers[head], asked[row[0]])
				is.Equal(sign(err), row[n+1])
			})
		}
	}
}

// sign is an answer as the tables have it.
func sign(err error) string {
	switch {
	case err == nil:
		return "x"
	case errors.Is(err, auth.ErrScope):
		return "."
	}
	return "-"
}

// TestWhatIsNamedOtherwise is hidden by its own name, and no space is the default one.
func TestWhatIsNamedOtherwise(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	th := w.prod()
	answer := func(who auth.Identity, c commands.Command) string {
		if err := w.gate.Allow(t.Context(), who, c); err != nil {
			return err.Error()
		}
		return ""
	}
	is.Equal(answer(callers["developer"], commands.RejectVersion{Revision: "n1", Reason: "leaks"}), "Revision not found")
	is.Equal(answer(callers["foreign"], commands.ScaleProcess{App: events.AppID(th.app), Type: "web"}), "App not found")
	standard := auth.Identity{Scopes: ordinary, Grants: []auth.Grant{{Role: auth.SpaceDeveloper, Organization: "default", Space: "default"}}}
	is.Equal(answer(standard, commands.CreateApp{AppName: "new"}), "")
	is.True(answer(callers["developer"], commands.CreateApp{AppName: "new"}) != "") // of another space
}

// TestRolesOf are those where the app lives, and no others.
func TestRolesOf(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	th := w.prod()
	for who, want := range map[string][]string{"developer": {"space_developer"}, "org_manager": {"org_manager"}, "foreign": nil} {
		roles, err := w.gate.RolesOf(callers[who])(t.Context(), events.AppID(th.app))
		is.NoErr(err)
		is.Equal(roles, want)
	}
	_, err := w.gate.RolesOf(callers["developer"])(t.Context(), "nobody")
	is.True(errors.Is(err, commands.ErrUnknown))
}

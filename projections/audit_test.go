package projections_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/projections"
)

// audited is what an auditor reads of a history.
func audited(t *testing.T, l *log, f projections.AuditFilter) (kinds []string, all []projections.AuditEvent) {
	t.Helper()
	found, err := applied(t, l).All().AuditEvents(t.Context(), f, projections.Order{}, projections.Page{})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found.Rows {
		kinds = append(kinds, e.Type)
	}
	return kinds, found.Rows
}

func data(t *testing.T, e projections.AuditEvent) map[string]any {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(e.Data), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAuditOfADeployment(t *testing.T) {
	is := is.New(t)
	l := deploying()
	l.by(events.ActorUpdater).app(events.ProcessScaled{App: "a1", Process: "p2", From: 1, Instances: 2, Deployment: "x1"})
	l.app(events.DeploymentPaused{App: "a1", Deployment: "x1", Step: 1})
	l.by("bob").app(events.DeploymentContinued{App: "a1", Deployment: "x1", Step: 1, By: "bob"})
	l.by(events.ActorUpdater).app(
		events.ProcessDeleted{App: "a1", Process: "p1", Deployment: "x1"},
		events.ProcessRestarted{App: "a1", Process: "p2", Deployment: "x1"},
		events.DeploymentDeployed{App: "a1", Deployment: "x1"})
	kinds, all := audited(t, l, projections.AuditFilter{})
	is.Equal(kinds, []string{
		"audit.app.create", "audit.app.droplet.create", "audit.app.droplet.upload", "audit.app.droplet.mapped",
		"audit.app.revision.create", "audit.app.process.create", "audit.app.start", "audit.app.droplet.mapped",
		"audit.app.deployment.create", "audit.app.deployment.paused", "audit.app.deployment.continue",
		"audit.app.deployment.deployed",
	})
	begun := all[8]
	is.Equal([]string{begun.TargetType, begun.Target}, []string{"app", "a1"})
	is.Equal([]string{begun.TargetName, string(begun.Space), begun.GUID, string(begun.Actor)}, []string{"hello", "default", "c5.2", "alice"})
	is.Equal(data(t, begun), map[string]any{
		"deployment_guid": "x1", "droplet_guid": "d2", "type": nil, "revision_guid": "r2", "strategy": "rolling",
		"request": map[string]any{
			"relationships": map[string]any{"app": map[string]any{"data": map[string]any{"guid": "a1"}}},
			"droplet":       map[string]any{"guid": "d2"}, "strategy": "rolling", "options": map[string]any{"max_in_flight": 1.0},
		},
	})
	is.Equal(data(t, all[10]), map[string]any{"deployment_guid": "x1", "droplet_guid": "d2"})
	is.Equal(all[10].Actor, events.Actor("bob"))
}

func TestAuditOfAnApp(t *testing.T) {
	is := is.New(t)
	l := running()
	l.app(events.AppEnvironmentSet{App: "a1", Environment: map[string]string{"SECRET": "s3cret"}})
	l.app(events.ProcessScaled{App: "a1", Process: "p1", ProcessType: "web", From: 2, Instances: 4, MemoryMB: 64})
	l.app(events.ProcessRestarted{App: "a1", Process: "p1"}, events.ProcessRestarted{App: "a1", Process: "p9"})
	l.app(events.AppStopped{App: "a1"})
	l.app(events.ProcessRestarted{App: "a1", Process: "p1"}, events.AppStarted{App: "a1"})
	l.app(events.AppDeleted{App: "a1"})
	kinds, all := audited(t, l, projections.AuditFilter{Targets: []string{"a1"}})
	is.Equal(kinds[7:], []string{
		"audit.app.update", "audit.app.process.scale", "audit.app.restart", "audit.app.stop", "audit.app.start",
		"audit.app.delete-request",
	})
	is.Equal(data(t, all[7]), map[string]any{"request": map[string]any{"environment_variables": "[PRIVATE DATA HIDDEN]"}})
	is.Equal(data(t, all[0]), map[string]any{"request": map[string]any{"name": "hello", "environment_variables": []any{"K"}}})
	is.Equal(data(t, all[8])["request"].(map[string]any)["instances"], 4.0)
	gone := all[len(all)-1]
	is.Equal(gone.TargetName, "hello") // its name is known still
}

func TestAuditOfBuildsAndEndings(t *testing.T) {
	is := is.New(t)
	l := built()
	l.app(events.DeploymentCreated{App: "a1", Deployment: "x1", Droplet: "d9", RolledBackTo: "r1",
		Options: events.DeploymentOptions{MaxInFlight: 2, WebInstances: new(3), CanaryWeights: []int{20, 50}}})
	l.app(events.DeploymentErrorRecorded{App: "a1", Deployment: "x1", Error: "stuck"})
	l.app(events.DeploymentErrorRecorded{App: "a1", Deployment: "x1"})
	l.app(events.DeploymentSuperseded{App: "a1", Deployment: "x1", By: "x2"})
	l.app(events.DeploymentCreated{App: "a1", Deployment: "x2", Droplet: "d9"})
	l.app(events.DeploymentCanceling{App: "a1", Deployment: "x2"})
	l.app(events.DeploymentCanceled{App: "a1", Deployment: "x2"})
	kinds, all := audited(t, l, projections.AuditFilter{})
	is.Equal(kinds[7:], []string{
		"audit.app.package.create", "audit.app.package.upload", "audit.app.build.create", "audit.app.droplet.create",
		"audit.app.droplet.upload", "audit.app.build.staged", "audit.app.package.create", "audit.app.build.create",
		"audit.app.build.failed", "audit.app.deployment.create", "audit.app.deployment.error", "audit.app.deployment.superseded",
		"audit.app.deployment.create", "audit.app.deployment.cancel", "audit.app.deployment.canceled",
	})
	back := data(t, all[16])
	is.Equal(back["type"], "rollback")
	asked := back["request"].(map[string]any)
	is.Equal(asked["revision"], map[string]any{"guid": "r1"})
	is.Equal(asked["options"], map[string]any{"max_in_flight": 2.0, "web_instances": 3.0, "canary": map[string]any{
		"steps": []any{map[string]any{"instance_weight": 20.0}, map[string]any{"instance_weight": 50.0}},
	}})
}

func TestAuditFilters(t *testing.T) {
	l := running()
	l.add(events.AppSubject("a2"), events.AppCreated{App: "a2", Name: "other", Space: "s2", Organization: "o2"})
	s := applied(t, l)
	for name, c := range map[string]struct {
		filter projections.AuditFilter
		want   int
	}{
		"all":           {projections.AuditFilter{}, 8},
		"by type":       {projections.AuditFilter{Types: []string{"audit.app.create", "audit.app.stop"}}, 2},
		"of an app":     {projections.AuditFilter{Targets: []string{"a2"}}, 1},
		"of all but":    {projections.AuditFilter{NotTargets: []string{"a1"}}, 1},
		"of a space":    {projections.AuditFilter{Spaces: []events.SpaceID{"s2"}}, 1},
		"of an org":     {projections.AuditFilter{Organizations: []events.OrganizationID{"o2"}}, 1},
		"by nobody":     {projections.AuditFilter{Actors: []events.Actor{"user/nobody"}}, 0},
		"by guid":       {projections.AuditFilter{GUIDs: []string{"c1.0"}}, 1},
		"in a second":   {projections.AuditFilter{Created: projections.TimeFilter{From: new(at(5))}}, 1},
		"of a stranger": {projections.AuditFilter{Targets: []string{"a9"}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			found, err := s.All().AuditEvents(t.Context(), c.filter, projections.Order{By: projections.ByUpdated, Descending: true}, projections.Page{})
			is.NoErr(err)
			is.Equal(found.Total, c.want)
		})
	}
	t.Run("newest first", func(t *testing.T) {
		is := is.New(t)
		found, err := s.All().AuditEvents(t.Context(), projections.AuditFilter{}, projections.Order{By: projections.ByCreated, Descending: true},
			projections.Page{Number: 1, PerPage: 1})
		is.NoErr(err)
		is.Equal(found.Rows[0].TargetName, "other")
		one, err := s.AuditEvent(t.Context(), found.Rows[0].GUID)
		is.NoErr(err)
		is.Equal(one, found.Rows[0])
		_, err = s.AuditEvent(t.Context(), "nobody")
		is.Equal(err, projections.ErrNotFound)
	})
}

// TestAuditOfRules: what governs deployments has an audit, also when it is gone; nobody reads where events are sent.
func TestAuditOfRules(t *testing.T) {
	is := is.New(t)
	l := running()
	at := events.SubscriptionRef{Subscription: "w1", Organization: "o1", Space: "s1"}
	l.by("user/boss").add(events.PolicySubject, events.PolicyCreated{Policy: "y1", Name: "four eyes", Organization: "o1", Space: "s1"})
	l.add(events.PolicySubject, events.PolicyUpdated{Policy: "y1", Name: "two pairs"})
	l.add(events.PolicySubject, events.PolicyDeleted{Policy: "y1"})
	l.add(events.HaltSubject, events.HaltDeclared{Halt: "h1", Organization: "o1", Reason: "incident"})
	l.add(events.HaltSubject, events.HaltLifted{Halt: "h1"})
	l.add(events.SubscriptionSubject("w1"), events.SubscriptionCreated{SubscriptionRef: at, Name: "chat", URL: "https://hooks.test/secret"})
	l.add(events.SubscriptionSubject("w1"), events.SubscriptionDelivered{SubscriptionRef: at})
	l.add(events.SubscriptionSubject("w1"), events.SubscriptionDeleted{SubscriptionRef: at})
	l.add(events.GroupSubject("g1"), events.GroupCreated{Group: "g1", Name: "january", Organization: "o1", Members: []events.GroupMember{{App: "a1", Deployment: "x9", Wave: 1}}})
	l.add(events.GroupSubject("g1"), events.GroupDirected{Group: "g1", Directive: events.DirectiveCancel})
	l.app(events.VersionRejected{App: "a1", Droplet: "d1", Reason: "leaks"})
	var told []string
	_, all := audited(t, l, projections.AuditFilter{Actors: []events.Actor{"user/boss"}})
	for _, e := range all {
		is.True(!strings.Contains(e.Data, "secret")) // the address of a webhook
		told = append(told, strings.Join([]string{e.Type, e.TargetType, e.Target, e.TargetName, string(e.Organization), string(e.Space)}, " "))
	}
	is.Equal(told, []string{
		"audit.policy.create policy y1 four eyes o1 s1", "audit.policy.update policy y1 four eyes o1 s1", "audit.policy.delete policy y1 two pairs o1 s1",
		"audit.halt.declare halt h1 incident o1 ", "audit.halt.lift halt h1 incident o1 ",
		"audit.subscription.create subscription w1 chat o1 s1", "audit.subscription.delete subscription w1 chat o1 s1",
		"audit.deployment_group.create deployment_group g1 january o1 ", "audit.deployment_group.cancel deployment_group g1 january o1 default",
		"audit.app.version.reject app a1 hello default default",
	})
}

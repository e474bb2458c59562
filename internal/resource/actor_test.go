package resource_test

import (
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/resource"
	"slipway/projections"
)

// TestActors: who did something is told by guid and name, as far as they are known.
func TestActors(t *testing.T) {
	ids := func(name string) (string, bool) { return "guid-of-" + name, name == "ann" }
	for actor, want := range map[events.Actor]resource.AuditActor{
		"user/ann":          {GUID: "guid-of-ann", Type: "user", Name: "ann"},
		"user/bob":          {GUID: "user/bob", Type: "user", Name: "bob"}, // who has left
		"client/ci":         {GUID: "ci", Type: "user", Name: "ci"},
		"anonymous":         {GUID: "anonymous", Type: "user", Name: "anonymous"}, // of the time before logins
		events.ActorUpdater: {GUID: "updater", Type: "system", Name: "updater"},
		"agent/host-a":      {GUID: "agent/host-a", Type: "system", Name: "agent"},
	} {
		t.Run(string(actor), func(t *testing.T) {
			is := is.New(t)
			is.Equal(base.AuditEvent(projections.AuditEvent{Actor: actor}, ids).Actor, want)
			by := base.Build(projections.Build{Actor: actor}, ids).CreatedBy
			is.Equal(by, resource.Person{GUID: want.GUID, Name: want.Name, Email: want.Name})
			is.Equal(base.Build(projections.Build{Actor: "user/ann"}, nil).CreatedBy.GUID, "user/ann") // where nobody is known
		})
	}
}

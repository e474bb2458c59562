package resource

import (
	"slices"

	"slipway/aggregates/group"
	"slipway/events"
	"slipway/projections"
)

// Group is several deployments as one: Slipway's own, in Cloud Foundry's form (docs/adr/0021).
type Group struct {
	Stamp
	Name          string        `json:"name"`
	Status        GroupStatus   `json:"status"`     // how it stands
	Members       []GroupMember `json:"members"`    // in the order of the request
	CreatedBy     events.Actor  `json:"created_by"` // who asked for it
	Relationships OfGroup       `json:"relationships"`
	Metadata      Metadata      `json:"metadata"`
	Links         Links         `json:"links"`
}

// GroupStatus is how a group stands, and how many of its members stand how.
type GroupStatus struct {
	Value         group.Value          `json:"value"`          // made of the members' statuses
	Counts        map[group.Member]int `json:"counts"`         // how many members there are of each status
	LastDirective *Directive           `json:"last_directive"` // null: nobody asked anything of it
}

// Directive is what somebody asked of the whole group.
type Directive struct {
	Directive string       `json:"directive"` // continue, finalize, cancel or rollback
	By        events.Actor `json:"by"`        // who asked
	At        Time         `json:"at"`        // when
}

// GroupMember is how a member stands.
type GroupMember struct {
	Deployment GUID         `json:"deployment"` // its guid is null until it is asked for, when the wave comes
	App        AppRef       `json:"app"`
	Wave       int          `json:"wave"`             // from 1; it begins when all earlier ones are deployed
	Status     group.Member `json:"status"`           // how it stands
	Reason     string       `json:"reason,omitempty"` // why it could not be created or never begins, was denied or taken back, or what goes on in its place
	Error      string       `json:"error,omitempty"`  // why it refused the last directive
	Stuck      string       `json:"stuck,omitempty"`  // why it does not move, as its deployment says
}

// AppRef names an app to people too.
type AppRef struct {
	GUID string `json:"guid"` // its id
	Name string `json:"name"` // what it was called when the group was made, or is when policies are asked
}

// OfGroup are the relationships of a group.
type OfGroup struct {
	Organization ToOne `json:"organization"` // of all its apps
}

// Group presents a group.
func (b Base) Group(g projections.Group) Group {
	shown := Group{
		Stamp: stamp(g.GUID, g.Stamp), Name: g.Name, Status: GroupStatus{Value: g.Status, Counts: map[group.Member]int{}}, CreatedBy: g.By,
		Relationships: OfGroup{Organization: toOne(g.Organization)}, Metadata: metadata(g.Metadata), Links: b.groupLinks(g),
	}
	for _, m := range g.Members {
		shown.Status.Counts[m.Status]++
		shown.Members = append(shown.Members, groupMember(m))
	}
	if d := g.Directive; d != nil {
		shown.Status.LastDirective = &Directive{Directive: d.Directive, By: d.By, At: Time(d.At)}
	}
	return shown
}

// groupMember presents a member. A deployment that nobody could read is not named.
func groupMember(m projections.GroupMember) GroupMember {
	shown := GroupMember{
		App: AppRef{GUID: string(m.App), Name: m.AppName}, Wave: m.Wave, Status: m.Status, Reason: m.Reason, Error: m.Refusal, Stuck: m.Stuck,
	}
	if m.Status.Asked() {
		shown.Deployment = guid(m.Deployment)
	}
	return shown
}

// groupLinks offers what may be asked of the group as its members stand.
func (b Base) groupLinks(g projections.Group) Links {
	id := string(g.GUID)
	deployments := b.link("v3", "deployments")
	deployments.Href += "?group_guids=" + id
	links := Links{"self": b.link("v3", "deployment_groups", id), "deployments": deployments}
	all := func(is func(group.Member) bool) bool {
		return !slices.ContainsFunc(g.Members, func(m projections.GroupMember) bool { return !is(m.Status) })
	}
	if all(group.Member.Over) || g.Status == group.StatusFinalizing {
		return links
	}
	offer := func(what string) { links[what] = b.link("v3", "deployment_groups", id, "actions", what).by("POST") }
	offer(events.DirectiveRollback)
	if all(group.Member.Running) {
		offer(events.DirectiveCancel)
	}
	if all(func(m group.Member) bool { return m.Running() || m.Over() }) {
		offer(events.DirectiveFinalize)
	}
	if !all(func(m group.Member) bool { return m != group.Paused }) {
		offer(events.DirectiveContinue)
	}
	return links
}

package projections

import (
	"cmp"
	"context"
	"slices"
	"time"

	"slipway/aggregates/group"
	"slipway/events"
)

// Group is several deployments seen as one.
type Group struct {
	GUID         events.GroupID
	Name         string
	Organization events.OrganizationID
	Spaces       []events.SpaceID // of its members' apps, each once
	Status       group.Value      // as its members' follow it: they change in the same commit
	Members      []GroupMember    // in the order of the request
	Course       string           // the last directive that steers it; empty: none
	Directive    *Directive       // the last one of any kind; nil: none
	By           events.Actor
	Metadata     events.Metadata
	Stamp
}

// GroupMember is how a member of a group stands. It stays when its app is deleted.
type GroupMember struct {
	Deployment events.DeploymentID `json:"deployment"`
	App        events.AppID        `json:"app"`
	AppName    string              `json:"app_name,omitempty"` // when the group was made
	Wave       int                 `json:"wave"`
	Status     group.Member        `json:"status"`
	Reason     string              `json:"reason,omitempty"`  // why it could not be created or never begins; or why its deployment ended so, in that one's words
	Refusal    string              `json:"refusal,omitempty"` // of the last directive
	Stuck      string              `json:"stuck,omitempty"`   // why it does not move, as its deployment says
}

// Directive is what somebody asked of a whole group.
type Directive struct {
	Directive string       `json:"directive"`
	By        events.Actor `json:"by"`
	At        time.Time    `json:"at"`
}

var groups = view[events.GroupID, Group]{
	table: "deployment_groups", kind: "group",
	key:      func(g *Group) events.GroupID { return g.GUID },
	stamp:    func(g *Group) *Stamp { return &g.Stamp },
	metadata: func(g *Group) *events.Metadata { return &g.Metadata },
	columns: func(g *Group) []column {
		return []column{
			{"guid", &g.GUID}, {"name", &g.Name}, {"organization", &g.Organization}, {"spaces", asJSON(&g.Spaces)},
			{"status", &g.Status}, {"members", asJSON(&g.Members)}, {"course", &g.Course}, {"directive", asJSON(&g.Directive)},
			{"created_by", &g.By},
		}
	},
}.ready()

// wantGroups asks for the groups of all deployments that were read: what happens to a member, its group shows.
func (f *fold) wantGroups() {
	for _, c := range f.deployments.rows {
		if c.row != nil && c.row.Watch.Group != "" {
			f.groups.want(c.row.Watch.Group)
		}
	}
}

// group folds an event about a group.
func (f *fold) group(m moment, e events.Event) error {
	if made, ok := e.(events.GroupCreated); ok {
		return f.groupCreated(m, made)
	}
	g := f.groups.edit(RefsOf(e).Group)
	if g == nil {
		return f.groups.unknown(RefsOf(e).Group)
	}
	g.evolve(e)
	g.settle(m)
	return nil
}

func (f *fold) groupCreated(m moment, e events.GroupCreated) error {
	g := Group{
		GUID: e.Group, Name: e.Name, Organization: e.Organization, By: e.By, Metadata: e.Metadata, Spaces: []events.SpaceID{},
		Members: []GroupMember{}, Status: group.StatusPending, Stamp: m.stamp(),
	}
	for _, member := range e.Members {
		var home events.SpaceID // of an app that is gone: nobody's, so that none but admins see the group
		name := member.AppName
		if a := f.apps.get(member.App); a != nil {
			home, name = a.Space, cmp.Or(name, a.Name) // groups were made before that did not record it
		}
		g.Members = append(g.Members, GroupMember{
			Deployment: member.Deployment, App: member.App, AppName: name, Wave: member.Wave, Status: group.Pending,
		})
		if !slices.Contains(g.Spaces, home) {
			g.Spaces = append(g.Spaces, home)
		}
	}
	return f.groups.add(g)
}

// evolve folds an event of a group's own.
func (g *Group) evolve(e events.Event) {
	switch e := e.(type) {
	case events.GroupMemberStarted:
		g.member(e.Deployment, func(m *GroupMember) {
			if m.Status == group.Pending {
				m.Status = group.Creating
			}
		})
	case events.GroupMemberEnded:
		g.member(e.Deployment, func(m *GroupMember) {
			if m.Stuck = ""; !m.Status.Over() { // else its deployment has told more already
				m.Status, m.Reason = group.Member(e.Status), e.Reason
			}
		})
	case events.GroupDirected:
		g.Directive = &Directive{Directive: e.Directive, By: e.By, At: e.At}
		g.Members = slices.Clone(g.Members)
		for i := range g.Members {
			g.Members[i].Refusal = "" // that was of the one before
		}
		if e.Directive != events.DirectiveContinue {
			g.Course = e.Directive
		}
	case events.GroupMemberDirected:
		g.member(e.Deployment, func(m *GroupMember) { m.Refusal = e.Error })
	case events.GroupMetadataSet:
		g.Metadata = e.Metadata
	}
}

func (g *Group) member(id events.DeploymentID, change func(*GroupMember)) {
	g.Members = slices.Clone(g.Members)
	for i := range g.Members {
		if g.Members[i].Deployment == id {
			change(&g.Members[i])
		}
	}
}

// settle lets the status follow the members'.
func (g *Group) settle(m moment) {
	members := make([]group.Member, len(g.Members))
	for i, of := range g.Members {
		members[i] = of.Status
	}
	g.Status = group.Status(members, g.Course)
	g.touch(m)
}

// membership tells a deployment's group how it stands now.
func (f *fold) membership(m moment, id events.DeploymentID) {
	d := f.deployments.get(id)
	if d == nil || d.Watch.Group == "" {
		return
	}
	status, stuck, reason := group.Member(d.StatusReason), d.Stuck(), ""
	if status.Over() {
		stuck, reason = "", d.ended()
	}
	g := f.groups.get(d.Watch.Group)
	if g == nil || !slices.ContainsFunc(g.Members, func(of GroupMember) bool {
		return of.Deployment == id && (of.Status != status || of.Stuck != stuck || of.Reason != reason)
	}) {
		return
	}
	g = f.groups.edit(d.Watch.Group)
	g.member(id, func(of *GroupMember) { of.Status, of.Stuck, of.Reason = status, stuck, reason })
	g.settle(m)
}

// GroupFilter selects groups. Empty fields select all; all that are set must hold.
type GroupFilter struct {
	GUIDs    []events.GroupID
	Names    []string
	Apps     []events.AppID // that a member is of
	Statuses []group.Value
	Created  TimeFilter
	Updated  TimeFilter
	Labels   []LabelRequirement
}

// Group reads one group, or gives [ErrNotFound].
func (s *Store) Group(ctx context.Context, id events.GroupID) (Group, error) {
	return groups.get(ctx, s.readers, id)
}

// Groups lists groups, by default in order of creation.
func (s Sight) Groups(ctx context.Context, f GroupFilter, o Order, p Page) (List[Group], error) {
	var w where
	if !s.all { // all of its spaces
		w.add("NOT EXISTS (SELECT 1 FROM json_each(deployment_groups.spaces) WHERE NOT ("+among("json_each.value")+"))", s.spaces)
	}
	in(&w, "guid", f.GUIDs)
	in(&w, "name", f.Names)
	if len(f.Apps) > 0 {
		var of where
		in(&of, "json_extract(value, '$.app')", f.Apps)
		w.add("EXISTS (SELECT 1 FROM json_each(deployment_groups.members) "+of.sql()+")", of.args...)
	}
	in(&w, "status", f.Statuses)
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	w.labels(groups.table, f.Labels)
	return list(ctx, s.store, groups, w, o.sql(), p)
}

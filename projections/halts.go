package projections

import (
	"context"
	"strings"
	"time"

	"slipway/events"
)

// HaltState is how a halt stands at a moment.
type HaltState string

// The states of a halt.
const (
	HaltInForce HaltState = "IN_FORCE"
	HaltLifted  HaltState = "LIFTED" // somebody ended it
	HaltOver    HaltState = "OVER"   // it ended by itself
)

// Halt is a halt of all rollouts in a scope, in force or not.
type Halt struct {
	GUID         events.HaltID
	Organization events.OrganizationID // only there; empty: everywhere
	Space        events.SpaceID        // only there
	Reason       string
	By           events.Actor
	Until        time.Time // when it ends by itself; zero: never
	LiftedBy     events.Actor
	LiftedAt     time.Time // zero: it was not lifted
	Metadata     events.Metadata
	Stamp
}

// State says how the halt stands at a moment.
func (h Halt) State(now time.Time) HaltState {
	switch {
	case !h.LiftedAt.IsZero():
		return HaltLifted
	case !h.Until.IsZero() && !now.Before(h.Until):
		return HaltOver
	}
	return HaltInForce
}

var halts = view[events.HaltID, Halt]{
	table: "halts", kind: "halt",
	key:      func(h *Halt) events.HaltID { return h.GUID },
	stamp:    func(h *Halt) *Stamp { return &h.Stamp },
	metadata: func(h *Halt) *events.Metadata { return &h.Metadata },
	columns: func(h *Halt) []column {
		return []column{
			{"guid", &h.GUID}, {"organization", &h.Organization}, {"space", &h.Space}, {"reason", &h.Reason},
			{"declared_by", &h.By}, {"ends_at", asTime(&h.Until)}, {"lifted_by", &h.LiftedBy}, {"lifted_at", asTime(&h.LiftedAt)},
		}
	},
}.ready()

// governed folds what keeps rollouts, versions and automation back.
func (f *fold) governed(m moment, e events.Event) error {
	switch e := e.(type) {
	case events.HaltDeclared:
		return f.halts.add(Halt{
			GUID: e.Halt, Organization: e.Organization, Space: e.Space, Reason: e.Reason, By: e.By, Until: e.Until,
			Metadata: e.Metadata, Stamp: m.stamp(),
		})
	case events.HaltMetadataSet:
		return f.halts.change(m, e.Halt, func(h *Halt) { h.Metadata = e.Metadata })
	case events.HaltLifted:
		return f.halts.change(m, e.Halt, func(h *Halt) { h.LiftedBy, h.LiftedAt = e.By, e.At })
	case events.VersionRejected:
		f.version(m, e.App, e.Droplet, e.Revision, e.Reason)
	case events.VersionAccepted:
		f.version(m, e.App, e.Droplet, e.Revision, "")
	case events.AutomationHeld:
		return f.apps.change(m, e.App, func(a *App) { a.NoAutomation = e.Reason })
	case events.AutomationReleased:
		return f.apps.change(m, e.App, func(a *App) { a.NoAutomation = "" })
	}
	return nil
}

// version marks a droplet or a revision as rejected, or with no reason as good again. One that is gone needs no mark: a revision
// goes when its number is given again.
func (f *fold) version(m moment, app events.AppID, droplet events.DropletID, revision events.RevisionID, reason string) {
	if d := f.droplets.edit(droplet); d != nil && d.App == app {
		d.Rejected = reason
		d.touch(m)
	}
	if r := f.revisions.edit(revision); r != nil && r.App == app {
		r.Rejected = reason
		r.touch(m)
	}
}

// HaltFilter selects halts. Empty fields select all; all that are set must hold.
type HaltFilter struct {
	GUIDs         []events.HaltID
	Organizations []events.OrganizationID
	Spaces        []events.SpaceID
	States        []HaltState // at Now
	Now           time.Time
	Created       TimeFilter
	Updated       TimeFilter
	Labels        []LabelRequirement
}

// Halts lists halts: those everywhere, and those where somebody may see what they hold.
func (s Sight) Halts(ctx context.Context, f HaltFilter, o Order, p Page) (List[Halt], error) {
	var w where
	s.inScope(&w)
	in(&w, "guid", f.GUIDs)
	in(&w, "organization", f.Organizations)
	in(&w, "space", f.Spaces)
	w.haltStates(f.States, f.Now)
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	w.labels(halts.table, f.Labels)
	return list(ctx, s.store, halts, w, o.sql(), p)
}

// haltStates: a time that is absent is stored as one long before 1970.
func (w *where) haltStates(states []HaltState, now time.Time) {
	if len(states) == 0 {
		return
	}
	var either []string
	var args []any
	for _, state := range states {
		switch state {
		case HaltLifted:
			either = append(either, "lifted_at > 0")
		case HaltOver:
			either, args = append(either, "lifted_at <= 0 AND ends_at > 0 AND ends_at <= ?"), append(args, now.UnixMicro())
		case HaltInForce:
			either, args = append(either, "lifted_at <= 0 AND (ends_at <= 0 OR ends_at > ?)"), append(args, now.UnixMicro())
		default:
			either = append(either, "FALSE")
		}
	}
	w.add("("+strings.Join(either, " OR ")+")", args...)
}

// Halt reads one halt, or gives [ErrNotFound].
func (s *Store) Halt(ctx context.Context, id events.HaltID) (Halt, error) {
	return halts.get(ctx, s.readers, id)
}

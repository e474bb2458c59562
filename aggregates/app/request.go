package app

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"slipway/aggregates/plan"
	"slipway/events"
)

// Request is a deployment that was asked for and has not begun: it waits for people, for a window, or for the end of a halt.
type Request struct {
	events.DeploymentApprovalRequested
	Version   events.VersionRequested            `json:"version"`
	Approvals map[events.PolicyID][]events.Actor `json:"approvals,omitempty"` // who agreed, by policy
	Granted   bool                               `json:"granted,omitempty"`   // nobody is left to be asked
	Halt      events.HaltID                      `json:"halt,omitempty"`      // that keeps it from beginning
	Held      events.DeploymentHeld              `json:"held,omitzero"`       // as windows were looked at last; zero: none held it
}

// maxRequests bounds how many may wait at once; each keeps what was asked for.
const maxRequests = 10

// request finds one that waits.
func (s State) request(id events.DeploymentID) (Request, bool) {
	i := slices.IndexFunc(s.Requests, func(r Request) bool { return r.Deployment == id })
	if i < 0 {
		return Request{}, false
	}
	return s.Requests[i], true
}

// Waits says whether a deployment was asked for and has not begun.
func (s State) Waits(id events.DeploymentID) bool {
	_, waits := s.request(id)
	return waits
}

// asHeld is how the windows held the request when it was asked for; the zero value where none did.
func asHeld(e events.DeploymentApprovalRequested) (h events.DeploymentHeld) {
	for _, v := range e.Verdicts {
		if v.Outcome == events.OutcomeHold && v.Until.After(h.Until) {
			h = events.DeploymentHeld{
				App: e.App, Deployment: e.Deployment, Policy: v.Policy, Name: v.Name, Reason: v.Reason, Until: v.Until, At: e.At,
			}
		}
	}
	return h
}

// expires is when the first of the approvals still missing can come no more; zero where none is missing, or for ever.
func (r Request) expires() time.Time {
	var first time.Time
	for _, v := range r.Verdicts {
		if r.missing(v) > 0 && !v.Expires.IsZero() && (first.IsZero() || v.Expires.Before(first)) {
			first = v.Expires
		}
	}
	return first
}

// missing is how many people must still agree for a policy.
func (r Request) missing(v events.PolicyVerdict) int {
	if v.Outcome != events.OutcomeApproval {
		return 0
	}
	return max(v.Needed-len(r.Approvals[v.Policy]), 0)
}

// manual says whether somebody has to start it once it is approved.
func (r Request) manual() bool {
	return slices.ContainsFunc(r.Verdicts, func(v events.PolicyVerdict) bool {
		return v.Outcome == events.OutcomeApproval && v.ManualStart
	})
}

// command is what was asked for, as it was then. Where somebody has agreed to it since, it is not automation alone that decides.
func (r Request) command(q Quota, now time.Time) CreateDeployment {
	c := CreateDeployment{
		ID: r.Request, Strategy: r.Strategy, Revision: r.Version.RollBackTo, Options: r.Options, Metadata: r.Metadata, Quota: q,
		Schedule: plan.Schedule(r.Schedule), Group: r.Group, Now: now, By: r.By, requested: true,
		Automation: r.Automation && len(r.Approvals) == 0,
	}
	if v := r.Version; v.Droplet != "" {
		c.Droplet = &Droplet{ID: v.Droplet, App: r.App, Staged: true, ProcessTypes: v.ProcessTypes}
	}
	if r.Growth != nil {
		c.Stored = &StoredStrategy{ID: r.StoredStrategy, Growth: *r.Growth}
	}
	return c
}

// evolveRequest folds what becomes of requests, and what the app remembers of rejected versions.
func evolveRequest(s State, e events.Event) State {
	switch e := e.(type) {
	case events.DeploymentApprovalRequested:
		r := Request{DeploymentApprovalRequested: e, Held: asHeld(e)}
		r.Granted = !slices.ContainsFunc(e.Verdicts, func(v events.PolicyVerdict) bool { return r.missing(v) > 0 })
		s.Requests = append(slices.Clone(s.Requests), r)
	case events.VersionRequested:
		return s.waiting(e.Deployment, func(r Request) Request { r.Version = e; return r })
	case events.DeploymentApproved:
		return s.waiting(e.Deployment, func(r Request) Request { return r.approved(e) })
	case events.DeploymentHalted:
		return s.waiting(e.Deployment, func(r Request) Request { r.Halt = e.Halt; return r })
	case events.DeploymentResumed:
		s.LetGo = cmp.Or(s.haltOn(e.Deployment), s.LetGo)
		return s.waiting(e.Deployment, func(r Request) Request {
			r.Halt, r.Held = "", events.DeploymentHeld{} // whoever looks next says anew why it does not begin
			return r
		})
	case events.DeploymentHeld:
		return s.waiting(e.Deployment, func(r Request) Request { r.Held = e; return r })
	case events.DeploymentMetadataSet:
		return s.waiting(e.Deployment, func(r Request) Request { r.Metadata = e.Metadata; return r })
	case events.DeploymentCreated:
		s.Requests = without(s.Requests, e.Deployment)
	case events.DeploymentDenied:
		return s.end(e.Deployment, ReasonDenied, Proven)
	case events.DeploymentWithdrawn:
		return s.end(e.Deployment, ReasonCanceled, Proven)
	case events.DeploymentDeleted:
		s.Serving = ""
	case events.VersionRejected:
		s.Rejected = maps.Clone(s.Rejected)
		if s.Rejected == nil {
			s.Rejected = map[string]string{}
		}
		s.Rejected[versionID(e.Droplet, e.Revision)] = e.Reason
	case events.VersionAccepted:
		s.Rejected = maps.Clone(s.Rejected)
		delete(s.Rejected, versionID(e.Droplet, e.Revision))
	case events.AutomationHeld:
		s.NoAutomation = e.Reason
	case events.AutomationReleased:
		s.NoAutomation = ""
	}
	return s
}

// waiting changes a request.
func (s State) waiting(id events.DeploymentID, edit func(Request) Request) State {
	s.Requests = slices.Clone(s.Requests)
	for i := range s.Requests {
		if s.Requests[i].Deployment == id {
			s.Requests[i] = edit(s.Requests[i])
		}
	}
	return s
}

func (r Request) approved(e events.DeploymentApproved) Request {
	r.Approvals = maps.Clone(r.Approvals)
	if r.Approvals == nil {
		r.Approvals = map[events.PolicyID][]events.Actor{}
	}
	for _, p := range e.Policies {
		r.Approvals[p] = append(slices.Clone(r.Approvals[p]), e.By)
	}
	r.Granted = e.Granted
	return r
}

func without(requests []Request, id events.DeploymentID) []Request {
	rest := slices.DeleteFunc(slices.Clone(requests), func(r Request) bool { return r.Deployment == id })
	if len(rest) == 0 {
		return nil
	}
	return rest
}

// versionID names a droplet or a revision among both.
func versionID(droplet events.DropletID, revision events.RevisionID) string {
	if droplet != "" {
		return "droplet/" + string(droplet)
	}
	return "revision/" + string(revision)
}

// deployed notes which deployment serves, where a stop of the app ends it (nullplatform's rule). Cloud Foundry's clients know
// no such end: what they ask for, and nothing else, stays DEPLOYED.
func (s State) deployed(id events.DeploymentID) State {
	s.Serving = ""
	if d := s.Deployment; d != nil && d.ID() == id && d.own() {
		s.Serving = id
	}
	return s
}

// own says whether the deployment asked for anything that Cloud Foundry does not know.
func (d *Deployment) own() bool {
	known := d.Strategy == events.StrategyRolling || d.Strategy == events.StrategyCanary
	return !known || d.Options.OnFailure != "" || d.Group != "" || d.Requested
}

// nextRequest is what becomes of the newest request whose time has come: it begins, or a window holds it, or, where nobody answered
// in time, it is taken back. One that cannot begin any more is denied with the reason.
func nextRequest(s State, q Quota, holds Holds, now time.Time) []events.Event {
	for _, r := range slices.Backward(s.Requests) {
		switch expires := r.expires(); {
		case !expires.IsZero() && !now.Before(expires):
			return []events.Event{events.DeploymentWithdrawn{
				App: s.ID, Deployment: r.Deployment, By: events.ActorUpdater, Reason: "nobody approved it in time", At: now,
			}}
		case r.Granted && !r.manual():
			if decided := s.begin(r, q, holds[r.Deployment], now); len(decided) > 0 {
				return decided
			}
		}
	}
	return nil
}

// begin begins a request that is ready, unless a window holds it.
func (s State) begin(r Request, q Quota, h Hold, now time.Time) []events.Event {
	switch {
	case now.Before(r.Held.At):
		return nil // an updater whose clock is ahead has looked already: two that disagree would take turns
	case h.Policy != "":
		return s.hold(r, h, now)
	}
	decided, err := DeployApp(s, r.command(q, now))
	if err != nil {
		return []events.Event{events.DeploymentDenied{
			App: s.ID, Deployment: r.Deployment, By: events.ActorUpdater, Reason: cut(err.Error(), maxComment), At: now,
		}}
	}
	return decided
}

// requestsDue are the moments at which time alone decides about requests.
func (s State) requestsDue() []time.Time {
	var due []time.Time
	for _, r := range s.Requests {
		due = append(due, r.expires())
		if r.Granted && !r.manual() {
			due = append(due, r.Held.At, r.Held.Until)
		}
	}
	return due
}

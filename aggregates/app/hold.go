package app

import (
	"fmt"
	"time"

	"slipway/aggregates"
	"slipway/events"
)

// Halt is a halt in force, as far as a rollout is concerned; the zero Halt is none.
type Halt struct {
	ID     events.HaltID
	Reason string
	By     events.Actor
	Until  time.Time // zero: until it is lifted
}

// Text says why nothing moves, in words.
func (h Halt) Text() string {
	text := fmt.Sprintf("rollouts are halted by %s", h.By)
	if !h.Until.IsZero() {
		text += " until " + h.Until.Format(time.RFC3339)
	}
	return text + ": " + h.Reason
}

// ApplyHalt lets a rollout stand still while a halt is in force, and go on when none is. It decides only what changes, which
// another halt that takes over does. A rollout on its way back goes on: that is the safe way. What waits to begin says that it
// waits for the halt, too. A halt that was over once stays so: an updater whose clock is behind would bring it back, and the others
// would end it again, in turns.
func ApplyHalt(s State, h Halt, now time.Time) (changed []events.Event) {
	if h.ID != "" && h.ID == s.LetGo {
		return nil
	}
	apply := func(id events.DeploymentID, by events.HaltID) {
		switch {
		case by == h.ID:
		case h.ID != "":
			changed = append(changed, s.halted(id, h)...)
		default:
			changed = append(changed, s.resumed(id, now)...)
		}
	}
	if dep := s.Deployment; dep != nil && !dep.GoingBack && !dep.RollingBack {
		apply(dep.ID(), dep.Halt)
	}
	for _, r := range s.Requests {
		apply(r.Deployment, r.Halt)
	}
	return changed
}

// haltOn is the halt that holds a deployment, or the request for one; empty: none does.
func (s State) haltOn(id events.DeploymentID) events.HaltID {
	if dep := s.Deployment; dep != nil && dep.ID() == id {
		return dep.Halt
	}
	r, _ := s.request(id)
	return r.Halt
}

// halted records that a halt holds a deployment, and says so where people look.
func (s State) halted(id events.DeploymentID, h Halt) []events.Event {
	return []events.Event{
		events.DeploymentHalted{App: s.ID, Deployment: id, Halt: h.ID, Reason: h.Reason, By: h.By, Until: h.Until},
		events.DeploymentErrorRecorded{App: s.ID, Deployment: id, Error: cut(h.Text(), maxError)},
	}
}

func (s State) resumed(id events.DeploymentID, now time.Time) []events.Event {
	return []events.Event{
		events.DeploymentResumed{App: s.ID, Deployment: id, At: now},
		events.DeploymentErrorRecorded{App: s.ID, Deployment: id},
	}
}

// standStill is a tick of a halted rollout: nothing goes on, and old instances come back where new ones fail.
func (d *decision) standStill(fresh Process, seen Instances) {
	d.bringBack(fresh.present(seen).Count(fresh.Instances).Routable, seen)
}

// Version names a droplet or a revision of an app.
type Version struct {
	Droplet  events.DropletID
	Revision events.RevisionID
}

// maxRejected bounds how many versions of an app may be rejected at once.
const maxRejected = 500

// RejectVersion lets nobody deploy a version any more. What runs of it runs on.
func RejectVersion(s State, v Version, reason string, by events.Actor) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("App")
	}
	if (v.Droplet == "") == (v.Revision == "") {
		return nil, aggregates.Reject("Name either a droplet or a revision")
	}
	if err := aggregates.CheckText("Reason", reason, 1, maxComment); err != nil {
		return nil, err
	}
	if s.Rejected[versionID(v.Droplet, v.Revision)] == reason {
		return nil, nil
	}
	if len(s.Rejected) >= maxRejected {
		return nil, aggregates.Reject("The app has %d rejected versions, the most it can have: accept one first", maxRejected)
	}
	return []events.Event{events.VersionRejected{App: s.ID, Droplet: v.Droplet, Revision: v.Revision, Reason: reason, By: by}}, nil
}

// AcceptVersion lets a rejected version be deployed again.
func AcceptVersion(s State, v Version, by events.Actor) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("App")
	}
	if _, rejected := s.Rejected[versionID(v.Droplet, v.Revision)]; !rejected {
		return nil, nil
	}
	return []events.Event{events.VersionAccepted{App: s.ID, Droplet: v.Droplet, Revision: v.Revision, By: by}}, nil
}

// holdAutomation keeps automation from undoing what a person has just done.
func (d *decision) holdAutomation(by events.Actor, now time.Time) {
	if d.NoAutomation == "" && !by.System() {
		d.add(events.AutomationHeld{App: d.State.ID, Reason: fmt.Sprintf("%s went back to an earlier version by hand", by), By: by, At: now})
	}
}

// automates refuses automation where somebody keeps it from deploying.
func (s State) automates(automation bool) error {
	if automation && s.NoAutomation != "" {
		return aggregates.Reject("Automation may not deploy this app: %s. A person has to let it first (POST /v3/apps/%s/actions/release_automation).", s.NoAutomation, s.ID)
	}
	return nil
}

// ReleaseAutomation lets automation deploy to the app again.
func ReleaseAutomation(s State, by events.Actor) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("App")
	}
	if s.NoAutomation == "" {
		return nil, nil
	}
	return []events.Event{events.AutomationReleased{App: s.ID, By: by}}, nil
}

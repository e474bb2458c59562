package group

import (
	"slices"

	"slipway/aggregates/app"
	"slipway/events"
)

// Sighting is how a member stands as its app tells.
type Sighting struct {
	Status  Member
	Step    int    // that it is at, from 1
	AtPause bool   // it waits at a step for somebody, and nothing has failed
	Halt    string // why it would not go on from there: a halt holds it
}

// Seen is what is seen of members; one whose app does not know its deployment is not in it.
type Seen map[events.DeploymentID]Sighting

// See looks for a deployment in its app. ok is false where the app does not know it: not yet, or, of one that ended long ago or
// whose app is deleted, not any more.
func See(s app.State, id events.DeploymentID) (seen Sighting, ok bool) {
	if d := s.Deployment; d != nil && d.ID() == id {
		seen := Sighting{Status: active(d.Phase()), Step: d.CurrentStep(), AtPause: d.AtPause && !d.Held}
		if seen.AtPause && d.Halt != "" {
			seen.Halt = d.Error
		}
		return seen, true
	}
	if s.Waits(id) {
		return Sighting{Status: Approval}, true
	}
	if i := slices.IndexFunc(s.Ended, func(e app.Ended) bool { return e.ID == id }); i >= 0 {
		return Sighting{Status: Member(s.Ended[i].Reason)}, true
	}
	return Sighting{}, false
}

// active is the status of a deployment on its way.
func active(p app.Phase) Member {
	if p == app.Prepaused {
		return Deploying
	}
	return Member(p)
}

package resource

import (
	"strconv"

	"slipway/aggregates/app"
	"slipway/events"
)

// AsOf is what an app was at a moment in the past.
type AsOf struct {
	Sequence  string        `json:"sequence"`        // of the app's last commit by then; text, as in events
	Time      Time          `json:"time"`            // of that commit
	State     string        `json:"app_state"`       // STARTED or STOPPED
	Droplet   GUID          `json:"current_droplet"` // the app's then
	Processes []PastProcess `json:"processes"`       // the app's then
}

// PastProcess is a process as it was, oldest first.
type PastProcess struct {
	GUID      string         `json:"guid"`              // its id
	Type      string         `json:"type"`              // web, worker and so on
	Desired   int            `json:"instances"`         // how many were wanted
	Droplet   GUID           `json:"droplet"`           // what it ran
	Instances []PastInstance `json:"process_instances"` // those that were there
}

// PastInstance is a desired instance as it had been reported.
type PastInstance struct {
	Index    int    `json:"index"`    // from 0
	State    string `json:"state"`    // STARTING, RUNNING, CRASHED or DOWN
	Routable bool   `json:"routable"` // it got requests
}

// AsOf presents an app's state as it was after its last commit.
func (b Base) AsOf(last events.Recorded, s app.State, seen app.Instances) AsOf {
	return AsOf{
		Sequence: strconv.FormatUint(uint64(last.Sequence), 10), Time: Time(last.Time), State: string(s.Desired),
		Droplet: guid(s.Droplet), Processes: Each(s.Processes, func(p app.Process) PastProcess {
			return PastProcess{
				GUID: string(p.ID), Type: p.Type, Desired: p.Instances, Droplet: guid(p.Droplet),
				Instances: pastInstances(p.Instances, seen[p.ID]),
			}
		}),
	}
}

func pastInstances(desired int, seen app.ProcessInstances) []PastInstance {
	all := make([]PastInstance, desired)
	for i := range all {
		all[i] = PastInstance{Index: i, State: "DOWN"}
		switch known, ok := seen[i]; {
		case !ok:
		case known.State == app.InstanceUnready: // Cloud Foundry's RUNNING without traffic
			all[i].State = string(app.InstanceRunning)
		default:
			all[i].State, all[i].Routable = string(known.State), known.State == app.InstanceRunning
		}
	}
	return all
}

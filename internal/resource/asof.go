package resource

import (
	"strconv"

	"slipway/aggregates/app"
	"slipway/events"
)

// AsOf is what an app was at a moment in the past.
type AsOf struct {
	Sequence  string        `json:"sequence"` // of the app's last commit by then; text, as in events
	Time      Time          `json:"time"`     // of that commit
	State     string        `json:"app_state"`
	Droplet   GUID          `json:"current_droplet"`
	Processes []PastProcess `json:"processes"`
}

// PastProcess is a process as it was, oldest first.
type PastProcess struct {
	GUID      string         `json:"guid"`
	Type      string         `json:"type"`
	Desired   int            `json:"instances"`
	Droplet   GUID           `json:"droplet"`
	Instances []PastInstance `json:"process_instances"`
}

// PastInstance is a desired instance as it had been reported.
type PastInstance struct {
	Index    int    `json:"index"`
	State    string `json:"state"`
	Routable bool   `json:"routable"`
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

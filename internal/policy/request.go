package policy

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"slipway/aggregates"
	"slipway/events"
)

// maxContext bounds what is kept of a request, in bytes of JSON: it stands in the event for ever.
const maxContext = 64 << 10

// StrategyRecreate is the strategy that policies see where somebody assigns another droplet to an app, to restart it: everything of
// the old version goes before anything of the new one comes. No deployment has it.
const StrategyRecreate = "recreate"

// Request is what policies see of a deployment request. Its JSON form is what conditions name, and what is kept. No secrets are in
// it: neither environment variables nor start commands.
type Request struct {
	App          App       `json:"app"`
	Space        Place     `json:"space"`
	Organization Place     `json:"organization"`
	Droplet      Droplet   `json:"droplet"`
	Revision     Revision  `json:"revision"` // asked for, where it is a roll-back
	Strategy     Strategy  `json:"strategy"`
	Actor        Actor     `json:"actor"`
	Now          time.Time `json:"now"`
	Last         []Past    `json:"last_deployments"` // of the app, newest first
}

// App is the app as conditions see it.
type App struct {
	GUID           events.AppID      `json:"guid"`
	Name           string            `json:"name"`
	Labels         map[string]string `json:"labels"`
	Annotations    map[string]string `json:"annotations"`
	State          string            `json:"state"` // STARTED or STOPPED
	Instances      int               `json:"instances"`
	CurrentDroplet events.DropletID  `json:"current_droplet"`
}

// Place is a space or an organization.
type Place struct {
	GUID   string            `json:"guid"`
	Name   string            `json:"name"`
	Labels map[string]string `json:"labels"`
}

// Droplet is what would run.
type Droplet struct {
	GUID      events.DropletID `json:"guid"`
	SHA256    string           `json:"sha256"`
	SizeBytes int64            `json:"size_in_bytes"`
	Image     string           `json:"image"`
}

// Revision is the one to go back to; all is empty where it is none.
type Revision struct {
	GUID        events.RevisionID `json:"guid"`
	Version     int               `json:"version"`
	Description string            `json:"description"`
}

// Strategy is how it would roll out.
type Strategy struct {
	Name    string                   `json:"name"`
	Stored  events.StrategyID        `json:"stored"` // the stored one, where it is one
	Options events.DeploymentOptions `json:"options"`
}

// Actor is who asks.
type Actor struct {
	Name       events.Actor `json:"name"`  // "user/alice" or "client/ci"
	Roles      []string     `json:"roles"` // where the app lives
	Automation bool         `json:"automation"`
}

// Past is an earlier deployment of the app.
type Past struct {
	GUID      events.DeploymentID `json:"guid"`
	Status    string              `json:"status"` // ACTIVE or FINALIZED
	Reason    string              `json:"reason"`
	Droplet   events.DropletID    `json:"droplet"`
	Strategy  string              `json:"strategy"`
	By        events.Actor        `json:"by"`
	CreatedAt time.Time           `json:"created_at"`
	EndedAt   *time.Time          `json:"ended_at"` // null: it goes on
}

// seen gives what conditions can name, and the same as it is kept: one is made of the other.
func (r Request) seen() (map[string]any, json.RawMessage, error) {
	r = r.filled()
	kept, err := json.Marshal(r)
	if err != nil {
		return nil, nil, fmt.Errorf("what policies see: %w", err)
	}
	if len(kept) > maxContext {
		return nil, nil, aggregates.Reject("The request is too large for policies to judge it (%d bytes, at most %d): ask for less at once", len(kept), maxContext)
	}
	variables, err := variablesOf(kept, r.Now)
	return variables, kept, err
}

// variablesOf gives what conditions can name, of what is kept.
func variablesOf(kept json.RawMessage, now time.Time) (map[string]any, error) {
	var variables map[string]any
	if err := json.Unmarshal(kept, &variables); err != nil {
		return nil, fmt.Errorf("what policies see: %w", err)
	}
	variables = whole(variables).(map[string]any)
	variables["now"] = now
	return variables, nil
}

// filled has no null where a condition expects a map or a list.
func (r Request) filled() Request {
	for _, labels := range []*map[string]string{&r.App.Labels, &r.App.Annotations, &r.Space.Labels, &r.Organization.Labels} {
		if *labels == nil {
			*labels = map[string]string{}
		}
	}
	if r.Actor.Roles == nil {
		r.Actor.Roles = []string{}
	}
	if r.Last == nil {
		r.Last = []Past{}
	}
	return r
}

// exact is up to where a float64 holds every whole number.
const exact = 1 << 53

// whole makes whole numbers of those that JSON has as floats, so that conditions can calculate with them.
func whole(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = whole(v[key])
		}
	case []any:
		for i := range v {
			v[i] = whole(v[i])
		}
	case float64:
		if v == math.Trunc(v) && math.Abs(v) < exact {
			return int64(v)
		}
	}
	return v
}

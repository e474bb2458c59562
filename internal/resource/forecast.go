package resource

import (
	"encoding/json"
	"math"
	"time"

	"slipway/aggregates/simulate"
	"slipway/events"
	"slipway/internal/commands"
)

// Seconds is a time since a rollout's start, on the wire as a number of seconds, to the millisecond.
type Seconds time.Duration

// MarshalJSON implements json.Marshaler.
func (s Seconds) MarshalJSON() ([]byte, error) {
	return json.Marshal(float64(time.Duration(s).Milliseconds()) / 1000)
}

// UnmarshalJSON implements json.Unmarshaler.
func (s *Seconds) UnmarshalJSON(data []byte) error {
	var n float64
	if err := json.Unmarshal(data, &n); err != nil {
		return err
	}
	*s = Seconds(math.Round(n*1000)) * Seconds(time.Millisecond)
	return nil
}

// Forecast is how a deployment would go (our own addition). A time that is null is never reached.
type Forecast struct {
	App         ForecastApp            `json:"app"`
	Strategy    string                 `json:"strategy"`                      // how it would move
	Options     commands.Options       `json:"options"`                       // with what the request left out
	Original    int                    `json:"original_instances"`            // how many web instances ran before
	Target      int                    `json:"target"`                        // how many there shall be
	Floor       int                    `json:"floor"`                         // fewer than so many never serve
	Assumed     commands.Assumptions   `json:"simulate"`                      // what was taken for given
	Policies    []events.PolicyVerdict `json:"policies,omitempty"`            // what they say before it may begin; the times count from when it does
	Outcome     string                 `json:"outcome"`                       // DEPLOYED, CANCELED, ROLLED_BACK, or WAITING: it does not end by itself
	WaitsFor    string                 `json:"waits_for,omitempty"`           // where the outcome is WAITING: for what
	Finished    *Seconds               `json:"finished_after_in_seconds"`     // when it has ended
	ServesAlone *Seconds               `json:"serves_alone_after_in_seconds"` // one version has all its instances routable, the other is gone
	Lowest      Level                  `json:"lowest_capacity"`               // when the fewest instances serve
	Peak        Peak                   `json:"peak"`                          // when it takes the most
	Steps       []ForecastStep         `json:"steps"`                         // of the plan
	Timeline    []Moment               `json:"timeline"`                      // what happens, in order
	Levels      []Level                `json:"capacity"`                      // what serves, whenever that changes
}

// ForecastApp is the app that is deployed to.
type ForecastApp struct {
	GUID    string `json:"guid"` // its id
	Name    string `json:"name"`
	Started bool   `json:"started"` // it runs; one that is stopped is simply started
}

// Level is what serves from a moment on: instances that are routable and get requests.
type Level struct {
	After   Seconds `json:"after_in_seconds"` // since when
	Old     int     `json:"old"`              // instances of the version before
	New     int     `json:"new"`              // instances of the new version
	Desired int     `json:"desired"`          // web instances in all, those that are starting too
}

// Peak is the most that the app takes at a moment, with its other processes: what a quota must have room for.
type Peak struct {
	After     Seconds `json:"after_in_seconds"` // when
	Instances int     `json:"instances"`        // of all processes
	MemoryMB  int     `json:"memory_in_mb"`     // of all instances
}

// ForecastStep is one step of the plan.
type ForecastStep struct {
	Step     int      `json:"step"`                     // from 1
	New      int      `json:"new"`                      // so many new instances shall serve
	Old      int      `json:"old"`                      // so many old ones stay
	Gate     string   `json:"gate"`                     // what must hold before the next step
	Share    float64  `json:"share,omitempty"`          // of the new version, in percent
	Begins   *Seconds `json:"begins_after_in_seconds"`  // when the updater begins it
	Reached  *Seconds `json:"reached_after_in_seconds"` // when its instances serve
	Passed   *Seconds `json:"passed_after_in_seconds"`  // when its gate opens
	Failures []Broken `json:"failures"`                 // what would come of each kind of failure in it
}

// Broken is what a failure in a step would do.
type Broken struct {
	Kind     string   `json:"kind"`                       // crash, never_starts or check
	Outcome  string   `json:"outcome"`                    // what the deployment comes to: as outcome of the whole
	WaitsFor string   `json:"waits_for,omitempty"`        // where the outcome is WAITING: for what
	Noticed  *Seconds `json:"noticed_after_in_seconds"`   // when it is failed
	Finished *Seconds `json:"finished_after_in_seconds"`  // when it has ended
	OldAlone *Seconds `json:"old_alone_after_in_seconds"` // the old version alone serves again, with all its instances
	Lowest   Level    `json:"lowest_capacity"`            // when the fewest instances serve
}

// Moment is an event of the rollout. Process, from and to are of what changes how many instances shall run.
type Moment struct {
	After   Seconds `json:"after_in_seconds"`  // when
	Type    string  `json:"type"`              // the event's
	Process *GUID   `json:"process,omitempty"` // which is scaled
	Version string  `json:"version,omitempty"` // old or new
	From    *int    `json:"from,omitempty"`    // instances before
	To      *int    `json:"to,omitempty"`      // instances after
	Text    string  `json:"text,omitempty"`    // in words
}

// The versions of a rollout.
const (
	VersionOld = "old"
	VersionNew = "new"
)

// ForecastOf presents a forecast.
func ForecastOf(f commands.Forecast) Forecast {
	created := f.Created
	return Forecast{
		App:      ForecastApp{GUID: string(f.App), Name: f.Name, Started: f.Started},
		Strategy: created.Strategy, Options: commands.OptionsOf(created.Options),
		Original: created.OriginalInstances, Target: created.Target, Floor: created.Floor, Assumed: f.Assumed, Policies: f.Verdicts,
		Outcome: f.Outcome, WaitsFor: f.Waits, Finished: since(f.Finished), ServesAlone: since(f.Alone), Lowest: levelOf(f.Lowest),
		Peak:  Peak{After: Seconds(f.Peak.After), Instances: f.Peak.Instances, MemoryMB: f.Peak.MemoryMB},
		Steps: steps(f.Steps), Timeline: Each(f.Timeline, momentOf), Levels: Each(f.Levels, levelOf),
	}
}

func steps(all []simulate.Step) []ForecastStep {
	shown := make([]ForecastStep, 0, len(all))
	for i, s := range all {
		shown = append(shown, ForecastStep{
			Step: i + 1, New: s.New, Old: s.Old, Gate: s.Gate, Share: s.Share,
			Begins: since(s.Began), Reached: since(s.Reached), Passed: since(s.Passed),
			Failures: Each(s.Failures, func(x simulate.Failure) Broken {
				return Broken{
					Kind: string(x.Kind), Outcome: x.Outcome, WaitsFor: x.Waits, Noticed: since(x.Noticed), Finished: since(x.Finished),
					OldAlone: since(x.Alone), Lowest: levelOf(x.Lowest),
				}
			}),
		})
	}
	return shown
}

func momentOf(m simulate.Moment) Moment {
	shown := Moment{After: Seconds(m.After), Type: string(m.Type), Text: m.Text}
	if m.Scales() {
		process := guid(m.Process)
		shown.Process, shown.From, shown.To, shown.Version = &process, &m.From, &m.To, VersionOld
		if m.New {
			shown.Version = VersionNew
		}
	}
	return shown
}

func levelOf(l simulate.Level) Level {
	return Level{After: Seconds(l.After), Old: l.Old, New: l.New, Desired: l.Desired}
}

func since(d *time.Duration) *Seconds { return (*Seconds)(d) }

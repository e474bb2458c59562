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
	Strategy    string                 `json:"strategy"`
	Options     commands.Options       `json:"options"` // with what the request left out
	Original    int                    `json:"original_instances"`
	Target      int                    `json:"target"`
	Floor       int                    `json:"floor"`
	Assumed     commands.Assumptions   `json:"simulate"`           // what was taken for given
	Policies    []events.PolicyVerdict `json:"policies,omitempty"` // what they say before it may begin; the times count from when it does
	Outcome     string                 `json:"outcome"`            // DEPLOYED, CANCELED, ROLLED_BACK, or WAITING: it does not end by itself
	WaitsFor    string                 `json:"waits_for,omitempty"`
	Finished    *Seconds               `json:"finished_after_in_seconds"`
	ServesAlone *Seconds               `json:"serves_alone_after_in_seconds"` // one version has all its instances routable, the other is gone
	Lowest      Level                  `json:"lowest_capacity"`
	Peak        Peak                   `json:"peak"`
	Steps       []ForecastStep         `json:"steps"`
	Timeline    []Moment               `json:"timeline"`
	Levels      []Level                `json:"capacity"` // what serves, whenever that changes
}

// ForecastApp is the app that is deployed to.
type ForecastApp struct {
	GUID    string `json:"guid"`
	Name    string `json:"name"`
	Started bool   `json:"started"`
}

// Level is what serves from a moment on: instances that are routable and get requests.
type Level struct {
	After   Seconds `json:"after_in_seconds"`
	Old     int     `json:"old"`
	New     int     `json:"new"`
	Desired int     `json:"desired"` // web instances in all, those that are starting too
}

// Peak is the most that the app takes at a moment, with its other processes: what a quota must have room for.
type Peak struct {
	After     Seconds `json:"after_in_seconds"`
	Instances int     `json:"instances"`
	MemoryMB  int     `json:"memory_in_mb"`
}

// ForecastStep is one step of the plan.
type ForecastStep struct {
	Step     int      `json:"step"` // from 1
	New      int      `json:"new"`
	Old      int      `json:"old"`
	Gate     string   `json:"gate"`
	Share    float64  `json:"share,omitempty"`
	Begins   *Seconds `json:"begins_after_in_seconds"`
	Reached  *Seconds `json:"reached_after_in_seconds"`
	Passed   *Seconds `json:"passed_after_in_seconds"`
	Failures []Broken `json:"failures"`
}

// Broken is what a failure in a step would do.
type Broken struct {
	Kind     string   `json:"kind"` // crash, never_starts or check
	Outcome  string   `json:"outcome"`
	WaitsFor string   `json:"waits_for,omitempty"`
	Noticed  *Seconds `json:"noticed_after_in_seconds"`
	Finished *Seconds `json:"finished_after_in_seconds"`
	OldAlone *Seconds `json:"old_alone_after_in_seconds"` // the old version alone serves again, with all its instances
	Lowest   Level    `json:"lowest_capacity"`
}

// Moment is an event of the rollout. Process, from and to are of what changes how many instances shall run.
type Moment struct {
	After   Seconds `json:"after_in_seconds"`
	Type    string  `json:"type"`
	Process *GUID   `json:"process,omitempty"`
	Version string  `json:"version,omitempty"` // old or new
	From    *int    `json:"from,omitempty"`
	To      *int    `json:"to,omitempty"`
	Text    string  `json:"text,omitempty"`
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

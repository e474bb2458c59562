package replay

import (
	"time"

	"slipway/aggregates/app"
	"slipway/aggregates/simulate"
)

// Proof says how far a simulation with the rollout's own options is what happened.
type Proof struct {
	Simulated simulate.Forecast
	Same      bool          // the same scale events of the same processes in the same order
	Apart     time.Duration // the most that a scale event came earlier or later
	First     int           // index of the first scale event that differs
	Recorded  *Scaling      // that one as recorded; nil: there is none
	Now       *Scaling      // and as simulated
}

// Prove simulates the rollout with its own options.
func (r Rollout) Prove() (Proof, error) {
	f, err := r.Simulate(r.deploy)
	if err != nil {
		return Proof{}, err
	}
	p := Proof{Simulated: f, Same: true}
	now := scalings(f)
	for i := range max(len(now), len(r.Scalings)) {
		a, b := nth(r.Scalings, i), nth(now, i)
		if a == nil || b == nil || !a.same(*b) {
			p.Same, p.First, p.Recorded, p.Now = false, i, a, b
			return p, nil
		}
		p.Apart = max(p.Apart, (a.After - b.After).Abs())
	}
	return p, nil
}

// Simulate lets the rollout happen as it would have with what is asked for.
func (r Rollout) Simulate(ask app.CreateDeployment) (simulate.Forecast, error) {
	return simulate.Run(simulate.Input{
		App: r.Before, Deploy: ask, Lives: r.lives.of, Acts: r.acts,
		Pauses: func(n int) (time.Duration, bool) {
			if lasted, ok := r.pauses[n]; ok || n <= r.paused {
				return lasted, ok
			}
			return r.typicalPause()
		},
	})
}

// typicalPause is how long a pause lasts that the rollout did not have: as long as its last one.
func (r Rollout) typicalPause() (time.Duration, bool) {
	for n := r.paused; n > 0; n-- {
		if lasted, ok := r.pauses[n]; ok {
			return lasted, true
		}
	}
	return 0, false
}

func scalings(f simulate.Forecast) (all []Scaling) {
	for _, m := range f.Timeline {
		if m.Scales() {
			all = append(all, Scaling{After: m.After, Process: m.Process, New: m.New, From: m.From, To: m.To})
		}
	}
	return all
}

func nth(all []Scaling, i int) *Scaling {
	if i >= len(all) {
		return nil
	}
	return &all[i]
}

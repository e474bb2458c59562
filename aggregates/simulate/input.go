package simulate

import (
	"time"

	"slipway/aggregates/app"
	"slipway/events"
)

// Input is what is simulated.
type Input struct {
	App    app.State            // as it is; every instance that it wants is taken to run
	Deploy app.CreateDeployment // its Now is when the simulation begins
	Lives  Lives                // what becomes of each instance that is started; nil: it is routable at once
	Pauses Pauses               // how long pauses last; nil: nobody ever continues one
	Acts   []Act                // what else people do
	Fault  Fault                // what goes wrong; the zero Fault is nothing
	// Explore also says of each step what a failure there would do: see [Step.Failures].
	Explore bool
}

// Start is one start of an instance.
type Start struct {
	Process events.ProcessID
	New     bool // of the version being deployed
	Index   int
	Number  int           // counts the starts of the index, from 1
	After   time.Duration // since the rollout began
}

// Life is what becomes of one start. Times count from the moment at which the instance is wanted. The zero Life is routable
// at once and for ever.
type Life struct {
	Reported time.Duration // until an agent reports that it starts
	Routable time.Duration // until it is routable
	Hangs    bool          // it never becomes routable
	Crashes  bool
	Crash    time.Duration // until it crashes, if it does; before Routable: it never was routable
}

// Lives says what becomes of each start. It must be a function of its argument alone.
type Lives func(Start) Life

// Pauses says how long the n-th pause (from 1) lasts until somebody continues it; ok is false where nobody does.
type Pauses func(n int) (lasts time.Duration, ok bool)

// EachLasts is pauses that are all continued after the same time.
func EachLasts(d time.Duration) Pauses { return func(int) (time.Duration, bool) { return d, true } }

// Verb is what somebody does about a rollout.
type Verb string

// The verbs.
const (
	Continue  Verb = "continue" // of a rollout that is held
	Cancel    Verb = "cancel"
	RollBack  Verb = "roll back"
	Supersede Verb = "supersede" // another deployment is created: the simulation ends
)

// Act is something that somebody does at a moment. What is refused then decides nothing.
type Act struct {
	After time.Duration // since the rollout began
	Verb  Verb
}

// FaultKind is a way in which a new version can be bad.
type FaultKind string

// The kinds of faults.
const (
	FaultCrash FaultKind = "crash"        // its instances crash, again and again, instead of becoming routable
	FaultHang  FaultKind = "never_starts" // its instances never become routable
	FaultCheck FaultKind = "check"        // its checks fail
	FaultAlarm FaultKind = "alarm"        // an alarm about the app fires
)

// FaultKinds are all there are.
var FaultKinds = []FaultKind{FaultCrash, FaultHang, FaultCheck, FaultAlarm}

// Fault is something that goes wrong from a step on. Instances of earlier steps stay well, unless the step starts none: then it
// happens to those that run.
type Fault struct {
	Kind FaultKind
	Step int // from 1
}

// Startup is instances that take their time and then run for ever.
type Startup struct {
	Time   time.Duration // that each takes at least
	Spread time.Duration // each takes up to so much longer
	Seed   uint64        // chooses how much
}

// Lives implements the startup.
func (s Startup) Lives() Lives {
	return func(start Start) Life {
		life := Life{Routable: s.Time}
		if s.Spread > 0 {
			side := uint64(0)
			if start.New {
				side = 1
			}
			n := mix(mix(mix(s.Seed^side)^uint64(start.Index)) ^ uint64(start.Number))
			life.Routable += time.Duration(n % uint64(s.Spread+1))
		}
		return life
	}
}

// mix is splitmix64's step (Steele, Lea, Flood 2014): a number that looks random, the same for the same x.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

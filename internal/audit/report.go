package audit

import (
	"time"

	"slipway/events"
)

// Law is one of the laws that are checked; see the package comment.
type Law string

// The laws.
const (
	LawSequence Law = "sequence" // nothing is missing in the stream
	LawDecodes  Law = "decodes"  // every message is a commit
	LawChain    Law = "chain"    // versions and hashes of an aggregate
	LawPlace    Law = "place"    // an event stands on its aggregate's subject
	LawFold     Law = "fold"     // an event fits the state before it
	LawRollout  Law = "rollout"  // one active deployment, never begun twice
	LawCapacity Law = "capacity" // desired old + routable new does not fall below the floor
)

// Breach is one place where a law does not hold.
type Breach struct {
	Law        Law                 `json:"law"`
	Sequence   events.Sequence     `json:"sequence"` // of the message that shows it
	Subject    events.Subject      `json:"subject"`
	Deployment events.DeploymentID `json:"deployment,omitempty"` // active then, if any
	Problem    string              `json:"problem"`              // for a person
}

// Outcomes of a rollout, beside the reasons of aggregates/app.
const (
	OutcomeActive  = "ACTIVE"  // it goes on
	OutcomeDeleted = "DELETED" // it went with its app
)

// Rollout is what the log says about one deployment.
type Rollout struct {
	Deployment events.DeploymentID `json:"deployment"`
	App        events.AppID        `json:"app"`
	Name       string              `json:"name"` // of the app
	Strategy   string              `json:"strategy"`
	Target     int                 `json:"target"`
	Floor      int                 `json:"floor"`
	Outcome    string              `json:"outcome"`
	Decisions  int                 `json:"decisions"` // commits of the updater while it was active
	Created    events.Sequence     `json:"created"`   // its first commit
	Ended      events.Sequence     `json:"ended,omitempty"`
	Began      time.Time           `json:"began"`   // when the server stored its first commit
	TookMS     int64               `json:"took_ms"` // to its end, or to the newest message

	Lowest  *Low  `json:"lowest,omitempty"` // nil where nothing was promised at any time: the app was stopped, or it was over at once
	BelowMS int64 `json:"below_ms"`         // how long the capacity was below the floor because instances failed
	Below   bool  `json:"below"`            // it still is, or was when the rollout ended: not restored

	Breaches int  `json:"breaches"`
	Judged   bool `json:"judged"` // false: the app's history is broken or unreadable, so its laws could not be checked to the end
}

// Low is the lowest capacity of a rollout at any moment between its creation and its end.
type Low struct {
	Old int             `json:"old"` // desired instances of proven versions, routable ones of interim versions
	New int             `json:"new"` // routable instances of the new version
	At  events.Sequence `json:"at"`  // the message after which it was so
}

// Total is old and new together.
func (l Low) Total() int { return l.Old + l.New }

// maxBreaches bounds those that are kept one by one: a log with more of them is not mended by reading on.
const maxBreaches = 1000

// Report is what an audit found.
type Report struct {
	Messages   int             `json:"messages"`   // of all kinds
	Reports    int             `json:"reports"`    // of agents, among them
	Aggregates int             `json:"aggregates"` // apps, droplets, names, refused commands
	Newest     events.Sequence `json:"newest"`     // the last message read
	Rollouts   []*Rollout      `json:"rollouts"`   // in order of creation
	Breaches   []Breach        `json:"breaches"`   // in order of sequence, at most the first thousand
	Found      int             `json:"found"`      // breaches in all
	// Unjudged counts decisions whose capacity could not be judged because more reports raced with them than are kept.
	Unjudged int `json:"unjudged"`
}

// OK says whether no breach was found.
func (r Report) OK() bool { return r.Found == 0 }

func (r *Report) breach(b Breach) {
	r.Found++
	if len(r.Breaches) < maxBreaches {
		r.Breaches = append(r.Breaches, b)
	}
}

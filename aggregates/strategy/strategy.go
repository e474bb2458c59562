// Package strategy is the rule book of stored deployment strategies: AWS AppConfig's, with its limits and in its words. A
// strategy is numbers with a name; what they mean for a rollout is for package plan to say.
//
// Invariants, each with a law in laws_test.go:
//
//  1. The numbers of every strategy are within their ranges, whatever was asked for.
//  2. A refused change changes nothing: all faults are told together, and before anything is decided.
//  3. The same command decides nothing the second time.
//  4. A deleted strategy stays deleted, and nobody can change a predefined one.
//
// Names need not be unique (AppConfig's rule): a strategy is known by its id.
package strategy

import (
	"fmt"
	"strings"

	"slipway/aggregates"
	"slipway/events"
)

// MaxStored is how many strategies there may be beside the predefined ones: AppConfig's default quota.
const MaxStored = 20

// CodeQuota refuses a strategy beyond [MaxStored].
const CodeQuota aggregates.Code = "ServiceQuotaExceeded"

// State is a strategy folded from its events. The zero State does not exist.
type State struct {
	ID          events.StrategyID
	Name        string
	Description string
	Growth      events.Growth
	ReplicateTo string
	Deleted     bool
}

// Exists says whether the strategy has been created and not deleted.
func (s State) Exists() bool { return s.ID != "" && !s.Deleted }

// Evolve folds one event into the strategy. It is total.
func Evolve(s State, e events.Event) State {
	switch e := e.(type) {
	case events.StrategyCreated:
		return State{ID: e.Strategy, Name: e.Name, Description: e.Description, Growth: e.Growth, ReplicateTo: e.ReplicateTo}
	case events.StrategyUpdated:
		s.Description, s.Growth = e.Description, e.Growth
	case events.StrategyDeleted:
		s.Deleted = true
	}
	return s
}

// IDOf is the n-th id that a command can give the strategy it creates, counted from 0: seven of a-z and 0-9, as AppConfig's
// are. So short an id may be taken already; then the next one is tried.
func IDOf(command events.CommandID, n int) events.StrategyID {
	id := events.DeriveID(command, "strategy", n)
	return events.StrategyID(strings.ToLower(id[len(id)-7:])) // its last characters are random, the first tell the time
}

// Numbers are numbers of a strategy as a request gives them. What is nil was not given.
type Numbers struct {
	GrowthType                *string  `json:"growth_type,omitempty"`
	GrowthFactor              *float64 `json:"growth_factor,omitempty"`
	DeploymentDurationMinutes *int     `json:"deployment_duration_minutes,omitempty"`
	FinalBakeMinutes          *int     `json:"final_bake_minutes,omitempty"`
}

// on is g with what n gives.
func (n Numbers) on(g events.Growth) events.Growth {
	set(&g.GrowthType, n.GrowthType)
	set(&g.GrowthFactor, n.GrowthFactor)
	set(&g.DeploymentDurationMinutes, n.DeploymentDurationMinutes)
	set(&g.FinalBakeMinutes, n.FinalBakeMinutes)
	return g
}

func set[V any](into *V, given *V) {
	if given != nil {
		*into = *given
	}
}

// Creation is the command to create a strategy. Growth type, bake and ReplicateTo have AppConfig's defaults: LINEAR, 0, NONE.
type Creation struct {
	Strategy    events.StrategyID
	Name        *string
	Description *string
	Numbers     Numbers
	ReplicateTo *string
	Tags        map[string]string
	Stored      int // how many strategies there are
}

// Create brings forth a strategy.
func Create(s State, c Creation) ([]events.Event, error) {
	if s.ID != "" {
		return nil, &aggregates.RejectedError{Code: aggregates.CodeConflict, Message: "The strategy's id was taken a moment ago. Send the request again."}
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Stored >= MaxStored {
		return nil, &aggregates.RejectedError{
			Code: CodeQuota, Message: fmt.Sprintf("There can be at most %d deployment strategies beside the predefined ones. Delete one first.", MaxStored),
		}
	}
	e := events.StrategyCreated{
		Strategy: c.Strategy, Growth: c.Numbers.on(events.Growth{GrowthType: events.GrowthLinear}), ReplicateTo: events.ReplicateToNone, Tags: c.Tags,
	}
	set(&e.Name, c.Name)
	set(&e.Description, c.Description)
	set(&e.ReplicateTo, c.ReplicateTo)
	return []events.Event{e}, nil
}

// Change is the command to change a strategy. What is nil stays; name and ReplicateTo cannot be changed (AppConfig's rule).
type Change struct {
	Strategy    events.StrategyID
	Description *string
	Numbers     Numbers
}

// Update changes a strategy. Deployments that began before keep the numbers they copied.
func Update(s State, c Change) ([]events.Event, error) {
	if err := mayBeChanged(c.Strategy, "Cannot update predefined Deployment Strategy %s"); err != nil {
		return nil, err
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	if !s.Exists() {
		return nil, NotFound(c.Strategy)
	}
	e := events.StrategyUpdated{Strategy: s.ID, Description: s.Description, Growth: c.Numbers.on(s.Growth)}
	set(&e.Description, c.Description)
	if e.Description == s.Description && e.Growth == s.Growth {
		return nil, nil
	}
	return []events.Event{e}, nil
}

// Delete removes a strategy, in use or not. To delete it again is refused (AppConfig's rule).
func Delete(s State, id events.StrategyID) ([]events.Event, error) {
	if err := mayBeChanged(id, "Cannot delete predefined Deployment Strategy %s."); err != nil {
		return nil, err
	}
	if !s.Exists() {
		return nil, NotFound(id)
	}
	return []events.Event{events.StrategyDeleted{Strategy: s.ID}}, nil
}

// mayBeChanged refuses ids of predefined strategies with text, and those that are none.
func mayBeChanged(id events.StrategyID, text string) error {
	if _, ok := Predefined(id); ok {
		return aggregates.Reject(text, id)
	}
	return CheckID(id)
}

// NotFound is the refusal of an id that no strategy has.
func NotFound(id events.StrategyID) *aggregates.RejectedError {
	return &aggregates.RejectedError{
		Code: aggregates.CodeNotFound, Message: "DeploymentStrategy with Id " + string(id) + " could not be found.",
	}
}

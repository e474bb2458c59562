package commands

import (
	"context"

	"slipway/aggregates"
	"slipway/aggregates/strategy"
	"slipway/events"
	"slipway/internal/eventlog"
)

// The catalogue of stored deployment strategies.
type (
	// CreateStrategy stores a deployment strategy.
	CreateStrategy struct {
		Called      *string           `json:"name,omitempty"`
		Description *string           `json:"description,omitempty"`
		ReplicateTo *string           `json:"replicate_to,omitempty"` // NONE, the default, or SSM_DOCUMENT
		Tags        map[string]string `json:"tags,omitempty"`
		Growth      strategy.Numbers  `json:"growth"`
	}
	// UpdateStrategy changes a strategy's description and numbers. What began with it keeps the old ones.
	UpdateStrategy struct {
		Strategy    events.StrategyID `json:"strategy"`
		Description *string           `json:"description,omitempty"`
		Growth      strategy.Numbers  `json:"growth,omitzero"`
	}
	// DeleteStrategy deletes a strategy. What began with it goes on.
	DeleteStrategy struct {
		Strategy events.StrategyID `json:"strategy"`
	}
)

func (CreateStrategy) Name() string { return "strategy.create" }
func (UpdateStrategy) Name() string { return "strategy.update" }
func (DeleteStrategy) Name() string { return "strategy.delete" }

// Strategies gives decisions the numbers of deployment strategies.
type Strategies struct {
	stored *eventlog.Repository[strategy.State]
}

// NewStrategies makes one over the event log.
func NewStrategies(log eventlog.Log) *Strategies {
	return &Strategies{eventlog.NewRepository(log, events.AggregateStrategy, strategy.Evolve, nil, 0)}
}

// Growth gives the numbers of a strategy, stored or predefined, as they are now: what a deployment that starts copies. An id
// that no strategy has is an *aggregates.RejectedError with CodeNotFound; one that none can have, with CodeUnprocessable.
func (s *Strategies) Growth(ctx context.Context, id events.StrategyID) (events.Growth, error) {
	if found, ok := strategy.Predefined(id); ok {
		return found.Growth, nil
	}
	if err := strategy.CheckID(id); err != nil {
		return events.Growth{}, err
	}
	agg, err := s.stored.Load(ctx, string(id))
	if err != nil {
		return events.Growth{}, err
	}
	if !agg.State.Exists() {
		return events.Growth{}, strategy.NotFound(id)
	}
	return agg.State.Growth, nil
}

// creation lets one thing of a kind be created at a time: what it is up to is looked up in the read model, and two at once would not
// know of each other. Between processes that can happen, and the quota of strategies be passed by one.
type creation chan struct{}

func (c creation) begin(ctx context.Context) (end func(), err error) {
	select {
	case c <- struct{}{}:
		return func() { <-c }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (h *Handler) updateStrategy(ctx context.Context, c UpdateStrategy, m eventlog.Meta) (Result, error) {
	change := strategy.Change{Strategy: c.Strategy, Description: c.Description, Numbers: c.Growth}
	return h.onStrategy(ctx, c.Strategy, m, func(s strategy.State) ([]events.Event, error) { return strategy.Update(s, change) })
}

func (h *Handler) deleteStrategy(ctx context.Context, c DeleteStrategy, m eventlog.Meta) (Result, error) {
	return h.onStrategy(ctx, c.Strategy, m, func(s strategy.State) ([]events.Event, error) { return strategy.Delete(s, c.Strategy) })
}

func (h *Handler) onStrategy(ctx context.Context, id events.StrategyID, m eventlog.Meta, decide func(strategy.State) ([]events.Event, error)) (Result, error) {
	out, err := h.strategies.stored.Decide(ctx, string(id), m, decide)
	if err != nil {
		return Result{}, err
	}
	return resultOf(KindStrategy, string(id), out), nil
}

func (h *Handler) createStrategy(ctx context.Context, c CreateStrategy, m eventlog.Meta) (Result, error) {
	create := strategy.Creation{
		Name: c.Called, Description: c.Description, Numbers: c.Growth, ReplicateTo: c.ReplicateTo, Tags: c.Tags,
	}
	if _, err := strategy.Create(strategy.State{}, create); err != nil {
		return Result{}, err // before anybody waits
	}
	end, err := h.creating.begin(ctx)
	if err != nil {
		return Result{}, err
	}
	defer end()
	if create.Strategy, err = h.strategyID(ctx, m.CommandID); err != nil {
		return Result{}, err
	}
	return h.onStrategy(ctx, create.Strategy, m, func(s strategy.State) ([]events.Event, error) {
		if create.Stored, err = h.finder.CountStrategies(ctx); err != nil {
			return nil, err
		}
		return strategy.Create(s, create)
	})
}

// idAttempts bounds how many ids are tried for a new strategy. An id has 35 random bits: to find one taken is rare, and several
// in a row a fault.
const idAttempts = 4

// strategyID is the id that a command gives the strategy it creates: the same one each time it comes.
func (h *Handler) strategyID(ctx context.Context, command events.CommandID) (events.StrategyID, error) {
	for n := range idAttempts {
		id := strategy.IDOf(command, n)
		agg, err := h.strategies.stored.Load(ctx, string(id))
		if err != nil {
			return "", err
		}
		if !agg.Exists() || agg.Position.Handled(command) {
			return id, nil
		}
	}
	return "", &aggregates.RejectedError{Code: aggregates.CodeConflict, Message: "No id was free for the strategy. Send the request again with another id."}
}

package strategy_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/strategy"
	"slipway/events"
)

var (
	quarters = events.Growth{GrowthType: events.GrowthLinear, GrowthFactor: 25, DeploymentDurationMinutes: 15}
	created  = events.StrategyCreated{Strategy: "1225qzk", Name: "careful", Growth: quarters, ReplicateTo: events.ReplicateToNone}
)

func fold(given ...events.Event) (s strategy.State) {
	for _, e := range given {
		s = strategy.Evolve(s, e)
	}
	return s
}

// creation is the least that a strategy needs.
func creation(change func(*strategy.Creation)) strategy.Creation {
	c := strategy.Creation{
		Strategy: "1225qzk", Name: new("careful"), Numbers: strategy.Numbers{GrowthFactor: new(25.0), DeploymentDurationMinutes: new(15)},
	}
	if change != nil {
		change(&c)
	}
	return c
}

func TestCreate(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*strategy.Creation)
		want   events.StrategyCreated
	}{
		"the least": {nil, created},
		"all of it": {
			func(c *strategy.Creation) {
				c.Description, c.ReplicateTo, c.Tags = new("slow"), new("SSM_DOCUMENT"), map[string]string{"team": "pay"}
				c.Numbers.GrowthType, c.Numbers.FinalBakeMinutes = new("EXPONENTIAL"), new(20)
			},
			events.StrategyCreated{
				Strategy: "1225qzk", Name: "careful", Description: "slow", ReplicateTo: "SSM_DOCUMENT", Tags: map[string]string{"team": "pay"},
				Growth: events.Growth{GrowthType: "EXPONENTIAL", GrowthFactor: 25, DeploymentDurationMinutes: 15, FinalBakeMinutes: 20},
			},
		},
		"the last one within the quota": {func(c *strategy.Creation) { c.Stored = strategy.MaxStored - 1 }, created},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			got, err := strategy.Create(strategy.State{}, creation(c.change))
			is.NoErr(err)
			is.Equal(got, []events.Event{c.want})
		})
	}
}

func TestWhatCreateRefuses(t *testing.T) {
	tags := map[string]string{}
	for n := range 51 {
		tags[strings.Repeat("k", n+1)] = ""
	}
	for name, c := range map[string]struct {
		change func(*strategy.Creation)
		want   string
	}{
		"no name":                {func(c *strategy.Creation) { c.Name = nil }, "Value null at 'name'"},
		"an empty name":          {func(c *strategy.Creation) { c.Name = new("") }, "'name' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		"a long name":            {func(c *strategy.Creation) { c.Name = new(strings.Repeat("é", 65)) }, "'name' failed to satisfy constraint: Member must have length less than or equal to 64"},
		"broken text":            {func(c *strategy.Creation) { c.Name = new("caf\xe9") }, "Value 'caf?' at 'name'"},
		"a long description":     {func(c *strategy.Creation) { c.Description = new(strings.Repeat("x", 1025)) }, strings.Repeat("x", 100) + "...' at 'description'"},
		"no duration":            {func(c *strategy.Creation) { c.Numbers.DeploymentDurationMinutes = nil }, "Value null at 'deploymentDurationInMinutes'"},
		"a negative duration":    {func(c *strategy.Creation) { c.Numbers.DeploymentDurationMinutes = new(-1) }, "Value '-1' at 'deploymentDurationInMinutes' failed to satisfy constraint: Member must have value greater than or equal to 0"},
		"more than a day":        {func(c *strategy.Creation) { c.Numbers.DeploymentDurationMinutes = new(1441) }, "Member must have value less than or equal to 1440"},
		"a long bake":            {func(c *strategy.Creation) { c.Numbers.FinalBakeMinutes = new(1441) }, "Value '1441' at 'finalBakeTimeInMinutes'"},
		"no factor":              {func(c *strategy.Creation) { c.Numbers.GrowthFactor = nil }, "Value null at 'growthFactor'"},
		"a factor below 1":       {func(c *strategy.Creation) { c.Numbers.GrowthFactor = new(0.5) }, "Value '0.5' at 'growthFactor' failed to satisfy constraint: Member must have value greater than or equal to 1"},
		"a factor above 100":     {func(c *strategy.Creation) { c.Numbers.GrowthFactor = new(100.1) }, "Value '100.1' at 'growthFactor'"},
		"NaN":                    {func(c *strategy.Creation) { c.Numbers.GrowthFactor = new(math.NaN()) }, "Value 'NaN' at 'growthFactor'"},
		"infinity":               {func(c *strategy.Creation) { c.Numbers.GrowthFactor = new(math.Inf(1)) }, "Value '+Inf' at 'growthFactor'"},
		"an unknown growth":      {func(c *strategy.Creation) { c.Numbers.GrowthType = new("CUBIC") }, "Value 'CUBIC' at 'growthType' failed to satisfy constraint: Member must satisfy enum value set: [EXPONENTIAL, LINEAR]"},
		"an unknown place":       {func(c *strategy.Creation) { c.ReplicateTo = new("S3") }, "Value 'S3' at 'replicateTo'"},
		"51 tags":                {func(c *strategy.Creation) { c.Tags = tags }, "Value '51 tags' at 'tags'"},
		"a tag without a key":    {func(c *strategy.Creation) { c.Tags = map[string]string{"": "v"} }, "'tags' failed to satisfy constraint: Member must have length greater than or equal to 1"},
		"a tag with much to say": {func(c *strategy.Creation) { c.Tags = map[string]string{"k": strings.Repeat("v", 257)} }, "less than or equal to 256"},
		"two faults":             {func(c *strategy.Creation) { c.Name, c.Numbers.FinalBakeMinutes = nil, new(-1) }, "2 validation errors detected: Value null at 'name' failed to satisfy constraint: Member must not be null; Value '-1' at 'finalBakeTimeInMinutes'"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			got, err := strategy.Create(strategy.State{}, creation(c.change))
			is.Equal(got, nil) // nothing is decided
			refused(t, err, aggregates.CodeUnprocessable, c.want)
		})
	}
	t.Run("one too many", func(t *testing.T) {
		_, err := strategy.Create(strategy.State{}, creation(func(c *strategy.Creation) { c.Stored = strategy.MaxStored }))
		refused(t, err, strategy.CodeQuota, "at most 20")
	})
	t.Run("an id that is taken", func(t *testing.T) {
		_, err := strategy.Create(fold(created), creation(nil))
		refused(t, err, aggregates.CodeConflict, "taken")
	})
}

// refused checks how and why a command was refused.
func refused(t *testing.T, err error, code aggregates.Code, text string) {
	t.Helper()
	var rejected *aggregates.RejectedError
	if !errors.As(err, &rejected) || rejected.Code != code || !strings.Contains(rejected.Message, text) {
		t.Errorf("got %v, want %s with %q", err, code, text)
	}
}

func TestUpdate(t *testing.T) {
	with := func(change func(*events.Growth)) events.Growth {
		g := quarters
		change(&g)
		return g
	}
	for name, c := range map[string]struct {
		given  []events.Event
		change strategy.Change
		want   []events.Event
	}{
		"one number": {
			nil, strategy.Change{Numbers: strategy.Numbers{FinalBakeMinutes: new(20)}},
			[]events.Event{events.StrategyUpdated{Strategy: "1225qzk", Growth: with(func(g *events.Growth) { g.FinalBakeMinutes = 20 })}},
		},
		"growth and description": {
			nil, strategy.Change{Description: new("fast"), Numbers: strategy.Numbers{GrowthType: new("EXPONENTIAL"), GrowthFactor: new(2.0)}},
			[]events.Event{events.StrategyUpdated{
				Strategy: "1225qzk", Description: "fast",
				Growth: with(func(g *events.Growth) { g.GrowthType, g.GrowthFactor = "EXPONENTIAL", 2 }),
			}},
		},
		"a zero": {
			[]events.Event{events.StrategyUpdated{Strategy: "1225qzk", Growth: with(func(g *events.Growth) { g.FinalBakeMinutes = 20 })}},
			strategy.Change{Numbers: strategy.Numbers{FinalBakeMinutes: new(0)}}, []events.Event{events.StrategyUpdated{Strategy: "1225qzk", Growth: quarters}},
		},
		"nothing":             {nil, strategy.Change{}, nil},
		"what stands already": {nil, strategy.Change{Numbers: strategy.Numbers{GrowthFactor: new(25.0)}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			c.change.Strategy = "1225qzk"
			got, err := strategy.Update(fold(append([]events.Event{created}, c.given...)...), c.change)
			is.NoErr(err)
			is.Equal(got, c.want)
		})
	}
}

func TestWhatUpdateAndDeleteRefuse(t *testing.T) {
	gone := fold(created, events.StrategyDeleted{Strategy: "1225qzk"})
	update := func(s strategy.State, id events.StrategyID) error {
		_, err := strategy.Update(s, strategy.Change{Strategy: id})
		return err
	}
	remove := func(s strategy.State, id events.StrategyID) error {
		_, err := strategy.Delete(s, id)
		return err
	}
	bad := strategy.Change{Strategy: "1225qzk", Description: new("fine"), Numbers: strategy.Numbers{GrowthFactor: new(0.0)}}
	_, badField := strategy.Update(fold(created), bad)
	for name, c := range map[string]struct {
		err  error
		code aggregates.Code
		want string
	}{
		"a bad field beside a good one": {badField, aggregates.CodeUnprocessable, "1 validation error detected: Value '0' at 'growthFactor'"},
		"update an unknown one":         {update(strategy.State{}, "zzzzzzz"), aggregates.CodeNotFound, "DeploymentStrategy with Id zzzzzzz could not be found."},
		"update a deleted one":          {update(gone, "1225qzk"), aggregates.CodeNotFound, "1225qzk could not be found."},
		"update a predefined one":       {update(strategy.State{}, "AppConfig.AllAtOnce"), aggregates.CodeUnprocessable, "Cannot update predefined Deployment Strategy AppConfig.AllAtOnce"},
		"update no id":                  {update(strategy.State{}, "ABC"), aggregates.CodeUnprocessable, "Value 'ABC' at 'deploymentStrategyId'"},
		"delete an unknown one":         {remove(strategy.State{}, "zzzzzzz"), aggregates.CodeNotFound, "DeploymentStrategy with Id zzzzzzz could not be found."},
		"delete twice":                  {remove(gone, "1225qzk"), aggregates.CodeNotFound, "could not be found."},
		"delete a predefined one":       {remove(strategy.State{}, "AppConfig.AllAtOnce"), aggregates.CodeUnprocessable, "Cannot delete predefined Deployment Strategy AppConfig.AllAtOnce."},
		"delete one that looks like it": {remove(strategy.State{}, "AppConfig.NotARealStrategy"), aggregates.CodeNotFound, "could not be found."},
	} {
		t.Run(name, func(t *testing.T) { refused(t, c.err, c.code, c.want) })
	}
}

func TestDelete(t *testing.T) {
	is := is.New(t)
	got, err := strategy.Delete(fold(created), "1225qzk")
	is.NoErr(err)
	is.Equal(got, []events.Event{events.StrategyDeleted{Strategy: "1225qzk"}})
}

// TestPredefined holds the numbers that AppConfig publishes.
func TestPredefined(t *testing.T) {
	is := is.New(t)
	want := map[events.StrategyID]events.Growth{
		"AppConfig.AllAtOnce":                     {GrowthType: "LINEAR", GrowthFactor: 100, DeploymentDurationMinutes: 0, FinalBakeMinutes: 10},
		"AppConfig.Linear50PercentEvery30Seconds": {GrowthType: "LINEAR", GrowthFactor: 50, DeploymentDurationMinutes: 1, FinalBakeMinutes: 1},
		"AppConfig.Canary10Percent20Minutes":      {GrowthType: "EXPONENTIAL", GrowthFactor: 10, DeploymentDurationMinutes: 20, FinalBakeMinutes: 10},
		"AppConfig.Linear20PercentEvery6Minutes":  {GrowthType: "LINEAR", GrowthFactor: 20, DeploymentDurationMinutes: 30, FinalBakeMinutes: 30},
	}
	is.Equal(len(strategy.AllPredefined()), len(want))
	for _, s := range strategy.AllPredefined() {
		is.Equal(s.Growth, want[s.ID])
		is.Equal(s.Name, string(s.ID))
		is.NoErr(strategy.CheckID(s.ID))
		is.Equal(s.ReplicateTo, events.ReplicateToNone)
	}
	_, ok := strategy.Predefined("AppConfig.NotARealStrategy")
	is.True(!ok)
}

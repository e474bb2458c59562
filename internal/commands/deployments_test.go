package commands_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates/plan"
	"slipway/aggregates/strategy"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
)

// created is the first event of a deployment.
func (r *rig) created(t testing.TB, id string) (found events.DeploymentCreated) {
	t.Helper()
	err := r.log.Replay(t.Context(), eventlog.Query{}, func(c events.Recorded) error {
		for _, e := range c.Events {
			if d, ok := e.(events.DeploymentCreated); ok && string(d.Deployment) == id {
				found = d
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestAnIDOfAnotherApp: people choose words for ids, the same for each of their apps and the same as others do. No two deployments have one
// guid, and nobody is shown a deployment of another app as theirs.
func TestAnIDOfAnotherApp(t *testing.T) {
	is := is.New(t)
	r := newRig()
	shop, ofShop := r.staged(t, "shop")
	stock, ofStock := r.staged(t, "stock")
	deploy := func(id string, app events.AppID, droplet events.DropletID) (commands.Result, error) {
		by := commands.Caller{CommandID: events.CommandID(id), Chosen: true, Actor: "user/ann", Door: "test"}
		return r.handler.Handle(t.Context(), commands.CreateDeployment{App: app, Droplet: droplet}, by)
	}
	first, err := deploy("release-42", shop, ofShop)
	is.NoErr(err)
	before := len(r.types(t))
	_, err = deploy("release-42", stock, ofStock)
	is.Equal(refusal(err), "The id release-42 has made a deployment of another app already: give this one an id of its own (Idempotency-Key, or Nats-Msg-Id)")
	is.Equal(len(r.types(t)), before) // nothing is left behind
	again, err := deploy("release-42", shop, ofShop)
	is.NoErr(err)
	is.True(again.Duplicate && again.ID == first.ID) // for the same app it is the same deployment
	_, err = deploy("release-42-stock", stock, ofStock)
	is.NoErr(err)
}

// TestAnIDForManyAtOnce: whichever of the apps is first has the id.
func TestAnIDForManyAtOnce(t *testing.T) {
	is := is.New(t)
	r := newRig()
	var made, refused atomic.Int32
	var all sync.WaitGroup
	for i := range 8 {
		app, droplet := r.staged(t, fmt.Sprintf("app-%d", i))
		all.Go(func() {
			by := commands.Caller{CommandID: "release-42", Chosen: true, Actor: "user/ann", Door: "test"}
			_, err := r.handler.Handle(t.Context(), commands.CreateDeployment{App: app, Droplet: droplet}, by)
			if err == nil {
				made.Add(1)
			} else if strings.Contains(refusal(err), "give this one an id of its own") {
				refused.Add(1)
			}
		})
	}
	all.Wait()
	is.Equal([]int32{made.Load(), refused.Load()}, []int32{1, 7})
}

// TestADeploymentCopiesTheNumbersOfItsStrategy: as they are when it starts, whatever becomes of the strategy.
func TestADeploymentCopiesTheNumbersOfItsStrategy(t *testing.T) {
	is := is.New(t)
	r := newRig()
	owner, droplet := r.staged(t, "hello")
	id := events.StrategyID(r.must(t, "make", careful()).ID)
	deploy := commands.CreateDeployment{App: owner, Droplet: droplet, DeploymentStrategy: id}
	first := r.must(t, "deploy", deploy)
	made := r.created(t, first.ID)
	is.Equal(made.StoredStrategy, id)
	is.Equal(made.Strategy, events.StrategyLinear)
	is.Equal(*made.Growth, events.Growth{GrowthType: "LINEAR", GrowthFactor: 20, DeploymentDurationMinutes: 30})
	is.Equal(len(made.Plan), 6) // five times 20 percent, then the bake
	is.Equal(made.Options.OnFailure, events.ThenRollback)

	r.must(t, "change", commands.UpdateStrategy{Strategy: id, Growth: strategy.Numbers{GrowthFactor: new(50.0)}})
	is.Equal(r.created(t, r.must(t, "second", deploy).ID).Growth.GrowthFactor, 50.0) // the numbers of now
	is.Equal(r.created(t, first.ID), made)                                           // which change nothing before

	r.must(t, "delete", commands.DeleteStrategy{Strategy: id})
	again := r.must(t, "deploy", deploy)
	is.True(again.Duplicate) // an answer that got lost is told again, though the strategy is gone
	is.Equal(again.ID, first.ID)

	deploy.DeploymentStrategy = "AppConfig.AllAtOnce"
	is.Equal(r.created(t, r.must(t, "predefined", deploy).ID).Growth.FinalBakeMinutes, 10)
}

func TestAStrategyThatCannotBeUsed(t *testing.T) {
	r := newRig()
	owner, droplet := r.staged(t, "hello")
	id := events.StrategyID(r.must(t, "make", careful()).ID)
	unusable := "Unable to use deployment strategy. Ensure that the deployment strategy exists and you have access to it."
	for name, c := range map[string]struct {
		command commands.CreateDeployment
		want    string
	}{
		"unknown":            {commands.CreateDeployment{DeploymentStrategy: "zzzzzzz"}, unusable},
		"no id at all":       {commands.CreateDeployment{DeploymentStrategy: "../etc"}, unusable},
		"another name":       {commands.CreateDeployment{DeploymentStrategy: id, Strategy: "rolling"}, "Strategy 'rolling' does not go with deployment strategy " + string(id) + ": leave one of them out"},
		"a name of nothing":  {commands.CreateDeployment{DeploymentStrategy: id, Strategy: "x"}, "Strategy 'x' does not go with deployment strategy " + string(id) + ": leave one of them out"},
		"its name":           {commands.CreateDeployment{DeploymentStrategy: id, Strategy: "linear"}, ""},
		"a bake time beside": {commands.CreateDeployment{DeploymentStrategy: id, Options: commands.OptionsOf(events.DeploymentOptions{Bake: 5})}, "Bake in seconds cannot be set: deployment strategy " + string(id) + " has a bake time of its own"},
		"a curve by name":    {commands.CreateDeployment{Strategy: "exponential"}, "Strategy 'exponential' is not a supported deployment strategy"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			c.command.App, c.command.Droplet = owner, droplet
			before, _ := r.log.Newest(t.Context())
			_, err := r.do(events.NewID(), c.command)
			if c.want == "" {
				is.NoErr(err)
				return
			}
			is.Equal(refusal(err), c.want)
			after, _ := r.log.Newest(t.Context())
			is.Equal(after, before) // nothing is left behind
		})
	}
}

// TestScheduleOfTheServer: when the steps of a curve begin is a setting of the server.
func TestScheduleOfTheServer(t *testing.T) {
	const minute = 60_000
	for schedule, want := range map[plan.Schedule][]int64{
		"":                     {0, 15 * minute, 30 * minute},
		plan.FirstStepNow:      {0, 15 * minute, 30 * minute},
		plan.FirstStepLater:    {0, 15 * minute, 30 * minute, 30 * minute},
		plan.OneIntervalAround: {0, 10 * minute, 20 * minute, 30 * minute},
	} {
		t.Run(string(schedule), func(t *testing.T) {
			is := is.New(t)
			r := newRig()
			r.handler.Grow(schedule)
			owner, droplet := r.staged(t, "hello")
			halves := careful()
			halves.Growth.GrowthFactor = new(50.0)
			id := events.StrategyID(r.must(t, "make", halves).ID)
			var begins []int64
			for _, s := range r.created(t, r.must(t, "deploy", commands.CreateDeployment{App: owner, Droplet: droplet, DeploymentStrategy: id}).ID).Plan {
				begins = append(begins, s.After)
			}
			is.Equal(begins, want)
		})
	}
}

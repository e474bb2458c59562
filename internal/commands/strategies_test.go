package commands_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/strategy"
	"slipway/events"
	"slipway/internal/commands"
)

func careful() commands.CreateStrategy {
	return commands.CreateStrategy{
		Called: new("careful"), Growth: strategy.Numbers{GrowthFactor: new(20.0), DeploymentDurationMinutes: new(30)},
	}
}

func TestAStrategyLives(t *testing.T) {
	is := is.New(t)
	r := newRig()
	made := r.must(t, "make", careful())
	is.NoErr(strategy.CheckID(events.StrategyID(made.ID)))
	is.Equal(r.must(t, "make", careful()).ID, made.ID) // the same command again is the same strategy
	other := r.must(t, "another", careful())
	is.True(other.ID != made.ID) // names need not be unique

	id := events.StrategyID(made.ID)
	lookUp := commands.NewStrategies(r.log)
	growth, err := lookUp.Growth(t.Context(), id)
	is.NoErr(err)
	is.Equal(growth, events.Growth{GrowthType: "LINEAR", GrowthFactor: 20, DeploymentDurationMinutes: 30})
	r.must(t, "change", commands.UpdateStrategy{Strategy: id, Growth: strategy.Numbers{FinalBakeMinutes: new(5)}})
	growth, err = lookUp.Growth(t.Context(), id)
	is.NoErr(err)
	is.Equal(growth.FinalBakeMinutes, 5)
	r.must(t, "delete", commands.DeleteStrategy{Strategy: id})
	is.True(r.must(t, "delete", commands.DeleteStrategy{Strategy: id}).Duplicate) // an answer that got lost
	_, err = r.do("again", commands.DeleteStrategy{Strategy: id})
	is.Equal(refusal(err), "DeploymentStrategy with Id "+made.ID+" could not be found.")
	_, err = lookUp.Growth(t.Context(), id)
	is.Equal(codeOf(err), aggregates.CodeNotFound)
	_, err = lookUp.Growth(t.Context(), "../etc")
	is.Equal(codeOf(err), aggregates.CodeUnprocessable)
	growth, err = lookUp.Growth(t.Context(), "AppConfig.AllAtOnce")
	is.NoErr(err)
	is.Equal(growth.FinalBakeMinutes, 10)
}

func codeOf(err error) aggregates.Code {
	var rejected *aggregates.RejectedError
	if errors.As(err, &rejected) {
		return rejected.Code
	}
	return ""
}

// TestTheQuotaOfStrategiesHolds lets many be created at once.
func TestTheQuotaOfStrategiesHolds(t *testing.T) {
	is := is.New(t)
	r := newRig()
	var made, refused atomic.Int32
	var all sync.WaitGroup
	for n := range strategy.MaxStored + 5 {
		all.Go(func() {
			_, err := r.do(fmt.Sprint("make-", n), careful())
			switch {
			case err == nil:
				made.Add(1)
			case codeOf(err) == strategy.CodeQuota:
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	is.Equal(int(made.Load()), strategy.MaxStored)
	is.Equal(int(refused.Load()), 5)
	is.True(r.must(t, string(madeBy(t, r)), careful()).Duplicate) // a command that was carried out is no further one
	r.must(t, "room", commands.DeleteStrategy{Strategy: strategy.IDOf(madeBy(t, r), 0)})
	r.must(t, "one-more", careful())
}

// madeBy is a command that made a strategy.
func madeBy(t *testing.T, r *rig) events.CommandID {
	t.Helper()
	for n := range strategy.MaxStored + 5 {
		id := events.CommandID(fmt.Sprint("make-", n))
		if last, err := r.log.Last(t.Context(), events.StrategySubject(strategy.IDOf(id, 0))); err == nil && last > 0 {
			return id
		}
	}
	t.Fatal("no strategy was made")
	return ""
}

// TestAnIDThatIsTaken: the next one is.
func TestAnIDThatIsTaken(t *testing.T) {
	is := is.New(t)
	r := newRig()
	taken := strategy.IDOf("it", 0)
	_, err := r.log.Append(t.Context(), events.Commit{
		Subject: events.StrategySubject(taken), CommandID: "other", Version: 1, Actor: "ann", Cause: "http", Time: time.Unix(0, 0).UTC(),
		Events: []events.Event{events.StrategyCreated{Strategy: taken, Name: "theirs"}},
	}, 0)
	is.NoErr(err)
	made := r.must(t, "it", careful())
	is.Equal(made.ID, string(strategy.IDOf("it", 1)))
	is.Equal(r.must(t, "it", careful()).ID, made.ID) // and the same one again
}

func TestARefusedStrategyLeavesNothing(t *testing.T) {
	is := is.New(t)
	r := newRig()
	before := len(r.types(t))
	bad := careful()
	bad.Growth.GrowthFactor = new(0.5)
	_, err := r.do("it", bad)
	is.True(strings.Contains(refusal(err), "growthFactor"))
	is.Equal(len(r.types(t)), before)
}

func TestStrategyCommandsDecode(t *testing.T) {
	is := is.New(t)
	c, err := commands.Decode("strategy.create", []byte(`{"name":"careful","growth":{"growth_factor":20,"deployment_duration_minutes":30}}`))
	is.NoErr(err)
	is.Equal(c, careful())
	_, err = commands.Decode("strategy.update", []byte(`{"strategy":"1225qzk","growth":{"growth_factor":"much"}}`))
	is.Equal(refusal(err), "Growth growth factor must be a number")
}

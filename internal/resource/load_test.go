package resource_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/resource"
	"slipway/projections/storetest"
)

// written is a log with one app in one commit, and the commit.
func written(t testing.TB) (*eventlog.Memory, events.Recorded) {
	t.Helper()
	log := eventlog.NewMemory(events.NewRegistry())
	c, err := log.Append(t.Context(), events.Commit{
		Subject: events.AppSubject("a1"), CommandID: "c1", Version: 1, Actor: "alice", Time: noon, Events: []events.Event{
			events.AppCreated{App: "a1", Name: "hello", Space: "default"},
			events.ProcessCreated{App: "a1", Process: "p1", ProcessType: "web"},
			events.DeploymentCreated{App: "a1", Deployment: "d1", Strategy: "rolling"},
		},
	}, 0)
	if err != nil {
		t.Fatal(err)
	}
	return log, c
}

func TestLoadWaitsForTheCommand(t *testing.T) {
	is := is.New(t)
	_, c := written(t)
	store := storetest.Open(t)
	r := resource.Reader{Store: store}
	loaded := make(chan any, 1)
	go func() {
		v, err := r.Load(t.Context(), base, commands.Result{Kind: commands.KindApp, ID: "a1", Sequence: c.Sequence})
		if err != nil {
			v = err
		}
		loaded <- v
	}()
	is.NoErr(store.Apply(t.Context(), []events.Recorded{c}))
	v, ok := (<-loaded).(resource.App)
	is.True(ok)
	is.Equal(v.Name, "hello")
}

func TestLoadKinds(t *testing.T) {
	_, c := written(t)
	store := storetest.Open(t)
	if err := store.Apply(t.Context(), []events.Recorded{c}); err != nil {
		t.Fatal(err)
	}
	r := resource.Reader{Store: store}
	for _, tt := range []struct {
		kind commands.Kind
		id   string
		want any
	}{
		{commands.KindApp, "a1", resource.App{}}, {commands.KindProcess, "p1", resource.Process{}},
		{commands.KindDeployment, "d1", resource.Deployment{}}, {commands.KindApp, "deleted", nil},
	} {
		t.Run(string(tt.kind)+" "+tt.id, func(t *testing.T) {
			is := is.New(t)
			v, err := r.Load(t.Context(), base, commands.Result{Kind: tt.kind, ID: tt.id, Sequence: 1})
			is.NoErr(err)
			is.Equal(typeName(v), typeName(tt.want))
		})
	}
	t.Run("gone meanwhile", func(t *testing.T) {
		is := is.New(t)
		_, err := r.Load(t.Context(), base, commands.Result{Kind: commands.KindDroplet, ID: "gone", Sequence: 1})
		var rejected *aggregates.RejectedError
		is.True(errors.As(err, &rejected))
		is.Equal(rejected.Message, "Droplet not found")
	})
}

func typeName(v any) string {
	switch v.(type) {
	case resource.App:
		return "app"
	case resource.Process:
		return "process"
	case resource.Deployment:
		return "deployment"
	}
	return "none"
}

func TestLoadGivesUp(t *testing.T) {
	is := is.New(t)
	r := resource.Reader{Store: storetest.Open(t), Patience: time.Millisecond}
	_, err := r.Load(t.Context(), base, commands.Result{Kind: commands.KindApp, ID: "a1", Sequence: 7})
	is.True(errors.Is(err, resource.ErrBehind)) // it was carried out, and does not show
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = r.Load(ctx, base, commands.Result{Kind: commands.KindApp, ID: "a1", Sequence: 7})
	is.True(errors.Is(err, context.Canceled) && !errors.Is(err, resource.ErrBehind)) // who asked has gone
}

func TestFinder(t *testing.T) {
	log, c := written(t)
	t.Run("finds what the read models do not have yet", func(t *testing.T) {
		is := is.New(t)
		store := storetest.Open(t)
		f := resource.Finder{Reader: resource.Reader{Store: store}, Log: log}
		found := make(chan error, 1)
		go func() {
			owner, err := f.AppOfDeployment(t.Context(), "d1")
			if err == nil && owner != "a1" {
				err = errors.New("another app")
			}
			found <- err
		}()
		is.NoErr(store.Apply(t.Context(), []events.Recorded{c}))
		is.NoErr(<-found)
		owner, err := f.AppOfProcess(t.Context(), "p1")
		is.NoErr(err)
		is.Equal(owner, events.AppID("a1"))
	})
	t.Run("does not find what is nowhere", func(t *testing.T) {
		is := is.New(t)
		store := storetest.Open(t)
		is.NoErr(store.Apply(t.Context(), []events.Recorded{c}))
		f := resource.Finder{Reader: resource.Reader{Store: store}, Log: log}
		_, err := f.AppOfDeployment(t.Context(), "nobody")
		is.True(errors.Is(err, commands.ErrUnknown))
		_, err = f.AppOfProcess(t.Context(), "nobody")
		is.True(errors.Is(err, commands.ErrUnknown))
	})
	t.Run("does not say unknown while it cannot know", func(t *testing.T) {
		is := is.New(t)
		f := resource.Finder{Reader: resource.Reader{Store: storetest.Open(t), Patience: time.Millisecond}, Log: log}
		_, err := f.AppOfDeployment(t.Context(), "d1")
		is.True(errors.Is(err, eventlog.ErrUnavailable))
		is.True(!errors.Is(err, resource.ErrBehind)) // nothing was carried out
	})
}

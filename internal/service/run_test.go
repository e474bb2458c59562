package service_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/internal/service"
)

func TestPartsStopInOrder(t *testing.T) {
	is := is.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	var mu sync.Mutex
	var ended []string
	started := make(chan string, 3)
	part := func(name string) service.Part {
		return service.Part{Name: name, Run: func(ctx context.Context) error {
			started <- name
			<-ctx.Done()
			mu.Lock()
			defer mu.Unlock()
			ended = append(ended, name)
			return nil
		}}
	}
	go func() {
		for range 3 {
			<-started
		}
		cancel()
	}()
	err := service.Run(ctx, slog.New(slog.DiscardHandler), part("api"), part("updater"), part("nats"))
	is.NoErr(err)
	is.Equal(ended, []string{"api", "updater", "nats"}) // intake first, what it writes to last
}

func TestOneFailureStopsAll(t *testing.T) {
	is := is.New(t)
	broken := errors.New("broken")
	var others []string
	err := service.Run(t.Context(), slog.New(slog.DiscardHandler),
		service.Part{Name: "api", Run: func(ctx context.Context) error {
			<-ctx.Done()
			others = append(others, "api")
			return nil
		}},
		service.Part{Name: "updater", Run: func(context.Context) error { return broken }},
	)
	is.True(errors.Is(err, broken))                // the failure is reported
	is.True(slices.Equal(others, []string{"api"})) // and the other part was stopped
}

func TestAPartThatEndsByItselfIsAFailure(t *testing.T) {
	is := is.New(t)
	err := service.Run(t.Context(), slog.New(slog.DiscardHandler),
		service.Part{Name: "updater", Run: func(context.Context) error { return nil }})
	is.Equal(err.Error(), "updater: ended by itself")
}

// TestAPartThatDoesNotStopIsNamed: whoever waits for the end is told what they wait for.
func TestAPartThatDoesNotStopIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		ctx, cancel := context.WithCancel(t.Context())
		var said bytes.Buffer
		cancel()
		err := service.Run(ctx, slog.New(slog.NewTextHandler(&said, nil)), service.Part{Name: "sluggard", Run: func(ctx context.Context) error {
			<-ctx.Done()
			<-time.After(2 * time.Minute)
			return nil
		}})
		is.NoErr(err)
		is.Equal(strings.Count(said.String(), "part=sluggard"), 2) // and again
	})
}

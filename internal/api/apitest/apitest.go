// Package apitest has what tests need that speak to the API: a whole Slipway in memory behind it, and what reads its answers.
//
// What it guarantees:
//
//  1. What stands behind the API is what runs in production, over a log in memory; only the bits of droplets are not looked into.
//  2. It works by the clock of the test, inside a bubble of testing/synctest too.
//  3. Whatever was begun has ended when the test ends, and an error of it fails the test.
package apitest

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"slipway/events"
	"slipway/internal/api"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/commands/commandstest"
	"slipway/internal/eventlog"
	"slipway/internal/projector"
	"slipway/internal/resource"
	"slipway/projections"
	"slipway/projections/storetest"
)

// Slipway is one in memory: commands, read models and the API. Who needs an updater or agents lets them [Run].
type Slipway struct {
	Log     *eventlog.Memory
	Store   *projections.Store
	Finder  resource.Finder
	Handler *commands.Handler
	API     *api.API
}

// Parts are those of a Slipway that a test has of its own.
type Parts struct {
	Bits   commands.Bits                         // nil: takes anything
	Finder func(resource.Finder) commands.Finder // what the handler asks in place of the finder; nil: that
	API    api.Config                            // with what is to differ; without Auth everybody is the admin
}

// New puts one together. Its log is empty: not even the first organization is there, until the handler makes it.
func New(t testing.TB, p Parts) *Slipway {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	s := &Slipway{Log: eventlog.NewMemory(events.NewRegistry()), Store: storetest.Open(t)}
	s.Finder = resource.Finder{Reader: resource.Reader{Store: s.Store, Patience: p.API.Patience}, Log: s.Log}
	if p.Bits == nil {
		p.Bits = commandstest.NewBits()
	}
	var finder commands.Finder = s.Finder
	if p.Finder != nil {
		finder = p.Finder(s.Finder)
	}
	s.Handler = commands.NewHandler(s.Log, nil, finder, p.Bits, quiet)
	c := p.API
	c.Commands, c.Packages, c.Store, c.Log, c.Apps, c.Logger = s.Handler, s.Handler, s.Store, s.Log, commands.Apps(s.Log, nil), quiet
	if c.Auth == nil {
		c.Auth = Admin{}
	}
	s.API = api.New(c)
	t.Cleanup(s.API.Close)
	Run(t, (&projector.Runner{Log: s.Log, Store: s.Store, Logger: quiet}).Run)
	return s
}

// Run lets something work until it is stopped, or the test ends. stop waits for its end.
func Run(t testing.TB, work func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- work(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("what works behind the API ended: %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// Admin lets everybody in as the admin.
type Admin struct{}

// Verify implements auth.Verifier.
func (Admin) Verify(context.Context, []string) (auth.Identity, error) {
	return auth.Identity{UserID: "admin", UserName: "admin", Scopes: auth.Scopes{auth.ScopeAdmin}}, nil
}

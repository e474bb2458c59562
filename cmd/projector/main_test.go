package main

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/eventlog"
	"slipway/internal/natsboot/natstest"
	"slipway/projections"
)

func TestProjector(t *testing.T) {
	is := is.New(t)
	server := natstest.StartGuarded(t, nil, nil)
	nc := server.As(t, auth.ServiceUser, server.Secret)
	log, err := eventlog.Open(t.Context(), nc, events.NewRegistry(), eventlog.Config{})
	is.NoErr(err)
	_, err = log.Append(t.Context(), events.Commit{
		Subject: events.AppSubject("a1"), CommandID: "c1", Version: 1, Actor: "alice", Cause: "http", Time: time.Now().UTC(),
		Events: []events.Event{events.AppCreated{App: "a1", Name: "hello", Space: "default", Organization: "default"}},
	}, 0)
	is.NoErr(err)
	db := filepath.Join(t.TempDir(), "read.db")
	program := func(ctx context.Context, command ...string) (string, error) {
		var out bytes.Buffer
		err := run(ctx, append([]string{"--nats", server.ClientURL(), "--auth", server.AuthDir, "--db", db}, command...), &out, io.Discard)
		return out.String(), err
	}

	// It follows the log, and tells other processes.
	store, err := projections.Open(t.Context(), db)
	is.NoErr(err)
	defer func() { is.NoErr(store.Close()) }()
	stop, err := eventlog.OnProjected(nc, store.Notified)
	is.NoErr(err)
	defer func() { is.NoErr(stop()) }()
	is.NoErr(nc.Flush())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ended := make(chan error)
	go func() {
		_, err := program(ctx)
		ended <- err
	}()
	is.NoErr(store.Wait(ctx, 1)) // the projector of the other goroutine has applied and announced it
	_, err = store.App(ctx, "a1")
	is.NoErr(err)
	cancel()
	is.NoErr(<-ended) // stopped in order

	out, err := program(t.Context(), "verify")
	is.NoErr(err)
	is.True(strings.Contains(out, "what the log says, up to sequence 1 of 1"))

	damage(t, db, "UPDATE apps SET name = 'other'")
	out, err = program(t.Context(), "verify")
	is.True(errors.Is(err, errDiffers))                           // so that the exit code says so
	is.True(strings.Contains(out, "first difference: apps a1: ")) // which row it is

	rebuilt, err := program(t.Context(), "rebuild")
	is.NoErr(err)
	is.True(strings.HasPrefix(rebuilt, "rebuilt up to sequence 1\n"))
	out, err = program(t.Context(), "digest")
	is.NoErr(err)
	is.True(strings.HasSuffix(rebuilt, out)) // the digest stays
	_, err = program(t.Context(), "verify")
	is.NoErr(err) // healed
}

func damage(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestHelpAndMistakes(t *testing.T) {
	t.Run("help", func(t *testing.T) {
		is := is.New(t)
		var out bytes.Buffer
		is.NoErr(run(t.Context(), []string{"--help"}, &out, io.Discard))
		is.True(strings.Contains(out.String(), "rebuild")) // names the commands
	})
	t.Run("unknown flag", func(t *testing.T) {
		is := is.New(t)
		is.True(run(t.Context(), []string{"--nonsense"}, io.Discard, io.Discard) != nil)
	})
	t.Run("no server", func(t *testing.T) {
		is := is.New(t)
		t.Setenv("SLIPWAY_SERVICE_SECRET", "some secret")
		err := run(t.Context(), []string{"--nats", "nats://127.0.0.1:1", "--db", filepath.Join(t.TempDir(), "read.db")}, io.Discard, io.Discard)
		is.True(err != nil)
		is.True(strings.Contains(err.Error(), "slipway nats")) // how to start one
	})
	t.Run("no secret", func(t *testing.T) {
		is := is.New(t)
		err := run(t.Context(), []string{"--auth", t.TempDir(), "--db", filepath.Join(t.TempDir(), "read.db")}, io.Discard, io.Discard)
		is.True(err != nil)
		is.True(strings.Contains(err.Error(), "name its directory with --auth")) // what to do
	})
	t.Run("another Slipway's secret", func(t *testing.T) {
		is := is.New(t)
		t.Setenv("SLIPWAY_SERVICE_SECRET", "some secret")
		server := natstest.StartGuarded(t, nil, nil)
		err := run(t.Context(), []string{"--nats", server.ClientURL(), "--db", filepath.Join(t.TempDir(), "read.db")}, io.Discard, io.Discard)
		is.True(err != nil)
		is.True(strings.Contains(err.Error(), "is not of the Slipway that runs there"))
	})
}

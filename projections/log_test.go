package projections_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"slipway/events"
	"slipway/projections"
	"slipway/projections/storetest"
)

// start is when the histories of these tests begin; commit n is n seconds later.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// log is a history under construction.
type log struct {
	commits []events.Recorded
	actor   events.Actor
}

// add writes one commit.
func (l *log) add(subject events.Subject, facts ...events.Event) events.Recorded {
	seq := events.Sequence(len(l.commits) + 1)
	c := events.Recorded{Sequence: seq, Commit: events.Commit{
		Subject: subject, CommandID: events.CommandID(fmt.Sprintf("c%d", seq)), Version: 1, Actor: l.actor, Cause: "http",
		Time: start.Add(time.Duration(seq) * time.Second), Events: facts,
	}}
	l.commits = append(l.commits, c)
	return c
}

// app writes one commit of the app a1.
func (l *log) app(facts ...events.Event) events.Recorded {
	return l.add(events.AppSubject("a1"), facts...)
}

// by sets who writes from now on.
func (l *log) by(actor events.Actor) *log {
	l.actor = actor
	return l
}

// report writes what an agent says of the process, which is not versioned.
func (l *log) report(process events.ProcessID, facts ...events.Event) events.Recorded {
	l.by("agent/1").add(events.InstanceSubject(process), facts...)
	last := &l.commits[len(l.commits)-1]
	last.Version = 0
	return *last
}

func ref(process events.ProcessID, index int, instance events.InstanceID) events.InstanceRef {
	return events.InstanceRef{App: "a1", Process: process, ProcessType: "web", Index: index, Instance: instance, Agent: "1"}
}

// running is an app "hello" with one web process p1 of two instances.
func running() *log {
	l := &log{actor: "alice"}
	l.app(events.AppCreated{
		App: "a1", Name: "hello", Space: "default", Organization: "default", Environment: map[string]string{"K": "v"},
		Metadata: events.Metadata{Labels: map[string]string{"env": "prod"}},
	})
	l.add(events.DropletSubject("d1"), events.DropletCreated{Droplet: "d1", App: "a1", ProcessTypes: web("v1")})
	l.add(events.DropletSubject("d1"), events.DropletUploaded{
		Droplet: "d1", App: "a1", SHA256: "abc", SizeBytes: 7, ProcessTypes: web("v1"),
	})
	l.app(
		events.AppDropletAssigned{App: "a1", Droplet: "d1", ProcessTypes: web("v1")},
		events.RevisionCreated{App: "a1", Revision: "r1", Number: 1, Droplet: "d1", Types: []string{"web"}, Description: "Initial revision."},
		events.ProcessCreated{App: "a1", Process: "p1", ProcessType: "web", Droplet: "d1", Command: "v1", Instances: 2, Revision: "r1"},
		events.AppStarted{App: "a1"},
	)
	return l
}

func web(command string) map[string]string { return map[string]string{"web": command} }

// deploying is running with a deployment x1 of droplet d2 to the new process p2 begun.
func deploying() *log {
	l := running()
	l.app(
		events.AppDropletAssigned{App: "a1", Droplet: "d2", PreviousDroplet: "d1", ProcessTypes: web("v2"), Deployment: "x1"},
		events.ProcessCreated{App: "a1", Process: "p2", ProcessType: "web", Droplet: "d2", Command: "v2", Instances: 1, Deployment: "x1"},
		events.DeploymentCreated{
			App: "a1", Deployment: "x1", Strategy: events.StrategyRolling, Options: events.DeploymentOptions{MaxInFlight: 1},
			Droplet: "d2", PreviousDroplet: "d1", Revision: "r2", RevisionNumber: 2, Process: "p2", OriginalInstances: 2,
			Target: 2, Floor: 2, Plan: []events.Step{{New: 2, Gate: events.GateHealthy}},
			Metadata: events.Metadata{Labels: map[string]string{"team": "pay"}},
		},
	)
	return l
}

// applied is a store that holds the history.
func applied(t testing.TB, l *log) *projections.Store {
	t.Helper()
	s := storetest.Open(t)
	if err := s.Apply(context.Background(), l.commits); err != nil {
		t.Fatal(err)
	}
	return s
}

func at(seq events.Sequence) time.Time { return start.Add(time.Duration(seq) * time.Second) }

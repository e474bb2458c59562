package projections_test

import (
	"context"
	"fmt"
	"testing"

	"slipway/events"
	"slipway/projections"
	"slipway/projections/storetest"
)

// rollouts is the history of n apps of which each is created, deployed and scaled, one event a commit.
func rollouts(n int) []events.Recorded {
	l := &log{actor: events.ActorUpdater}
	for i := range n {
		app := events.AppID(fmt.Sprintf("a%d", i))
		process, deployment := events.ProcessID(fmt.Sprintf("p%d", i)), events.DeploymentID(fmt.Sprintf("x%d", i))
		subject := events.AppSubject(app)
		l.add(subject, events.AppCreated{App: app, Name: string(app), Space: "default"})
		l.add(subject, events.ProcessCreated{App: app, Process: process, ProcessType: "web", Instances: 1})
		l.add(subject, events.DeploymentCreated{App: app, Deployment: deployment, Process: process})
		for scale := range 5 {
			l.add(subject, events.ProcessScaled{App: app, Process: process, Instances: scale, Deployment: deployment})
		}
		l.add(events.InstanceSubject(process), events.InstanceRunning{
			InstanceRef: events.InstanceRef{App: app, Process: process, Instance: "i1"},
		})
		l.commits[len(l.commits)-1].Version = 0
		l.add(subject, events.DeploymentDeployed{App: app, Deployment: deployment})
	}
	return l.commits
}

func BenchmarkApply(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			const most = 200_000
			commits := rollouts(most / 10)
			s := storetest.Open(b)
			at := 0
			for b.Loop() {
				if at+size > len(commits) {
					b.Fatalf("the benchmark runs longer than %d commits", most)
				}
				if err := s.Apply(context.Background(), commits[at:at+size]); err != nil {
					b.Fatal(err)
				}
				at += size
			}
			b.ReportMetric(float64(at)/b.Elapsed().Seconds(), "commits/s")
		})
	}
}

func BenchmarkRead(b *testing.B) {
	s := storetest.Open(b)
	if err := s.Apply(context.Background(), rollouts(5_000)); err != nil {
		b.Fatal(err)
	}
	b.Run("get by id", func(b *testing.B) {
		for b.Loop() {
			if _, err := s.Deployment(context.Background(), "x2500"); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("list 50", func(b *testing.B) {
		f := projections.DeploymentFilter{StatusValues: []string{projections.StatusFinalized}}
		o := projections.Order{By: projections.ByCreated, Descending: true}
		for b.Loop() {
			if _, err := s.All().Deployments(context.Background(), f, o, projections.Page{Number: 3, PerPage: 50}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

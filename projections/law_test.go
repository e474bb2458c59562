package projections_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"slipway/events"
	"slipway/projections"
	"slipway/projections/storetest"
)

func TestMain(m *testing.M) {
	flag.Parse()
	if checks := flag.Lookup("rapid.checks"); slowdown > 1 && checks.Value.String() == checks.DefValue {
		_ = checks.Value.Set(strconv.Itoa(100 / slowdown)) // a number is what it takes
	}
	os.Exit(m.Run())
}

// TestRebuiltIsIncremental is the law of read models: whatever batches, repetitions and restarts brought a history in,
// the rows are those of a rebuild.
func TestRebuiltIsIncremental(t *testing.T) {
	dir := t.TempDir()
	runs := 0
	rapid.Check(t, func(rt *rapid.T) {
		ctx := context.Background()
		runs++
		commits := histories().Draw(rt, "history")
		path := filepath.Join(dir, fmt.Sprintf("%d.db", runs))
		storetest.Empty(t, path)
		s := reopen(rt, nil, path)
		defer func() { s.Close() }()
		for at := 0; at < len(commits); {
			from := max(0, at-rapid.IntRange(0, 3).Draw(rt, "delivered again"))
			to := rapid.IntRange(at+1, len(commits)).Draw(rt, "batch up to")
			if err := s.Apply(ctx, commits[from:to]); err != nil {
				rt.Fatal(err)
			}
			if at = to; rapid.IntRange(0, 4).Draw(rt, "crash") == 0 {
				s = reopen(rt, s, s.Path())
			}
		}
		found, err := s.Check(ctx, source(commits), discard{})
		if err != nil {
			rt.Fatal(err)
		}
		if found != nil {
			rt.Fatalf("incremental and rebuilt differ: %s", found)
		}
	})
}

func reopen(rt *rapid.T, old *projections.Store, path string) *projections.Store {
	if old != nil {
		if err := old.Close(); err != nil {
			rt.Fatal(err)
		}
	}
	s, err := projections.Open(context.Background(), path)
	if err != nil {
		rt.Fatal(err)
	}
	return s
}

// histories begin with an app that runs and go on with commits about few apps, processes and deployments in any order, so
// that much of it fits and some does not.
func histories() *rapid.Generator[[]events.Recorded] {
	return rapid.Custom(func(t *rapid.T) []events.Recorded {
		l := deploying()
		for _, facts := range rapid.SliceOfN(rapid.SliceOfN(facts(), 1, 3), 10, 60).Draw(t, "commits") {
			l.actor = rapid.SampledFrom([]events.Actor{"alice", events.ActorUpdater}).Draw(t, "actor")
			if _, report := facts[0].(events.InstanceEvent); !report {
				l.app(facts...)
				continue
			}
			c := l.report("p1", facts...)
			if rapid.IntRange(0, 3).Draw(t, "sent twice") == 0 {
				c.Sequence++
				l.commits = append(l.commits, c)
			}
		}
		return l.commits
	})
}

// id draws one of few ids of a kind, mostly the first.
func id[T ~string](t *rapid.T, kind string) T {
	return T(fmt.Sprintf("%s%d", kind, rapid.SampledFrom([]int{1, 1, 1, 1, 2}).Draw(t, kind)))
}

func facts() *rapid.Generator[events.Event] {
	return rapid.Custom(func(t *rapid.T) events.Event {
		app, process := id[events.AppID](t, "a"), id[events.ProcessID](t, "p")
		deployment, droplet := id[events.DeploymentID](t, "x"), id[events.DropletID](t, "d")
		revision := id[events.RevisionID](t, "r")
		pkg, build := id[events.PackageID](t, "k"), id[events.BuildID](t, "b")
		n := rapid.IntRange(0, 3).Draw(t, "n")
		labels := rapid.MapOf(rapid.SampledFrom([]string{"env", "team"}), rapid.SampledFrom([]string{"", "pay"})).Draw(t, "labels")
		about := events.InstanceRef{
			App: app, Process: process, Index: n, Instance: id[events.InstanceID](t, "i"), Agent: "1",
		}
		all := []events.Event{
			events.AppCreated{App: app, Name: string(app), Space: "default", Metadata: events.Metadata{Labels: labels}},
			events.AppCreated{App: app, Name: string(app), Space: "default", Environment: labels},
			events.AppUpdated{App: app, Metadata: events.Metadata{Labels: labels}},
			events.AppEnvironmentSet{App: app, Environment: labels},
			events.AppStarted{App: app},
			events.AppStopped{App: app},
			events.AppDropletAssigned{App: app, Droplet: droplet, Deployment: deployment},
			events.AppDeleted{App: app},
			events.RevisionCreated{App: app, Revision: revision, Number: n, Droplet: droplet, Commands: labels},
			events.ProcessCreated{App: app, Process: process, ProcessType: "web", Instances: n},
			events.ProcessCreated{App: app, Process: process, ProcessType: "web", Instances: n, Deployment: deployment},
			events.ProcessUpdated{App: app, Process: process, Command: "run"},
			events.ProcessScaled{App: app, Process: process, Instances: n, Deployment: deployment},
			events.ProcessScaled{App: app, Process: process, Instances: n},
			events.ProcessRestarted{App: app, Process: process, Generation: n},
			events.ProcessDeleted{App: app, Process: process},
			events.DeploymentCreated{App: app, Deployment: deployment, Process: process, Metadata: events.Metadata{Labels: labels}},
			events.DeploymentCanceling{App: app, Deployment: deployment},
			events.DeploymentCanceled{App: app, Deployment: deployment, Kept: process},
			events.DeploymentSuperseded{App: app, Deployment: deployment, By: "x9", Canceled: n > 1},
			events.DeploymentDeployed{App: app, Deployment: deployment},
			events.DropletCreated{App: app, Droplet: droplet},
			events.DropletUploaded{App: app, Droplet: droplet, SizeBytes: int64(n)},
			events.NameClaimed{App: app, Space: "default", Name: string(app)},
			events.CommandRejected{App: app, Command: "c", Code: "CF-X"},
			events.InstanceStarting{InstanceRef: about},
			events.InstanceRunning{InstanceRef: about, Address: "127.0.0.1:1"},
			events.InstanceUnready{InstanceRef: about, Reason: "slow"},
			events.InstanceCrashed{InstanceRef: about, Reason: "exit", ExitStatus: &n, Crashes: n},
			events.InstanceStopped{InstanceRef: about},
		}
		packed := []events.Event{
			events.DropletCreated{App: app, Droplet: droplet, Image: "shop/web:3", Package: pkg, Build: build},
			events.PackageCreated{App: app, Package: pkg, PackageType: "bits", Metadata: events.Metadata{Labels: labels}},
			events.PackageCreated{App: app, Package: pkg, PackageType: "docker", Image: "shop/web:3"},
			events.PackageUploaded{App: app, Package: pkg, SHA256: "abc", SizeBytes: int64(n)},
			events.BuildCreated{App: app, Package: pkg, Build: build, Droplet: droplet, Metadata: events.Metadata{Labels: labels}},
			events.BuildStaged{App: app, Package: pkg, Build: build, Droplet: droplet},
			events.BuildFailed{App: app, Package: pkg, Build: build, Error: "no"},
			events.ManifestApplied{Command: "c", Space: "default", Apps: []events.AppID{app}},
			events.AppFeatureSet{App: app, Name: events.FeatureRevisions, Enabled: n > 1},
		}
		placed := places(t, app, labels)
		stored, held := strategies(t, n, labels), governed(t, app, droplet, revision)
		grouped := groups(t, app, deployment, labels)
		all = slices.Concat(all, packed, placed, stored, grouped, held)
		if creating := all[:2:2]; rapid.IntRange(0, 3).Draw(t, "creating") == 0 {
			creating = append(creating, all[8], all[9], all[16], all[21], all[25], all[26], packed[1], packed[4], placed[0], placed[1], placed[2], placed[3], placed[4], stored[0], grouped[0], grouped[1])
			return rapid.SampledFrom(creating).Draw(t, "event")
		}
		return rapid.SampledFrom(all).Draw(t, "event")
	})
}

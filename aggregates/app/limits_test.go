package app_test

import (
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
)

// memory is an organization with so much memory, of which the app's instances use what they do.
func memory(limit int, s app.State) app.Quota {
	used := app.Usage{}
	if s.Desired == app.Started {
		for _, p := range s.Processes {
			u := app.UsageOf(p.Instances, p.MemoryMB, p.LogRate)
			used.Instances += u.Instances
			used.MemoryMB += u.MemoryMB
		}
	}
	return app.Quota{Organization: app.QuotaScope{Name: "acme", Limits: events.QuotaLimits{MemoryMB: &limit}, Used: used}}
}

const tooMuch = "memory quota_exceeded for organization acme. This organization's quota may not be large enough to support " +
	"rolling deployments or your configured max-in-flight."

// TestQuotasAtCreation takes the reference's cases 27, 29 and 63 to 65: an app of three instances of 1024 MB.
func TestQuotasAtCreation(t *testing.T) {
	for name, test := range map[string]struct {
		limit   int
		options events.DeploymentOptions
		want    string
	}{
		"29: no room for one more":          {3 * 1024, events.DeploymentOptions{}, tooMuch},
		"room for one more":                 {4 * 1024, events.DeploymentOptions{}, ""},
		"27, 63: the final state":           {10 * 1024, events.DeploymentOptions{WebInstances: ptr(11)}, tooMuch},
		"64: the final state just fits":     {10 * 1024, events.DeploymentOptions{WebInstances: ptr(10)}, ""},
		"65: larger instances":              {10 * 1024, events.DeploymentOptions{MemoryMB: ptr(4096)}, tooMuch},
		"65: larger instances that fit":     {10 * 1024, events.DeploymentOptions{MemoryMB: ptr(3072)}, ""},
		"the first batch counts as a whole": {5 * 1024, events.DeploymentOptions{MaxInFlight: 3}, tooMuch},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			s := running(t, 3)
			decided, err := app.DeployApp(s, app.CreateDeployment{
				ID: "c", Droplet: droplet(2), Options: test.options, Quota: memory(test.limit, s),
			})
			if test.want == "" {
				is.NoErr(err)
				return
			}
			is.Equal(message(err), test.want)
			is.Equal(len(decided), 0)
		})
	}
}

// TestQuotaHoldsARolloutAndSaysSo: a batch that does not fit is not started; when there is room again it is.
func TestQuotaHoldsARolloutAndSaysSo(t *testing.T) {
	is := is.New(t)
	s := deploy(t, running(t, 3), 2, 1)
	seen := app.Instances{s.Webs()[0].ID: with(3, 0, 0), s.Deployment.Process: with(1, 0, 0)}
	full := memory(3*1024, s) // four run: one of them is above what is allowed now
	s = must(t, s, app.Next(s, seen, full, now), nil)
	old, fresh := sizes(s)
	is.Equal([]int{old, fresh}, []int{2, 1}) // old ones may leave, new ones not come
	full = memory(3*1024, s)
	s = must(t, s, app.Explain(s, seen, false, full, now), nil)
	is.Equal(s.Deployment.Error, "memory quota_exceeded")
	is.Equal(len(app.Explain(s, seen, false, full, now)), 0) // said once
	s = must(t, s, app.Next(s, seen, app.Quota{}, now), nil)
	_, fresh = sizes(s)
	is.Equal(fresh, 2)
	is.Equal(s.Deployment.Error, "") // it moves again
}

func TestQuotasOnStartAndScale(t *testing.T) {
	is := is.New(t)
	s := running(t, 3)
	_, err := app.ScaleProcess(s, app.Scale{Process: s.Webs()[0].ID, Instances: ptr(4), Quota: memory(3*1024, s)})
	is.Equal(message(err), "memory quota_exceeded")
	_, err = app.ScaleProcess(s, app.Scale{Process: s.Webs()[0].ID, Instances: ptr(2), Quota: memory(1024, s)})
	is.NoErr(err) // what gives room back is never refused
	decided, err := app.StopApp(s)
	s = must(t, s, decided, err)
	_, err = app.StartApp(s, "c", memory(2*1024, s), now)
	is.Equal(message(err), "memory quota_exceeded")
}

// TestRevisionsSwitchedOff: none is made, none is gone back to, and a deployment shows none.
func TestRevisionsSwitchedOff(t *testing.T) {
	is := is.New(t)
	s := running(t, 1)
	first := s.Revision
	s = app.Evolve(s, events.AppFeatureSet{App: appID, Name: events.FeatureRevisions, Enabled: false})
	_, err := app.DeployApp(s, app.CreateDeployment{ID: "back", Droplet: droplet(1), Revision: &first})
	is.Equal(message(err), "Cannot create deployment from a revision for an app without revisions enabled")
	s = deploy(t, s, 2, 1)
	is.Equal(s.Revision.Number, 1)
	is.Equal(s.Deployment.Revision, events.RevisionID(""))
	p, _ := s.Process(s.Deployment.Process)
	is.Equal(p.Command, "./web-2")
}

func ptr[T any](v T) *T { return &v }

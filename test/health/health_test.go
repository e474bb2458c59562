package health

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/internal/client"
	"slipway/internal/demo"
	"slipway/internal/monitor"
	"slipway/test/installation"
)

func TestMain(m *testing.M) { installation.Main(m) }

const (
	instances = 3
	// failing is how many of a hundred requests the bad version answers 500.
	failing = "30"
	// timeout bounds a test; each takes some ten seconds.
	timeout = 3 * time.Minute
)

// errorRate is the share of failed requests of a rollout's new instances.
const errorRate = `sum(rate(hello_requests_total{deployment_guid="$deployment_guid",code="500"}[4s]))` +
	` / sum(rate(hello_requests_total{deployment_guid="$deployment_guid"}[4s]))`

// rules let an alarm fire about each app of which more than a twentieth of the requests fail.
const rules = `groups:
- name: apps
  rules:
  - alert: TooManyErrors
    expr: sum by (app_guid) (rate(hello_requests_total{code="500"}[4s])) / sum by (app_guid) (rate(hello_requests_total[4s])) > 0.05
    annotations: {summary: 'too many requests fail', value: '{{ $value | humanizePercentage }}'}
`

// scene is a Slipway with an app of which v1 runs, watched by Prometheus.
type scene struct {
	*installation.Installation
	monitor  *monitor.Monitor
	app      string
	droplets []string // v1, v2, v3
}

func watched(ctx context.Context, t *testing.T, rules string) *scene {
	t.Helper()
	root, err := installation.Root()
	if err != nil {
		t.Fatal(err)
	}
	s := &scene{Installation: installation.Serve(t, t.TempDir())}
	s.monitor, err = monitor.Start(ctx, monitor.Config{
		Programs: filepath.Join(root, "bin"), Dir: t.TempDir(), API: s.API, Secret: s.Secret(t), Rules: rules,
	})
	if errors.Is(err, monitor.ErrNoPrograms) {
		t.Skipf("%v; make test-health does", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(s.monitor.Output())
		}
		if err := s.monitor.Stop(); err != nil {
			t.Error(err)
		}
	})
	s.app, s.droplets = s.Upload(ctx, t, 0, 3)
	s.DeployFirst(ctx, t, s.app, s.droplets[0], instances)
	return s
}

// status is how a deployment stands.
type status struct {
	Status struct {
		Value, Reason string
	} `json:"status"`
}

func (s *scene) outcome(ctx context.Context, t *testing.T, deployment string) string {
	t.Helper()
	var got status
	if err := s.Client().Call(ctx, http.MethodGet, "/v3/deployments/"+deployment, nil, &got); err != nil {
		t.Fatal(err)
	}
	return got.Status.Value + "/" + got.Status.Reason
}

// rollOut rolls version n out under load and gives what happened, the last event of each type, and how many requests failed
// that this version did not answer itself.
func (s *scene) rollOut(ctx context.Context, t *testing.T, n int, options map[string]any) (deployment string, types map[string]string, failed int) {
	t.Helper()
	types = map[string]string{}
	load := s.UnderLoad(ctx, t, installation.AppName, func() {
		deployment = s.Deploy(ctx, t, s.app, s.droplets[n-1], options)
		s.Watch(ctx, t, deployment, func(e client.Event) bool {
			types[e.Type] = string(e.Data)
			return client.Over(e)
		})
		s.WaitRoutable(ctx, t, s.app, instances)
	})
	t.Logf("failed, by who answered: %v", load.FailedBy)
	for _, fault := range load.Faults {
		t.Log(fault)
	}
	return deployment, types, load.Failed - load.FailedBy[fmt.Sprintf("v%d", n)]
}

// spoil makes what is deployed from now on fail.
func (s *scene) spoil(ctx context.Context, t *testing.T) {
	t.Helper()
	if err := s.Client().SetEnvironment(ctx, s.app, map[string]string{"FAIL_PERCENT": failing}); err != nil {
		t.Fatal(err)
	}
}

func (s *scene) check() map[string]any {
	return map[string]any{
		"name": "error-rate", "type": "prometheus", "url": s.monitor.URL, "query": errorRate, "pass_when": "<= 0.05", "interval_in_seconds": 1,
	}
}

// TestAPrometheusCheck lets a good version through and catches a bad one, which is rolled back without a request failing that
// it did not answer itself.
func TestAPrometheusCheck(t *testing.T) {
	is := is.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	s := watched(ctx, t, "")
	options := map[string]any{"checks": []any{s.check()}, "bake_in_seconds": 5}

	deployment, types, failed := s.rollOut(ctx, t, 2, options)
	is.Equal(s.outcome(ctx, t, deployment), "FINALIZED/DEPLOYED") // it passes
	is.Equal(failed, 0)
	is.True(strings.Contains(types["deployment.check-recorded"], `"verdict":"pass"`))

	s.spoil(ctx, t)
	deployment, types, failed = s.rollOut(ctx, t, 3, options)
	is.Equal(s.outcome(ctx, t, deployment), "FINALIZED/ROLLED_BACK")
	is.Equal(failed, 0)
	t.Log(types["deployment.breached"])
	is.True(strings.Contains(types["deployment.breached"], `"cause":"check"`))
	is.True(strings.Contains(types["deployment.breached"], `is not \u003c= 0.05`)) // with what was measured
	s.Sound(ctx, t)
}

// TestAnAlarmOfAlertmanager rolls a bad version back while it bakes; its end is heard too.
func TestAnAlarmOfAlertmanager(t *testing.T) {
	is := is.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	s := watched(ctx, t, rules)
	s.spoil(ctx, t)
	deployment, types, failed := s.rollOut(ctx, t, 2, map[string]any{"bake_in_seconds": 120, "max_in_flight": instances})
	is.Equal(s.outcome(ctx, t, deployment), "FINALIZED/ROLLED_BACK")
	is.Equal(failed, 0)
	t.Log(types["deployment.breached"])
	is.True(strings.Contains(types["deployment.breached"], `"cause":"alarm"`))
	is.True(strings.Contains(types["deployment.breached"], `alarm TooManyErrors fires at `))
	installation.Eventually(ctx, t, s.Installation, func() (string, bool) {
		var alarms struct {
			Resources []struct{ Name string } `json:"resources"`
		}
		err := s.Client().Call(ctx, http.MethodGet, "/v3/apps/"+s.app+"/signals", nil, &alarms)
		return fmt.Sprintf("alarms %v, err %v", alarms.Resources, err), err == nil && len(alarms.Resources) == 0
	})
	s.Sound(ctx, t)
}

// TestPrometheusGoesAway: that nobody can be asked fails nothing and lets nothing pass; the deadline says what then.
func TestPrometheusGoesAway(t *testing.T) {
	is := is.New(t)
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	s := watched(ctx, t, "")
	check := s.check()
	is.NoErr(s.monitor.Stop())
	deployment, types, failed := s.rollOut(ctx, t, 2, map[string]any{
		"checks": []any{check}, "max_in_flight": instances, "progress_deadline_in_seconds": 5,
	})
	is.Equal(s.outcome(ctx, t, deployment), "FINALIZED/ROLLED_BACK")
	is.Equal(failed, 0)
	is.True(strings.Contains(types["deployment.check-recorded"], `"verdict":"inconclusive"`))
	is.True(strings.Contains(types["deployment.check-recorded"], "Prometheus cannot be asked"))
	is.True(strings.Contains(types["deployment.breached"], "check error-rate has not passed"))
}

// TestTheDemo is `make demo-rollback`.
func TestTheDemo(t *testing.T) {
	is := is.New(t)
	root, err := installation.Root()
	is.NoErr(err)
	i := installation.Serve(t, t.TempDir())
	var out strings.Builder
	err = demo.RunRollback(t.Context(), demo.Config{API: i.API, Apps: i.Apps, Secret: i.Secret(t), App: "hello", Instances: 4}, filepath.Join(root, "bin"), &out)
	if errors.Is(err, monitor.ErrNoPrograms) {
		t.Skipf("%v; make test-health does", err)
	}
	t.Log(out.String())
	is.NoErr(err)
	is.True(strings.Contains(out.String(), "because of the rollout     0"))
}

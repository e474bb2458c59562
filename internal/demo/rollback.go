package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"slipway/internal/client"
	"slipway/internal/monitor"
)

// ErrNotRolledBack: the bad version was not caught.
var ErrNotRolledBack = errors.New("the bad version was not rolled back")

const (
	// badVersion is what the version calls itself that fails.
	badVersion = "bad"
	// failPercent is how many of a hundred requests it answers 500.
	failPercent = "30"
	// errorRate is the share of failed requests of the new instances alone. Four seconds hold enough of the load's requests.
	errorRate = `sum(rate(hello_requests_total{deployment_guid="$deployment_guid",code="500"}[4s]))` +
		` / sum(rate(hello_requests_total{deployment_guid="$deployment_guid"}[4s]))`
)

// RunRollback rolls a bad version out under load, which a check of a real Prometheus catches, and tells on w how it is rolled
// back. programs is the directory of the program prometheus. It returns [ErrFailedRequests] if a request failed that the bad
// version did not answer itself.
func RunRollback(ctx context.Context, c Config, programs string, w io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	s := &show{Config: c, client: client.New(c.API, c.Secret), w: w, began: time.Now()}
	droplets, err := s.prepare(ctx, "v1", badVersion)
	if err != nil {
		return err
	}
	if err := s.spoil(ctx, ""); err != nil { // an earlier demo may have been interrupted
		return err
	}
	if err := s.first(ctx, droplets[0]); err != nil {
		return err
	}
	prometheus, stop, err := s.prometheus(ctx, programs)
	if err != nil {
		return err
	}
	outcome := ""
	result, err := s.underLoad(ctx, func() (err error) {
		outcome, err = s.rollOutBad(ctx, droplets[1], prometheus)
		return err
	})
	if err := errors.Join(err, stop(), s.spoil(ctx, "")); err != nil {
		return err
	}
	result.Picture(w)
	return s.judge(result, outcome)
}

// prometheus starts one that watches the app. stop ends it and removes what it kept.
func (s *show) prometheus(ctx context.Context, programs string) (url string, stop func() error, err error) {
	dir, err := os.MkdirTemp("", "slipway-demo-")
	if err != nil {
		return "", nil, err
	}
	m, err := monitor.Start(ctx, monitor.Config{Programs: programs, Dir: dir, API: s.API, Secret: s.Secret})
	if err != nil {
		return "", nil, errors.Join(err, os.RemoveAll(dir))
	}
	s.say("Prometheus runs at %s and asks Slipway where the instances are", m.URL)
	return m.URL, func() error { return errors.Join(m.Stop(), os.RemoveAll(dir)) }, nil
}

// spoil sets how many percent of its requests a version fails that is deployed from now on.
func (s *show) spoil(ctx context.Context, percent string) error {
	return s.client.SetEnvironment(ctx, s.app, map[string]string{"FAIL_PERCENT": percent})
}

// rollOutBad rolls out the bad version with a check, and gives the last event.
func (s *show) rollOutBad(ctx context.Context, droplet, prometheus string) (outcome string, err error) {
	if err := s.spoil(ctx, failPercent); err != nil {
		return "", err
	}
	s.say("rolling out version %q, which fails %s %% of its requests, as a canary; a check asks Prometheus every second", badVersion, failPercent)
	s.rolled, err = s.client.DeployAs(ctx, "canary", s.app, droplet, map[string]any{
		"checks": []any{map[string]any{
			"name": "error-rate", "type": "prometheus", "url": prometheus, "query": errorRate, "pass_when": "<= 0.05", "interval_in_seconds": 1,
		}},
	})
	if err != nil {
		return "", err
	}
	told := s.tell(client.Over)
	err = s.client.Watch(ctx, s.rolled, func(e client.Event) bool {
		outcome = e.Type
		if line := verdict(e); line != "" {
			s.say("  %s", line)
			return false
		}
		return told(e)
	})
	return outcome, err
}

// verdict shows what a check found, and why a rollout failed; nothing of other events.
func verdict(e client.Event) string {
	var d struct{ Check, Verdict, Message, Reason, Action string }
	_ = json.Unmarshal(e.Data, &d) // it is only shown
	switch e.Type {
	case "deployment.check-recorded":
		return fmt.Sprintf("check %s: %s (%s)", d.Check, d.Verdict, d.Message)
	case "deployment.breached":
		return fmt.Sprintf("FAILED: %s; action: %s", d.Reason, d.Action)
	}
	return ""
}

// judge says how many requests failed because of the rollout: those that the bad version did not answer itself.
func (s *show) judge(r Result, outcome string) error {
	bad := r.FailedBy[badVersion]
	fmt.Fprintf(s.w, "    by the bad version itself  %d\n    because of the rollout     %d\n", bad, r.Failed-bad)
	s.next()
	if outcome != "deployment.rolled-back" {
		return fmt.Errorf("%w: its deployment ended as %s", ErrNotRolledBack, outcome)
	}
	if r.Failed > bad {
		return fmt.Errorf("%d of %d %w", r.Failed-bad, r.Sent, ErrFailedRequests)
	}
	return nil
}

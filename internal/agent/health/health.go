// Package health asks instances how they are: Cloud Foundry's health checks of the kinds port, http and process.
//
// An instance is given time to become healthy (60 s by default); from then on one failed probe means that it is not (Cloud
// Foundry's rule). While it starts it is asked often, because a rollout waits for the answer.
package health

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"slipway/events"
)

// Defaults where a health check says nothing. All but firstPause and longestPause are Cloud Foundry's.
const (
	DefaultTimeout           = 60 * time.Second // from start to the first success
	DefaultInvocationTimeout = time.Second      // of one probe
	DefaultInterval          = 30 * time.Second // between probes once healthy

	firstPause   = 20 * time.Millisecond  // between the first probes of a starting instance
	longestPause = 250 * time.Millisecond // it grows by a quarter each time up to this
)

// maxBody is how much of a health check's answer is read, so that the connection ends cleanly.
const maxBody = 64 << 10

// Prober is asked once per call.
type Prober interface {
	Probe(ctx context.Context) error
}

// Await probes until the first success. It returns nil then, ctx's error if ctx ends first, and otherwise what was wrong
// last when the check's timeout passed.
func Await(ctx context.Context, p Prober, hc events.HealthCheck) error {
	timeout := seconds(hc.TimeoutSeconds, DefaultTimeout)
	deadline, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	pause := firstPause
	for {
		err := once(deadline, p, hc)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			return nil
		}
		if !wait(deadline, pause) {
			return cmp.Or(ctx.Err(), fmt.Errorf("health check: not healthy within %s: %w", timeout, err))
		}
		pause = min(pause+pause/4, longestPause)
	}
}

// Watch probes a healthy instance until the first failure and returns it, or ctx's error when ctx ends.
func Watch(ctx context.Context, p Prober, hc events.HealthCheck) error {
	if hc.Kind == events.HealthCheckProcess {
		<-ctx.Done() // its end is seen by who watches the process
		return ctx.Err()
	}
	for {
		if !wait(ctx, seconds(hc.IntervalSeconds, DefaultInterval)) {
			return ctx.Err()
		}
		if err := once(ctx, p, hc); err != nil {
			return cmp.Or(ctx.Err(), fmt.Errorf("health check: %w", err))
		}
	}
}

func once(ctx context.Context, p Prober, hc events.HealthCheck) error {
	ctx, cancel := context.WithTimeout(ctx, seconds(hc.InvocationTimeoutSeconds, DefaultInvocationTimeout))
	defer cancel()
	return p.Probe(ctx)
}

func seconds(n int, otherwise time.Duration) time.Duration {
	if n <= 0 {
		return otherwise
	}
	return time.Duration(n) * time.Second
}

// wait says whether the pause passed before ctx ended.
func wait(ctx context.Context, pause time.Duration) bool {
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// Default gives a process's health check where it names no kind: port for web, process for all others.
func Default(hc events.HealthCheck, processType string) events.HealthCheck {
	switch {
	case hc.Kind != "":
	case processType == events.ProcessTypeWeb:
		hc.Kind = events.HealthCheckPort
	default:
		hc.Kind = events.HealthCheckProcess
	}
	return hc
}

// Check probes what serves at address once, by the kind of the check. It never says more than address and status: its
// errors go into events that are kept for ever.
func Check(ctx context.Context, address string, hc events.HealthCheck) error {
	switch hc.Kind {
	case events.HealthCheckProcess:
		return nil // that it is alive is enough
	case events.HealthCheckHTTP:
		return get(ctx, address, hc.Endpoint)
	case events.HealthCheckPort, "":
		return connect(ctx, address)
	default:
		return fmt.Errorf("unknown kind of health check %q", hc.Kind)
	}
}

func connect(ctx context.Context, address string) error {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", address)
	if err != nil {
		return plain(ctx, fmt.Errorf("no answer at %s: %w", address, err))
	}
	return conn.Close()
}

// client uses a connection per probe: one that is kept would say that a process is well which no longer accepts any.
var client = &http.Client{
	Transport:     &http.Transport{DisableKeepAlives: true, MaxResponseHeaderBytes: maxBody},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

func get(ctx context.Context, address, endpoint string) error {
	endpoint = cmp.Or(endpoint, "/")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+endpoint, http.NoBody)
	if err != nil {
		return fmt.Errorf("endpoint %q: %w", endpoint, err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return plain(ctx, fmt.Errorf("no answer at http://%s%s: %w", address, endpoint, err))
	}
	defer resp.Body.Close()
	_, _ = io.CopyN(io.Discard, resp.Body, maxBody) // only the status counts
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("http://%s%s answered %d, want 200", address, endpoint, resp.StatusCode)
	}
	return nil
}

// plain replaces a network error's long text by its cause: the address has been said.
func plain(ctx context.Context, err error) error {
	var op *net.OpError
	switch {
	case ctx.Err() != nil:
		return errors.New("no answer in time")
	case errors.As(err, &op):
		return fmt.Errorf("no answer at %s: %w", op.Addr, op.Err)
	default:
		return err
	}
}

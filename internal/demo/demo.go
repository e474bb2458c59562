package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"slipway/internal/client"
	"slipway/internal/example"
)

// Config says where Slipway is and how large the demo shall be.
type Config struct {
	API       string // URL of the API
	Apps      string // URL of the router
	Secret    string // of Slipway's own client
	App       string // name of the app; it is created if there is none
	Instances int
}

// ErrFailedRequests: a request failed during the rollouts, which must never happen.
var ErrFailedRequests = errors.New("requests failed")

// startDelay is how long each instance of the example app takes to start: as quick as it really is, there would be little to
// see.
const startDelay = 700 * time.Millisecond

// timeout bounds the whole demo.
const timeout = 3 * time.Minute

// Run runs the demo and tells on w how it goes. It returns [ErrFailedRequests] if the load saw a failure.
func Run(ctx context.Context, c Config, w io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	s := &show{Config: c, client: client.New(c.API, c.Secret), w: w, began: time.Now()}
	droplets, err := s.prepare(ctx, "v1", "v2", "v3")
	if err != nil {
		return err
	}
	if err := s.first(ctx, droplets[0]); err != nil {
		return err
	}
	result, err := s.underLoad(ctx, func() error { return s.rollouts(ctx, droplets[1], droplets[2]) })
	if err != nil {
		return err
	}
	result.Picture(w)
	s.next()
	if result.Failed > 0 {
		return fmt.Errorf("%d of %d %w", result.Failed, result.Sent, ErrFailedRequests)
	}
	return nil
}

// show is one run of the demo.
type show struct {
	Config
	client *client.Client
	app    string // guid
	rolled string // guid of the second version's deployment
	w      io.Writer
	began  time.Time
}

func (s *show) say(format string, args ...any) {
	fmt.Fprintf(s.w, "%7.1fs  %s\n", time.Since(s.began).Seconds(), fmt.Sprintf(format, args...))
}

// prepare builds the example app and uploads a droplet of it per version.
func (s *show) prepare(ctx context.Context, versions ...string) (droplets []string, err error) {
	s.say("building examples/hello")
	binary, err := example.Build(ctx)
	if err != nil {
		return nil, err
	}
	if s.app, err = s.client.App(ctx, s.App); err != nil {
		return nil, err
	}
	if err := s.client.SetEnvironment(ctx, s.app, map[string]string{"START_DELAY": startDelay.String()}); err != nil {
		return nil, err
	}
	for _, version := range versions {
		bits, err := example.Pack(binary, version)
		if err != nil {
			return nil, err
		}
		droplet, err := s.client.Droplet(ctx, s.app, bits)
		if err != nil {
			return nil, err
		}
		s.say("uploaded droplet %s as %s (%d KiB)", version, droplet, len(bits)>>10)
		droplets = append(droplets, droplet)
	}
	return droplets, nil
}

// first brings up the first version and waits until it answers.
func (s *show) first(ctx context.Context, droplet string) error {
	deployment, err := s.client.Deploy(ctx, s.app, droplet, map[string]any{"web_instances": s.Instances, "max_in_flight": s.Instances})
	if err != nil {
		return err
	}
	s.say("deploying v1 with %d instances", s.Instances)
	if err := s.client.Watch(ctx, deployment, client.Over); err != nil {
		return err
	}
	return s.answers(ctx)
}

// answers waits until the process's instances are all routable, as its stats tell.
func (s *show) answers(ctx context.Context) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		up, err := s.client.Routable(ctx, s.app)
		if err != nil {
			return err
		}
		if up >= s.Instances {
			s.say("v1 answers on %d instances", up)
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("wait for v1: %d of %d instances answer: %w", up, s.Instances, ctx.Err())
		}
	}
}

// underLoad runs fn while the load runs, with a moment of load before and after it.
func (s *show) underLoad(ctx context.Context, fn func() error) (Result, error) {
	load := &Load{URL: s.Apps, Host: s.App + ".localhost"}
	loading, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		load.Run(loading)
	}()
	s.say("load: %d requests a second through the router, half of them over new connections", 2*requestsPerSecond)
	err := quiet(ctx)
	if err == nil {
		err = fn()
	}
	if err == nil {
		err = quiet(ctx)
	}
	stop()
	<-ended
	return load.Result(), err
}

// quiet lets a second of load pass with nothing going on, so that the picture shows a before and an after.
func quiet(ctx context.Context) error {
	select {
	case <-time.After(time.Second):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// rollouts rolls out the second version, then the third, which it cancels half way.
func (s *show) rollouts(ctx context.Context, second, third string) (err error) {
	s.say("rolling out v2, one instance at a time")
	if s.rolled, err = s.client.Deploy(ctx, s.app, second, nil); err != nil {
		return err
	}
	if err := s.client.Watch(ctx, s.rolled, s.tell(client.Over)); err != nil {
		return err
	}
	s.say("rolling out v3, to be canceled half way")
	deployment, err := s.client.Deploy(ctx, s.app, third, nil)
	if err != nil {
		return err
	}
	half := func(e client.Event) bool {
		return e.Type == "process.scaled" && scaled(e).Instances > s.Instances/2 && scaled(e).grows()
	}
	stream := s.client.Stream(deployment)
	if err := stream.Read(ctx, s.tell(half)); err != nil {
		return err
	}
	s.say("canceling v3")
	if err := s.client.Cancel(ctx, deployment); err != nil {
		return err
	}
	return stream.Read(ctx, s.tell(client.Over)) // from where it was
}

// change is what the demo reads of a process.scaled event.
type change struct {
	From      int    `json:"from"`
	Instances int    `json:"instances"`
	Reason    string `json:"reason"`
}

func (c change) grows() bool { return c.Instances > c.From }

func scaled(e client.Event) (c change) {
	_ = json.Unmarshal(e.Data, &c) // a zero change where it does not fit: it is only shown
	return c
}

// tell prints the events of a rollout that people want to see.
func (s *show) tell(done func(client.Event) bool) func(client.Event) bool {
	return func(e client.Event) bool {
		switch e.Type {
		case "process.scaled":
			c := scaled(e)
			s.say("  %-22s %d -> %d  (%s)", e.Type, c.From, c.Instances, c.Reason)
		case "instance.running", "instance.crashed":
			s.say("  %s", e.Type)
		default:
			if strings.HasPrefix(e.Type, "deployment.") {
				s.say("  %s", e.Type)
			}
		}
		return done(e)
	}
}

// next says what to look at now.
func (s *show) next() {
	fmt.Fprintf(s.w, `
  look at it:
    curl -H 'Host: %[2]s.localhost' %[3]s
    token="bearer $(go run ./cmd/slipway auth token --api %[1]s)"
    curl -H "Authorization: $token" %[1]s/v3/deployments/%[4]s
    curl -H "Authorization: $token" %[1]s/v3/deployments/%[4]s/events
    curl -H "Authorization: $token" %[1]s/v3/apps/%[5]s/processes/web/stats
    go run ./cmd/slipway audit verify
`, s.API, s.App, s.Apps, s.rolled, s.app)
}

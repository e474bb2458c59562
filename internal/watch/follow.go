package watch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync"
	"time"

	"slipway/internal/client"
	"slipway/internal/resource"
	"slipway/projections"
)

const (
	// refresh is how often what has happened is read and drawn, at most: more than eyes can follow, and little work for an API.
	refresh = 100 * time.Millisecond
	// again is how long after a failure it is tried again: what the API's streams ask for.
	again = time.Second
	// patience is how long the API may be away: a restart, or a machine that is started anew.
	patience = 2 * time.Minute
)

// ErrGone: the deployment is not there any more; its app was deleted.
var ErrGone = errors.New("the deployment is gone, with its app")

// Follow shows a deployment until it is over, and gives how it ended. It fails where the API refuses, or is away for too long.
func Follow(ctx context.Context, c *client.Client, deployment string, view View) (Rollout, error) {
	f := &follower{
		reader: Reader{API: c}, query: url.Values{"guids": {deployment}}, news: make(chan struct{}, 1), lookAt: time.Now().Add(again),
	}
	streaming, stop := context.WithCancel(ctx)
	var stream sync.WaitGroup
	stream.Go(func() { f.listen(streaming, c.Stream(deployment)) })
	defer stream.Wait()
	defer stop()
	err := f.run(ctx, view)
	return f.now, err
}

// follower follows one deployment.
type follower struct {
	reader Reader
	query  url.Values
	news   chan struct{} // holds one: something may have happened since the last look

	mu      sync.Mutex
	created json.RawMessage // the data of deployment.created, once it is known

	now    Rollout
	known  bool      // now has been read
	failed error     // why the last look did; nil: it did not
	since  time.Time // when looks began to fail
	lookAt time.Time // when to look though nothing is known to have happened: where the last look failed, or there was none yet
}

// listen says whenever something happens, over one connection after the other, until ctx ends.
func (f *follower) listen(ctx context.Context, s *client.Stream) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for ctx.Err() == nil {
		_ = s.Read(ctx, func(e client.Event) bool {
			if e.Type == "deployment.created" {
				f.mu.Lock()
				f.created = e.Data
				f.mu.Unlock()
			}
			f.tell()
			return false
		})
		f.tell() // a look says whether it is over, or the API away
		timer.Reset(again)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
}

func (f *follower) tell() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// run looks and shows until the deployment is over.
func (f *follower) run(ctx context.Context, view View) error {
	tick := time.NewTicker(refresh)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		if err := f.look(ctx); err != nil {
			return err
		}
		if !f.known && f.failed == nil {
			continue
		}
		if err := view.Show(f.now, f.trouble()); err != nil {
			return fmt.Errorf("show the rollout: %w", err)
		}
		if f.known && f.now.Over() && f.failed == nil {
			return nil
		}
	}
}

// look reads how the deployment stands, if something has happened. It fails where there is no use in trying again.
func (f *follower) look(ctx context.Context) error {
	select {
	case <-f.news:
	default:
		if f.known && f.failed == nil || time.Now().Before(f.lookAt) {
			return nil
		}
	}
	err := f.read(ctx)
	if err == nil {
		f.failed = nil
		return nil
	}
	var refused *client.RefusedError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, ErrGone), errors.Is(err, client.ErrSecret), errors.As(err, &refused) && refused.Final():
		return err
	case f.failed == nil:
		f.since = time.Now()
	case time.Since(f.since) > patience:
		return fmt.Errorf("no answer for %v: %w", patience, err)
	}
	f.failed, f.lookAt = err, time.Now().Add(again)
	return nil
}

func (f *follower) read(ctx context.Context) error {
	found, err := f.reader.Read(ctx, f.query, nil)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return ErrGone
	}
	next := found[0]
	f.mu.Lock()
	created := f.created
	f.mu.Unlock()
	if created != nil {
		if err := json.Unmarshal(created, &next.Created); err != nil {
			return fmt.Errorf("read deployment.created: %w", err)
		}
	}
	next.dark()
	if next.Over() && (!f.known || next.Status.Reason == projections.ReasonSuperseded) {
		next.Level = resource.Level{} // what runs now is not of it
	}
	f.now, f.known = next, true
	return nil
}

// trouble says that what is shown may be old.
func (f *follower) trouble() string {
	if f.failed == nil {
		return ""
	}
	return fmt.Sprintf("no answer since %s, trying again until %s: %v",
		f.since.Format(time.TimeOnly), f.since.Add(patience).Format(time.TimeOnly), f.failed)
}

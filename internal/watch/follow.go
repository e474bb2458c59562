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
	one := &single{reader: Reader{API: c}, query: url.Values{"guids": {deployment}}}
	f := &follower[Rollout]{read: one.read, over: Rollout.Over, show: view.Show, heard: func(e client.Event) {
		e.Subject = deployment // there is no other
		one.hear(e)
	}}
	return f.follow(ctx, c.Stream(deployment))
}

// single is one deployment as it is read.
type single struct {
	histories
	reader Reader
	query  url.Values
	known  bool // it has been read
}

func (s *single) read(ctx context.Context) (next Rollout, err error) {
	found, err := s.reader.Read(ctx, s.query, nil)
	if err != nil {
		return next, err
	}
	if len(found) == 0 {
		return next, ErrGone
	}
	next = found[0]
	if err := s.complete(&next); err != nil {
		return next, err
	}
	if next.Over() && (!s.known || next.Status.Reason == projections.ReasonSuperseded) {
		next.Level = resource.Level{} // what runs now is not of it
	}
	s.known = true
	return next, nil
}

// histories are the beginnings of deployments, as streams have told them.
type histories struct {
	mu      sync.Mutex
	created map[string]json.RawMessage // the data of deployment.created, by deployment
}

func (h *histories) hear(e client.Event) {
	if e.Type != "deployment.created" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.created == nil {
		h.created = map[string]json.RawMessage{}
	}
	h.created[e.Subject] = e.Data
}

// complete tells a rollout what its history has told.
func (h *histories) complete(r *Rollout) error {
	h.mu.Lock()
	created := h.created[r.GUID]
	h.mu.Unlock()
	if created != nil {
		if err := json.Unmarshal(created, &r.Created); err != nil {
			return fmt.Errorf("read deployment.created: %w", err)
		}
	}
	r.dark()
	return nil
}

// follower follows what is told by a stream, and read whenever something has happened.
type follower[S any] struct {
	read  func(context.Context) (S, error)
	over  func(S) bool // nothing follows any more
	show  func(now S, trouble string) error
	heard func(client.Event)

	news   chan struct{} // holds one: something may have happened since the last look
	now    S
	known  bool      // now has been read
	failed error     // why the last look did; nil: it did not
	since  time.Time // when looks began to fail
	lookAt time.Time // when to look though nothing is known to have happened: where the last look failed, or there was none yet
}

// follow shows it until it is over, and gives it as it was read last.
func (f *follower[S]) follow(ctx context.Context, s *client.Stream) (S, error) {
	f.news, f.lookAt = make(chan struct{}, 1), time.Now().Add(again)
	streaming, stop := context.WithCancel(ctx)
	var stream sync.WaitGroup
	stream.Go(func() { f.listen(streaming, s) })
	defer stream.Wait()
	defer stop()
	err := f.run(ctx)
	return f.now, err
}

// listen says whenever something happens, over one connection after the other, until ctx ends.
func (f *follower[S]) listen(ctx context.Context, s *client.Stream) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	<-timer.C
	for ctx.Err() == nil {
		_ = s.Read(ctx, func(e client.Event) bool {
			f.heard(e)
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

func (f *follower[S]) tell() {
	select {
	case f.news <- struct{}{}:
	default:
	}
}

// run looks and shows until it is over.
func (f *follower[S]) run(ctx context.Context) error {
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
		if err := f.show(f.now, f.trouble()); err != nil {
			return fmt.Errorf("show the rollout: %w", err)
		}
		if f.known && f.over(f.now) && f.failed == nil {
			return nil
		}
	}
}

// look reads how it stands, if something has happened. It fails where there is no use in trying again.
func (f *follower[S]) look(ctx context.Context) error {
	select {
	case <-f.news:
	default:
		if f.known && f.failed == nil || time.Now().Before(f.lookAt) {
			return nil
		}
	}
	next, err := f.read(ctx)
	if err == nil {
		f.now, f.known, f.failed = next, true, nil
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

// trouble says that what is shown may be old.
func (f *follower[S]) trouble() string {
	if f.failed == nil {
		return ""
	}
	return fmt.Sprintf("no answer since %s, trying again until %s: %v",
		f.since.Format(time.TimeOnly), f.since.Add(patience).Format(time.TimeOnly), f.failed)
}

// Package report brings what an agent saw of its instances into the event log.
//
// What it guarantees:
//
//  1. Add never waits: control of instances goes on whatever the log does.
//  2. The reports of one process are written in the order they were added, one commit after the other.
//  3. A commit is tried again, with the same command id, until it is written. Written twice, its effect is once.
//  4. Memory is bounded: of a process with more than [maxPending] reports waiting, only the newest of each index is kept,
//     which is all that a reader's fold of them would keep.
//
// Reports that wait together travel in one commit, whose time is when its newest report was made.
package report

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"slipway/events"
)

// Limits of a reporter.
const (
	writers    = 4                     // processes whose reports are written at once
	maxBatch   = 100                   // reports in one commit; far below what a commit may hold
	maxPending = 200                   // of one process, before old ones are dropped
	firstPause = 20 * time.Millisecond // after a failed write; doubles
	maxPause   = 5 * time.Second       // so that a log that is back is noticed soon
	tryTimeout = 5 * time.Second       // of one write
)

// Log is where reports go: eventlog.Log.
type Log interface {
	Report(ctx context.Context, c events.Commit) (events.Recorded, error)
}

// Reporter queues reports and writes them.
type Reporter struct {
	agent events.AgentID
	out   Log
	log   *slog.Logger

	mu      sync.Mutex
	queues  map[events.ProcessID]*queue
	ready   []events.ProcessID // with reports, nobody writing them; first come first served
	waiting int                // reports not yet written
	changed chan struct{}      // closed, and replaced, when ready or waiting change
}

// queue is the reports of one process.
type queue struct {
	pending []entry
	taken   bool // a writer is at it
}

type entry struct {
	event events.InstanceEvent
	at    time.Time
}

// New makes a reporter; nothing is written before Run.
func New(agent events.AgentID, out Log, log *slog.Logger) *Reporter {
	return &Reporter{
		agent: agent, out: out, log: log, queues: map[events.ProcessID]*queue{}, changed: make(chan struct{}),
	}
}

// Add queues a report.
func (r *Reporter) Add(e events.InstanceEvent) {
	process := e.Ref().Process
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.queues[process]
	if q == nil {
		q = &queue{}
		r.queues[process] = q
	}
	before := len(q.pending)
	q.pending = append(q.pending, entry{e, time.Now().UTC()})
	if len(q.pending) > maxPending {
		q.pending = newestOfEachIndex(q.pending)
	}
	r.waiting += len(q.pending) - before
	if before == 0 && !q.taken {
		r.ready = append(r.ready, process)
	}
	r.wake()
}

// newestOfEachIndex drops what later reports have overtaken, keeping the order.
func newestOfEachIndex(all []entry) []entry {
	last := map[int]int{}
	for i, e := range all {
		last[e.event.Ref().Index] = i
	}
	kept := make([]entry, 0, len(last))
	for i, e := range all {
		if last[e.event.Ref().Index] == i {
			kept = append(kept, e)
		}
	}
	return kept
}

// Run writes until ctx ends, and returns when no write is on its way any more.
func (r *Reporter) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for {
				process, batch, ok := r.take(ctx)
				if !ok {
					return
				}
				r.write(ctx, process, batch)
				r.put(process, len(batch))
			}
		})
	}
	wg.Wait()
}

// Flush waits until every report has been written, or ctx ends; it says how many have not.
func (r *Reporter) Flush(ctx context.Context) int {
	for {
		r.mu.Lock()
		waiting, changed := r.waiting, r.changed
		r.mu.Unlock()
		if waiting == 0 {
			return 0
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return waiting
		}
	}
}

// take waits for a process with reports and takes the oldest of them.
func (r *Reporter) take(ctx context.Context) (events.ProcessID, []entry, bool) {
	for {
		r.mu.Lock()
		if len(r.ready) > 0 {
			process := r.ready[0]
			r.ready = r.ready[1:]
			q := r.queues[process]
			n := min(len(q.pending), maxBatch)
			batch := q.pending[:n:n]
			q.pending, q.taken = q.pending[n:], true
			r.mu.Unlock()
			return process, batch, true
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return "", nil, false
		}
	}
}

// put ends a writer's work on a process.
func (r *Reporter) put(process events.ProcessID, written int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.queues[process]
	q.taken = false
	if len(q.pending) > 0 {
		r.ready = append(r.ready, process)
	} else {
		delete(r.queues, process)
	}
	r.waiting -= written
	r.wake()
}

// wake tells everybody who waits that something has changed.
func (r *Reporter) wake() {
	close(r.changed)
	r.changed = make(chan struct{})
}

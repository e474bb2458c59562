package eventlog

import (
	"context"
	"hash/maphash"
	"sync"
	"time"

	"slipway/events"
)

// Limits of a worker.
const (
	// maxHeld bounds the commits handed to a worker and not acknowledged yet, those waiting for another attempt included.
	maxHeld = 1000
	// firstDelay and longestDelay bound the wait before a failed commit is handed out again. It doubles in between: a lost
	// race heals in milliseconds, a bug should not be tried a thousand times a minute.
	firstDelay   = 50 * time.Millisecond
	longestDelay = 30 * time.Second
)

// delivery is one commit handed to a worker, for the attempt-th time.
type delivery struct {
	Raw
	attempt int
	done    func()                    // it was handled
	again   func(after time.Duration) // it was not: hand it out again
}

// fetch gives the next delivery, or the end of ctx, or why there will be none.
type fetch func(ctx context.Context) (delivery, error)

// run spreads what next gives over the worker's lanes until next fails, and waits until all lanes are done. After the
// end of ctx nothing more is handled: what was fetched is given back.
func (w Worker) run(ctx context.Context, reg *events.Registry, next fetch, fn func(context.Context, events.Recorded) error) error {
	l := startLanes(w.Lanes)
	defer l.stop()
	f := failures{newest: map[events.Subject]events.Sequence{}}
	for {
		d, err := next(ctx)
		if err != nil {
			return err
		}
		rec, err := decodeRaw(reg, d.Raw)
		switch {
		case w.Newest && f.overtook(d.Raw):
			d.done()
		case err != nil:
			// What cannot be read is not lost: it stays and is reported until a program that can read it comes.
			f.note(d.Raw)
			w.failed(undecoded(d.Raw), d, err)
		default:
			l.do(w.lane(rec), func() { w.handle(ctx, d, rec, &f, fn) })
		}
	}
}

func (w Worker) handle(ctx context.Context, d delivery, rec events.Recorded, f *failures, fn func(context.Context, events.Recorded) error) {
	work := func() error {
		err := fn(ctx, rec)
		if err == nil {
			f.forget(d.Raw)
		}
		return err
	}
	d.attend(ctx, work, func(err error) {
		f.note(d.Raw)
		w.failed(rec, d, err)
	})
}

// failures knows of each subject the newest commit that failed and has not been handled since.
type failures struct {
	mu     sync.Mutex
	newest map[events.Subject]events.Sequence
}

// overtook says whether a newer commit of the subject failed, which will come again.
func (f *failures) overtook(r Raw) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.newest[r.Subject] > r.Sequence
}

func (f *failures) note(r Raw) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.newest[r.Subject] = max(f.newest[r.Subject], r.Sequence)
}

func (f *failures) forget(r Raw) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.newest[r.Subject] <= r.Sequence {
		delete(f.newest, r.Subject)
	}
}

// attend does the work of a delivery and says what became of it; failed says so of work that failed.
func (d delivery) attend(ctx context.Context, work func() error, failed func(error)) {
	if ctx.Err() != nil {
		d.again(0)
		return
	}
	err := work()
	switch {
	case err == nil:
		d.done()
	case ctx.Err() != nil:
		d.again(0) // it was interrupted, which is nobody's failure
	default:
		failed(err)
	}
}

func (w Worker) failed(rec events.Recorded, d delivery, err error) {
	if w.Failed != nil {
		w.Failed(rec, d.attempt, err)
	}
	d.again(delayAfter(d.attempt))
}

func (w Worker) lane(rec events.Recorded) string {
	if w.Lane == nil {
		return string(rec.Subject)
	}
	return w.Lane(rec)
}

// delayAfter is the wait after the attempt-th failure.
func delayAfter(attempt int) time.Duration {
	delay := firstDelay
	for i := 1; i < attempt && delay < longestDelay; i++ {
		delay *= 2
	}
	return min(delay, longestDelay)
}

// undecoded is what can be said of a message that is no readable commit.
func undecoded(raw Raw) events.Recorded {
	rec := events.Recorded{Sequence: raw.Sequence, Hash: events.HashMessage(raw.Message)}
	rec.Subject = raw.Subject
	if id := raw.Header[events.HeaderMsgID]; len(id) > 0 {
		rec.CommandID = events.CommandID(id[0])
	}
	return rec
}

// lanes runs jobs: those with one key one after the other in the order given, others side by side.
type lanes struct {
	seed   maphash.Seed
	queues []chan func()
	wg     sync.WaitGroup
}

func startLanes(n int) *lanes {
	l := &lanes{seed: maphash.MakeSeed(), queues: make([]chan func(), max(n, 1))}
	for i := range l.queues {
		// A queue holds all there can be, so that a slow lane never keeps its commits from being handed to the others.
		l.queues[i] = make(chan func(), maxHeld)
		l.wg.Go(func() {
			for job := range l.queues[i] {
				job()
			}
		})
	}
	return l
}

func (l *lanes) do(key string, job func()) {
	l.queues[maphash.String(l.seed, key)%uint64(len(l.queues))] <- job
}

// stop waits until every job has run.
func (l *lanes) stop() {
	for _, q := range l.queues {
		close(q)
	}
	l.wg.Wait()
}

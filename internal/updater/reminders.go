package updater

import (
	"context"
	"sync"
	"time"

	"slipway/events"
)

// missingGrace is how long instances may be missing before somebody is told: far longer than an agent needs to report
// that it has started one, short enough for a person who watches.
const missingGrace = 10 * time.Second

// reminders makes the updater look again at apps that wait for what brings no event of their own: new instances that no agent
// reports on, or room in a quota. They are lost with the process; the sweep at the next start makes them anew.
type reminders struct {
	due  chan events.AppID
	done chan struct{} // closed when nobody hears them any more

	mu    sync.Mutex
	since map[events.AppID]time.Time
	timer map[events.AppID]*time.Timer
}

func newReminders() *reminders {
	return &reminders{
		due: make(chan events.AppID), done: make(chan struct{}), since: map[events.AppID]time.Time{}, timer: map[events.AppID]*time.Timer{},
	}
}

// overdue notes whether the app waits now, and says whether it has for too long. While it does it is looked at again every
// missingGrace.
func (r *reminders) overdue(id events.AppID, waits bool, now time.Time) bool {
	if !waits {
		r.forget(id)
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	since, known := r.since[id]
	if !known {
		since = now
		r.since[id] = now
	}
	overdue := now.Sub(since) >= missingGrace
	if timer, armed := r.timer[id]; !armed {
		r.timer[id] = time.AfterFunc(missingGrace, func() { r.remind(id) })
	} else if overdue {
		timer.Reset(missingGrace)
	}
	return overdue
}

// forget drops what is noted of an app.
func (r *reminders) forget(id events.AppID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if timer, ok := r.timer[id]; ok {
		timer.Stop()
	}
	delete(r.since, id)
	delete(r.timer, id)
}

func (r *reminders) remind(id events.AppID) {
	select {
	case r.due <- id:
	case <-r.done:
	}
}

// run hands each app that is due to fn until ctx ends. It is called once.
func (r *reminders) run(ctx context.Context, fn func(context.Context, events.AppID)) error {
	defer close(r.done)
	for {
		select {
		case id := <-r.due:
			fn(ctx, id)
		case <-ctx.Done():
			return nil
		}
	}
}

package exhaustive

import (
	"errors"
	"fmt"

	"slipway/aggregates/app"
)

// settled is the law of what waits once the updater has come to rest: each says what for, and it is so.
func (w *world) settled() error {
	h, d := w.halt(w.now), w.state.Deployment
	if d != nil && !d.GoingBack && !d.RollingBack && d.Halt != h.ID {
		return fmt.Errorf("halt %q is in force, and the rollout stands still because of %q", h.ID, d.Halt)
	}
	for _, r := range w.state.Requests {
		n := number(r.Deployment)
		switch {
		case r.Halt != h.ID:
			return fmt.Errorf("halt %q is in force, and rollout %d waits for %q", h.ID, n, r.Halt)
		case h.ID != "":
		case w.expired(w.state, r.Deployment):
			return fmt.Errorf("nobody can approve rollout %d any more, and it waits", n)
		case !w.byItself(r):
		case r.Held.Policy == "" || w.freeze.hold(w.now).Policy == "":
			return fmt.Errorf("nothing keeps rollout %d from beginning, and it waits", n)
		case !r.Held.Until.Equal(w.freeze.until):
			return fmt.Errorf("rollout %d is held until %v, and says %v", n, w.freeze.until, r.Held.Until)
		}
	}
	return nil
}

// byItself says whether nobody has to do anything before a request begins.
func (w *world) byItself(r app.Request) bool {
	f := w.ledger.fates[number(r.Deployment)]
	for i, v := range wanting(r) {
		if v.ManualStart || f.missing(i, v) > 0 {
			return false
		}
	}
	return true
}

// tells is the law that nothing waits silently, where neither agents nor time will change anything: somebody is named.
func (w *world) tells() error {
	h := w.halt(w.now)
	if h.ID != "" && !h.Until.IsZero() {
		return fmt.Errorf("nothing happens though halt %s ends at %v", h.ID, h.Until)
	}
	for _, r := range w.state.Requests {
		if h.ID == "" && w.byItself(r) {
			return fmt.Errorf("rollout %d waits for nobody", number(r.Deployment))
		}
	}
	d := w.state.Deployment
	if d == nil || h.ID != "" {
		return nil
	}
	s, seen := w.state, w.seen()
	for _, e := range app.Explain(s, seen, true, app.Quota{}, w.now) {
		s = app.Evolve(s, e)
	}
	d = s.Deployment
	switch {
	case d.AtPause && d.PausedUntil.IsZero(), d.AtPause && d.PausedThen == "hold":
	case d.Error != "":
	case app.PendingCheck(s, seen) != "":
	default:
		return errors.New("the rollout waits for nobody, and says nothing")
	}
	return nil
}

package exhaustive

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"slipway/aggregates/app"
	"slipway/events"
)

// key tells worlds apart that differ in anything a rule reads.
type key [16]byte

// keys makes keys. The part of the state is kept by its value, as most things that happen do not change it.
type keys struct {
	last  app.State
	at    time.Time
	state [16]byte
	known bool
	buf   []byte
}

// of is the key of a world: the state without what no rule reads, what is seen, the truth, all moments relative to now.
func (k *keys) of(w *world) key {
	b := append(k.buf[:0], k.stateOf(w)...)
	b = append(b, w.left[:]...)
	b = w.governed(b)
	for i := range w.procs {
		b = w.procs[i].append(b, w)
	}
	k.buf = b
	sum := sha256.Sum256(b)
	return key(sum[:16])
}

// append writes all there is of a process that a rule may read.
func (p *proc) append(b []byte, w *world) []byte {
	var l lives
	d := w.state.Deployment
	reads := matters(d)
	if d == nil || d.Process != p.id {
		reads = reading{} // of other versions nobody asks when they started, or how often they crashed
	}
	b = append(append(b, p.id...), 0, byte(p.size), byte(p.generation), bit(p.dark))
	for i, s := range p.slots {
		if s.is != none {
			b = append(b, byte(i), byte(s.is), l.of(i, s.life), s.generation, bit(s.died), bit(reads.crashes && s.crashes > 0))
		}
	}
	b = append(b, 0xfd)
	for i := range maxSlots {
		seen, ok := p.seen[i]
		if !ok {
			continue
		}
		b = append(append(b, byte(i), l.of(i, lifeOf(seen.ID)), byte(seen.Generation)), seen.State...)
		if reads.crashes {
			b = append(b, bit(seen.Crashes > 0), byte(seen.Falls))
		}
		if reads.startup && seen.State != app.InstanceRunning && seen.State != app.InstanceCrashed {
			b = appendTime(b, latest(seen.StartedAt, d.WatchedFrom), w.now)
		}
		if reads.time && !d.RollingBack {
			b = appendTime(b, reads.routable(seen.RoutableAt, d, w.now), w.now)
		}
	}
	b = append(b, 0xfe)
	for _, r := range p.queue {
		b = append(append(b, r.kind...), r.index, l.of(int(r.index), r.slot.life), r.slot.generation, bit(reads.crashes && r.slot.crashes > 0))
	}
	desired, _ := w.state.Process(p.id)
	return l.append(append(l.append(b, p.leaving), 0xfc), desired.Leaving)
}

// lives numbers the starts of each index in the order in which they are met: which was which is all that matters.
type lives [maxSlots][]uint8

func (l *lives) of(index int, life uint8) uint8 {
	at := slices.Index(l[index], life)
	if at < 0 {
		at = len(l[index])
		l[index] = append(l[index], life)
	}
	return uint8(at)
}

// append writes which instances are leaving, as a set.
func (l *lives) append(b []byte, ids []events.InstanceID) []byte {
	from := len(b)
	for _, id := range ids {
		index := int(id[len(id)-2] - '0')
		b = append(b, byte(index)<<4|l.of(index, lifeOf(id)))
	}
	slices.Sort(b[from:])
	return append(b, 0xff)
}

func lifeOf(id events.InstanceID) uint8 { return id[len(id)-1] - '0' }

func appendTime(b []byte, t, now time.Time) []byte {
	if t.IsZero() {
		return append(b, 0)
	}
	return binary.AppendVarint(append(b, 1), int64(t.Sub(now)/time.Second))
}

func bit(is bool) byte {
	if is {
		return 1
	}
	return 0
}

func (k *keys) stateOf(w *world) []byte {
	if k.known && k.at.Equal(w.now) && unchanged(k.last, w.state) {
		return k.state[:]
	}
	data, err := json.Marshal(w.relative())
	if err != nil {
		panic(err) // a state can always be written
	}
	sum := sha256.Sum256(data)
	k.last, k.at, k.known = w.state, w.now, true
	copy(k.state[:], sum[:])
	return k.state[:]
}

// unchanged says whether b is a with nothing folded in between: states share what did not change.
func unchanged(a, b app.State) bool {
	return a.Deployment == b.Deployment && a.Desired == b.Desired && a.Droplet == b.Droplet && len(a.Processes) == len(b.Processes) &&
		len(a.Alarms) == len(b.Alarms) && (len(a.Processes) == 0 || &a.Processes[0] == &b.Processes[0]) &&
		len(a.Requests) == len(b.Requests) && (len(a.Requests) == 0 || &a.Requests[0] == &b.Requests[0]) &&
		a.LetGo == b.LetGo && a.Serving == b.Serving && a.NoAutomation == b.NoAutomation && maps.Equal(a.Rejected, b.Rejected)
}

// relative is the state with moments as seconds from now, without texts and moments that no rule reads, and without the
// names of instances that leave, which are put in the key by those that still exist.
func (w *world) relative() app.State {
	s, now := w.state, w.now
	s.Requests = w.requests()
	s.LetGo = "" // it is told with the halts
	s.Ended, s.Revision, s.Processes = nil, events.RevisionCreated{}, slices.Clone(s.Processes)
	for i := range s.Processes {
		s.Processes[i].Leaving = nil
	}
	reads := matters(s.Deployment)
	s.Alarms = maps.Clone(s.Alarms)
	for name, alarm := range s.Alarms {
		since := epoch // of before the rollout: it counts for nothing
		if s.Deployment != nil && alarm.Since.After(s.Deployment.WatchedFrom) {
			since = epoch.Add(time.Second)
		}
		s.Alarms[name] = app.Alarm{Since: since}
	}
	if s.Deployment == nil {
		return s
	}
	d := *s.Deployment
	d.Error, d.BackReason, d.ContinuedBy = "", "", ""
	d.ProgressAt = latest(d.ProgressAt, now.Add(-time.Duration(d.Options.ProgressDeadline)*time.Second)) // overdue is overdue
	for _, moment := range []struct {
		at   *time.Time
		read bool
	}{
		{&d.StartedAt, reads.schedule}, {&d.WatchedFrom, reads.startup || reads.checks}, {&d.ProgressAt, reads.time}, {&d.StepAt, reads.checks},
		{&d.PausedUntil, d.AtPause}, {&d.BakeUntil, true},
	} {
		switch {
		case moment.at.IsZero():
		case moment.read:
			*moment.at = epoch.Add(moment.at.Sub(now))
		default:
			*moment.at = epoch
		}
	}
	d.Checks = maps.Clone(d.Checks)
	for name, c := range d.Checks {
		c.At, c.Message = epoch.Add(c.At.Sub(now)), ""
		d.Checks[name] = c
	}
	s.Deployment = &d
	return s
}

// requests are those of the state with moments as seconds from now, without what no rule reads.
func (w *world) requests() []app.Request {
	requests := slices.Clone(w.state.Requests)
	for i := range requests {
		r := &requests[i]
		r.At, r.Verdicts = epoch, slices.Clone(r.Verdicts)
		for i := range r.Verdicts {
			r.Verdicts[i].Expires, r.Verdicts[i].Until = w.ahead(r.Verdicts[i].Expires), time.Time{}
		}
		r.Held.At, r.Held.Until = w.ahead(r.Held.At), w.ahead(r.Held.Until)
	}
	return requests
}

// recalled says whether some updater has a clock by which a moment is not past.
func (w *world) recalled(at time.Time) bool { return at.IsZero() || at.After(w.now.Add(-slack)) }

// ahead is a moment from now on, as seconds after the epoch; all that are past are one.
func (w *world) ahead(at time.Time) time.Time {
	switch {
	case at.IsZero():
		return at
	case !w.recalled(at):
		return epoch.Add(-slack)
	}
	return epoch.Add(at.Sub(w.now))
}

// governed writes what is said of all rollouts, and what the laws go by.
func (w *world) governed(b []byte) []byte {
	for _, h := range w.halts.Halts {
		if w.recalled(h.Until) {
			b = appendTime(append(append(b, h.Halt...), bit(h.Halt == w.state.LetGo)), h.Until, w.now)
		}
	}
	f := w.freeze
	if !w.recalled(f.until) {
		f = freeze{}
	}
	b = appendTime(appendTime(b, w.ahead(f.from), epoch), w.ahead(f.until), epoch)
	for _, f := range w.ledger.fates {
		b = append(b, byte(f.stage), f.yes[0], f.yes[1], bit(f.robot))
	}
	return append(b, byte(w.ledger.serving), w.ledger.rejected, bit(w.ledger.byHand))
}

// reading is what the rules read of a rollout beside how things are.
type reading struct {
	time     bool // it may decide something
	schedule bool // steps begin at their times
	startup  bool // instances must come up in time
	checks   bool // verdicts are compared with when a step was reached
	crashes  bool // they are counted
}

func matters(d *app.Deployment) reading {
	if d == nil || d.GoingBack {
		return reading{}
	}
	o := d.Options
	r := reading{startup: o.StartupTimeout > 0, checks: len(o.Checks) > 0, crashes: o.CrashLimit+o.CrashPercent > 0, time: o.OnFailure != ""}
	for _, step := range d.Plan {
		r.schedule = r.schedule || step.After > 0
		r.time = r.time || step.Wait > 0 || step.After > 0
	}
	return r
}

// routable is when an index came up, as far as that is compared with anything: with the last progress and the step's begin.
func (r reading) routable(at time.Time, d *app.Deployment, now time.Time) time.Time {
	if at.IsZero() {
		return at
	}
	from := d.StepAt
	if !r.checks {
		from = latest(d.ProgressAt, now.Add(-time.Duration(d.Options.ProgressDeadline)*time.Second))
	}
	return latest(at, from)
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

package audit

import (
	"context"
	"fmt"
	"time"

	"slipway/events"
	"slipway/internal/eventlog"
)

// Log is what an audit reads: [eventlog.Log] has it.
type Log interface {
	Newest(ctx context.Context) (events.Sequence, error)
	Scan(ctx context.Context, q eventlog.Query, fn func(eventlog.Raw) error) error
}

// progressEvery is how many messages pass between two calls of the progress function: some ten calls a second.
const progressEvery = 5000

// Verify walks the log up to its newest message. progress is told how far it is, as sequences, at least at the end; it may
// be nil. An error means that the log could not be read; breaches stand in the report.
func Verify(ctx context.Context, log Log, reg *events.Registry, progress func(done, total events.Sequence)) (Report, error) {
	if progress == nil {
		progress = func(events.Sequence, events.Sequence) {}
	}
	a := newAuditor(reg)
	total, err := a.walk(ctx, log, progress)
	if err != nil {
		return Report{}, fmt.Errorf("audit: after sequence %d: %w", a.report.Newest, err)
	}
	a.end(total)
	progress(total, total)
	return a.report, nil
}

// auditor is an audit on its way.
type auditor struct {
	reg      *events.Registry
	report   Report
	newest   time.Time // when the last message was stored
	heads    map[events.Subject]head
	apps     map[events.AppID]*history
	rollouts map[events.DeploymentID]*Rollout
}

func newAuditor(reg *events.Registry) *auditor {
	return &auditor{
		reg: reg, heads: map[events.Subject]head{}, apps: map[events.AppID]*history{}, rollouts: map[events.DeploymentID]*Rollout{},
	}
}

// walk audits every message up to the newest, and says which that is.
func (a *auditor) walk(ctx context.Context, log Log, progress func(done, total events.Sequence)) (events.Sequence, error) {
	total, err := log.Newest(ctx)
	if err != nil {
		return 0, err
	}
	return total, log.Scan(ctx, eventlog.Query{Until: total}, func(raw eventlog.Raw) error {
		a.take(raw)
		if raw.Sequence%progressEvery == 0 {
			progress(raw.Sequence, total)
		}
		return nil
	})
}

// take audits the next message.
func (a *auditor) take(raw eventlog.Raw) {
	if want := a.report.Newest + 1; raw.Sequence != want {
		a.breach(LawSequence, raw, "sequences %d to %d are missing: nothing may be deleted here", want, raw.Sequence-1)
	}
	a.report.Messages++
	a.report.Newest, a.newest = raw.Sequence, raw.Stored
	commit, err := a.reg.DecodeCommit(raw.Message)
	if err != nil {
		a.breach(LawDecodes, raw, "%v", err)
		a.skip(raw)
		return
	}
	c := events.Recorded{Commit: commit, Sequence: raw.Sequence, Hash: events.HashMessage(raw.Message)}
	whole, placed := a.chain(raw, c), a.place(raw, c)
	if !whole || !placed {
		a.spoil(raw.Subject, c.Events)
	}
	if placed {
		a.fold(raw, c)
	}
}

// fold brings the apps up to date.
func (a *auditor) fold(raw eventlog.Raw, c events.Recorded) {
	switch aggregate, id, _ := c.Subject.Split(); aggregate {
	case events.AggregateApp:
		a.commit(a.app(events.AppID(id)), raw, c)
	case events.AggregateInstance:
		a.report.Reports++
		a.observe(c)
	}
}

func (a *auditor) app(id events.AppID) *history {
	h, ok := a.apps[id]
	if !ok {
		h = newHistory()
		a.apps[id] = h
	}
	return h
}

// end says how far rollouts are that go on, and whether the log gave all that it said it had.
func (a *auditor) end(total events.Sequence) {
	if a.report.Newest < total {
		a.breach(LawSequence, eventlog.Raw{Sequence: total}, "the log ends at sequence %d, its newest is %d", a.report.Newest, total)
	}
	a.report.Aggregates = len(a.heads)
	for _, h := range a.apps {
		h.close(a.report.Newest, a.newest, OutcomeActive)
	}
}

// breach records that the message shows a breach of the law, during the rollout that is active now, if any.
func (a *auditor) breach(law Law, raw eventlog.Raw, format string, args ...any) {
	var during *Rollout
	if aggregate, id, _ := raw.Subject.Split(); aggregate == events.AggregateApp {
		if h, ok := a.apps[events.AppID(id)]; ok {
			during = h.rollout
		}
	}
	a.accuse(during, law, raw, format, args...)
}

func (a *auditor) accuse(during *Rollout, law Law, raw eventlog.Raw, format string, args ...any) {
	b := Breach{Law: law, Sequence: raw.Sequence, Subject: raw.Subject, Problem: fmt.Sprintf(format, args...)}
	if during != nil {
		b.Deployment = during.Deployment
		during.Breaches++
	}
	a.report.breach(b)
}

// Package replay takes a past rollout out of the event log and lets it happen once more, on a virtual clock: as it was, which
// proves that the rules decide today what they decided then, and under other options, which shows what these would have done.
//
// What it guarantees:
//
//  1. It reads and never writes.
//  2. Instances live as they lived: each start of the new version takes as long, crashes as often and in the same order as the
//     reports of agents say. One that the rollout never saw, or never saw to the end, takes the median of the others.
//  3. People do what they did: they continue a pause after the same wait, and cancel at the same time after the start.
//  4. What it does not carry over is told: see [Rollout.Notes].
package replay

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
)

// Log is what is read: [eventlog.Log] has it.
type Log interface {
	Newest(ctx context.Context) (events.Sequence, error)
	Scan(ctx context.Context, q eventlog.Query, fn func(eventlog.Raw) error) error
	Read(ctx context.Context, s events.Subject, after, until events.Sequence, fn func(events.Recorded) error) error
}

// ErrUnknown: the log has no such deployment.
var ErrUnknown = errors.New("no such deployment in the event log")

// errFound ends a scan.
var errFound = errors.New("found")

// Read reads a rollout, which may be going on still.
func Read(ctx context.Context, log Log, reg *events.Registry, id events.DeploymentID) (Rollout, error) {
	owner, at, err := find(ctx, log, reg, id)
	if err != nil {
		return Rollout{}, fmt.Errorf("replay %s: %w", id, err)
	}
	r, err := read(ctx, log, owner, at, id)
	if err != nil {
		return Rollout{}, fmt.Errorf("replay %s: %w", id, err)
	}
	return r, nil
}

// find looks for the commit that created the deployment. Only what names it is decoded.
func find(ctx context.Context, log Log, reg *events.Registry, id events.DeploymentID) (owner events.AppID, at events.Sequence, err error) {
	newest, err := log.Newest(ctx)
	if err != nil {
		return "", 0, err
	}
	err = log.Scan(ctx, eventlog.Query{Filters: []string{events.AllAppSubjects}, Until: newest}, func(raw eventlog.Raw) error {
		if !bytes.Contains(raw.Data, []byte(id)) {
			return nil
		}
		commit, err := reg.DecodeCommit(raw.Message)
		if err != nil {
			return err
		}
		for _, e := range commit.Events {
			if created, ok := e.(events.DeploymentCreated); ok && created.Deployment == id {
				owner, at = created.App, raw.Sequence
				return errFound
			}
		}
		return nil
	})
	switch {
	case err != nil && !errors.Is(err, errFound):
		return "", 0, err
	case at == 0:
		return "", 0, ErrUnknown
	}
	return owner, at, nil
}

// read gathers what happened to the app and to its web instances, in the order of the log.
func read(ctx context.Context, log Log, owner events.AppID, at events.Sequence, id events.DeploymentID) (Rollout, error) {
	var all []events.Recorded
	keep := func(c events.Recorded) error {
		all = append(all, c)
		return nil
	}
	past := newRecorder(id, at)
	err := log.Read(ctx, events.AppSubject(owner), 0, 0, func(c events.Recorded) error {
		if c.Sequence < at {
			past.before(c)
			return nil
		}
		return keep(c)
	})
	if err != nil {
		return Rollout{}, err
	}
	webs := map[events.ProcessID]bool{}
	for _, p := range past.state.Webs() {
		webs[p.ID] = true
	}
	for _, c := range all {
		for _, e := range c.Events {
			if created, ok := e.(events.ProcessCreated); ok && created.ProcessType == events.ProcessTypeWeb && created.Deployment == id {
				webs[created.Process] = true
			}
		}
	}
	for web := range webs {
		if err := log.Read(ctx, events.InstanceSubject(web), 0, 0, keep); err != nil {
			return Rollout{}, err
		}
	}
	slices.SortFunc(all, func(a, b events.Recorded) int { return cmp.Compare(a.Sequence, b.Sequence) })
	for _, c := range all {
		if past.ended() {
			break
		}
		past.take(c)
	}
	past.rollout.lives = past.starts.lives()
	return past.rollout, nil
}

// seenBefore says whether a report was made before the rollout.
func (r *recorder) seenBefore(c events.Recorded) bool { return c.Sequence < r.at }

// observed folds a report.
func observed(seen app.ProcessInstances, c events.Recorded) app.ProcessInstances {
	for _, e := range c.Events {
		if report, ok := e.(events.InstanceEvent); ok {
			seen = app.Observe(seen, report, c.Time)
		}
	}
	return seen
}

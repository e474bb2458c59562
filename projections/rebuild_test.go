package projections_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/projections"
	"slipway/projections/storetest"
)

// source is a log in memory to rebuild from.
type source []events.Recorded

func (s source) Newest(context.Context) (events.Sequence, error) { return events.Sequence(len(s)), nil }

func (s source) Batches(_ context.Context, after, until events.Sequence, fn func([]events.Recorded) error) error {
	for at := int(after); at < min(int(until), len(s)); at += 2 {
		if err := fn(s[at:min(at+2, int(until), len(s))]); err != nil {
			return err
		}
	}
	return nil
}

// growing is a log to which somebody appends and that is applied to live meanwhile.
type growing struct {
	source
	live *projections.Store
	more []events.Recorded
}

func (g *growing) Batches(ctx context.Context, after, until events.Sequence, fn func([]events.Recorded) error) error {
	err := g.source.Batches(ctx, after, until, fn)
	if len(g.more) > 0 {
		g.source = append(g.source, g.more...)
		err = errors.Join(err, g.live.Apply(ctx, g.more))
		g.more = nil
	}
	return err
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

func TestRebuild(t *testing.T) {
	t.Run("gives the same", func(t *testing.T) {
		is := is.New(t)
		l := deploying()
		s := applied(t, l)
		want, err := s.Digest(t.Context())
		is.NoErr(err)
		var bar strings.Builder
		at, err := s.Rebuild(t.Context(), source(l.commits), &bar)
		is.NoErr(err)
		is.Equal(at, events.Sequence(5)) // the newest commit
		got, err := s.Digest(t.Context())
		is.NoErr(err)
		is.Equal(got, want)                             // rebuilt == incremental
		is.True(strings.Contains(bar.String(), "100%")) // the bar has run to its end
		_, err = os.Stat(s.Path() + ".rebuild")
		is.True(errors.Is(err, os.ErrNotExist)) // nothing is left behind
	})
	t.Run("of an empty log", func(t *testing.T) {
		is := is.New(t)
		s := applied(t, running())
		_, err := s.Rebuild(t.Context(), source(nil), discard{})
		is.NoErr(err)
		list, err := s.All().Apps(t.Context(), projections.AppFilter{}, projections.Order{}, projections.Page{})
		is.NoErr(err)
		is.Equal(list.Total, 0) // as the log says
	})
	t.Run("while a projector writes on", func(t *testing.T) {
		is := is.New(t)
		l := deploying()
		more := l.commits[3:]
		s := storetest.Open(t)
		is.NoErr(s.Apply(t.Context(), l.commits[:3]))
		_, err := s.Rebuild(t.Context(), &growing{source: l.commits[:3:3], live: s, more: more}, discard{})
		is.NoErr(err)
		next := l.app(events.AppStopped{App: "a1"})
		is.NoErr(s.Apply(t.Context(), []events.Recorded{next})) // the projector goes on where it was
		want, err := applied(t, l).Digest(t.Context())
		is.NoErr(err)
		got, err := s.Digest(t.Context())
		is.NoErr(err)
		is.Equal(got, want) // nothing is missing
	})
	t.Run("that fails", func(t *testing.T) {
		is := is.New(t)
		l := deploying()
		s := applied(t, l)
		want, err := s.Digest(t.Context())
		is.NoErr(err)
		broken := source(l.commits[:3])
		broken[0], broken[1] = broken[1], broken[0]
		_, err = s.Rebuild(t.Context(), broken, discard{})
		is.True(errors.Is(err, projections.ErrOrder))
		got, err := s.Digest(t.Context())
		is.NoErr(err)
		is.Equal(got, want) // the old views stand
	})
	t.Run("after one that crashed", func(t *testing.T) {
		is := is.New(t)
		l := deploying()
		s := applied(t, l)
		is.NoErr(os.WriteFile(s.Path()+".rebuild", []byte("half a file"), 0o600))
		is.NoErr(os.WriteFile(s.Path()+".rebuild-wal", []byte("and its log"), 0o600))
		_, err := s.Rebuild(t.Context(), source(l.commits), discard{})
		is.NoErr(err)
	})
}

func TestCheck(t *testing.T) {
	t.Run("same", func(t *testing.T) {
		is := is.New(t)
		l := deploying()
		s := storetest.Open(t)
		is.NoErr(s.Apply(t.Context(), l.commits[:4])) // one commit behind
		found, err := s.Check(t.Context(), source(l.commits), discard{})
		is.NoErr(err)
		is.Equal(found, nil) // equal as far as it has come
	})
	t.Run("another history", func(t *testing.T) {
		is := is.New(t)
		s := applied(t, deploying())
		other := deploying()
		other.commits[3].Events[2] = events.ProcessCreated{App: "a1", Process: "p1", ProcessType: "web", Instances: 3}
		found, err := s.Check(t.Context(), source(other.commits), discard{})
		is.NoErr(err)
		is.True(found != nil) // differs
		is.Equal([]string{found.View, found.Key}, []string{"processes", "p1"})
		is.True(found.Left != "" && found.Right != "") // both have the row
	})
	t.Run("a row that only one has", func(t *testing.T) {
		is := is.New(t)
		s := applied(t, deploying())
		other := deploying()
		other.commits[4].Events[1] = events.ProcessCreated{App: "a1", Process: "p0", ProcessType: "web", Instances: 1}
		found, err := s.Check(t.Context(), source(other.commits), discard{})
		is.NoErr(err)
		is.True(found != nil)
		is.Equal([]string{found.View, found.Key, found.Left}, []string{"processes", "p0", ""})
	})
}

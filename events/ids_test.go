package events

import (
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/oklog/ulid/v2"
	"pgregory.net/rapid"
)

func TestValidID(t *testing.T) {
	is := is.New(t)
	for _, good := range []string{"a", "Z", "0", "_", "-", "host-a", NewID(), strings.Repeat("a", MaxIDLength)} {
		is.True(ValidID(good))
	}
	for _, bad := range []string{
		"", ".", "*", ">", "a.b", "a b", " ", "a*", "a>", "a\n", "a\x00", "é", "ａ", "\xff", "a/b", "..", "$JS", "=",
		strings.Repeat("a", MaxIDLength+1),
	} {
		is.True(!ValidID(bad)) // it would be no single subject token, or no path segment
	}
}

func TestDeriveID(t *testing.T) {
	is := is.New(t)
	id := DeriveID(exampleCommand, "process", 0)
	is.Equal(id, DeriveID(exampleCommand, "process", 0)) // the same command gives the same id
	is.Equal(id, "01K9M5N8Q0ZYXYMKYTK437SWBW")           // today as ever: histories hold it
	is.Equal(id[:10], string(exampleCommand)[:10])       // as old as the command, so ids sort by time

	seen := map[string]bool{}
	for _, command := range []CommandID{exampleCommand, "retry-7", "retry-7\x00process"} {
		for _, kind := range []string{"", "process", "revision", "process\x001"} {
			for n := range 12 {
				id := DeriveID(command, kind, n)
				is.True(!seen[id]) // another command, kind or number gives another id
				seen[id] = true
				_, err := ulid.ParseStrict(id)
				is.NoErr(err)
			}
		}
	}
}

func TestEventIDs(t *testing.T) {
	is := is.New(t)
	c := Commit{CommandID: "retry-7"}
	is.Equal(c.EventID(0), "retry-7.0")
	is.Equal(c.EventID(11), "retry-7.11")
	events, err := NewRegistry().CloudEvents(exampleCommit())
	is.NoErr(err)
	again, err := NewRegistry().CloudEvents(exampleCommit())
	is.NoErr(err)
	is.Equal(events, again) // a retried command makes the same ids
	is.True(events[0].ID != events[1].ID)
}

func TestSystemActors(t *testing.T) {
	is := is.New(t)
	is.True(ActorUpdater.System())
	is.True(Actor("agent/host-a").System())
	for _, person := range []Actor{"", "user/ann", "updaters", "agent", "agents/x"} {
		is.True(!person.System())
	}
}

func TestSubjects(t *testing.T) {
	is := is.New(t)
	for want, s := range map[string]Subject{
		"events.app.a":      AppSubject("a"),
		"events.instance.p": InstanceSubject("p"),
		"events.droplet.d":  DropletSubject("d"),
		"events.command.c":  CommandSubject("c"),
		"events.name.3d19cb25dd8606948372f1e6bf4b8952": NameSubject(DefaultSpace, "payments"),
	} {
		is.Equal(string(s), want)
		aggregate, id, ok := s.Split()
		is.True(ok)
		is.Equal(subject(aggregate, id), s) // and back
	}
}

func TestNameSubject(t *testing.T) {
	is := is.New(t)
	seen := map[Subject]bool{}
	for _, space := range []SpaceID{"default", "defaulta", "other"} {
		for _, name := range []string{"", "a", "A", "a.b", "*", ">", "a b", "é", "e\u0301", strings.Repeat("n", 500)} {
			s := NameSubject(space, name)
			_, _, ok := s.Split()
			is.True(ok)       // whatever the name, a valid subject
			is.True(!seen[s]) // its own
			seen[s] = true
		}
	}
}

func TestSplitRefuses(t *testing.T) {
	is := is.New(t)
	for _, s := range []Subject{
		"", "events", "events.", "events.app", "events.app.", "events..a", "events.app.a.b", "events.*.a", "events.app.*",
		"events.app.>", "events.>", "Events.app.a", "rollouts.app.a", " events.app.a", "events.app.a ", "events.a b.c",
	} {
		aggregate, id, ok := s.Split()
		is.True(!ok) // no subject of an aggregate
		is.Equal(aggregate+id, "")
	}
}

func TestFeedToken(t *testing.T) {
	is := is.New(t)
	for name, want := range map[string]string{
		"payments": "payments", "": "=", "=": "=3D", "a.b": "a=2Eb", "a b": "a=20b", "*": "=2A", ">": "=3E", "é": "=C3=A9",
		"\xff": "=FF", "A_b-9": "A_b-9", "=3D": "=3D3D",
	} {
		is.Equal(FeedToken(name), want)
	}
}

// TestFeedTokenIsInjective holds that two names never share a token: a subscriber of one would hear of the other.
func TestFeedTokenIsInjective(t *testing.T) {
	name := rapid.StringOf(rapid.SampledFrom([]rune("aA0_-=.* >DE32é\x00")))
	rapid.Check(t, func(t *rapid.T) {
		a, b := name.Draw(t, "a"), name.Draw(t, "b")
		if (a == b) != (FeedToken(a) == FeedToken(b)) {
			t.Fatalf("%q and %q become %q and %q", a, b, FeedToken(a), FeedToken(b))
		}
	})
}

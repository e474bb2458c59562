package doors

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go/micro"

	"slipway/events"
	"slipway/internal/commands"
)

func TestTheScenarioHasEveryCommand(t *testing.T) {
	is := is.New(t)
	var names []string
	before, after := everything()
	for _, s := range slices.Concat(before, after) {
		names = append(names, s.name)
	}
	names = append(names, "deployment.approve", "deployment.deny", "deployment.start") // nothing waits for an answer as long as there is no policy
	slices.Sort(names)
	is.Equal(names, commands.Names())
}

// TestEveryCommandThroughEachDoor sends every command twice with one id: it is carried out once, and both doors write the
// same history.
func TestEveryCommandThroughEachDoor(t *testing.T) {
	before, after := everything()
	want := []string{}
	for name, send := range map[string]func(*testing.T, *rig, step){
		"rpc": func(t *testing.T, r *rig, s step) {
			is := is.New(t)
			first := r.request(t, s.name, s.id, s.body)
			is.Equal(first.Header.Get(micro.ErrorHeader), "")      // it is carried out
			is.Equal(first.Header.Get(HeaderCommand), s.id)        // its id is in the answer
			is.True(first.Header.Get(HeaderSequence) > "0")        // and where its result stands
			again := r.request(t, s.name, s.id, s.body)            //
			is.Equal(string(again.Data), string(first.Data))       // the same id has the same answer
			is.True(strings.HasPrefix(string(first.Data), `{"gu`)) // which is what Present makes of it
		},
		"commands": func(t *testing.T, r *rig, s step) {
			r.publish(t, commandsPrefix+s.name, s.id, s.body)
			r.settled(t)
			r.publish(t, commandsPrefix+s.name, s.id, s.body)
			r.settled(t)
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			r := newRig(t)
			r.forgetful(t)
			open(t, r.config())
			for _, s := range before {
				send(t, r, s)
			}
			r.upload(t)
			for _, s := range after {
				if s.name == "group.continue" {
					r.begin(t)
					r.pause(t)
				}
				send(t, r, s)
			}
			byDoor := map[events.CommandID]int{}
			for _, c := range r.history(t) {
				if c.Cause == name {
					is.Equal(c.Actor, events.Actor("user/ann"))
					byDoor[c.CommandID]++
				}
			}
			for _, s := range slices.Concat(before, after) {
				is.Equal(byDoor[events.CommandID(s.id)], 1) // one commit per command, from this door
			}
			got := types(r.history(t))
			if len(want) == 0 {
				want = got
			}
			is.Equal(got, want) // the other door wrote the same history
		})
	}
}

func TestTheSameIDThroughBothDoorsDoesTheThingOnce(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	open(t, r.config())
	r.publish(t, "commands.app.create", "same", `{"name":"hello"}`)
	r.settled(t)
	var shown struct{ GUID string }
	is.NoErr(json.Unmarshal(r.request(t, "app.create", "same", `{"name":"hello"}`).Data, &shown))
	is.Equal(shown.GUID, events.DeriveID("same", "app", 0)) // the app that was made is the answer
	is.Equal(types(r.history(t)), []string{"name.claimed", "app.created", "process.created", "route.created", "route.destinations-set"})
}

// FuzzLine: a text of any bytes becomes one that history and headers take.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "plain", "a\r\nNats-Msg-Id: b", "\xff", strings.Repeat("é", maxText)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := line(s)
		if len(got) > maxText || strings.ContainsAny(got, "\r\n\x00") || strings.ToValidUTF8(got, "") != got {
			t.Fatalf("%q becomes %q", s, got)
		}
	})
}

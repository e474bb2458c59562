package watch_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/matryer/is"

	"slipway/internal/watch"
)

// grouped reads a group of three as the API shows it; the first member has begun.
func grouped(t *testing.T, statuses ...string) (g watch.Group) {
	t.Helper()
	is := is.New(t)
	is.NoErr(json.Unmarshal([]byte(`{"guid":"g-1","name":"release 42","status":{"value":"RUNNING"},"members":[
		{"deployment":{"guid":"d-1"},"app":{"guid":"a-1","name":"stock"},"wave":1},
		{"deployment":{"guid":null},"app":{"guid":"a-2","name":"shop\u001b[2J"},"wave":2},
		{"deployment":{"guid":null},"app":{"guid":"a-3","name":"mail"},"wave":1,"reason":"no droplet","stuck":"its quota is used up"}]}`), &g))
	counts := map[string]int{}
	for i, s := range statuses {
		is.NoErr(json.Unmarshal([]byte(`"`+s+`"`), &g.Members[i].Status))
		counts[s]++
	}
	data, err := json.Marshal(counts)
	is.NoErr(err)
	is.NoErr(json.Unmarshal(data, &g.Status.Counts))
	g.Rollouts = map[string]watch.Rollout{"d-1": rollout(t, `"value":"ACTIVE","reason":"PAUSED","canary":{"steps":{"current":1,"total":2}}`, "")}
	return g
}

// TestAGroupOnAScreen: a line for each member, with why it waits and what to type, drawn anew in place.
func TestAGroupOnAScreen(t *testing.T) {
	is := is.New(t)
	var out bytes.Buffer
	screen := &watch.Screen{Out: &out, Command: typed, Now: clock, Columns: func() int { return 0 }}
	is.NoErr(screen.ShowGroup(watch.Group{}, "no answer"))
	is.Equal(out.String(), "  no answer\n")
	out.Reset()
	g := grouped(t, "PAUSED", "PENDING", "CREATING")
	want := "release 42  RUNNING: 1 PAUSED, 1 PENDING, 1 CREATING\n" +
		"  1  stock     PAUSED, step 1 of 2  paused until somebody continues\n" +
		"       slipway continue d-1 --step 1\n" +
		"       slipway cancel d-1\n" +
		"  2  shop [2J  PENDING: begins when wave 1 is deployed\n" +
		"  1  mail      CREATING: its quota is used up\n"
	is.NoErr(screen.ShowGroup(g, ""))
	is.Equal(out.String(), "\x1b[1A\r\x1b[J"+want)
	out.Reset()
	is.NoErr(screen.ShowGroup(g, ""))
	is.Equal(out.String(), "") // nothing has changed
	is.NoErr(screen.ShowGroup(g, "no answer"))
	is.Equal(out.String(), "\x1b[6A\r\x1b[J"+want+"  no answer\n")
}

// TestAGroupInLines: a line for each change, and none for what stays.
func TestAGroupInLines(t *testing.T) {
	is := is.New(t)
	var out bytes.Buffer
	lines := &watch.Lines{Out: &out, Command: typed, Now: clock}
	is.NoErr(lines.ShowGroup(grouped(t, "PAUSED", "PENDING", "CREATING"), ""))
	is.Equal(out.String(), "03:04:05  stock  PAUSED, step 1 of 2  paused until somebody continues: slipway continue d-1 --step 1\n"+
		"03:04:05  shop [2J  PENDING: begins when wave 1 is deployed\n03:04:05  mail  CREATING: its quota is used up\n"+
		"03:04:05  release 42  RUNNING: 1 PAUSED, 1 PENDING, 1 CREATING\n")
	out.Reset()
	g := grouped(t, "PAUSED", "PENDING", "FAILED")
	g.Members[2].Stuck, g.Name = "", ""
	is.NoErr(lines.ShowGroup(g, ""))
	is.Equal(out.String(), "03:04:05  mail  FAILED: no droplet\n03:04:05  group g-1  RUNNING: 1 PAUSED, 1 PENDING, 1 FAILED\n")
	out.Reset()
	is.NoErr(lines.ShowGroup(g, "no answer"))
	is.Equal(out.String(), "03:04:05  no answer\n")
}

// TestHowAGroupEnds: it is over with its last member, and went well if each is deployed.
func TestHowAGroupEnds(t *testing.T) {
	is := is.New(t)
	g := grouped(t, "DEPLOYED", "SKIPPED", "PAUSED")
	is.True(!g.Over())
	g = grouped(t, "DEPLOYED", "SKIPPED", "FAILED")
	is.True(g.Over())
	is.True(!g.Deployed())
	g.Members[1].Reason = "wave 1 did not end well"
	is.Equal(g.Words(), "RUNNING; shop [2J: SKIPPED: wave 1 did not end well; mail: FAILED: no droplet")
	g = grouped(t, "DEPLOYED", "DEPLOYED", "DEPLOYED")
	is.True(g.Over())
	is.True(g.Deployed())
}

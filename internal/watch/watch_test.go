package watch_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/internal/resource"
	"slipway/internal/watch"
)

var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func clock() time.Time { return now }

func typed(arguments string) string { return "slipway " + arguments }

// rollout reads one as the API shows it.
func rollout(t *testing.T, status, more string) (r watch.Rollout) {
	t.Helper()
	if err := json.Unmarshal([]byte(`{"guid":"d-1","strategy":"rolling","status":{`+status+`}`+more+`}`), &r); err != nil {
		t.Fatal(err)
	}
	r.App = "hello"
	return r
}

// TestWhy: whatever a rollout waits for is said, with what a person can type.
func TestWhy(t *testing.T) {
	const active, over = `"value":"ACTIVE",`, `"value":"FINALIZED",`
	for name, c := range map[string]struct {
		status, more string
		why          string
		next         string
	}{
		"it moves":                        {active + `"reason":"DEPLOYING"`, "", "new instances start", ""},
		"it cannot move":                  {active + `"reason":"DEPLOYING","details":{"error":"1 of 2 new instances unhealthy"}`, "", "1 of 2 new instances unhealthy", "cancel d-1"},
		"by the clock":                    {active + `"reason":"DEPLOYING","step":{"current":1,"total":5,"next_at":"2026-01-02T03:05:00Z"}`, "", "the next step begins at 2026-01-02T03:05:00Z (in 55s)", ""},
		"by the clock, but not there yet": {active + `"reason":"DEPLOYING","step":{"current":1,"total":5,"new_instances":3,"next_at":"2026-01-02T03:05:00Z"}`, "", "new instances start", ""},
		"by steps without a clock":        {active + `"reason":"DEPLOYING","step":{"current":1,"total":5}`, "", "new instances start", ""},
		"approved before":                 {active + `"reason":"DEPLOYING"`, `,"approval":{"granted":true}`, "new instances start", ""},
		"halted":                          {active + `"reason":"PAUSED","halt":{"guid":"h-1","reason":"incident","declared_by":"user/ann","until":"2026-01-02T04:04:05Z"}`, "", "halted by user/ann until 2026-01-02T04:04:05Z (in 1h0m0s): incident", "lift h-1"},
		"halted for ever":                 {active + `"reason":"DEPLOYING","halt":{"guid":"h-1","reason":"incident","declared_by":"user/ann"}`, "", "halted by user/ann: incident", "lift h-1"},
		"a pause":                         {active + `"reason":"PAUSED","canary":{"steps":{"current":2,"total":3}}`, "", "paused until somebody continues", "continue d-1 --step 2|cancel d-1"},
		"a timed pause":                   {active + `"reason":"PAUSED","paused_until":"2026-01-02T03:05:05Z","then":"cancel","canary":{"steps":{"current":1,"total":1}}`, "", "paused until 2026-01-02T03:05:05Z (in 1m0s), then: cancel", "continue d-1 --step 1|cancel d-1"},
		"a pause that is over":            {active + `"reason":"PAUSED","paused_until":"2026-01-02T03:04:05Z","canary":{"steps":{"current":1,"total":1}}`, "", "paused until 2026-01-02T03:04:05Z, then: continue", "continue d-1 --step 1|cancel d-1"},
		"held":                            {active + `"reason":"PAUSED","details":{"error":"check x failed"},"step":{"current":3,"total":5}`, "", "held, somebody must decide: check x failed", "continue d-1 --step 3|cancel d-1"},
		"a bake":                          {active + `"reason":"BAKING","bake_until":"2026-01-02T03:14:05Z"`, "", "the new version is watched until 2026-01-02T03:14:05Z (in 10m0s)", ""},
		"going back":                      {active + `"reason":"CANCELING"`, "", "it goes back to the version before", ""},
		"going back, with a fault":        {active + `"reason":"CANCELING","details":{"error":"instances crash"}`, "", "instances crash", ""},
		"rolling back":                    {active + `"reason":"ROLLING_BACK","details":{"error":"check x failed"}`, "", "check x failed", "cancel d-1"},
		"a window":                        {active + `"reason":"CREATING_APPROVAL","held_until":"2026-01-02T09:00:00Z","hold":{"name":"office","reason":"people sleep"}`, `,"approval":{"granted":true}`, "held by policy office until 2026-01-02T09:00:00Z (in 5h55m55s): people sleep", ""},
		"a window without a name":         {active + `"reason":"CREATING_APPROVAL","held_until":"2026-01-02T03:05:05Z"`, `,"approval":{"granted":true}`, "held by a window until 2026-01-02T03:05:05Z (in 1m0s)", ""},
		"a window that opens":             {active + `"reason":"CREATING_APPROVAL","held_until":"2026-01-02T03:04:05Z"`, `,"approval":{"granted":true,"verdicts":[{"outcome":"require_approval","manual_start":true}]}`, "approved; waits until somebody starts it", "start d-1"},
		"nobody is named":                 {active + `"reason":"CREATING_APPROVAL"`, "", "waits for approval", "approve d-1|deny d-1"},
		"a window past":                   {active + `"reason":"CREATING_APPROVAL","held_until":"2026-01-02T03:00:00Z"`, `,"approval":{"granted":true}`, "waits for the updater to begin it", ""},
		"approved":                        {active + `"reason":"CREATING_APPROVAL"`, `,"approval":{"granted":true,"verdicts":[{"manual_start":true}]}`, "approved; waits until somebody starts it", "start d-1"},
		"begins by itself":                {active + `"reason":"CREATING_APPROVAL"`, `,"approval":{"granted":true,"verdicts":[{"outcome":"require_approval"}]}`, "waits for the updater to begin it", ""},
		"not yet approved":                {active + `"reason":"CREATING_APPROVAL"`, `,"approval":{"verdicts":[{"policy":{"guid":"p"},"name":"four eyes","outcome":"require_approval","needed":2,"approvers":["admin","user/bob"]},{"outcome":"allow"}],"approvals":[{"by":"user/ann","policies":[{"guid":"q"},{"guid":"p"}]}]}`, "waits for approval by admin or user/bob: 1 of 2, policy four eyes", "approve d-1|deny d-1"},
		"deployed":                        {over + `"reason":"DEPLOYED","details":{"error":"instances crashed"}`, `,"approval":{"granted":true}`, "", ""},
		"stopped":                         {over + `"reason":"DELETED"`, "", "its app was stopped", ""},
		"canceled":                        {over + `"reason":"CANCELED","details":{"error":"taken back by user/ann"}`, "", "taken back by user/ann", ""},
		"rolled back":                     {over + `"reason":"ROLLED_BACK","failure":{"reason":"check x failed","at":"2026-01-02T03:04:05Z"}`, "", "check x failed", ""},
		"superseded":                      {over + `"reason":"SUPERSEDED"`, "", "a newer deployment of hello goes on in its place", ""},
		"denied":                          {over + `"reason":"CREATING_APPROVAL_DENIED"`, `,"approval":{"denied":{"by":"user/bob"}}`, "denied by user/bob", ""},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			r := rollout(t, c.status, c.more)
			is.Equal(r.Why(now), c.why)
			is.Equal(strings.Join(r.Next(now), "|"), c.next)
		})
	}
}

// TestScreen is drawn in place: what it was before goes, however many rows of the terminal that took.
func TestScreen(t *testing.T) {
	is := is.New(t)
	var out bytes.Buffer
	s := watch.Screen{Out: &out, Command: typed, Now: clock, Columns: func() int { return 40 }}
	r := rollout(t, `"value":"ACTIVE","reason":"PAUSED","canary":{"steps":{"current":1,"total":2}}`, "")
	r.Level, r.Created.Target = resource.Level{Old: 3, New: 1, Desired: 5}, 4
	is.NoErr(s.Show(r, ""))
	is.Equal(out.String(), `hello  rolling  d-1
  PAUSED, step 1 of 2
  ░░░▓·    3+1    ░ old  ▓ new  · on its way
  25% |██████████                              | (1/4) new instances serve
  paused until somebody continues
    slipway continue d-1 --step 1
    slipway cancel d-1
`)
	out.Reset()
	is.NoErr(s.Show(r, ""))
	is.Equal(out.String(), "") // nothing has changed
	is.NoErr(s.Show(r, "no answer"))
	is.True(strings.HasPrefix(out.String(), "\x1b[9A\r\x1b[Jhello")) // seven lines, two of them longer than the terminal is wide
	is.True(strings.HasSuffix(out.String(), "\n  no answer\n"))
}

// TestScreenLeavesOutWhatNobodyKnows: the rollout where there is no answer yet, and what serves where nobody counts any more.
func TestScreenLeavesOutWhatNobodyKnows(t *testing.T) {
	is := is.New(t)
	var out bytes.Buffer
	s := watch.Screen{Out: &out, Command: typed, Now: clock, Columns: func() int { return 0 }}
	is.NoErr(s.Show(watch.Rollout{}, "no answer"))
	is.Equal(out.String(), "  no answer\n")
	out.Reset()
	r := rollout(t, `"value":"FINALIZED","reason":"DEPLOYED","step":{"current":2,"total":2}`, "")
	r.Created.Target = 4
	is.NoErr(s.Show(r, ""))
	is.Equal(out.String(), "\x1b[1A\r\x1b[Jhello  rolling  d-1\n  DEPLOYED\n")
	out.Reset()
	r = rollout(t, `"value":"ACTIVE","reason":"DEPLOYING"`, "")
	r.Level = resource.Level{Old: 3, Desired: 4}
	is.NoErr(s.Show(r, ""))
	is.Equal(out.String(), "\x1b[2A\r\x1b[Jhello  rolling  d-1\n  DEPLOYING\n  ░░░·    3+0    ░ old  ▓ new  · on its way\n  new instances start\n")
	out.Reset()
	r.Created.Target = 4
	is.NoErr(s.Show(r, ""))
	is.True(strings.Contains(out.String(), "\n   0% |                                        | (0/4) new instances serve\n"))
}

// TestScreenIsAsNarrowAsItsTerminal: a line that is longer goes on in further rows, which go with it.
func TestScreenIsAsNarrowAsItsTerminal(t *testing.T) {
	for _, c := range []struct{ columns, width, rows int }{{40, 39, 1}, {40, 40, 1}, {40, 41, 2}, {40, 80, 2}, {40, 81, 3}, {0, 81, 1}} {
		is := is.New(t)
		var out bytes.Buffer
		s := watch.Screen{Out: &out, Command: typed, Now: clock, Columns: func() int { return c.columns }}
		is.NoErr(s.Show(watch.Rollout{}, strings.Repeat("ä", c.width-2)))
		out.Reset()
		is.NoErr(s.Show(watch.Rollout{}, "else"))
		is.Equal(out.String(), fmt.Sprintf("\x1b[%dA\r\x1b[J  else\n", c.rows))
	}
}

// full is a disk, or a pipe that nobody reads from any more.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestWhatCannotBeWrittenIsToldOf(t *testing.T) {
	for name, v := range map[string]watch.View{
		"lines":  &watch.Lines{Out: full{}, Command: typed, Now: clock},
		"screen": &watch.Screen{Out: full{}, Command: typed, Now: clock, Columns: func() int { return 80 }},
	} {
		t.Run(name, func(t *testing.T) {
			is.New(t).True(errors.Is(v.Show(rollout(t, `"value":"ACTIVE","reason":"DEPLOYING"`, ""), ""), io.ErrClosedPipe))
		})
	}
}

// TestWordsAndLine are for those who are told once: without how long it still is.
func TestWordsAndLine(t *testing.T) {
	is := is.New(t)
	r := rollout(t, `"value":"ACTIVE","reason":"CREATING_APPROVAL","held_until":"2026-01-02T09:00:00Z","hold":{"name":"office"}`, `,"approval":{"granted":true}`)
	is.Equal(r.Words(), "CREATING_APPROVAL: held by policy office until 2026-01-02T09:00:00Z")
	is.Equal(r.Line(5), "CREATING_APPROVAL  held by policy office until 2026-01-02T09:00:00Z")
	r = rollout(t, `"value":"ACTIVE","reason":"CREATING_APPROVAL"`, `,"approval":{"granted":true,"verdicts":[{"manual_start":true}]}`)
	is.Equal(r.Words(), "CREATING_APPROVAL: approved; waits until somebody starts it")
	r = rollout(t, `"value":"FINALIZED","reason":"DEPLOYED","canary":{"steps":{"current":3,"total":3}}`, "")
	is.Equal([]string{r.Words(), r.Line(5), r.Far(5)}, []string{"DEPLOYED", "DEPLOYED", "DEPLOYED"})
	r = rollout(t, `"value":"ACTIVE","reason":"DEPLOYING","step":{"current":2,"total":5}`, "")
	r.Level = resource.Level{Old: 1, New: 2, Desired: 4}
	is.Equal(r.Far(6), "░▓▓·      1+2    DEPLOYING, step 2 of 5")
}

// TestMoves: a halt lets stand still what its rules would move on, not what goes back or has not begun.
func TestMoves(t *testing.T) {
	for reason, want := range map[string]string{
		"DEPLOYING": "moves", "PAUSED": "moves", "BAKING": "moves", "CANCELING": "returns", "ROLLING_BACK": "returns",
		"CREATING_APPROVAL": "", "DEPLOYED": "over", "CANCELED": "over",
	} {
		value := "ACTIVE"
		if want == "over" {
			value = "FINALIZED"
		}
		r := rollout(t, `"value":"`+value+`","reason":"`+reason+`"`, "")
		is.New(t).Equal([]bool{r.Moves(), r.Returns(), r.Over()}, []bool{want == "moves", want == "returns", want == "over"}) // reason
	}
}

// TestLines has a line for each change and nothing that steers a terminal, whatever people write.
func TestLines(t *testing.T) {
	is := is.New(t)
	var out bytes.Buffer
	l := watch.Lines{Out: &out, Command: typed, Now: clock}
	is.NoErr(l.Show(watch.Rollout{}, "no answer"))
	r := rollout(t, `"value":"ACTIVE","reason":"DEPLOYING","halt":{"guid":"h-1","reason":"look:\n\u001b[2J\u009bgone","declared_by":"user/ann"}`, "")
	r.Level = resource.Level{Old: 2, Desired: 3}
	is.NoErr(l.Show(r, ""))
	r.Created.Target = 9 // which draws the bar wider
	is.NoErr(l.Show(r, ""))
	is.Equal(out.String(), "03:04:05  no answer\n03:04:05  ░░·    2+0    DEPLOYING  halted by user/ann: look:  [2J gone: slipway lift h-1\n")
	out.Reset()
	r.Status.Halt = nil
	is.NoErr(l.Show(r, ""))
	is.Equal(out.String(), "03:04:05  ░░·          2+0    DEPLOYING  new instances start\n") // as wide as the widest yet
}

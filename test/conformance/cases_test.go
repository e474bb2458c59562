package conformance_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
)

// core are the numbers of the reference's core cases, section by section.
const core = `
	1-3 5 8-11 14 16 19 20 23 25-27 29
	38-46 48-50 52-61 63-65 69-71 74
	79 80
	83-88 91 92 96
	101 102 105 107 108 110-117 119
	120 122 123 125 128 130 131 133 135-137 139-142 144-146 148 150-152 156-160 162-165
	166 168 170-175 177 178 181 184 188 189
	191 193 194 196 198 199 201 202
	209-216
	217-219 221 223 224 226 228-230 232 233 235 236
	237 238 240 241 246 250 255 259
	260 261 265
	272-277 279 281 284-287
	289-291`

// leftOut says why a core case is no row.
var leftOut = map[int]string{
	85:  "a revision cannot be deleted: history is kept, and a deployment shows its own copy of guid and version",
	156: "an index beyond the desired ones is on its way out here and does not count, so there are never more routable than desired",
	170: "an unexpected error of the updater is no state of a deployment here: it is logged and the step is tried again (internal/updater)",
	196: "a droplet cannot be deleted without its app, so that a cancel always finds the one before",
	265: "there is no lock: several updaters may work, and one decision wins (internal/updater, TestSeveralUpdatersAreHarmless)",
}

// row is one case: how things stand, what happens, what must follow. A case may have several rows.
type row struct {
	n     int
	given act
	when  act
	then  act
}

// act does something to the world, or looks at it.
type act func(*world)

// sections are all rows.
var sections = map[string][]row{
	"create": create, "process": process, "quotas": quotas, "revisions": revisions, "message": message, "rolling": rolling,
	"updater": updaterPasses, "cancel": cancel, "continue": continued, "model": model, "read": read, "loop": loop, "audit": auditEvents,
	"acceptance": acceptance, "blocked": blocked,
}

func TestConformance(t *testing.T) {
	cases := numbers(t, core)
	count := tally{rows: map[int]int{}}
	t.Run("case", func(t *testing.T) { // it returns when all of its rows have run
		for name, section := range sections {
			for _, r := range section {
				count.rows[r.n]++
				t.Run(fmt.Sprintf("%s/%d", name, r.n), func(t *testing.T) {
					t.Parallel()
					synctest.Test(t, func(t *testing.T) { r.run(newWorld(t)) })
					count.ran.Add(1)
				})
			}
		}
	})
	count.report(t, cases)
}

// tally counts rows.
type tally struct {
	rows map[int]int  // by case
	ran  atomic.Int64 // and did not fail
}

// report says how much of the list has run, and fails where a case is neither a row nor left out, or both.
func (c *tally) report(t *testing.T, cases []int) {
	t.Helper()
	rows := 0
	for n, have := range c.rows {
		rows += have
		if !slices.Contains(cases, n) {
			t.Errorf("case %d has a row, but is no core case", n)
		}
	}
	t.Logf("conformance: %d of %d core cases are rows; %d of %d rows passed; left out: %d",
		len(c.rows), len(cases), c.ran.Load(), rows, len(leftOut))
	for _, n := range cases {
		reason := leftOut[n]
		switch {
		case reason != "" && c.rows[n] > 0:
			t.Errorf("case %d is left out, but has a row", n)
		case reason != "":
			t.Logf("left out: case %d: %s", n, reason)
		case c.rows[n] == 0:
			t.Errorf("case %d is neither a row nor left out", n)
		}
	}
	if len(c.rows)+len(leftOut) != len(cases) {
		t.Error("more is left out than the list has")
	}
}

func (r row) run(w *world) {
	for _, a := range []act{r.given, r.when, r.then} {
		if a != nil {
			a(w)
		}
	}
}

// numbers reads "1-3 5".
func numbers(t *testing.T, list string) []int {
	t.Helper()
	var all []int
	for _, field := range strings.Fields(list) {
		from, to, isRange := strings.Cut(field, "-")
		if !isRange {
			to = from
		}
		first, err := strconv.Atoi(from)
		last, err2 := strconv.Atoi(to)
		if err != nil || err2 != nil {
			t.Fatalf("%q is no number", field)
		}
		for n := first; n <= last; n++ {
			all = append(all, n)
		}
	}
	return all
}

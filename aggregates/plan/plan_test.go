package plan_test

import (
	"fmt"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates/plan"
	"slipway/events"
)

// TestCanary takes the reference's table of plans: base, weights, and (new, old) at each pause.
func TestCanary(t *testing.T) {
	for _, test := range []struct {
		original, target int
		weights          []int
		want             [][2]int
	}{
		{10, 10, []int{20, 40}, [][2]int{{2, 9}, {4, 7}}},
		{10, 10, []int{80}, [][2]int{{8, 3}}},
		{5, 5, []int{20, 40}, [][2]int{{1, 5}, {2, 4}}},
		{10, 10, []int{20, 20, 20, 20}, [][2]int{{2, 9}, {2, 9}, {2, 9}, {2, 9}}},
		{3, 3, []int{1}, [][2]int{{1, 3}}},
		{3, 3, []int{33, 99}, [][2]int{{1, 3}, {3, 1}}},
		{1, 1, []int{1, 20, 40, 80, 100}, [][2]int{{1, 1}, {1, 1}, {1, 1}, {1, 1}, {1, 0}}},
		{10, 10, []int{1, 25, 50, 99, 100}, [][2]int{{1, 10}, {3, 8}, {5, 6}, {10, 1}, {10, 0}}},
		{10, 10, []int{1, 20, 45, 80, 100}, [][2]int{{1, 10}, {2, 9}, {5, 6}, {8, 3}, {10, 0}}},
		{4, 4, []int{1, 50, 75, 99}, [][2]int{{1, 4}, {2, 3}, {3, 2}, {4, 1}}},
		{7, 7, []int{50}, [][2]int{{4, 4}}},
		{100, 10, []int{1, 20, 45, 80, 100}, [][2]int{{1, 10}, {2, 9}, {5, 6}, {8, 3}, {10, 0}}},
		{10, 100, []int{1, 20, 45, 80, 100}, [][2]int{{1, 10}, {2, 9}, {5, 6}, {8, 3}, {10, 0}}},
		{10, 10, nil, [][2]int{{1, 10}}},
	} {
		t.Run(fmt.Sprint(test.original, test.target, test.weights), func(t *testing.T) {
			is := is.New(t)
			steps := plan.Canary(test.original, test.target, test.weights)
			is.Equal(plan.Pauses(steps), len(test.want)) // a pause for each weight
			for i, want := range test.want {
				is.Equal(steps[i], events.Step{New: want[0], Old: want[1], Gate: events.GateManual})
			}
			is.Equal(steps[len(steps)-1], plan.Rolling(test.target)[0]) // then as a rolling one
		})
	}
}

func TestStart(t *testing.T) {
	is := is.New(t)
	is.Equal(plan.Start(plan.Rolling(3), 100), 3)                  // no more than wanted
	is.Equal(plan.Start(plan.Rolling(10), 2), 2)                   // no more than may start at once
	is.Equal(plan.Start(plan.Canary(3, 3, []int{33, 99}), 100), 1) // the first canary, not 100
	is.Equal(plan.Start(plan.Rolling(0), 5), 0)                    // to none
	is.Equal(plan.Start(nil, 5), 0)                                // no plan
}

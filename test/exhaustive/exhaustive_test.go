package exhaustive

import (
	"flag"
	"fmt"
	"testing"
	"time"
)

// size says how large a scope is.
type size int

const (
	small size = iota // a second, with the race detector too
	ci
	night
)

var sizes = map[string]size{"small": small, "ci": ci, "night": night}

// walked is which scopes are walked through: those of the size and smaller. make laws takes ci.
var walked = flag.String("scope", "small", "small, ci or night: which scopes are walked through")

// most bounds the worlds of a scope, so that one that grew by a mistake is noticed before the memory is full.
const most = 8_000_000

// walk is how far one search has come.
type walk struct {
	name         string
	began, spoke time.Time
	from         []int32 // from which world each was reached, in the order of their discovery
	edges        int
}

// every is how often a search says how far it is.
const every = 30 * time.Second

func begun(name string) walk { return walk{name: name, began: time.Now(), spoke: time.Now()} }

// going says now and then how far the search is, and gives up where it is too large.
func (w *walk) going(left int) error {
	if len(w.from) > most {
		return fmt.Errorf("more than %d worlds, %d edges so far: make the scope smaller", most, w.edges)
	}
	if now := time.Now(); now.Sub(w.spoke) > every {
		w.spoke = now
		w.tell(fmt.Sprintf(", %d to go on from", left))
	}
	return nil
}

// tell says how far the search is: the last world that it found is one of those that are farthest from the beginning.
func (w *walk) tell(more string) {
	depth := 0
	for at := w.from[len(w.from)-1]; at >= 0; at = w.from[at] {
		depth++
	}
	fmt.Printf("%-44s %9d worlds %9d edges %4d deep %8v%s\n", w.name, len(w.from), w.edges, depth, time.Since(w.began).Round(time.Millisecond), more)
}

func TestEverything(t *testing.T) {
	largest, ok := sizes[*walked]
	if !ok {
		t.Fatalf("-scope %s: want small, ci or night", *walked)
	}
	for _, sc := range scopes {
		if sc.size > largest {
			continue
		}
		t.Run(sc.name, func(t *testing.T) {
			t.Parallel()
			g, err := explore(&sc)
			if err != nil {
				t.Fatal(err)
			}
			g.tell("")
		})
	}
}

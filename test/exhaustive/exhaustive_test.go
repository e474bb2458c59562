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
			began := time.Now()
			g, err := explore(&sc)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Printf("%-34s %9d worlds %9d edges %8v\n", sc.name, len(g.from), g.edges, time.Since(began).Round(time.Millisecond))
		})
	}
}

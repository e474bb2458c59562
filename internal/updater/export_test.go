package updater

import (
	"slipway/aggregates/app"
	"slipway/events"
)

// Lawful asserts the capacity law on a decision, as an updater does on each of its own.
func Lawful(s app.State, decided ...events.Event) error { return look{State: s}.lawful(decided) }

// Level is how a failure is logged.
var Level = level

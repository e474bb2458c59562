package commands

import (
	"context"
	"encoding/json"
	"time"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
)

// SignalApp says that an alarm about an app fires, or that it is over.
type SignalApp struct {
	App     events.AppID `json:"app"`
	Called  string       `json:"name"`             // of the alarm
	Firing  *bool        `json:"firing"`           // must be said: to leave it out is not to say that all is well
	Since   string       `json:"since,omitempty"`  // when it began to fire, RFC 3339: an alarm with a later beginning is a new one
	Source  string       `json:"source,omitempty"` // who measured
	Value   Measured     `json:"value,omitempty"`
	Message string       `json:"message,omitempty"`
}

// Name implements [Command].
func (SignalApp) Name() string { return "app.signal" }

// Measured is a value that came as text or as a number.
type Measured string

// UnmarshalJSON reads both.
func (m *Measured) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil {
		*m = Measured(text)
		return nil
	}
	var number json.Number
	if json.Unmarshal(data, &number) != nil {
		return aggregates.Reject("Value must be a string or a number")
	}
	*m = Measured(number)
	return nil
}

// signal reads the command as the rule book takes it.
func (c SignalApp) signal(now time.Time) (app.Signal, error) {
	s := app.Signal{Name: c.Called, Source: c.Source, Value: string(c.Value), Message: c.Message, At: now}
	if c.Firing == nil {
		return s, aggregates.Reject("Firing must be true, or false where the alarm is over")
	}
	s.Firing = *c.Firing
	if c.Since != "" {
		since, err := time.Parse(time.RFC3339, c.Since)
		if err != nil {
			return s, aggregates.Reject("Since must be a time such as 2026-01-02T15:04:05Z")
		}
		s.Since = since
	}
	return s, nil
}

func (h *Handler) signalApp(ctx context.Context, c SignalApp, m eventlog.Meta) (Result, error) {
	signal, err := c.signal(m.Time)
	if err != nil {
		return Result{}, err
	}
	return h.onApp(ctx, c.App, m, func(s app.State) ([]events.Event, error) { return app.Receive(s, signal) })
}

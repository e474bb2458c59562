package doors

import (
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/commands"
)

// TestSignalsByTheirSubject: whoever publishes plain JSON to signals.<app guid> is heard, also while no door is open.
func TestSignalsByTheirSubject(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	stop := open(t, r.config())
	r.request(t, "app.create", "create", `{"name":"hello"}`)
	stop()
	guid := events.DeriveID("create", "app", 0)
	for _, body := range []string{`{"name":"errors","firing":true,"value":0.07}`, `{"name":"errors","firing":true}`, `{"app":"` + guid + `","name":"latency","firing":true}`} {
		_, err := r.js.PublishMsg(t.Context(), &nats.Msg{Subject: "commands.by.ann.signals." + guid, Data: []byte(body)}) // as the server makes it of ann's signals.<guid>
		is.NoErr(err)
	}
	open(t, r.config())
	r.settled(t)
	agg, err := commands.Apps(r.log, nil).Load(t.Context(), guid)
	is.NoErr(err)
	is.Equal(len(agg.State.Alarms), 2)
	is.Equal(alarms(agg.State), "errors latency")
	is.Equal(len(r.refusals(t)), 0)
	for _, c := range r.history(t) {
		if _, ok := c.Events[0].(events.SignalReceived); ok {
			is.Equal(c.Actor, events.Actor("user/ann"))
		}
	}
}

func alarms(s app.State) string {
	var names []string
	for _, name := range []string{"errors", "latency"} {
		if _, fires := s.Alarms[name]; fires {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// TestSignalsRefused: what is wrong is on record, and what is no command is a dead letter.
func TestSignalsRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		by, subject, body, code string
		letter                  bool
	}{
		"no such app":   {"ann", "nobody", `{"name":"a","firing":true}`, "CF-ResourceNotFound", false},
		"another app":   {"ann", "a1", `{"app":"a2","name":"a","firing":true}`, "CF-UnprocessableEntity", true},
		"no state":      {"ann", "a1", `{"name":"a"}`, "CF-UnprocessableEntity", false},
		"an unknown":    {"ann", "a1", `{"name":"a","firing":true,"x":1}`, "CF-UnprocessableEntity", false},
		"no JSON":       {"ann", "a1", `fire!`, "CF-MessageParseError", true},
		"null":          {"ann", "a1", `null`, "CF-MessageParseError", true},
		"no app at all": {"ann", "a.b", `{"name":"a","firing":true}`, "CF-ResourceNotFound", false},
		"not their app": {"eve", "a1", `{"name":"a","firing":true}`, "CF-NotAuthorized", false},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			r := newRig(t)
			open(t, r.config())
			_, err := r.js.PublishMsg(t.Context(), &nats.Msg{Subject: "commands.by." + tt.by + ".signals." + tt.subject, Data: []byte(tt.body)})
			is.NoErr(err)
			r.settled(t)
			refused := r.refusals(t)
			is.Equal(len(refused), 1)
			for _, one := range refused {
				is.Equal(one.Code, tt.code)
				is.Equal(one.Name, "app.signal")
			}
			is.Equal(len(r.letters(t)) == 1, tt.letter)
		})
	}
}

package doors

import (
	"testing"
	"time"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"slipway/events"
)

// asked is a command as it arrives, and who it is of.
var asked = map[string]struct {
	by     string // what the server put before the command
	header nats.Header
	title  string       // of the refusal
	actor  events.Actor // in history; of a refusal through the durable door too
}{
	"logged in":              {"by.ann.", nil, "", "user/ann"},
	"with a token":           {"by.ann.", nats.Header{"Authorization": {bobsToken}}, "", "user/bob"},
	"written otherwise":      {"by.ann.", nats.Header{"authorization": {bobsToken}}, "", "user/bob"},
	"a token alone":          {"", nats.Header{"Authorization": {bobsToken}}, "", "user/bob"},
	"nobody":                 {"", nil, "CF-NotAuthenticated", unknown},
	"gone since":             {"by.old.", nil, "CF-InvalidAuthToken", unknown},
	"a wrong token":          {"by.ann.", nats.Header{"Authorization": {"bearer x"}}, "CF-InvalidAuthToken", unknown},
	"two tokens":             {"by.ann.", nats.Header{"Authorization": {bobsToken, bobsToken}}, "CF-InvalidAuthToken", unknown},
	"without the right":      {"by.eve.", nil, "CF-NotAuthorized", "user/eve"},
	"says so itself":         {"", nats.Header{"Nats-Request-Info": {`{"user":"ann"}`}, "Slipway-Actor": {"user/ann"}}, "CF-NotAuthenticated", unknown},
	"says so itself, logged": {"by.eve.", nats.Header{"Nats-Request-Info": {`{"user":"ann"}`}}, "CF-NotAuthorized", "user/eve"},
}

// TestWhoAsks holds, for both doors, who a command is taken to be of, and that it is refused where that is nobody or somebody
// without the right. What the rpc door refuses leaves no trace; what the durable one refuses leaves its refusal, and the
// token nowhere.
func TestWhoAsks(t *testing.T) {
	for name, tt := range asked {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			r := newRig(t)
			open(t, r.config())
			if tt.by != "" { // what does not come from a caller's account reaches no endpoint
				answer, err := r.nc.RequestMsg(&nats.Msg{Subject: RPCSubjects + tt.by + "app.create", Header: tt.header, Data: []byte(`{"name":"a"}`)}, patience)
				is.NoErr(err)
				if tt.title != "" {
					is.Equal(errorsIn(t, answer)[0].Title, tt.title)
					is.Equal(len(r.history(t)), 0)
				}
				is.Equal(answer.Header.Get(micro.ErrorHeader) != "", tt.title != "")
			}
			before := len(r.history(t))
			_, err := r.js.PublishMsg(t.Context(), &nats.Msg{Subject: "commands." + tt.by + "app.create", Header: tt.header, Data: []byte(`{"name":"b"}`)})
			is.NoErr(err)
			r.settled(t)
			for _, c := range r.history(t) {
				is.Equal(c.Actor, tt.actor)
			}
			is.True(len(r.history(t)) > before)
			for _, refused := range r.refusals(t) {
				is.Equal(refused.Code, tt.title)
			}
			is.Equal(len(r.refusals(t)) > 0, tt.title != "")
			is.Equal(len(r.letters(t)), 0) // it was a command
		})
	}
}

// TestATokenIsJudgedByWhenItCame: it may have ended while its command waited.
func TestATokenIsJudgedByWhenItCame(t *testing.T) {
	is := is.New(t)
	header := nats.Header{"Authorization": {bobsToken}}
	i, err := Config{Callers: callers{}}.identify(t.Context(), "", header, tokenGood.Add(59*time.Minute))
	is.NoErr(err)
	is.Equal(i.UserName, "bob")
	_, err = Config{Callers: callers{}}.identify(t.Context(), "ann", header, tokenGood.Add(61*time.Minute))
	is.True(err != nil) // whoever is connected: the token is what counts
}

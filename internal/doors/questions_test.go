package doors

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"github.com/matryer/is"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"slipway/events"
	"slipway/internal/api"
	"slipway/internal/api/apitest"
	"slipway/internal/auth"
	"slipway/internal/cferror"
	"slipway/internal/commands"
	"slipway/projections"
)

// bearers are the staff over HTTP: each one's token is their name.
type bearers struct{ logins }

// Verify implements auth.Verifier.
func (b bearers) Verify(_ context.Context, authorization []string) (auth.Identity, error) {
	return b.Vouched(strings.TrimPrefix(strings.Join(authorization, ""), "bearer "))
}

// asking is the same question through both doors.
type asking struct {
	t    *testing.T
	rig  *rig
	http http.Handler
}

func newAsking(t *testing.T) asking {
	t.Helper()
	r, cfg, store := staffedOver(t)
	open(t, cfg)
	return asking{t, r, over(t, r, store)}
}

// over is the API over the same log and read models.
func over(t *testing.T, r *rig, store *projections.Store) http.Handler {
	t.Helper()
	face := api.New(api.Config{
		Commands: r.handler, Store: store, Log: r.log, Apps: commands.Apps(r.log, nil), Auth: bearers{staff}, Logger: slog.New(slog.DiscardHandler),
	})
	t.Cleanup(face.Close)
	return face.Server().Handler
}

// overNATS asks a question as somebody; the sequence is that of the answer.
func (a asking) overNATS(who, name, body string) (answer *nats.Msg, sequence string) {
	a.t.Helper()
	answer, err := a.rig.nc.RequestMsg(&nats.Msg{Subject: RPCSubjects + vouched + who + "." + name, Data: []byte(body)}, patience)
	is.New(a.t).NoErr(err)
	return answer, answer.Header.Get(HeaderSequence)
}

func (a asking) overHTTP(who, path, body string) *httptest.ResponseRecorder {
	return apitest.Call(a.http, "POST", path, body, "Authorization", "bearer "+who)
}

// question is one thing to ask in the words of either door.
type question struct{ name, nats, path, http string }

// about asks about a deployment of an app, and about a group of that one.
func about(app string) []question {
	body := `{"relationships":{"app":{"data":{"guid":` + strconv.Quote(app) + `}}},"strategy":"canary"}`
	command := `{"app":` + strconv.Quote(app) + `,"strategy":"canary"}`
	return []question{
		{"policy.evaluate", command, "/v3/policies/evaluate", body},
		{"group.evaluate", `{"members":[` + command + `]}`, "/v3/deployment_groups/evaluate", `{"members":[` + body + `]}`},
	}
}

// TestQuestionsThroughBothDoors: what policies would say is answered alike over HTTP and over NATS, to whom it may be, and writes
// nothing.
func TestQuestionsThroughBothDoors(t *testing.T) {
	a := newAsking(t)
	app := events.DeriveID("create", "app", 0)
	for _, s := range governance()[:6] { // up to the policy
		if s.name == "upload" {
			a.rig.upload(t)
			continue
		}
		answer, err := a.rig.nc.RequestMsg(&nats.Msg{Subject: RPCSubjects + vouched + s.by + "." + s.name, Header: header(s.id), Data: []byte(s.body)}, patience)
		is.New(t).NoErr(err)
		is.New(t).Equal(answer.Header.Get(micro.ErrorHeader), "") // given
	}
	before := len(a.rig.history(t))
	for _, q := range about(app) {
		t.Run(q.name, func(t *testing.T) {
			is := is.New(t)
			answer, sequence := a.overNATS("dev", q.name, q.nats)
			is.Equal(answer.Header.Get(micro.ErrorHeader), "") // it is answered
			got := a.overHTTP("dev", q.path, q.http)
			is.Equal(got.Code, http.StatusOK)
			is.Equal(sequence, got.Header().Get("X-Slipway-Sequence")) // of the same commit
			is.Equal(withoutTime(t, answer.Data), withoutTime(t, got.Body.Bytes()))
			is.True(strings.Contains(string(answer.Data), `"outcome":"require_approval"`)) // as the policy says
			is.True(strings.Contains(string(answer.Data), `"roles":["space_developer"]`))  // as whoever asks sees it
		})
		t.Run(q.name+" by whom it may not be asked", func(t *testing.T) {
			is := is.New(t)
			answer, _ := a.overNATS("audrey", q.name, q.nats)
			a.refusedAlike(answer, a.overHTTP("audrey", q.path, q.http))
			is.Equal(answer.Header.Get(micro.ErrorCodeHeader), "422") // as of an app that is not there
		})
	}
	for name, bad := range map[string][2]string{"no JSON": {"{", "{"}, "an unknown field": {`{"nom":1}`, `{"nom":1}`}} {
		for _, q := range about(app) {
			t.Run(q.name+" with "+name, func(t *testing.T) {
				answer, _ := a.overNATS("dev", q.name, bad[0])
				is.New(t).Equal(answer.Header.Get(micro.ErrorCodeHeader), strconv.Itoa(a.overHTTP("dev", q.path, bad[1]).Code))
			})
		}
	}
	for _, q := range about("none") {
		t.Run(q.name+" about nothing", func(t *testing.T) {
			answer, _ := a.overNATS("dev", q.name, q.nats)
			a.refusedAlike(answer, a.overHTTP("dev", q.path, q.http))
		})
	}
	is.New(t).Equal(len(a.rig.history(t)), before) // nothing was written
}

// refusedAlike holds a refusal over NATS against that over HTTP.
func (a asking) refusedAlike(answer *nats.Msg, got *httptest.ResponseRecorder) {
	a.t.Helper()
	is := is.New(a.t)
	is.Equal(answer.Header.Get(micro.ErrorCodeHeader), strconv.Itoa(got.Code))
	var body struct{ Errors []cferror.Error }
	is.NoErr(json.Unmarshal(got.Body.Bytes(), &body))
	is.Equal(errorsIn(a.t, answer), body.Errors)
}

// withoutTime reads an evaluation without the moment at which it was made.
func withoutTime(t *testing.T, data []byte) map[string]any {
	t.Helper()
	v := apitest.Object(t, data)
	members, _ := v["members"].([]any)
	for _, each := range append(members, v) {
		if context, ok := apitest.At(each, "context").(map[string]any); ok {
			delete(context, "now")
		}
	}
	return v
}

// TestAQuestionThroughTheDurableDoor has nobody who would hear its answer: it is put on record as a mistake, which says where to ask.
func TestAQuestionThroughTheDurableDoor(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	open(t, r.config())
	r.publish(t, commandsPrefix+"policy.evaluate", "q", `{"app":"a"}`)
	r.settled(t)
	is.Equal(r.refusals(t)["q"].Message, "policy.evaluate only has an answer, and nobody waits for one here: ask rpc.policy.evaluate")
	is.Equal(len(r.letters(t)), 1)
}

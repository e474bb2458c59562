package audit_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/audit"
	"slipway/internal/eventlog"
)

// TestTamperedLog changes one thing of an honest log after the other. Each is found, named with its law and sequence, and
// told once.
func TestTamperedLog(t *testing.T) {
	honest := rolled(t).raws()
	here, then := commitsOf(honest)[3], commitsOf(honest)[4] // in the middle of the rollout
	aReport := slices.IndexFunc(honest, func(raw eventlog.Raw) bool { return strings.HasPrefix(string(raw.Subject), "events.instance.") })
	seq := func(i int) events.Sequence { return honest[i].Sequence }
	set := func(raw *eventlog.Raw, key, value string) {
		raw.Header = maps.Clone(raw.Header)
		raw.Header[key] = []string{value}
	}
	replace := func(raw *eventlog.Raw, from, to string) {
		if !bytes.Contains(raw.Data, []byte(from)) {
			t.Fatalf("%s is not in %s", from, raw.Data)
		}
		raw.Data = bytes.Replace(raw.Data, []byte(from), []byte(to), 1)
	}
	for name, tt := range map[string]struct {
		tamper func([]eventlog.Raw) []eventlog.Raw
		want   []string
	}{
		"nothing": {func(r []eventlog.Raw) []eventlog.Raw { return r }, nil},
		"a commit is dropped": {
			func(r []eventlog.Raw) []eventlog.Raw { return slices.Delete(r, here, here+1) },
			[]string{fmt.Sprintf("sequence at %d", seq(here+1)), fmt.Sprintf("chain at %d", seq(then))},
		},
		"a commit is dropped and the hole closed": {
			func(r []eventlog.Raw) []eventlog.Raw { return renumbered(slices.Delete(r, here, here+1)) },
			[]string{fmt.Sprintf("chain at %d", seq(then)-1)},
		},
		"a report is dropped": {
			func(r []eventlog.Raw) []eventlog.Raw { return slices.Delete(r, aReport, aReport+1) },
			[]string{fmt.Sprintf("sequence at %d", seq(aReport+1))},
		},
		"the first messages are dropped": {
			func(r []eventlog.Raw) []eventlog.Raw { return r[1:] },
			[]string{"sequence at 2", fmt.Sprintf("chain at %d", seq(commitsOf(honest)[1]))},
		},
		"a byte is changed": {
			func(r []eventlog.Raw) []eventlog.Raw { replace(&r[here], "1 of 3", "3 of 3"); return r },
			[]string{fmt.Sprintf("chain at %d", seq(then))},
		},
		"an actor is changed": {
			func(r []eventlog.Raw) []eventlog.Raw { set(&r[here], events.HeaderActor, "mallory"); return r },
			[]string{fmt.Sprintf("chain at %d", seq(then))},
		},
		"two commits change places": {
			func(r []eventlog.Raw) []eventlog.Raw {
				r[here], r[then] = r[then], r[here]
				return renumbered(r)
			},
			[]string{fmt.Sprintf("chain at %d", seq(here)), fmt.Sprintf("chain at %d", seq(then))},
		},
		"a commit stands twice": {
			func(r []eventlog.Raw) []eventlog.Raw { return renumbered(slices.Insert(r, here+1, r[here])) },
			[]string{fmt.Sprintf("chain at %d", seq(here)+1)},
		},
		"a commit loses its version": {
			func(r []eventlog.Raw) []eventlog.Raw {
				r[here].Header = maps.Clone(r[here].Header)
				delete(r[here].Header, events.HeaderVersion)
				return r
			},
			[]string{fmt.Sprintf("chain at %d", seq(here)), fmt.Sprintf("chain at %d", seq(then))},
		},
		"a report gets a version": {
			func(r []eventlog.Raw) []eventlog.Raw { set(&r[aReport], events.HeaderVersion, "1"); return r },
			[]string{fmt.Sprintf("chain at %d", seq(aReport))},
		},
		"an event is of an unknown type": {
			func(r []eventlog.Raw) []eventlog.Raw {
				replace(&r[here], `"process.scaled"`, `"process.scalded"`)
				return r
			},
			[]string{fmt.Sprintf("decodes at %d", seq(here)), fmt.Sprintf("chain at %d", seq(then))},
		},
		"an event is no JSON": {
			func(r []eventlog.Raw) []eventlog.Raw { r[here].Data = r[here].Data[1:]; return r },
			[]string{fmt.Sprintf("decodes at %d", seq(here)), fmt.Sprintf("chain at %d", seq(then))},
		},
		"an event has another's id": {
			func(r []eventlog.Raw) []eventlog.Raw { replace(&r[here], `.0"`, `.7"`); return r },
			[]string{fmt.Sprintf("decodes at %d", seq(here)), fmt.Sprintf("chain at %d", seq(then))},
		},
		"something is written between": {
			func(r []eventlog.Raw) []eventlog.Raw {
				junk := eventlog.Raw{Message: events.Message{Subject: events.AppSubject(appID), Data: []byte("hello?")}}
				return renumbered(slices.Insert(r, here, junk))
			},
			[]string{fmt.Sprintf("decodes at %d", seq(here))},
		},
		"something is written beside": {
			func(r []eventlog.Raw) []eventlog.Raw {
				return append(r, eventlog.Raw{Message: events.Message{Subject: "events.app.a.b"}, Sequence: seq(len(r)-1) + 1})
			},
			[]string{fmt.Sprintf("decodes at %d", seq(len(honest)-1)+1)},
		},
		"a report is unreadable": {
			func(r []eventlog.Raw) []eventlog.Raw { r[aReport].Data = nil; return r },
			[]string{fmt.Sprintf("decodes at %d", seq(aReport))},
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			report := verify(t, tt.tamper(slices.Clone(honest)))
			is.Equal(found(report), tt.want)
			is.Equal(report.OK(), tt.want == nil)
			is.Equal(report.Found, len(tt.want))
		})
	}
}

// TestUnreadableCommitKeepsItsChain: a commit that this program cannot read, but whose bytes are whole, breaks no chain: the
// hash needs no decoding.
func TestUnreadableCommitKeepsItsChain(t *testing.T) {
	is := is.New(t)
	w := rolled(t)
	raws := w.raws()
	at := commitsOf(raws)[4]
	hash := events.HashMessage(raws[at].Message)
	for i := at; i < len(raws); i++ { // rewrite the chain from there on, so that only the unknown type is left to find
		if raws[i].Subject != events.AppSubject(appID) {
			continue
		}
		if i == at {
			raws[i].Data = bytes.Replace(raws[i].Data, []byte(`"process.scaled"`), []byte(`"process.scalded"`), 1)
		} else {
			raws[i].Header[events.HeaderPrevious] = []string{string(hash)}
		}
		hash = events.HashMessage(raws[i].Message)
	}
	report, err := audit.Verify(t.Context(), tampered{raws: raws}, registry, nil)
	is.NoErr(err)
	is.Equal(found(report), []string{fmt.Sprintf("decodes at %d", raws[at].Sequence)})
	is.Equal(report.Rollouts[1].Judged, false) // what it held is not known, so nothing after it is judged
}

// TestVersions forges commits whose hashes are right and whose versions are not.
func TestVersions(t *testing.T) {
	for version, problem := range map[events.Version]string{
		0: "it has no version", 1: "version 1 after version 1", 3: "versions are missing",
	} {
		is := is.New(t)
		w := newWorld(t)
		m, err := registry.Encode(events.Commit{
			Subject: events.AppSubject(appID), CommandID: "c", Version: version, Previous: events.HashMessage(w.raws()[0].Message),
			Actor: "mallory", Time: time.Unix(1, 0), Events: []events.Event{events.AppUpdated{App: appID}},
		})
		is.NoErr(err)
		w.log.Inject(m)
		report := w.verify()
		is.Equal(found(report), []string{"chain at 2"})
		is.True(strings.Contains(report.Breaches[0].Problem, problem)) // it says what is wrong
	}
}

// TestBrokenChainEndsJudgement: what a broken history leads to is not known, so it accuses nobody of more.
func TestBrokenChainEndsJudgement(t *testing.T) {
	is := is.New(t)
	w, old, _ := underway(t)
	raws := w.raws()
	at := commitsOf(raws)[1]
	w.shrink("mallory", "http", scaled(old, 2, 1)) // a breach, if the history before it is whole
	raws = w.raws()
	raws[at].Header[events.HeaderTraceparent] = []string{"changed"} // no part of history
	is.Equal(len(found(verify(t, raws))), 1)
	raws[at].Header[events.HeaderActor] = []string{"changed"}
	report := verify(t, raws)
	is.Equal(found(report), []string{fmt.Sprintf("chain at %d", raws[commitsOf(raws)[2]].Sequence)})
	is.Equal(report.Rollouts[1].Judged, false)
}

func TestTheEndOfTheLogIsMissing(t *testing.T) {
	is := is.New(t)
	raws := rolled(t).raws()
	report, err := audit.Verify(t.Context(), tampered{raws: raws, newest: 1000}, registry, nil)
	is.NoErr(err)
	is.Equal(found(report), []string{"sequence at 1000"})
}

// TestEventsOnTheWrongSubject writes, with a chain that is whole, what belongs elsewhere.
func TestEventsOnTheWrongSubject(t *testing.T) {
	is := is.New(t)
	w := running(t, 1)
	at := w.forge("mallory", events.ProcessScaled{App: "app-2", Process: "p"}) // told once: it does not fit either
	is.Equal(found(w.verify()), []string{fmt.Sprintf("place at %d", at)})
	at2 := w.forge("mallory", events.DropletCreated{Droplet: events.DropletID(appID), App: appID})
	is.Equal(found(w.verify()), []string{fmt.Sprintf("place at %d", at), fmt.Sprintf("place at %d", at2)})

	for subject, e := range map[events.Subject]events.Event{
		events.InstanceSubject("p"):                              events.InstanceRunning{InstanceRef: ref("q", 0, "a")},
		events.InstanceSubject("q"):                              events.AppStarted{App: appID},
		events.DropletSubject("p"):                               events.DropletUploaded{Droplet: "q"},
		events.DropletSubject("r"):                               events.DropletCreated{Droplet: "q"},
		events.NameSubject("s", "hello"):                         events.NameClaimed{Space: "s", Name: "bye"},
		events.NameSubject("s", "hello2"):                        events.NameReleased{Space: "s", Name: "bye"},
		events.CommandSubject("p"):                               events.CommandRejected{Command: "q"},
		events.OrganizationSubject("o"):                          events.SpaceCreated{Organization: "p", Space: "s"},
		events.OrganizationSubject("q"):                          events.QuotaCreated{Quota: "q"},
		events.QuotaSubject("q"):                                 events.QuotaUpdated{Quota: "q", Organization: "o"},
		events.DomainSubject("d"):                                events.DomainCreated{Domain: "e"},
		events.RouteSubject("r"):                                 events.RouteDeleted{Route: "s"},
		events.ScopedNameSubject(events.ScopeOrganizations, "a"): events.NameTaken{Scope: events.ScopeOrganizations, Name: "b"},
	} {
		w := newWorld(t)
		c := events.Commit{Subject: subject, CommandID: "c", Actor: "mallory", Time: time.Unix(1, 0), Events: []events.Event{e}}
		if !strings.HasPrefix(string(subject), "events.instance.") {
			c.Version = 1
		}
		m, err := registry.Encode(c)
		is.NoErr(err)
		w.log.Inject(m)
		is.Equal(found(w.verify()), []string{"place at 2"})
	}
}

// TestEveryEventHasAHome: no event that may be added is left without one.
func TestEveryEventHasAHome(t *testing.T) {
	for _, typ := range registry.Types() {
		is := is.New(t)
		e, err := registry.Decode(typ, registry.Version(typ), []byte(`{}`))
		is.NoErr(err)
		is.True(strings.HasPrefix(string(audit.Home(e)), "events.")) // it says where it belongs
	}
}

// FuzzTamperedMessage puts anything in the place of one message: the audit comes to its end, and does not take what it
// cannot read for clean.
func FuzzTamperedMessage(f *testing.F) {
	honest := rolled(f).raws()
	for i, raw := range honest {
		f.Add(uint(i), string(raw.Subject), "1", "", raw.Header[events.HeaderMsgID][0], raw.Data)
	}
	f.Add(uint(4), "events.instance.app-1", "", "", "c", honest[0].Data)
	f.Fuzz(func(t *testing.T, at uint, subject, version, previous, command string, data []byte) {
		raws := slices.Clone(honest)
		raw := &raws[at%uint(len(raws))]
		raw.Message = events.Message{Subject: events.Subject(subject), Data: data, Header: map[string][]string{
			events.HeaderMsgID: {command}, events.HeaderVersion: {version}, events.HeaderPrevious: {previous}, events.HeaderActor: {"x"},
		}}
		report := verify(t, raws)
		if _, err := registry.DecodeCommit(raw.Message); err != nil && report.OK() {
			t.Fatalf("%v, and the log passes for clean", err)
		}
	})
}

// TestEventsThatDoNotFit are commits with whole chains that no rule book would have written.
func TestEventsThatDoNotFit(t *testing.T) {
	second := events.DeploymentCreated{App: appID, Deployment: "d-2", Process: "p"}
	first := events.DeriveID("second", "deployment", 0)
	for name, tt := range map[string]struct {
		given  func(*world) // beside a rollout under way
		forged events.Event
		law    audit.Law
	}{
		"the app is created again":      {nil, events.AppCreated{App: appID}, audit.LawFold},
		"an app deleted before":         {func(w *world) { w.must("tester", app.DeleteApp) }, events.AppStarted{App: appID}, audit.LawFold},
		"an unknown process is scaled":  {nil, events.ProcessScaled{App: appID, Process: "nope"}, audit.LawFold},
		"a process is created again":    {nil, events.ProcessCreated{App: appID, Process: events.ProcessID(appID), ProcessType: "web"}, audit.LawFold},
		"an unknown process is deleted": {nil, events.ProcessDeleted{App: appID, Process: "nope"}, audit.LawFold},
		"a scaling from another count":  {nil, events.ProcessScaled{App: appID, Process: events.ProcessID(appID), From: 2, Instances: 9}, audit.LawFold},
		"a restart of the same generation": {
			nil, events.ProcessRestarted{App: appID, Process: events.ProcessID(appID), Generation: 0}, audit.LawFold,
		},
		"a second active deployment": {nil, second, audit.LawRollout},
		"a deployment begins twice": {
			func(w *world) {
				w.forge("tester", events.DeploymentSuperseded{App: appID, Deployment: events.DeploymentID(first)})
			},
			events.DeploymentCreated{App: appID, Deployment: events.DeploymentID(first)}, audit.LawRollout,
		},
		"a deployment nobody made ends":     {nil, events.DeploymentDeployed{App: appID, Deployment: "nope"}, audit.LawFold},
		"a deployment nobody made goes":     {nil, events.DeploymentSuperseded{App: appID, Deployment: "nope"}, audit.LawFold},
		"a cancel that nobody asked for":    {nil, events.DeploymentCanceled{App: appID, Deployment: events.DeploymentID(first)}, audit.LawFold},
		"a deployment over is canceled":     {finished, events.DeploymentCanceling{App: appID, Deployment: events.DeploymentID(first)}, audit.LawFold},
		"a deployment over is over again":   {finished, events.DeploymentDeployed{App: appID, Deployment: events.DeploymentID(first)}, audit.LawFold},
		"a deployment goes back twice over": {canceling, events.DeploymentCanceling{App: appID, Deployment: events.DeploymentID(first)}, audit.LawFold},
		"a deployment on its way back ends": {canceling, events.DeploymentDeployed{App: appID, Deployment: events.DeploymentID(first)}, audit.LawFold},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			w := running(t, 3)
			w.deploy(2, app.CreateDeployment{ID: "second"})
			if tt.given != nil {
				tt.given(w)
			}
			is.Equal(found(w.verify()), nil) // so far all is well
			at := w.forge("mallory", tt.forged)
			is.Equal(found(w.verify()), []string{fmt.Sprintf("%s at %d", tt.law, at)})
		})
	}

	t.Run("an app that was never created", func(t *testing.T) {
		is := is.New(t)
		log := eventlog.NewMemory(registry)
		_, err := log.Append(t.Context(), events.Commit{
			Subject: events.AppSubject("x"), CommandID: "c", Version: 1, Actor: "mallory", Time: time.Unix(1, 0),
			Events: []events.Event{events.AppStarted{App: "x"}},
		}, 0)
		is.NoErr(err)
		report, err := audit.Verify(t.Context(), log, registry, nil)
		is.NoErr(err)
		is.Equal(found(report), []string{"fold at 1"})
	})
}

// finished lets the rollout under way end well.
func finished(w *world) {
	for w.state().Deployment != nil {
		w.allRun()
		w.tick(calm)
	}
}

// canceling asks the rollout under way to go back.
func canceling(w *world) {
	id := w.state().Deployment.ID()
	w.must("tester", func(s app.State) ([]events.Event, error) { return app.CancelDeployment(s, app.Steer{Deployment: id}) })
}

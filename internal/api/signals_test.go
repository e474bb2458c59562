package api_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/auth"
)

// signals counts what is on record about alarms of an app.
func (w *world) signals(app string) (n int) {
	w.t.Helper()
	err := w.log.Read(w.t.Context(), events.AppSubject(events.AppID(app)), 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			if _, ok := e.(events.SignalReceived); ok {
				n++
			}
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return n
}

func TestSignals(t *testing.T) {
	is := is.New(t)
	w, e := settled(t)
	path := "/v3/apps/" + e["app"] + "/signals"
	got := object(t, w.as("developer", "POST", path, `{"name":"errors","firing":true,"value":0.07,"message":"7 % fail"}`).Body.Bytes())
	is.Equal(at(got, "name"), "errors")
	is.Equal(at(got, "firing"), true)
	is.Equal(at(got, "recorded"), true)
	is.True(text(got, "since") != "")
	is.Equal(text(got, "relationships", "app", "data", "guid"), e["app"])
	again := object(t, w.as("supporter", "POST", path, `{"name":"errors","firing":true}`).Body.Bytes())
	is.Equal(at(again, "since"), at(got, "since")) // since it was first heard
	is.Equal(at(again, "recorded"), nil)           // it is no news
	list := object(t, w.as("auditor", "GET", path, "").Body.Bytes())
	is.Equal(text(list, "resources", 0, "name"), "errors")
	over := object(t, w.as("developer", "POST", path, `{"name":"errors","firing":false}`).Body.Bytes())
	is.Equal(at(over, "since"), nil)
	is.Equal(at(over, "recorded"), true)
	is.Equal(len(at(object(t, w.as("auditor", "GET", path, "").Body.Bytes()), "resources").([]any)), 0)
	is.Equal(w.signals(e["app"]), 2)
	is.Equal(w.as("auditor", "POST", path, `{"name":"errors","firing":true}`).Code, 403) // it can undo a rollout
	refused(t, w.as("foreigner", "POST", path, `{"name":"errors","firing":true}`), 404, 10010, "CF-ResourceNotFound", "App not found")
	refused(t, w.as("developer", "POST", path, `{"name":"errors"}`), 422, 10008, "CF-UnprocessableEntity", "Firing must be true, or false where the alarm is over")
	is.Equal(w.signals(e["app"]), 2) // what is refused leaves nothing
}

func TestAlertmanager(t *testing.T) {
	w, e := settled(t)
	lab := text(w.must(200, "GET", "/v3/apps?names=hello-lab", ""), "resources", 0, "guid")
	const path = "/v3/integrations/alertmanager"
	send := func(who string, alerts ...string) []any {
		t.Helper()
		body := e.fill(`{"version":"4","groupKey":"{}","truncatedAlerts":0,"status":"firing","receiver":"slipway","externalURL":"http://a","alerts":[` +
			strings.Join(alerts, ",") + `]}`)
		header := []string{"Authorization", "bearer " + who}
		if who == "admin" {
			header = nil
		}
		got := w.call("POST", path, body, header...)
		if got.Code != 200 {
			t.Fatalf("%d %s", got.Code, got.Body)
		}
		return at(object(t, got.Body.Bytes()), "alerts").([]any)
	}
	alert := func(status, labels string) string {
		return `{"status":"` + status + `","labels":{` + labels + `},"annotations":{"summary":"too many errors","value":"7%"},` +
			`"startsAt":"2026-03-01T12:00:00.123Z","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://p","fingerprint":"3b15fd163d36582e"}`
	}
	t.Run("by guid", func(t *testing.T) {
		is := is.New(t)
		told := send("developer", alert("firing", `"alertname":"Errors","app_guid":"{app}"`))
		is.Equal(told[0].(map[string]any)["name"], "Errors")
		is.Equal(told[0].(map[string]any)["recorded"], true)
		told = send("developer", alert("firing", `"alertname":"Errors","app_guid":"{app}"`))
		is.Equal(told[0].(map[string]any)["recorded"], false) // Alertmanager says it again and again
		told = send("developer", alert("resolved", `"alertname":"Errors","app_guid":"{app}"`))
		is.Equal(told[0].(map[string]any)["recorded"], true)
		is.Equal(w.signals(e["app"]), 2)
	})
	t.Run("by names", func(t *testing.T) {
		is := is.New(t)
		told := send("developer",
			alert("firing", `"alertname":"A","app":"hello-prod","space":"prod","organization":"acme"`),
			alert("firing", `"alertname":"B","app":"hello-prod","space":"prod"`),
			alert("firing", `"alertname":"C","app":"hello-prod","instance":"127.0.0.1:1","severity":"page"`))
		for _, one := range told {
			is.Equal(text(one, "app", "guid"), e["app"])
		}
		is.Equal(told[2].(map[string]any)["name"], "C{instance=127.0.0.1:1,severity=page}") // one alarm for each instance
	})
	t.Run("the others count although one is about nothing", func(t *testing.T) {
		is := is.New(t)
		told := send("developer",
			alert("firing", `"alertname":"D"`),
			alert("firing", `"alertname":"D","app":"nobody"`),
			alert("firing", `"alertname":"D","app":"hello-prod","space":"lab"`),
			alert("firing", `"alertname":"D","app":"hello-lab"`),
			alert("firing", `"alertname":"D","app_guid":"`+lab+`"`),
			alert("firing", `"app_guid":"{app}"`),
			alert("firing", `"alertname":"D","app_guid":"{app}"`))
		var faults []string
		for _, one := range told {
			fault, _ := one.(map[string]any)["error"].(string)
			faults = append(faults, fault)
		}
		is.Equal(faults, []string{
			"The alert has no label 'app_guid' or 'app' that says which app it is about", "App not found", "App not found",
			"App not found", "App not found", "Name must have 1 to 255 characters", "",
		})
		is.Equal(w.signals(lab), 0)
	})
	t.Run("two apps of one name", func(t *testing.T) {
		is := is.New(t)
		for _, space := range []string{"prod", "lab"} {
			found := text(w.must(200, "GET", "/v3/spaces?names="+space, ""), "resources", 0, "guid")
			w.must(201, "POST", "/v3/apps", `{"name":"twin","relationships":{"space":{"data":{"guid":"`+found+`"}}}}`)
		}
		told := send("admin", alert("firing", `"alertname":"A","app":"twin"`), alert("firing", `"alertname":"A","app":"twin","organization":"umbrella"`))
		is.Equal(told[0].(map[string]any)["error"], "2 apps are called 'twin': give the alert the labels 'space' and 'organization', or 'app_guid'")
		is.Equal(told[1].(map[string]any)["recorded"], true)
		told = send("developer", alert("firing", `"alertname":"A","app":"twin"`))
		is.Equal(told[0].(map[string]any)["recorded"], true) // who sees one only means that one
	})
	t.Run("a long name", func(t *testing.T) {
		is := is.New(t)
		told := send("developer", alert("firing", `"alertname":"Long","app_guid":"{app}","path":"/`+strings.Repeat("x", 300)+`"`))
		is.Equal(told[0].(map[string]any)["name"], "Long/3b15fd163d36582e")
	})
	t.Run("not Alertmanager", func(t *testing.T) {
		refused(t, w.as("developer", "POST", path, `{"version":"3"}`), 422, 10008, "CF-UnprocessableEntity",
			"Version must be '4': this is not what Alertmanager's webhook sends")
		refused(t, w.as("developer", "POST", path, `{"alerts":5}`), 400, 1001, "CF-MessageParseError", "Request invalid due to parse error: invalid request body")
	})
	t.Run("nothing to say", func(t *testing.T) {
		is := is.New(t)
		is.Equal(len(send("nobody")), 0)
	})
	t.Run("with a client's secret", func(t *testing.T) {
		is := is.New(t)
		body := e.fill(`{"version":"4","alerts":[` + alert("firing", `"alertname":"Basic","app_guid":"{app}"`) + `]}`)
		is.Equal(w.call("POST", path, body, "Authorization", basic("alarms", "right")).Code, 200)
		is.Equal(w.call("POST", path, body, "Authorization", basic("alarms", "wrong")).Code, 401)
		is.Equal(w.call("GET", "/v3/apps", "", "Authorization", basic("alarms", "right")).Code, 401) // here alone
		is.Equal(w.call("POST", "/v3/apps/"+e["app"]+"/signals", `{"name":"a","firing":true}`, "Authorization", basic("alarms", "right")).Code, 401)
	})
}

// TestTargets: Prometheus is told where instances are, of the apps that the caller may see.
func TestTargets(t *testing.T) {
	is := is.New(t)
	w, e := settled(t)
	const path = "/v3/integrations/prometheus/targets"
	read := func(header ...string) (targets []struct {
		Targets []string
		Labels  map[string]string
	}) {
		got := w.call("GET", path, "", header...)
		is.Equal(got.Code, 200)
		is.Equal(got.Header().Get("Content-Type"), "application/json; charset=utf-8") // the only one that Prometheus takes
		is.NoErr(json.Unmarshal(got.Body.Bytes(), &targets))
		return targets
	}
	is.Equal(len(read()), 2) // one instance in each space
	targets := read("Authorization", basic("alarms", "right"))
	is.Equal(len(targets), 1)
	is.Equal(len(targets[0].Targets), 1)
	is.True(strings.HasPrefix(targets[0].Targets[0], "127.0.0.1:"))
	is.Equal(targets[0].Labels, map[string]string{
		"app": "hello-prod", "app_guid": e["app"], "space": "prod", "organization": "acme", "index": "0", "process_type": "web",
		"process_guid": e["process"], "deployment_guid": e["deployment"],
	})
	is.Equal(len(read("Authorization", "bearer nobody")), 0)
}

func basic(id, secret string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(id+":"+secret))
}

// clients has one, who may write in acme/prod.
type clients struct{}

func (clients) VerifyClient(_ context.Context, id, secret, _ string) (auth.Identity, error) {
	if id != "alarms" || secret != "right" {
		return auth.Identity{}, auth.ErrBadToken
	}
	return auth.Identity{ClientID: id, Scopes: ordinary, Grants: []auth.Grant{inProd(auth.SpaceSupporter)}}, nil
}

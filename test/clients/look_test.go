package clients

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/test/installation"
)

// seen is how the API shows the app of a scenario.
type seen struct {
	State       string   // STARTED or STOPPED
	Webs        []int    // instances wanted of each web process, the oldest first
	Deployments []string // the oldest first, as "canary ACTIVE/PAUSED"
	Revisions   int
}

// look asks the API for an app by its name.
func look(t *testing.T, s *installation.Installation, name string) (app string, saw seen) {
	t.Helper()
	is := is.New(t)
	var apps struct {
		Resources []struct{ GUID, State string }
	}
	ask(t, s, "/v3/apps?names="+name, &apps)
	is.Equal(len(apps.Resources), 1) // there is one app of this name
	app = apps.Resources[0].GUID
	saw.State = apps.Resources[0].State
	var processes struct {
		Resources []struct{ Instances int }
	}
	ask(t, s, "/v3/processes?types=web&app_guids="+app, &processes)
	for _, process := range processes.Resources {
		saw.Webs = append(saw.Webs, process.Instances)
	}
	var deployments struct {
		Resources []struct {
			Strategy string
			Status   struct{ Value, Reason string }
		}
	}
	ask(t, s, "/v3/deployments?app_guids="+app, &deployments)
	for _, d := range deployments.Resources {
		saw.Deployments = append(saw.Deployments, d.Strategy+" "+d.Status.Value+"/"+d.Status.Reason)
	}
	var revisions struct {
		Pagination struct {
			Total int `json:"total_results"`
		}
	}
	ask(t, s, "/v3/apps/"+app+"/revisions", &revisions)
	saw.Revisions = revisions.Pagination.Total
	return app, saw
}

// sees waits until the API shows the app so, with all its instances in the router.
func sees(t *testing.T, s *installation.Installation, name string, want seen) {
	t.Helper()
	var app string
	installation.Eventually(t.Context(), t, s, func() (string, bool) {
		var saw seen
		app, saw = look(t, s, name)
		return fmt.Sprintf("the API shows %+v, want %+v", saw, want), fmt.Sprint(saw) == fmt.Sprint(want)
	})
	if want.State == "STARTED" {
		s.WaitRoutable(t.Context(), t, app, want.Webs[len(want.Webs)-1])
	}
}

func ask(t *testing.T, s *installation.Installation, path string, answer any) {
	t.Helper()
	if err := s.Client().Call(t.Context(), http.MethodGet, path, nil, answer); err != nil {
		t.Fatal(err)
	}
}

// answers waits until an app answers through the router with one version alone: as often in a row as it has many instances.
func answers(t *testing.T, s *installation.Installation, name, version string) {
	t.Helper()
	installation.Eventually(t.Context(), t, s, func() (string, bool) {
		for range 20 {
			if text := visit(t, s, name); !strings.HasPrefix(text, "200 hello from "+version+" ") {
				return "the app answers " + text, false
			}
		}
		return "", true
	})
}

// visit asks an app through the router: status and body.
func visit(t *testing.T, s *installation.Installation, name string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.Apps, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = name + ".localhost"
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", response.StatusCode, body)
}

package resource_test

import (
	"encoding/json"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/resource"
	"slipway/projections"
)

const base = resource.Base("http://api")

var noon = time.Date(2026, 1, 1, 13, 0, 0, 999_999_999, time.FixedZone("", 3600))

func encode(t testing.TB, v any) string {
	t.Helper()
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestDeploymentIsTheReferences compares byte for byte with the object of Cloud Foundry's documentation, keys in its order.
func TestDeploymentIsTheReferences(t *testing.T) {
	is := is.New(t)
	three, mb, rate := 3, 512, int64(-1)
	d := projections.Deployment{
		GUID: "d", App: "a1", State: projections.Deploying, StatusValue: "ACTIVE", StatusReason: "DEPLOYING", Strategy: "rolling",
		Options: events.DeploymentOptions{MaxInFlight: 2, WebInstances: &three, MemoryMB: &mb, LogRate: &rate},
		Droplet: "d2", PreviousDroplet: "d1", Revision: "r2", RevisionNumber: 2, Process: "p2", Error: "it waits",
		NewProcesses:  []projections.ProcessRef{{GUID: "p2", Type: "web"}},
		LastHealthyAt: noon, LastStatusChange: noon, Stamp: projections.Stamp{CreatedAt: noon, UpdatedAt: noon},
	}
	is.Equal(encode(t, base.Deployment(d)), `{
 "guid": "d",
 "created_at": "2026-01-01T12:00:00Z",
 "updated_at": "2026-01-01T12:00:00Z",
 "status": {
  "value": "ACTIVE",
  "reason": "DEPLOYING",
  "details": {
   "last_successful_healthcheck": "2026-01-01T12:00:00Z",
   "last_status_change": "2026-01-01T12:00:00Z",
   "error": "it waits"
  }
 },
 "strategy": "rolling",
 "options": {
  "max_in_flight": 2,
  "web_instances": 3,
  "memory_in_mb": 512,
  "log_rate_limit_in_bytes_per_second": -1
 },
 "droplet": {
  "guid": "d2"
 },
 "previous_droplet": {
  "guid": "d1"
 },
 "new_processes": [
  {
   "guid": "p2",
   "type": "web"
  }
 ],
 "revision": {
  "guid": "r2",
  "version": 2
 },
 "relationships": {
  "app": {
   "data": {
    "guid": "a1"
   }
  }
 },
 "metadata": {
  "labels": {},
  "annotations": {}
 },
 "links": {
  "app": {
   "href": "http://api/v3/apps/a1"
  },
  "cancel": {
   "href": "http://api/v3/deployments/d/actions/cancel",
   "method": "POST"
  },
  "events": {
   "href": "http://api/v3/deployments/d/events"
  },
  "rollback": {
   "href": "http://api/v3/deployments/d/actions/rollback",
   "method": "POST"
  },
  "self": {
   "href": "http://api/v3/deployments/d"
  },
  "stream": {
   "href": "http://api/v3/deployments/d/stream"
  }
 }
}`)
}

// TestNoListIsNull presents empty rows: what clients range over is never null.
func TestNoListIsNull(t *testing.T) {
	for name, v := range map[string]any{
		"deployment": base.Deployment(projections.Deployment{}), "app": base.App(projections.App{}),
		"process": base.Process(projections.Process{}), "droplet": base.Droplet(projections.Droplet{}),
		"revision": base.Revision(projections.Revision{}), "variables": base.AppVariables(projections.App{}),
		"env": base.AppEnv(projections.App{}, projections.Space{}, projections.Organization{}, nil), "stats": base.Stats(projections.Process{}, nil, noon),
		"job": base.Job(resource.OperationAppDelete, "a", noon), "as of": base.AsOf(events.Recorded{}, app.State{}, nil),
		"list": base.List("/x", nil, projections.Page{Number: 1, PerPage: 5}, 0, resource.Each(nil, base.App)),
	} {
		t.Run(name, func(t *testing.T) {
			nulls(t, name, reflect.ValueOf(v))
		})
	}
}

// mayBeNull are lists that Cloud Foundry shows as null where nothing is known.
var mayBeNull = map[string]bool{"droplet.Buildpacks": true}

func nulls(t *testing.T, path string, v reflect.Value) {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		if v.IsNil() && !mayBeNull[path] {
			t.Errorf("%s is null", path)
		}
	case reflect.Interface:
		nulls(t, path, v.Elem())
	case reflect.Struct:
		if v.Type().Implements(reflect.TypeFor[json.Marshaler]()) {
			return // it writes itself, with what is not there left out
		}
		for i := range v.NumField() {
			if v.Field(i).IsZero() && strings.HasSuffix(v.Type().Field(i).Tag.Get("json"), ",omitempty") {
				continue
			}
			nulls(t, path+"."+v.Type().Field(i).Name, v.Field(i))
		}
	}
}

func TestSourceOfEvents(t *testing.T) {
	registry := events.NewRegistry()
	for kind, want := range map[events.Type]string{
		events.TypeProcessScaled:   "/slipway/app/a",
		events.TypeInstanceCrashed: "/slipway/instance/p",
		events.TypeDropletUploaded: "/slipway/droplet/s",
		events.TypeCommandRejected: "/slipway/command/s",
	} {
		is := is.New(t)
		e := projections.HistoryEvent{
			Place: projections.Place{Sequence: 1 << 60, Index: 2}, Type: kind, Subject: "s", App: "a", Process: "p", Data: "{}", Time: noon,
		}
		got := base.Event(registry, e)
		is.Equal(got.Source, want)
		is.Equal(got.DataVersion, registry.Version(kind))
		is.Equal(got.Sequence, "1152921504606846976") // no reader's floating point can round it
		is.Equal(got.Time, noon.UTC())
	}
}

func TestJobIDs(t *testing.T) {
	is := is.New(t)
	operation, id, ok := resource.SplitJobID(resource.JobID(resource.OperationDropletUpload, "d-1"))
	is.True(ok)
	is.Equal([]string{operation, id}, []string{"droplet.upload", "d-1"})
	for _, none := range []string{"", ".", "app.delete.", "app.delete", "app.create.x", "x", "app.delete.a b"} {
		_, _, ok := resource.SplitJobID(none)
		is.True(!ok) // none is no job
	}
}

// TestPages holds for all lists: the pages are as many as the results need, links stay among them, and every link leads to
// the same list.
func TestPages(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		total, per := rapid.IntRange(0, 100).Draw(rt, "total"), rapid.IntRange(1, 20).Draw(rt, "per page")
		number := rapid.IntRange(1, 50).Draw(rt, "page")
		value := rapid.String().Draw(rt, "value")
		l := base.List("/v3/apps", url.Values{"names": {value}}, projections.Page{Number: number, PerPage: per}, total, nil).Pagination
		if l.TotalPages < 1 || l.TotalPages*per < total || l.TotalPages > 1 && (l.TotalPages-1)*per >= total {
			rt.Fatalf("%d pages of %d for %d", l.TotalPages, per, total)
		}
		if (l.Next != nil) != (number < l.TotalPages) || (l.Previous != nil) != (number > 1) {
			rt.Fatalf("page %d of %d: next %v, previous %v", number, l.TotalPages, l.Next, l.Previous)
		}
		for _, link := range []*resource.Link{&l.First, &l.Last, l.Next, l.Previous} {
			if link == nil {
				continue
			}
			u, err := url.Parse(link.Href)
			if err != nil || u.Query().Get("names") != value || !strings.HasPrefix(link.Href, "http://api/v3/apps?names=") {
				rt.Fatalf("%s: %v", link.Href, err)
			}
		}
	})
}

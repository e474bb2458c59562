package api_test

import (
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
	"pgregory.net/rapid"

	"slipway/events"
	"slipway/internal/api"
	"slipway/projections/storetest"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 500_000_000, time.UTC) // in the middle of a second

// model is one deployment as the list's brute-force twin knows it.
type model struct {
	id, app, state, value, reason string
	created, updated              time.Time
	labels                        map[string]string
}

// listWorld is an API over deployments in every state, one per second, and their model.
func listWorld(t testing.TB) (*api.API, []model) {
	t.Helper()
	store := storetest.Open(t)
	var commits []events.Recorded
	now := start
	add := func(app string, facts ...events.Event) {
		commits = append(commits, events.Recorded{Sequence: events.Sequence(len(commits) + 1), Commit: events.Commit{
			Subject: events.AppSubject(events.AppID(app)), CommandID: events.CommandID(fmt.Sprintf("c%d", len(commits))), Version: 1,
			Actor: "alice", Time: now, Events: facts,
		}})
	}
	var models []model
	ends := []struct {
		state, value, reason string
		event                func(app events.AppID, id events.DeploymentID) events.Event
	}{
		{"DEPLOYED", "FINALIZED", "DEPLOYED", func(a events.AppID, d events.DeploymentID) events.Event {
			return events.DeploymentDeployed{App: a, Deployment: d}
		}},
		{"CANCELED", "FINALIZED", "CANCELED", func(a events.AppID, d events.DeploymentID) events.Event {
			return events.DeploymentCanceled{App: a, Deployment: d}
		}},
		{"DEPLOYED", "FINALIZED", "SUPERSEDED", func(a events.AppID, d events.DeploymentID) events.Event {
			return events.DeploymentSuperseded{App: a, Deployment: d}
		}},
		{"CANCELING", "ACTIVE", "CANCELING", func(a events.AppID, d events.DeploymentID) events.Event {
			return events.DeploymentCanceling{App: a, Deployment: d}
		}},
		{"DEPLOYING", "ACTIVE", "DEPLOYING", nil},
	}
	for i := range 12 {
		app, id := fmt.Sprintf("a%d", i%3), fmt.Sprintf("d%d", i)
		if i < 3 {
			add(app, events.AppCreated{App: events.AppID(app), Name: app, Space: "default"})
		}
		labels := map[string]string{"n": strconv.Itoa(i % 4)}
		if i%2 == 0 {
			labels["env"] = "prod"
		}
		m := model{id: id, app: app, created: now, updated: now, labels: labels}
		add(app, events.DeploymentCreated{
			App: events.AppID(app), Deployment: events.DeploymentID(id), Strategy: "rolling", Metadata: events.Metadata{Labels: labels},
		})
		end := ends[i%len(ends)]
		m.state, m.value, m.reason = end.state, end.value, end.reason
		now = now.Add(time.Second)
		if end.event != nil {
			m.updated = now
			add(app, end.event(events.AppID(app), events.DeploymentID(id)))
		}
		models = append(models, m)
	}
	if err := store.Apply(t.Context(), commits); err != nil {
		t.Fatal(err)
	}
	return api.New(api.Config{Auth: admin{}, Store: store, Logger: quiet}), models
}

// filter is one key of a query with what it selects.
type filter struct {
	key, value string
	selects    func(model) bool
}

// filters draws what can be asked for.
func filters(rt *rapid.T) []filter {
	some := func(name string, of ...string) []string {
		return rapid.SliceOfN(rapid.SampledFrom(of), 1, 3).Draw(rt, name)
	}
	by := func(key string, field func(model) string, of ...string) filter {
		values := some(key, of...)
		return filter{key, strings.Join(values, ","), func(m model) bool { return slices.Contains(values, field(m)) }}
	}
	second := func(t time.Time) time.Time { return t.Truncate(time.Second) }
	instant := start.Add(time.Duration(rapid.IntRange(-1, 13).Draw(rt, "second")) * time.Second).Truncate(time.Second)
	stamp := instant.Format("2006-01-02T15:04:05Z")
	possible := []filter{
		by("guids", func(m model) string { return m.id }, "d0", "d3", "d7", "d11", "nobody", ""),
		by("app_guids", func(m model) string { return m.app }, "a0", "a1", "nobody"),
		by("states", func(m model) string { return m.state }, "DEPLOYING", "CANCELING", "DEPLOYED", "CANCELED", "PAUSED"),
		by("status_values", func(m model) string { return m.value }, "ACTIVE", "FINALIZED", "x"),
		by("status_reasons", func(m model) string { return m.reason }, "DEPLOYING", "SUPERSEDED", "CANCELED", ""),
		{"created_ats", stamp, func(m model) bool { return second(m.created).Equal(instant) }},
		{"created_ats[gt]", stamp, func(m model) bool { return second(m.created).After(instant) }},
		{"created_ats[gte]", stamp, func(m model) bool { return !second(m.created).Before(instant) }},
		{"updated_ats[lt]", stamp, func(m model) bool { return second(m.updated).Before(instant) }},
		{"updated_ats[lte]", stamp, func(m model) bool { return !second(m.updated).After(instant) }},
		{"label_selector", "env", func(m model) bool { return m.labels["env"] != "" }},
		{"label_selector", "!env", func(m model) bool { return m.labels["env"] == "" }},
		{"label_selector", "env=prod,n!=2", func(m model) bool { return m.labels["env"] == "prod" && m.labels["n"] != "2" }},
		{"label_selector", "env!=prod", func(m model) bool { return m.labels["env"] != "prod" }},
		{"label_selector", "n in (1, 3)", func(m model) bool { return m.labels["n"] == "1" || m.labels["n"] == "3" }},
		{"label_selector", "n notin (1,3), env==prod", func(m model) bool {
			return m.labels["n"] != "1" && m.labels["n"] != "3" && m.labels["env"] == "prod"
		}},
	}
	var chosen []filter
	for _, f := range rapid.SliceOfNDistinct(rapid.IntRange(0, len(possible)-1), 0, 3, rapid.ID[int]).Draw(rt, "filters") {
		chosen = append(chosen, possible[f])
	}
	return chosen
}

// TestListEqualsItsModel walks all pages of random queries and compares with filtering by hand.
func TestListEqualsItsModel(t *testing.T) {
	a, models := listWorld(t)
	rapid.Check(t, func(rt *rapid.T) {
		query := url.Values{"per_page": {strconv.Itoa(rapid.IntRange(1, 5).Draw(rt, "per page"))}}
		selects := map[string]func(model) bool{}
		for _, f := range filters(rt) {
			query.Set(f.key, f.value)
			selects[f.key] = f.selects
		}
		order := rapid.SampledFrom([]string{"", "created_at", "-created_at", "+updated_at", "-updated_at"}).Draw(rt, "order")
		if order != "" {
			query.Set("order_by", order)
		}
		var want []string
		for _, m := range expected(models, selects, order) {
			want = append(want, m.id)
		}
		var got []string
		for next := server + "/v3/deployments?" + query.Encode(); next != ""; {
			answer := call(a, "GET", strings.TrimPrefix(next, server), "")
			if answer.Code != 200 {
				rt.Fatalf("%s: %d %s", next, answer.Code, answer.Body)
			}
			v := object(t, answer.Body.Bytes())
			if total := at(v, "pagination", "total_results"); total != float64(len(want)) {
				rt.Fatalf("%s: total %v, want %d", next, total, len(want))
			}
			for _, d := range at(v, "resources").([]any) {
				got = append(got, text(d, "guid"))
			}
			next = text(v, "pagination", "next", "href")
		}
		if !slices.Equal(got, want) {
			rt.Fatalf("%s: %v, want %v", query.Encode(), got, want)
		}
	})
}

func expected(models []model, selects map[string]func(model) bool, order string) []model {
	var chosen []model
	for _, m := range models {
		fits := true
		for _, s := range selects {
			fits = fits && s(m)
		}
		if fits {
			chosen = append(chosen, m)
		}
	}
	if strings.HasPrefix(order, "-") {
		slices.Reverse(chosen)
	}
	slices.SortStableFunc(chosen, func(x, y model) int {
		by := 0
		if strings.HasSuffix(order, "updated_at") {
			by = x.updated.Compare(y.updated)
		}
		if strings.HasPrefix(order, "-") {
			by = -by
		}
		return by
	})
	return chosen
}

func TestPagination(t *testing.T) {
	a, _ := listWorld(t)
	for query, want := range map[string]string{
		"per_page=5": `{"total_results":12,"total_pages":3,"first":{"href":"?page=1&per_page=5"},"last":{"href":"?page=3&per_page=5"},` +
			`"next":{"href":"?page=2&per_page=5"},"previous":null}`,
		"page=3&per_page=5": `{"total_results":12,"total_pages":3,"first":{"href":"?page=1&per_page=5"},"last":{"href":"?page=3&per_page=5"},` +
			`"next":null,"previous":{"href":"?page=2&per_page=5"}}`,
		"page=9&per_page=5": `{"total_results":12,"total_pages":3,"first":{"href":"?page=1&per_page=5"},"last":{"href":"?page=3&per_page=5"},` +
			`"next":null,"previous":{"href":"?page=3&per_page=5"}}`,
		"status_values=ACTIVE,FINALIZED&order_by=created_at&app_guids=nobody": `{"total_results":0,"total_pages":1,` +
			`"first":{"href":"?app_guids=nobody&order_by=%2Bcreated_at&page=1&per_page=50&status_values=ACTIVE%2CFINALIZED"},` +
			`"last":{"href":"?app_guids=nobody&order_by=%2Bcreated_at&page=1&per_page=50&status_values=ACTIVE%2CFINALIZED"},` +
			`"next":null,"previous":null}`,
		"guids=d1&guids=d2&order_by=-updated_at": `{"total_results":1,"total_pages":1,` +
			`"first":{"href":"?guids=d2&order_by=-updated_at&page=1&per_page=50"},` +
			`"last":{"href":"?guids=d2&order_by=-updated_at&page=1&per_page=50"},"next":null,"previous":null}`,
	} {
		t.Run(query, func(t *testing.T) {
			is := is.New(t)
			got := call(a, "GET", "/v3/deployments?"+query, "")
			want := strings.ReplaceAll(want, "?", server+"/v3/deployments?")
			is.True(strings.HasPrefix(got.Body.String(), `{"pagination":`+want+`,"resources":[`)) // byte for byte
			is.Equal(got.Header().Get("X-Slipway-Sequence"), "25")
		})
	}
}

func TestBadQueries(t *testing.T) {
	a, _ := listWorld(t)
	const timestamps = "Created ats has an invalid timestamp format. Timestamps should be formatted as 'YYYY-MM-DDThh:mm:ssZ'"
	for query, want := range map[string]string{
		"x=1": "Unknown query parameter(s): 'x'. Valid parameters are: 'page', 'per_page', 'order_by', 'created_ats', 'updated_ats', " +
			"'guids', 'label_selector', 'app_guids', 'states', 'status_reasons', 'status_values', 'group_guids'",
		"order_by=foo":                          "Order by can only be: 'created_at', 'updated_at'",
		"order_by=":                             "Order by can only be: 'created_at', 'updated_at'",
		"order_by=--created_at":                 "Order by can only be: 'created_at', 'updated_at'",
		"page=0":                                "Page must be a positive integer",
		"page=-1":                               "Page must be a positive integer",
		"page=x":                                "Page must be a positive integer",
		"page=99999999999999999999":             "Page must be a positive integer",
		"per_page=0":                            "Per page must be between 1 and 5000",
		"per_page=5001":                         "Per page must be between 1 and 5000",
		"per_page=x":                            "Per page must be a positive integer",
		"page=0&per_page=0":                     "Page must be a positive integer, Per page must be between 1 and 5000",
		"created_ats=yesterday":                 timestamps,
		"created_ats=2026-01-01T00:00:00.5Z":    timestamps,
		"created_ats=2026-01-01T00:00:00%2B01":  timestamps,
		"created_ats=":                          timestamps,
		"created_ats[foo]=2026-01-01T00:00:00Z": "Created ats Invalid relational operator: 'foo'",
		"created_ats[gt]=2026-01-01T00:00:00Z,2026-01-01T00:00:00Z": "Created ats only accepts one value when using a relational operator",
		"created_ats[gt]=":                                 "Created ats relational operator and timestamp must be specified",
		"created_ats[gt]":                                  "Created ats relational operator and timestamp must be specified",
		"label_selector=":                                  "Missing label_selector value",
		"label_selector=!!x":                               "Invalid label_selector value",
		"label_selector=a,,b":                              "Invalid label_selector value",
		"label_selector=a%20in%20(":                        "Invalid label_selector value",
		"label_selector=a%20in%20b":                        "Invalid label_selector value",
		"label_selector=%22%27%3B--":                       "Invalid label_selector value",
		"label_selector=" + strings.Repeat("a,", 50) + "a": "Too many label_selector requirements (maximum is 50)",
		"guids=" + strings.Repeat(",", 1000):               "Guids has too many values (maximum is 1000)",
		"created_ats=" + strings.Repeat(",", 30):           "Created ats has too many values (maximum is 30)",
		"guids=%zz":                                        "it is not URL-encoded",
	} {
		t.Run(query[:min(len(query), 60)], func(t *testing.T) {
			refused(t, call(a, "GET", "/v3/deployments?"+query, ""), 400, 10005, "CF-BadQueryParameter", "The query parameter is invalid: "+want)
		})
	}
}

// TestLargestQueries holds that what the limits let through is not too much for the database.
func TestLargestQueries(t *testing.T) {
	a, _ := listWorld(t)
	values := strings.Repeat("x,", 999) + "x"
	seconds := strings.Repeat("2026-01-01T00:00:00Z,", 29) + "2026-01-01T00:00:00Z"
	for _, query := range []string{
		"guids=" + values + "&app_guids=" + values + "&states=" + values + "&status_values=" + values + "&status_reasons=" + values,
		"created_ats=" + seconds + "&updated_ats=" + seconds,
		"label_selector=" + strings.Repeat("a,", 49) + "a",
		"label_selector=a%20in%20(" + values + ")",
		"page=9223372036854775807&per_page=5000",
	} {
		is.New(t).Equal(call(a, "GET", "/v3/deployments?"+query, "").Code, 200)
	}
}

func TestValuesMayBeEscapedOnceMore(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.app("a,b")
	w.app("100%")
	w.app("a+b")
	for query, want := range map[string]float64{
		"names=a%252Cb": 1, "names=a%2Cb": 0, "names=100%25": 1, "names=100%2525": 1, "names=a%2Bb": 1, "names=a%252Cb,100%25": 2,
		"names=%ff": 0, "names=": 0, "names=a,b": 0,
	} {
		v := w.must(200, "GET", "/v3/apps?"+query, "")
		is.Equal(at(v, "pagination", "total_results"), want) // query
	}
}

// TestEveryParameterOfAListSelects: each list names its parameters where one is unknown. Whatever they select by, there is a value that
// nothing has, or it takes none but those that there are; and a list can be turned around, but is not sorted by what it does not know.
func TestEveryParameterOfAListSelects(t *testing.T) {
	w, e := settled(t)
	lists := []string{
		"processes", "apps/{app}/revisions", "apps/{app}/events", "deployments/{deployment}/events", "deployment_groups/{group}/events",
	}
	for list := range collections {
		if list != "jobs" && list != "revisions" {
			lists = append(lists, list)
		}
	}
	for _, list := range lists {
		t.Run(list, func(t *testing.T) {
			is := is.New(t)
			list := e.fill("/v3/" + list + "?")
			total := func(query string) any { return at(w.must(200, "GET", list+query, ""), "pagination", "total_results") }
			is.True(total("") != 0.0)
			_, names, _ := strings.Cut(text(w.must(400, "GET", list+"unknown=1", ""), "errors", 0, "detail"), "Valid parameters are: ")
			for name := range strings.SplitSeq(names, ", ") {
				switch name = strings.Trim(name, "'"); name {
				case "page", "per_page", "include", "embed", "target_guids[not]":
				case "order_by":
					w.must(400, "GET", list+"order_by=unknown", "")
					first := func(order string) any { return at(w.must(200, "GET", list+"order_by="+order, ""), "resources", 0) }
					is.True(total("") == 1.0 || !reflect.DeepEqual(first("created_at"), first("-created_at")))
				case "created_ats", "updated_ats":
					is.Equal(total(name+"[lt]=1970-01-01T00:00:00Z"), 0.0)
				default:
					got := w.call("GET", list+name+"=unknown", "")
					if _, known, ok := strings.Cut(got.Body.String(), " can only be: "); ok { // each row has one of them
						known, _, _ = strings.Cut(known, `"`)
						sum := 0.0
						for value := range strings.SplitSeq(known, ", ") {
							sum += total(name + "=" + strings.Trim(value, "'")).(float64)
						}
						is.Equal(sum, total(""))
						continue
					}
					if n := total(name + "=unknown"); n != 0.0 {
						t.Errorf("%s=unknown selects %v", name, n)
					}
				}
			}
		})
	}
}

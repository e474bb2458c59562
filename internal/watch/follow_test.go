package watch_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/internal/client"
	"slipway/internal/resource"
	"slipway/internal/watch"
)

// fakeAPI is an API of one deployment, as far as who watches it asks, without a network. It is a view too, and keeps what it was shown.
type fakeAPI struct {
	mu         sync.Mutex
	deployment string      // JSON; empty: there is none
	processes  string      // JSON
	refuses    int         // every request, with this status; 0: none
	looks      int         // how often deployments were asked for
	happened   chan string // types of events, for the stream; with their data behind a blank
	shown      []watch.Rollout
	troubles   []string
	cannotShow error
}

func newFakeAPI() *fakeAPI {
	return &fakeAPI{deployment: going("DEPLOYING", ""), happened: make(chan string, 100)}
}

// going is an active deployment, with more JSON.
func going(reason, more string) string { return inJSON("ACTIVE", reason, more) }

func over(reason string) string { return inJSON("FINALIZED", reason, "") }

func inJSON(value, reason, more string) string {
	return `{"guid":"d-1","strategy":"rolling","status":{"value":"` + value + `","reason":"` + reason + `"` + more + `},` +
		`"new_processes":[{"guid":"p-2"}],"relationships":{"app":{"data":{"guid":"a-1"}}}}`
}

// web is a web process of the app, with an instance for each letter: r is routable, another is not.
func web(guid, instances string) string {
	var all []string
	for _, i := range instances {
		all = append(all, fmt.Sprintf(`{"routable":%t}`, i == 'r'))
	}
	return `{"guid":"` + guid + `","relationships":{"app":{"data":{"guid":"a-1"}}},"process_instances":[` + strings.Join(all, ",") + `]}`
}

func (f *fakeAPI) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeAPI) RoundTrip(r *http.Request) (*http.Response, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	body := ""
	switch path := r.URL.Path; {
	case f.refuses == http.StatusServiceUnavailable && !strings.HasSuffix(path, "/stream"):
		return nil, errors.New("nobody listens")
	case f.refuses != 0:
		return answer(r, f.refuses, strings.NewReader("no")), nil
	case strings.HasSuffix(path, "/stream"):
		return answer(r, http.StatusOK, stream{r.Context(), f.happened}), nil
	case path == "/v3/deployments":
		f.looks++
		body = f.deployment
	case path == "/v3/apps":
		body = `{"guid":"a-1","name":"hello"}`
	case path == "/v3/processes":
		body = f.processes
	}
	return answer(r, http.StatusOK, strings.NewReader(`{"pagination":{"total_pages":1},"resources":[`+body+`]}`)), nil
}

func answer(r *http.Request, status int, body io.Reader) *http.Response {
	return &http.Response{StatusCode: status, Request: r, Body: io.NopCloser(body)}
}

// stream is the body of a stream of events.
type stream struct {
	ctx      context.Context
	happened <-chan string
}

func (s stream) Read(p []byte) (int, error) {
	select {
	case what := <-s.happened:
		kind, data, _ := strings.Cut(what, " ")
		if data == "" {
			data = "{}"
		}
		return copy(p, fmt.Sprintf("id: 1-0\nevent: %s\ndata: {\"type\":%q,\"data\":%s}\n\n", kind, kind, data)), nil
	case <-s.ctx.Done():
		return 0, s.ctx.Err()
	}
}

func (f *fakeAPI) Show(r watch.Rollout, trouble string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.shown, f.troubles = append(f.shown, r), append(f.troubles, trouble)
	return f.cannotShow
}

func (f *fakeAPI) client() *client.Client {
	c := client.WithToken("http://api.test", "anything")
	c.HTTP = &http.Client{Transport: f}
	return c
}

// following is who follows the deployment of a fake API, in a bubble of its own time.
type following struct {
	*fakeAPI
	stop  func()
	ended chan struct{}
	end   watch.Rollout
	err   error
}

func follow(t *testing.T, test func(*is.I, *following)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		f := &following{fakeAPI: newFakeAPI(), stop: stop, ended: make(chan struct{})}
		go func() {
			defer close(f.ended)
			f.end, f.err = watch.Follow(ctx, f.client(), "d-1", f)
		}()
		test(is.New(t), f)
		stop()
		<-f.ended
	})
}

// passes lets time go by, and says whether the watcher is still there.
func (f *following) passes(d time.Duration) bool {
	<-time.After(d)
	synctest.Wait()
	select {
	case <-f.ended:
		return false
	default:
		return true
	}
}

// TestFollowLooksWhereSomethingHappened, ten times a second at most, and until it is over.
func TestFollowLooksWhereSomethingHappened(t *testing.T) {
	follow(t, func(is *is.I, f *following) {
		is.True(f.passes(10 * time.Second))
		is.Equal(f.looks, 1)
		is.Equal(f.shown[0].GUID, "d-1") // nothing before
		is.Equal(f.shown[len(f.shown)-1].App, "hello")
		for range 50 {
			f.happened <- "instance.running"
		}
		is.True(f.passes(10 * time.Second))
		is.True(f.looks >= 2 && f.looks <= 3)
		f.set(func() { f.deployment = over("DEPLOYED") })
		f.happened <- "deployment.deployed"
		is.True(!f.passes(time.Second))
		is.NoErr(f.err)
		is.Equal(f.end.Status.Reason, "DEPLOYED")
		is.Equal(f.end.App, "hello")
	})
}

// TestFollowThroughAnOutage says since when there is no answer, and goes on where the API is back in time.
func TestFollowThroughAnOutage(t *testing.T) {
	for name, c := range map[string]struct {
		before time.Duration // that it was known
		away   time.Duration
		back   bool
	}{
		"short": {10 * time.Second, time.Minute, true}, "too long": {10 * time.Second, 3 * time.Minute, false},
		"from the beginning": {0, time.Minute, true}, "from the beginning, too long": {0, 3 * time.Minute, false},
	} {
		t.Run(name, func(t *testing.T) {
			follow(t, func(is *is.I, f *following) {
				if c.before > 0 {
					is.True(f.passes(c.before))
				}
				f.set(func() { f.refuses = http.StatusServiceUnavailable })
				f.happened <- "instance.running"
				is.Equal(f.passes(c.away), c.back)
				last := len(f.troubles) - 1
				is.True(strings.HasPrefix(f.troubles[last], "no answer since "))
				is.True(strings.Contains(f.troubles[last], ", trying again until "))
				is.True(strings.Contains(f.troubles[last], "nobody listens"))
				is.Equal(f.shown[last].GUID != "", c.before > 0) // what was known stays
				if !c.back {
					is.True(strings.HasPrefix(f.err.Error(), "no answer for 2m0s: "))
					return
				}
				f.set(func() { f.refuses, f.looks = 0, 0 })
				is.True(f.passes(10 * time.Second))
				is.Equal(f.troubles[len(f.troubles)-1], "")
				is.True(f.looks >= 1 && f.looks <= 3)
				f.set(func() { f.refuses = http.StatusServiceUnavailable }) // another one has its own time
				f.happened <- "instance.running"
				is.True(f.passes(100 * time.Second))
			})
		})
	}
}

// TestFollowGivesUp where there is no use in trying again.
func TestFollowGivesUp(t *testing.T) {
	broken := errors.New("broken pipe")
	for name, c := range map[string]struct {
		because func(*following)
		want    func(error) bool
	}{
		"gone": {func(f *following) { f.deployment = "" }, func(err error) bool { return errors.Is(err, watch.ErrGone) }},
		"refused": {func(f *following) { f.refuses = http.StatusForbidden }, func(err error) bool {
			var refused *client.RefusedError
			return errors.As(err, &refused) && refused.Status == http.StatusForbidden
		}},
		"nobody sees it":   {func(f *following) { f.cannotShow = broken }, func(err error) bool { return errors.Is(err, broken) }},
		"nobody wants any": {func(f *following) { f.stop() }, func(err error) bool { return errors.Is(err, context.Canceled) }},
	} {
		t.Run(name, func(t *testing.T) {
			follow(t, func(is *is.I, f *following) {
				is.True(f.passes(10 * time.Second))
				f.set(func() { c.because(f) })
				select {
				case f.happened <- "instance.running":
				default:
				}
				is.True(!f.passes(2 * time.Second))
				is.True(c.want(f.err))
			})
		})
	}
}

// TestWhatServes counts routable instances of the version before and of the new one; of what was over when somebody looked, or has
// been replaced, none: what runs then is not of it.
func TestWhatServes(t *testing.T) {
	serves := resource.Level{Old: 2, New: 1, Desired: 5}
	for name, c := range map[string]struct {
		first, then string
		want        resource.Level
	}{
		"it goes on":      {going("DEPLOYING", ""), "", serves},
		"over before":     {over("DEPLOYED"), "", resource.Level{}},
		"over":            {going("DEPLOYING", ""), over("DEPLOYED"), serves},
		"over, and newer": {going("DEPLOYING", ""), over("SUPERSEDED"), resource.Level{}},
	} {
		t.Run(name, func(t *testing.T) {
			follow(t, func(is *is.I, f *following) {
				f.set(func() { f.deployment, f.processes = c.first, web("p-1", "rrx")+","+web("p-2", "rx") })
				f.passes(10 * time.Second)
				if c.then != "" {
					f.set(func() { f.deployment = c.then })
					f.happened <- "process.scaled"
					f.passes(10 * time.Second)
				}
				is.Equal(f.shown[len(f.shown)-1].Level, c.want)
			})
		})
	}
}

// TestWhatRunsWithoutRequests is not counted: before the switch of a blue-green rollout that is its new version, after it the old one.
func TestWhatRunsWithoutRequests(t *testing.T) {
	for name, c := range map[string]struct {
		status string
		want   resource.Level
	}{
		"before":         {going("DEPLOYING", `,"step":{"current":1,"total":3}`), resource.Level{Old: 2, Desired: 4}},
		"after":          {going("DEPLOYING", `,"step":{"current":2,"total":3}`), resource.Level{New: 2, Desired: 4}},
		"later":          {going("DEPLOYING", `,"step":{"current":3,"total":3}`), resource.Level{Old: 2, New: 2, Desired: 4}},
		"beyond":         {going("DEPLOYING", `,"step":{"current":4,"total":4}`), resource.Level{Old: 2, New: 2, Desired: 4}},
		"on its way":     {going("CANCELING", `,"step":{"current":2,"total":3}`), resource.Level{Old: 2, New: 2, Desired: 4}},
		"without step":   {going("DEPLOYING", ""), resource.Level{Old: 2, New: 2, Desired: 4}},
		"not blue-green": {going("DEPLOYING", `,"step":{"current":1,"total":2}`), resource.Level{Old: 2, New: 2, Desired: 4}},
	} {
		t.Run(name, func(t *testing.T) {
			follow(t, func(is *is.I, f *following) {
				f.set(func() { f.deployment, f.processes = c.status, web("p-1", "rr")+","+web("p-2", "rr") })
				f.happened <- fmt.Sprintf(`deployment.created {"target":7,"plan":[{"new":2,"dark":%t},{"new":2},{"new":2}]}`, name != "not blue-green")
				f.happened <- `instance.running {"target":1}`
				f.passes(10 * time.Second)
				last := f.shown[len(f.shown)-1]
				is.Equal(last.Level, c.want)
				is.Equal(last.Created.Target, 7)
			})
		})
	}
}

// TestReaderAsksForNamesOnce, and for many apps in few requests; what is of no app that is asked for is left out.
func TestReaderAsksForNamesOnce(t *testing.T) {
	is := is.New(t)
	var deployments, apps []string
	for i := range 150 {
		for range 2 {
			deployments = append(deployments, fmt.Sprintf(`{"guid":"d","relationships":{"app":{"data":{"guid":"a-%d"}}}}`, i))
		}
		apps = append(apps, fmt.Sprintf(`{"guid":"a-%d","name":"app %d"}`, i, i))
	}
	l := &lists{answers: map[string]string{"/v3/deployments": strings.Join(deployments, ","), "/v3/apps": strings.Join(apps[:120], ",")}}
	c := client.WithToken("http://api.test", "anything")
	c.HTTP = &http.Client{Transport: l}
	r := watch.Reader{API: c}
	for range 2 {
		found, err := r.Read(t.Context(), nil, url.Values{"space_guids": {"s"}})
		is.NoErr(err)
		is.Equal(len(found), 240)
		is.Equal(found[239].App, "app 119")
	}
	is.Equal(l.asked["/v3/apps"], []int{100, 50})
	is.Equal(l.asked["/v3/processes"], []int{100, 20, 100, 20})
	for path := range map[string]bool{"/v3/deployments": true, "/v3/apps": true, "/v3/processes": true} {
		l.fails = path
		reader := watch.Reader{API: c}
		_, err := reader.Read(t.Context(), nil, url.Values{"space_guids": {"s"}})
		is.True(err != nil)
	}
}

// lists answers with lists, and keeps how many guids were asked for.
type lists struct {
	answers map[string]string
	asked   map[string][]int
	fails   string
}

func (l *lists) RoundTrip(r *http.Request) (*http.Response, error) {
	path, query := r.URL.Path, r.URL.Query()
	if path == l.fails {
		return answer(r, http.StatusForbidden, strings.NewReader("no")), nil
	}
	if path == "/v3/apps" && query.Get("space_guids") != "s" {
		return answer(r, http.StatusBadRequest, strings.NewReader("which?")), nil
	}
	if l.asked == nil {
		l.asked = map[string][]int{}
	}
	l.asked[path] = append(l.asked[path], strings.Count(query.Get("guids")+query.Get("app_guids"), ",")+1)
	return answer(r, http.StatusOK, strings.NewReader(`{"pagination":{"total_pages":1},"resources":[`+l.answers[path]+`]}`)), nil
}

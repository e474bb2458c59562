package demo

import (
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	// requestsPerSecond is what each of the two kinds of client sends: together well over 200 a second.
	requestsPerSecond = 130
	// maxOutstanding bounds the requests under way of one kind, so that a stuck server cannot fill the memory.
	maxOutstanding = 256
	// requestTimeout is far longer than any answer takes; what exceeds it is a failure.
	requestTimeout = 15 * time.Second
	// bucketWidth is the resolution of the picture over time.
	bucketWidth = 500 * time.Millisecond
)

// Load is real HTTP against the app through the router, half over kept connections, half over new ones.
type Load struct {
	URL  string // of the router
	Host string // of the app

	began time.Time
	took  time.Duration

	mu      sync.Mutex
	buckets []Bucket
	faults  []string // the first few failures, in words
}

// Bucket is what was sent in one stretch of time, and what came of it.
type Bucket struct {
	Sent     int
	Failed   int
	Versions map[string]int // answers by version
	FailedBy map[string]int // failures by the version that answered so; "" where none did
}

// Run sends until ctx ends, then waits for the answers still out.
func (l *Load) Run(ctx context.Context) {
	l.began = time.Now()
	defer func() { l.took = time.Since(l.began) }()
	var lanes sync.WaitGroup
	for _, keepAlive := range []bool{true, false} {
		lanes.Go(func() { l.lane(ctx, keepAlive) })
	}
	lanes.Wait()
}

// lane sends at a fixed pace whatever the answers take, as independent users would: what was missed while the machine was busy
// is sent at once after it.
func (l *Load) lane(ctx context.Context, keepAlive bool) {
	client := &http.Client{Timeout: requestTimeout, Transport: &http.Transport{
		DisableKeepAlives: !keepAlive, MaxIdleConnsPerHost: 32, DialContext: (&net.Dialer{}).DialContext,
	}}
	defer client.CloseIdleConnections()
	pace := time.NewTimer(0)
	defer pace.Stop()
	free := make(chan struct{}, maxOutstanding)
	var out sync.WaitGroup
	defer out.Wait()
	for sent := 1; ; sent++ {
		select {
		case <-ctx.Done():
			return
		case <-pace.C:
		}
		free <- struct{}{}
		out.Go(func() {
			defer func() { <-free }()
			l.send(context.WithoutCancel(ctx), client)
		})
		due := l.began.Add(time.Duration(sent) * time.Second / requestsPerSecond)
		pace.Reset(max(0, time.Until(due)))
	}
}

// send makes one request. A transport error or a status of 500 and above is a failure.
func (l *Load) send(ctx context.Context, client *http.Client) {
	at := time.Since(l.began)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, l.URL, nil)
	if err != nil {
		l.count(at, "", err.Error())
		return
	}
	request.Host = l.Host
	response, err := client.Do(request)
	if err != nil {
		l.count(at, "", err.Error())
		return
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 4096))
	switch {
	case err != nil:
		l.count(at, "", "read the answer: "+err.Error())
	case response.StatusCode >= 500:
		l.count(at, response.Header.Get(versionHeader), response.Status+": "+strings.TrimSpace(string(body)))
	default:
		l.count(at, versionOf(string(body)), "")
	}
}

// versionHeader is where the example app says which version answers, also where it fails.
const versionHeader = "X-Version"

// versionOf reads the version out of "hello from v2 ...".
func versionOf(body string) string {
	if words := strings.Fields(body); len(words) > 2 {
		return words[2]
	}
	return "?"
}

func (l *Load) count(at time.Duration, version, fault string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := int(at / bucketWidth)
	for len(l.buckets) <= i {
		l.buckets = append(l.buckets, Bucket{Versions: map[string]int{}, FailedBy: map[string]int{}})
	}
	b := &l.buckets[i]
	b.Sent++
	if fault == "" {
		b.Versions[version]++
		return
	}
	b.Failed++
	b.FailedBy[version]++
	if len(l.faults) < 5 {
		l.faults = append(l.faults, at.Round(time.Millisecond).String()+": "+fault)
	}
}

// Result is what the load saw.
type Result struct {
	Sent, Failed int
	Rate         float64        // requests a second over the whole time
	FailedBy     map[string]int // failures by the version that answered so; "" where none did
	Buckets      []Bucket
	Faults       []string
}

// Versions that answered, sorted.
func (r Result) Versions() []string {
	all := map[string]int{}
	for _, b := range r.Buckets {
		maps.Copy(all, b.Versions)
	}
	return slices.Sorted(maps.Keys(all))
}

// Result sums up; call it after Run has returned.
func (l *Load) Result() Result {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := Result{Buckets: l.buckets, Faults: l.faults, FailedBy: map[string]int{}}
	for _, b := range l.buckets {
		r.Sent += b.Sent
		r.Failed += b.Failed
		for version, n := range b.FailedBy {
			r.FailedBy[version] += n
		}
	}
	if l.took > 0 {
		r.Rate = float64(r.Sent) / l.took.Seconds()
	}
	return r
}

package checks_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/aggregates/check"
	"slipway/events"
	"slipway/internal/checks"
)

// ask asks the way the runner does.
func ask(t *testing.T, c events.Check) check.Finding {
	t.Helper()
	w := checks.NewWeb()
	defer w.Close()
	c = check.Complete(c)
	ctx, cancel := context.WithTimeout(t.Context(), time.Duration(c.Timeout)*time.Second)
	defer cancel()
	return w.Ask(ctx, checks.Question{Check: c, App: "a1", Deployment: "d1", Process: "p1"})
}

// serve is a server that answers so, and its URL.
func serve(t *testing.T, answer http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(answer)
	t.Cleanup(s.Close)
	return s.URL
}

// says answers with a body, as Prometheus does.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func success(kind, result string) string {
	return fmt.Sprintf(`{"status":"success","data":{"resultType":%q,"result":%s}}`, kind, result)
}

// silent never answers while the client is there, which is seen once its request has been read.
func silent(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	<-r.Context().Done()
}

// deaf is a URL where nobody listens.
func deaf(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return "http://" + l.Addr().String()
}

// brokenOff is a URL whose connections end in the middle of an answer.
func brokenOff(t *testing.T, answer string) string {
	t.Helper()
	return serve(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		_, _ = buffered.WriteString(answer)
		_ = buffered.Flush()
		_ = conn.Close()
	})
}

func TestPrometheus(t *testing.T) {
	alien := check.NotAsked("what answers at the url does not speak as Prometheus does") // without a word of it
	type prometheus = http.HandlerFunc
	vector := func(values ...string) prometheus {
		var all []string
		for i, v := range values {
			all = append(all, fmt.Sprintf(`{"metric":{"path":"/%d"},"value":[1435781451.781,%q]}`, i, v))
		}
		return says(200, success("vector", "["+strings.Join(all, ",")+"]"))
	}
	for name, tt := range map[string]struct {
		server prometheus
		want   check.Finding
	}{
		"passes":    {vector("0.01"), check.Finding{Verdict: events.VerdictPass, Value: "0.01", Threshold: "<= 0.01", Message: "0.01 is <= 0.01"}},
		"fails":     {vector("0.4"), check.Finding{Verdict: events.VerdictFail, Value: "0.4", Threshold: "> 0.1", Message: "0.4 is > 0.1"}},
		"a band":    {vector("0.05"), check.Finding{Verdict: events.VerdictInconclusive, Value: "0.05", Threshold: "<= 0.01", Message: "0.05 is neither <= 0.01 nor > 0.1"}},
		"NaN":       {vector("NaN"), check.Finding{Verdict: events.VerdictInconclusive, Value: "NaN", Threshold: "<= 0.01", Message: "the value is NaN"}},
		"infinite":  {vector("+Inf"), check.Finding{Verdict: events.VerdictFail, Value: "+Inf", Threshold: "> 0.1", Message: "+Inf is > 0.1"}},
		"empty":     {vector(), check.Finding{Verdict: events.VerdictInconclusive, Threshold: "<= 0.01", Message: "the query has no value"}},
		"two paths": {vector("0", "0.4"), check.Finding{Verdict: events.VerdictFail, Value: "0.4", Threshold: "> 0.1", Message: `0.4 is > 0.1 (1 of 2 values, the first of {path="/1"})`}},
		"a scalar":  {says(200, success("scalar", `[1435781451.781,"0"]`)), check.Finding{Verdict: events.VerdictPass, Value: "0", Threshold: "<= 0.01", Message: "0 is <= 0.01"}},
		"warnings": {
			says(200, `{"status":"success","warnings":["one store is away"],"data":{"resultType":"scalar","result":[1,"0"]}}`),
			check.Finding{Verdict: events.VerdictPass, Value: "0", Threshold: "<= 0.01", Message: "0 is <= 0.01; Prometheus warns: one store is away"},
		},
		"a range": {
			says(200, success("matrix", `[{"metric":{},"values":[[1,"0"]]}]`)), check.NotAsked("the query gives a matrix: want a vector or a scalar"),
		},
		"a histogram": {
			says(200, success("vector", `[{"metric":{},"histogram":[1,{"count":"1","sum":"1","buckets":[[1,"0","1","1"]]}]}]`)),
			check.NotAsked("the query gives a histogram: want a number, as of histogram_quantile()"),
		},
		"a bad query": {
			says(400, `{"status":"error","errorType":"bad_data","error":"parse error: unexpected end of input"}`),
			check.NotAsked("Prometheus says bad_data: parse error: unexpected end of input"),
		},
		"too much to do": {says(503, `{"status":"error","errorType":"timeout","error":"query timed out"}`), check.NotAsked("Prometheus says server_error: server error: 503")},
		"broken":         {says(500, "secret words"), check.NotAsked("Prometheus says server_error: server error: 500")}, // without the body
		"not there":      {says(404, "secret words"), check.NotAsked("Prometheus says client_error: client error: 404")},
		"leads elsewhere": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://127.0.0.2:1/", http.StatusTemporaryRedirect)
		}, alien},
		"no result":          {says(200, `{"status":"success","data":{}}`), alien},
		"no JSON":            {says(200, "<html>secret words</html>"), alien},
		"far too much":       {says(200, success("vector", "["+strings.Repeat(`{"metric":{},"value":[1,"0"]},`, 50_000)+`{"metric":{},"value":[1,"0"]}]`)), check.NotAsked("Prometheus cannot be asked: the answer is larger than 1048576 bytes")},
		"does not answer":    {silent, check.NotAsked("Prometheus did not answer within 1 s")},
		"another kind of it": {says(200, success("string", `[1,"text"]`)), alien},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			got := ask(t, events.Check{Kind: events.CheckPrometheus, URL: serve(t, tt.server), Query: "q", PassWhen: "<= 0.01", FailWhen: "> 0.1", Interval: 1})
			is.Equal(got, tt.want)
		})
	}
}

// TestPrometheusIsAway: nobody listens, no such host, an answer that breaks off: that says nothing about the version.
func TestPrometheusIsAway(t *testing.T) {
	for name, url := range map[string]string{
		"nobody listens": deaf(t), "no such host": "http://nobody.invalid", "breaks off": brokenOff(t, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"),
		"the link itself": "http://169.254.169.254", "no url": "http://%zz",
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			got := ask(t, events.Check{Kind: events.CheckPrometheus, URL: url, Query: "q", PassWhen: "< 1", Interval: 2})
			is.Equal(got.Verdict, events.VerdictInconclusive)
			is.True(got.Message != "")
			t.Log(got.Message)
		})
	}
}

func TestTheQueryAsItArrives(t *testing.T) {
	is := is.New(t)
	var path, query, agent string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		path, query, agent = r.URL.Path, r.FormValue("query"), r.UserAgent()
		says(200, success("scalar", `[1,"0"]`))(w, r)
	})
	got := ask(t, events.Check{
		Kind: events.CheckPrometheus, URL: url + "/monitor/", PassWhen: "< 1", Interval: 1,
		Query: `sum(x{app="$app_guid",d="$deployment_guid",p="$process_guid",other=~"a$|$b"})`,
	})
	is.Equal(got.Verdict, events.VerdictPass)
	is.Equal(path, "/monitor/api/v1/query")
	is.Equal(query, `sum(x{app="a1",d="d1",p="p1",other=~"a$|$b"})`) // with the ids of the rollout
	is.Equal(agent, "slipway-checks")
}

func TestHTTPProbe(t *testing.T) {
	is := is.New(t)
	status := func(code int) string { return serve(t, says(code, "words")) }
	elsewhere := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, status(200), http.StatusFound) })
	sameHost := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/healthz" {
			http.Redirect(w, r, "/healthz", http.StatusFound)
		}
	})
	round := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/", http.StatusFound) })
	insecure := httptest.NewUnstartedServer(says(200, ""))
	insecure.Config.ErrorLog = log.New(io.Discard, "", 0) // that nobody believes it is no news
	insecure.StartTLS()
	t.Cleanup(insecure.Close)
	for _, tt := range []struct{ name, url, verdict, value, message string }{
		{"well", status(200), events.VerdictPass, "200", "it answers 200"},
		{"well, empty", status(204), events.VerdictPass, "204", "it answers 204"},
		{"leads on to well", sameHost, events.VerdictPass, "200", "it answers 200"},
		{"broken", status(500), events.VerdictFail, "500", "it answers 500"},
		{"not there", status(404), events.VerdictFail, "404", "it answers 404"},
		{"leads elsewhere", elsewhere, events.VerdictFail, "302", "it answers 302, and leads to another host or on and on: probe where it leads to"},
		{"leads round", round, events.VerdictFail, "302", "it answers 302, and leads to another host or on and on: probe where it leads to"},
		{"nobody listens", deaf(t), events.VerdictFail, "", "nobody listens there: connection refused"},
		{"never answers", serve(t, silent), events.VerdictFail, "", "no answer within 1 s"},
		{"breaks off at once", brokenOff(t, ""), events.VerdictFail, "", "no whole answer: EOF"},
		{"breaks off", brokenOff(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"), events.VerdictFail, "", "no whole answer: unexpected EOF"},
		{"no HTTP", brokenOff(t, "SSH-2.0\r\n\r\n"), events.VerdictFail, "", ""},
		{"much to say", serve(t, says(200, strings.Repeat("x", 3<<20))), events.VerdictPass, "200", "it answers 200"},
		{"no such host", "http://nobody.invalid/", events.VerdictInconclusive, "", ""},
		{"not to be believed", insecure.URL, events.VerdictInconclusive, "", ""},
		{"the link itself", "http://169.254.169.254/latest", events.VerdictInconclusive, "", "it cannot be asked: dial tcp 169.254.169.254:80: addresses of the link itself are not asked"},
		{"no url", "http://%zz", events.VerdictInconclusive, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			got := ask(t, events.Check{Kind: events.CheckHTTP, URL: tt.url, Interval: 1})
			is.Equal(got.Verdict, tt.verdict)
			is.Equal(got.Value, tt.value)
			if tt.message != "" {
				is.Equal(got.Message, tt.message)
			}
			t.Log(got.Message)
		})
	}
	is.Equal(ask(t, events.Check{Kind: "moon"}).Verdict, events.VerdictInconclusive)
}

// TestAProbeNamesTheRollout: a URL may have the ids too.
func TestAProbeNamesTheRollout(t *testing.T) {
	is := is.New(t)
	var path string
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { path = r.URL.Path })
	is.Equal(ask(t, events.Check{Kind: events.CheckHTTP, URL: url + "/$app_guid/$deployment_guid", Interval: 1}).Verdict, events.VerdictPass)
	is.Equal(path, "/a1/d1")
}

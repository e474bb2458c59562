package checks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"

	"slipway/aggregates/check"
	"slipway/events"
)

// Limits of a question over HTTP.
const (
	// maxAnswer bounds what is read of an answer, in bytes: thousands of values.
	maxAnswer = 1 << 20
	// maxHeader bounds its headers, in bytes.
	maxHeader = 64 << 10
	// maxRedirects bounds how often an answer may lead on, on the same host.
	maxRedirects = 5
	// idleTimeout and maxIdle bound the connections kept to Prometheus servers, of which there are few.
	idleTimeout = 90 * time.Second
	maxIdle     = 16
)

// userAgent is how a question shows up in the logs of who is asked.
const userAgent = "slipway-checks"

var (
	errTooLarge  = fmt.Errorf("the answer is larger than %d bytes", maxAnswer)
	errLinkLocal = errors.New("addresses of the link itself are not asked")
)

// Web asks over HTTP. No proxy is used: what is asked is near.
type Web struct {
	prometheus http.Client // keeps connections
	probe      http.Client // makes a new one for each question, which is part of the question
}

// NewWeb makes an asker. [Web.Close] closes the connections it keeps.
func NewWeb() *Web {
	dialer := net.Dialer{Control: near}
	transport := func(fresh bool) http.RoundTripper {
		return bounded{&http.Transport{
			DialContext: dialer.DialContext, DisableKeepAlives: fresh, MaxResponseHeaderBytes: maxHeader,
			MaxIdleConns: maxIdle, IdleConnTimeout: idleTimeout, ForceAttemptHTTP2: true,
		}}
	}
	return &Web{
		prometheus: http.Client{Transport: transport(false), CheckRedirect: sameHost},
		probe:      http.Client{Transport: transport(true), CheckRedirect: sameHost},
	}
}

// Close closes the connections that are kept.
func (w *Web) Close() { w.prometheus.CloseIdleConnections() }

// Ask implements [Asker].
func (w *Web) Ask(ctx context.Context, q Question) check.Finding {
	switch q.Kind {
	case events.CheckPrometheus:
		return w.query(ctx, q)
	case events.CheckHTTP:
		return w.get(ctx, q)
	}
	return check.NotAsked(fmt.Sprintf("nothing here knows how to ask a check of type %q", q.Kind))
}

// bounded reads no more than maxAnswer of each answer: past it reading fails.
type bounded struct{ *http.Transport }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("User-Agent", userAgent)
	response, err := b.Transport.RoundTrip(r)
	if err == nil {
		response.Body = &boundedBody{response.Body, maxAnswer}
	}
	return response, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// near lets no connection go to an address of the link itself.
func near(_, address string, _ syscall.RawConn) error {
	if to, err := netip.ParseAddrPort(address); err == nil && to.Addr().Unmap().IsLinkLocalUnicast() {
		return errLinkLocal
	}
	return nil
}

// sameHost follows redirects on the host that was asked. Where one leads elsewhere it is the answer.
func sameHost(next *http.Request, before []*http.Request) error {
	if len(before) > maxRedirects || next.URL.Host != before[0].URL.Host || next.URL.Scheme != before[0].URL.Scheme {
		return http.ErrUseLastResponse
	}
	return nil
}

// expand puts the ids of the rollout into a query or a URL: who writes a check cannot know them.
func (q Question) expand(text string, escape func(string) string) string {
	return strings.NewReplacer(
		"$app_guid", escape(string(q.App)), "$deployment_guid", escape(string(q.Deployment)), "$process_guid", escape(string(q.Process)),
	).Replace(text)
}

// plainly is an error without the URL, which stands in the check.
func plainly(err error) string {
	var of *url.Error
	if errors.As(err, &of) {
		err = of.Err
	}
	return err.Error()
}

// timedOut says whether a question ended by its deadline.
func timedOut(ctx context.Context, err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(ctx.Err(), context.DeadlineExceeded)
}

package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"slipway/aggregates/subscription"
	"slipway/events"
	"slipway/internal/eventlog"
)

// Limits of a request.
const (
	// timeout bounds a request: a receiver that has more to do should answer first.
	timeout = 10 * time.Second
	// maxAnswer is how much of an answer is read, in bytes, so that the connection can be used again.
	maxAnswer = 4 << 10
	// maxHeader bounds its headers, in bytes.
	maxHeader = 64 << 10
	// idleTimeout and maxIdle bound the connections that are kept.
	idleTimeout = 90 * time.Second
	maxIdle     = 64
)

// userAgent is how a delivery shows up in the logs of its receiver.
const userAgent = "slipway-notify"

var errLinkLocal = errors.New("addresses of the link itself are not called")

// outcome is what became of a request. The zero outcome is that it was taken.
type outcome struct {
	failed bool
	reason string
	gone   bool
	after  time.Duration
}

// Web sends over HTTP. No proxy is used.
type Web struct {
	client  http.Client
	secrets Secrets
	now     func() time.Time
}

// NewWeb makes a sender. [Web.Close] closes the connections it keeps.
func NewWeb(secrets Secrets) *Web {
	dialer := net.Dialer{Control: notLinkLocal}
	return &Web{secrets: secrets, now: time.Now, client: http.Client{
		Timeout:       timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dialer.DialContext, MaxResponseHeaderBytes: maxHeader, MaxIdleConns: maxIdle, IdleConnTimeout: idleTimeout,
			ForceAttemptHTTP2: true,
		},
	}}
}

// Close closes the connections that are kept.
func (w *Web) Close() { w.client.CloseIdleConnections() }

// notLinkLocal lets no connection go where machines of a cloud keep their secrets.
func notLinkLocal(_, address string, _ syscall.RawConn) error {
	if to, err := netip.ParseAddrPort(address); err == nil && to.Addr().Unmap().IsLinkLocalUnicast() {
		return errLinkLocal
	}
	return nil
}

// send makes one attempt.
func (w *Web) send(ctx context.Context, s subscription.State, m eventlog.Raw) outcome {
	request, err := w.request(ctx, s, m)
	if err != nil {
		return outcome{failed: true, reason: plainly(err)}
	}
	answer, err := w.client.Do(request)
	if err != nil {
		return outcome{failed: true, reason: plainly(err)}
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, maxAnswer) // whatever it says, the status counts
	return judge(answer)
}

func judge(answer *http.Response) outcome {
	switch {
	case answer.StatusCode >= 200 && answer.StatusCode < 300:
		return outcome{}
	case answer.StatusCode >= 300 && answer.StatusCode < 400:
		return outcome{failed: true, reason: fmt.Sprintf("HTTP %d: redirects are not followed, give the URL they lead to", answer.StatusCode)}
	}
	seconds, _ := strconv.Atoi(answer.Header.Get("Retry-After")) // a date counts as none
	return outcome{
		failed: true, reason: fmt.Sprintf("HTTP %d", answer.StatusCode), gone: answer.StatusCode == http.StatusGone,
		after: time.Duration(min(max(seconds, 0), int(subscription.LongestDelay/time.Second))) * time.Second,
	}
}

func (w *Web) request(ctx context.Context, s subscription.State, m eventlog.Raw) (*http.Request, error) {
	body, headers, err := content(m, s.ContentMode)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	now := w.now()
	id, timestamp := deliveryOf(m).ID, strconv.FormatInt(now.Unix(), 10)
	request.Header = headers
	headers.Set("User-Agent", userAgent)
	headers.Set("webhook-id", id)
	headers.Set("webhook-timestamp", timestamp)
	headers.Set("webhook-signature", sign(w.keys(s, now), id, timestamp, body))
	return request, nil
}

// keys are those of the newest secret, and of the one before it while both are good.
func (w *Web) keys(s subscription.State, now time.Time) [][]byte {
	keys := [][]byte{w.secrets.key(s.Subscription, s.Generation)}
	if s.Generation > 1 && now.Sub(s.Rotated) < subscription.Overlap {
		keys = append(keys, w.secrets.key(s.Subscription, s.Generation-1))
	}
	return keys
}

// plainly is an error without the URL, whose path may be a secret.
func plainly(err error) string {
	var of *url.Error
	if errors.As(err, &of) {
		if of.Timeout() {
			return fmt.Sprintf("no answer within %s", timeout)
		}
		err = of.Err
	}
	return err.Error()
}

// addressed says whether an event is for the subscription: of a type that it wants, where it listens, and of its time; or a test of it.
func addressed(s subscription.State, m eventlog.Raw) bool {
	kind := events.Type(header(m, attributePrefix+"type"))
	if kind == events.TypeSubscriptionTested {
		return header(m, attributePrefix+"subscription") == string(s.Subscription)
	}
	at, err := time.Parse(time.RFC3339Nano, header(m, attributePrefix+"time"))
	return err == nil && !at.Before(s.Began) && s.Wants(kind) &&
		(s.Organization == "" || s.Space != "" || header(m, attributePrefix+"organization") == string(s.Organization)) &&
		(s.Space == "" || header(m, attributePrefix+"space") == string(s.Space))
}

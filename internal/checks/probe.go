package checks

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"

	"slipway/aggregates/check"
)

// get asks a URL for its status. The body is read, since an answer that breaks off is none, and left at that.
func (w *Web) get(ctx context.Context, q Question) check.Finding {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, q.expand(q.URL, url.PathEscape), nil)
	if err != nil {
		return check.NotAsked("the url cannot be read: " + plainly(err))
	}
	response, err := w.probe.Do(request)
	if err != nil {
		return unprobed(ctx, err, q)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil && !errors.Is(err, errTooLarge) {
		return unprobed(ctx, err, q)
	}
	f := check.JudgeStatus(response.StatusCode)
	if response.StatusCode/100 == 3 {
		f.Message += ", and leads to another host or on and on: probe where it leads to"
	}
	return f
}

// unprobed says what it means that there is no whole answer. What is about the way there is inconclusive; what is about the one
// who should answer fails.
func unprobed(ctx context.Context, err error, q Question) check.Finding {
	var unknown *net.DNSError
	var untrusted *tls.CertificateVerificationError
	var dialing *net.OpError
	dials := errors.As(err, &dialing) && dialing.Op == "dial"
	switch {
	case errors.As(err, &unknown), errors.As(err, &untrusted), errors.Is(err, errLinkLocal):
		return check.NotAsked("it cannot be asked: " + plainly(err))
	case errors.Is(err, syscall.ECONNREFUSED):
		return check.NoAnswer("nobody listens there: connection refused")
	case dials:
		return check.NotAsked("it cannot be reached: " + plainly(err))
	case timedOut(ctx, err):
		return check.NoAnswer(fmt.Sprintf("no answer within %d s", q.Timeout))
	}
	return check.NoAnswer("no whole answer: " + plainly(err))
}

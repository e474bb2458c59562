package notify

import "net/http"

// NewWebOver makes a sender over a transport of a test, in memory.
func NewWebOver(secrets Secrets, t http.RoundTripper) *Web {
	w := NewWeb(secrets)
	w.client.Transport = t
	return w
}

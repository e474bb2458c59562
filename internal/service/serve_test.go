package service

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
)

// A request that outlasts the end of the server is cut off, rather than go on beside what is being closed.
func TestWhatTakesTooLongIsCutOff(t *testing.T) {
	is := is.New(t)
	begun, cut := make(chan struct{}), make(chan struct{})
	server := &http.Server{Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(begun)
		<-r.Context().Done()
		close(cut)
	})}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	is.NoErr(err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, server, l, 50*time.Millisecond) }()
	go func() {
		if answer, err := http.Get("http://" + l.Addr().String()); err == nil {
			_ = answer.Body.Close()
		}
	}()
	<-begun
	cancel()
	err = <-ended
	is.True(strings.Contains(err.Error(), "requests were cut off")) // it is said
	select {
	case <-cut:
	case <-time.After(20 * time.Second):
		t.Error("the request goes on 20 s after its server ended")
	}
}

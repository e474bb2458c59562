// Command hello is the example app: a small HTTP server that says which version of it answers. The demo deploys it, and tests
// make it misbehave through its environment:
//
//	PORT         where it listens (given by the agent)
//	VERSION      what it calls itself; otherwise the file VERSION beside it, otherwise "dev"
//	START_DELAY  how long it takes to start listening, e.g. 1s
//	CRASH_AFTER  how long it lives before it exits with status 1
//	FAIL_HEALTH  anything: /healthz answers 503
//	FAIL_PERCENT so many of a hundred requests are answered 500
//
// Every answer names the version in the header X-Version. GET /metrics says in Prometheus's form how many requests were answered
// with which status.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// shutdownTimeout is how long requests in flight may take after SIGTERM.
const shutdownTimeout = 8 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
	if err := pause(ctx, duration("START_DELAY")); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", cmp.Or(os.Getenv("PORT"), "8000")))
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(version(), cmp.Or(os.Getenv("INSTANCE_INDEX"), os.Getenv("CF_INSTANCE_INDEX"), "0"))}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if life := duration("CRASH_AFTER"); life > 0 {
		time.AfterFunc(life, func() { log.Fatalf("crashing after %v, as CRASH_AFTER asks", life) })
	}
	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err = server.Shutdown(drain)
	if ended := <-served; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

func handler(version, index string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if os.Getenv("FAIL_HEALTH") != "" {
			http.Error(w, "unhealthy, as FAIL_HEALTH asks", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	c := counter{version: version, failing: percent("FAIL_PERCENT")}
	mux.HandleFunc("GET /metrics", c.metrics)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Version", version)
		if c.fails() {
			http.Error(w, "failed, as FAIL_PERCENT asks", http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "hello from %s instance %s\n", version, index)
	})
	return mux
}

func version() string {
	file, _ := os.ReadFile("VERSION") // none: the name is given otherwise, or not at all
	return cmp.Or(os.Getenv("VERSION"), strings.TrimSpace(string(file)), "dev")
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func duration(key string) time.Duration {
	text := os.Getenv(key)
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		log.Fatalf("%s: %v", key, err)
	}
	return d
}

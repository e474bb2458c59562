package main

import (
	"fmt"
	"log"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"
)

// counter counts answers, and says which requests fail: so many of a hundred, spread evenly.
type counter struct {
	version string
	failing uint64 // of a hundred

	asked, failed atomic.Uint64
}

// fails says whether the next request does.
func (c *counter) fails() bool {
	n := c.asked.Add(1)
	if n*c.failing/100 == (n-1)*c.failing/100 {
		return false
	}
	c.failed.Add(1)
	return true
}

// metrics shows what was counted in Prometheus's text form.
func (c *counter) metrics(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	failed := c.failed.Load()
	fmt.Fprintln(w, "# HELP hello_requests_total Requests answered.\n# TYPE hello_requests_total counter")
	fmt.Fprintf(w, "hello_requests_total{version=%q,code=\"200\"} %d\n", c.version, c.asked.Load()-failed)
	fmt.Fprintf(w, "hello_requests_total{version=%q,code=\"500\"} %d\n", c.version, failed)
}

func percent(key string) uint64 {
	text := os.Getenv(key)
	if text == "" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || n > 100 {
		log.Fatalf("%s=%s: want a number from 0 to 100", key, text)
	}
	return n
}

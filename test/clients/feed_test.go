package clients

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/test/installation"
)

// deployed is an app of two versions: the second rolled out over the first.
func deployed(t *testing.T, s *installation.Installation) (app, deployment string) {
	t.Helper()
	ctx := t.Context()
	app, droplets := s.Upload(ctx, t, 50*time.Millisecond, 2)
	s.DeployFirst(ctx, t, app, droplets[0], 3)
	deployment = s.Deploy(ctx, t, app, droplets[1], nil)
	s.Deployed(ctx, t, deployment)
	s.WaitRoutable(ctx, t, app, 3)
	return app, deployment
}

// TestLiveFeed listens while things happen: to everything, and to one kind of event of one app.
func TestLiveFeed(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := installation.Serve(t, t.TempDir())
	nats := newNATS(t, s)
	all := nats.listen(t, "rollouts.>")
	scaled := nats.listen(t, "rollouts.*.*.hello.process.scaled")
	// Nothing tells when a listener is there: apps are made until the one has heard of one, and the other has after it.
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for n, heard := 0, false; !heard; n++ {
		_, err := s.Client().App(t.Context(), fmt.Sprintf("knock-%d", n))
		is.NoErr(err)
		select {
		case subject := <-all:
			heard = strings.HasSuffix(subject, "app.created") || heard
		case <-tick.C:
		}
	}
	deployed(t, s)
	feed := nats.subjects(t, "FEED", "rollouts.*.*.hello.>")
	last := feed[len(feed)-1]
	var heard []string
	for len(heard) == 0 || heard[len(heard)-1] != last || len(heard) < len(feed) {
		subject, ok := receive(t, all)
		is.True(ok) // it goes on until everything has been heard
		if strings.Contains(subject, ".hello.") {
			heard = append(heard, subject)
		}
	}
	is.Equal(heard, feed) // live is what a replay shows, in the same order
	for range count(feed, ".process.scaled") {
		subject, ok := receive(t, scaled)
		is.True(ok)
		is.Equal(subject, "rollouts.default.default.hello.process.scaled") // and nothing else
	}
}

func count(subjects []string, suffix string) (n int) {
	for _, subject := range subjects {
		if strings.HasSuffix(subject, suffix) {
			n++
		}
	}
	return n
}

func receive(t *testing.T, from <-chan string) (string, bool) {
	t.Helper()
	select {
	case subject, ok := <-from:
		return subject, ok
	case <-time.After(installation.Patience):
		return "", false
	}
}

// listen runs `nats sub` until the test ends: the subject of each message.
func (c natsCLI) listen(t *testing.T, filter string) <-chan string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	command := c.command(ctx, "sub", filter)
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	subjects := make(chan string, 10_000) // more than a test makes: reading never waits for it
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer close(subjects)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if match := received.FindStringSubmatch(lines.Text()); match != nil {
				subjects <- match[1]
			}
		}
		_ = command.Wait() // it says that it was killed
	}()
	t.Cleanup(func() { cancel(); <-ended })
	return subjects
}

var received = regexp.MustCompile(`Received on "([^"]+)"`)

// TestReplay reads the feed from its beginning: all of it, one kind of event, one app.
func TestReplay(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := installation.Serve(t, t.TempDir())
	nats := newNATS(t, s)
	_, deployment := deployed(t, s)
	all := nats.subjects(t, "FEED", "rollouts.>")
	scaled := nats.subjects(t, "FEED", "rollouts.*.*.hello.process.scaled")
	is.True(len(scaled) > 2)                                                                                    // a rolling update scales several times
	is.Equal(len(scaled), count(all, ".hello.process.scaled"))                                                  // exactly those
	is.Equal(nats.subjects(t, "FEED", "rollouts.*.*.hello.>")[0], "rollouts.default.default.hello.app.created") // from the start
	is.Equal(count(all, ".deployment.deployed"), 2)

	// One deployment: its events carry its id, and are those that the API tells of it, in the same order.
	var told []string
	text := nats.must(t, "sub", "--all", "--stream", "FEED", "-T", "rollouts.*.*.hello.>")
	for _, message := range strings.Split(text, "[#") {
		if header(message, "ce-deployment") == deployment {
			told = append(told, header(message, "ce-id")+" "+header(message, "ce-type"))
		}
	}
	var history struct {
		Resources []struct{ ID, Type string } `json:"resources"`
	}
	is.NoErr(s.Client().Call(t.Context(), http.MethodGet, "/v3/deployments/"+deployment+"/events?per_page=500", nil, &history))
	var want []string
	for _, e := range history.Resources {
		want = append(want, e.ID+" "+e.Type)
	}
	for _, e := range told {
		is.True(slices.Contains(want, e)) // the API knows every event that the feed has
	}
	is.True(len(told) > 5) // and it has the rollout
}

func header(message, name string) string {
	_, rest, _ := strings.Cut(message, "\n"+name+": ")
	value, _, _ := strings.Cut(rest, "\n")
	return value
}

// TestStreamView shows the whole history of one app as it stands in the log, on a terminal.
func TestStreamView(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := installation.Serve(t, t.TempDir())
	nats := newNATS(t, s)
	app, _ := deployed(t, s)
	commits := nats.subjects(t, "EVENTS", "events.app."+app)
	shown, err := onTerminal(nats.command(t.Context(), "stream", "view", "EVENTS", "100", "--subject", "events.app."+app))
	is.NoErr(err)
	var versions []int
	for _, match := range regexp.MustCompile(`Slipway-Version: (\d+)`).FindAllStringSubmatch(shown, -1) {
		version, err := strconv.Atoi(match[1])
		is.NoErr(err)
		versions = append(versions, version)
	}
	is.Equal(len(versions), len(commits)) // all of them
	for i, version := range versions {
		is.Equal(version, i+1) // 1, 2, 3... without a hole
	}
	is.True(strings.Contains(shown, `"type":"deployment.created"`)) // readable as it is
}

// TestHistoryCannotBeEdited tries to remove what has happened, with the tools of an operator.
func TestHistoryCannotBeEdited(t *testing.T) {
	t.Parallel()
	s := installation.Serve(t, t.TempDir())
	nats := newNATS(t, s)
	nats.guid(t, "app.create", `{"name":"hello"}`)
	for _, args := range [][]string{
		{"stream", "purge", "EVENTS", "-f"},
		{"stream", "purge", "EVENTS", "-f", "--seq", "2"},
		{"stream", "rmm", "EVENTS", "1", "-f"},
		{"stream", "edit", "EVENTS", "-f", "--no-deny-delete"},
		{"stream", "edit", "EVENTS", "-f", "--no-deny-purge"},
	} {
		t.Run(strings.Join(args, " "), func(t *testing.T) {
			is := is.New(t)
			stdout, stderr, err := nats.try(t, args...)
			t.Log(stdout, stderr)
			is.True(err != nil) // refused by the server
		})
	}
	is := is.New(t)
	var info struct {
		State struct {
			Messages int `json:"messages"`
			Deleted  int `json:"num_deleted"`
		} `json:"state"`
	}
	is.NoErr(json.Unmarshal([]byte(nats.must(t, "stream", "info", "EVENTS", "--json")), &info))
	is.Equal(info.State.Deleted, 0)
	is.True(info.State.Messages >= 2) // the name, and the app
	s.Sound(t.Context(), t)
}

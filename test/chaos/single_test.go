package chaos

import (
	"context"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"

	"slipway/internal/client"
)

// sums are the lines that the demo ends with.
var sums = regexp.MustCompile(`requests sent\s+(\d+) \((\d+) a second\)\s+requests failed\s+(\d+)`)

// TestDemo runs `slipway demo` as a user does.
func TestDemo(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := serve(t, t.TempDir())
	text := must(t, "slipway", "demo", "--api", s.api, "--apps", s.apps)
	t.Log(text)
	match := sums.FindStringSubmatch(text)
	is.True(match != nil) // it counts
	perSecond, err := strconv.Atoi(match[2])
	is.NoErr(err)
	is.True(perSecond >= rate)                                      // requests a second
	is.Equal(match[3], "0")                                         // none failed
	is.True(strings.Contains(text, "deployment.deployed"))          // v2 was rolled out
	is.True(strings.Contains(text, "deployment.canceled"))          // v3 was canceled
	is.True(regexp.MustCompile("░+▓+ +130 sent").MatchString(text)) // some time both versions answered
	s.sound(t.Context(), t)
	s.parts[allInOne].stop(t)
	s.noOrphans(t.Context(), t, 0)
}

// TestCtrlC stops all in one in mid-rollout: everything ends within seconds, instances too, the data stays, and the next
// start goes on where it was.
func TestCtrlC(t *testing.T) {
	t.Parallel()
	const instances = 3
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	data := t.TempDir()
	s := serve(t, data)
	app, droplets := s.upload(ctx, t, 300*time.Millisecond, 2)
	s.deployFirst(ctx, t, app, droplets[0], instances)
	deployment := s.deploy(ctx, t, app, droplets[1], nil)
	s.watch(ctx, t, deployment, func(e client.Event) bool { return e.Type == "instance.running" })

	began := time.Now()
	s.parts[allInOne].stop(t)
	t.Logf("stopped in mid-rollout within %v", time.Since(began))
	s.noOrphans(ctx, t, 0)

	s = serve(t, data)
	s.deployed(ctx, t, deployment)
	s.waitRoutable(ctx, t, app, instances)
	s.noOrphans(ctx, t, instances)
	s.sound(ctx, t)
	s.parts[allInOne].stop(t)
}

// TestSecondStart starts a second Slipway over the first one's data, and on its ports: it must say what is wrong, and the
// first must not notice.
func TestSecondStart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := serve(t, t.TempDir())
	app, droplets := s.upload(ctx, t, 0, 1)
	s.deployFirst(ctx, t, app, droplets[0], 1)
	elsewhere := filepath.Join(t.TempDir(), "data")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"same data":      {[]string{"--data", s.data}, "the directory is in use by another process"},
		"same API port":  {[]string{"--data", elsewhere, "--http", listenAt(s.api)}, "is Slipway running already?"},
		"same apps port": {[]string{"--data", elsewhere, "--apps", listenAt(s.apps)}, "is Slipway running already?"},
		"same NATS port": {[]string{"--data", t.TempDir(), "--nats", listenAt(s.nats)}, "address already in use"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			// Of a flag that is given twice the last one counts.
			args := append([]string{"serve", "--http", freePort, "--apps", freePort, "--nats", freePort}, c.args...)
			text, err := run(t, "slipway", args...)
			is.True(err != nil)                     // it does not start
			is.True(strings.Contains(text, c.want)) // and says why
			t.Log(text)
			_, err = os.Stat(elsewhere)
			is.True(os.IsNotExist(err)) // before it has touched anything
		})
	}
	is := is.New(t)
	is.True(s.parts[allInOne].runs())
	is.NoErr(s.client().Call(ctx, http.MethodGet, "/v3/apps/"+app, nil, nil)) // the first answers as before
	s.waitRoutable(ctx, t, app, 1)
	s.noOrphans(ctx, t, 1)
	s.sound(ctx, t)
	s.parts[allInOne].stop(t)
}

// TestRefusesNonLoopback: there are no logins yet, so no program listens where another machine could connect.
func TestRefusesNonLoopback(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	all := []string{"slipway", "serve", "--http", freePort, "--apps", freePort, "--nats", freePort, "--data", data}
	for _, host := range []string{"0.0.0.0", "::", "192.0.2.1", "example.com"} {
		address := net.JoinHostPort(host, "0")
		for _, command := range [][]string{
			append(slices.Clone(all), "--http", address),
			append(slices.Clone(all), "--apps", address),
			append(slices.Clone(all), "--nats", address),
			{"api", "--http", address},
			{"agent", "--data", data, "--apps", address},
		} {
			name := command[0] + " " + strings.Join(command[len(command)-2:], " ")
			t.Run(name, func(t *testing.T) {
				is := is.New(t)
				text, err := run(t, command[0], command[1:]...)
				is.True(err != nil)                                       // refused
				is.True(strings.Contains(text, "not a loopback address")) // clearly
				is.True(strings.Contains(text, host))                     // naming what was refused
			})
		}
	}
}

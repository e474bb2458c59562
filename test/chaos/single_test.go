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
	"slipway/test/installation"
)

// sums are the lines that the demo ends with.
var sums = regexp.MustCompile(`requests sent\s+(\d+) \((\d+) a second\)\s+requests failed\s+(\d+)`)

// TestDemo runs `slipway demo` as a user does.
func TestDemo(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	s := installation.Serve(t, t.TempDir())
	text := installation.Must(t, "slipway", "demo", "--api", s.API, "--apps", s.Apps, "--data", s.Data)
	t.Log(text)
	match := sums.FindStringSubmatch(text)
	is.True(match != nil) // it counts
	perSecond, err := strconv.Atoi(match[2])
	is.NoErr(err)
	is.True(perSecond >= rate)                                      // requests a second
	is.Equal(match[3], "0")                                         // none failed
	is.True(strings.Contains(text, "deployment.deployed"))          // v2 was rolled out
	is.True(strings.Contains(text, "deployment.canceled"))          // v3 was canceled
	is.True(regexp.MustCompile(`░+▓+ +\d+ sent`).MatchString(text)) // some time both versions answered
	s.Sound(t.Context(), t)
	s.Stop(t)
	s.NoOrphans(t.Context(), t, 0)
}

// TestCtrlC stops all in one in mid-rollout: everything ends within seconds, instances too, the data stays, and the next
// start goes on where it was.
func TestCtrlC(t *testing.T) {
	t.Parallel()
	const instances = 3
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	data := t.TempDir()
	s := installation.Serve(t, data)
	app, droplets := s.Upload(ctx, t, 300*time.Millisecond, 2)
	s.DeployFirst(ctx, t, app, droplets[0], instances)
	deployment := s.Deploy(ctx, t, app, droplets[1], nil)
	s.Watch(ctx, t, deployment, func(e client.Event) bool { return e.Type == "instance.running" })

	began := time.Now()
	s.Stop(t)
	t.Logf("stopped in mid-rollout within %v", time.Since(began))
	s.NoOrphans(ctx, t, 0)

	s = installation.Serve(t, data)
	s.Deployed(ctx, t, deployment)
	s.WaitRoutable(ctx, t, app, instances)
	s.NoOrphans(ctx, t, instances)
	s.Sound(ctx, t)
	s.Stop(t)
}

// TestSecondStart starts a second Slipway over the first one's data, and on its ports: it must say what is wrong, and the
// first must not notice.
func TestSecondStart(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	s := installation.Serve(t, t.TempDir())
	app, droplets := s.Upload(ctx, t, 0, 1)
	s.DeployFirst(ctx, t, app, droplets[0], 1)
	elsewhere := filepath.Join(t.TempDir(), "data")
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"same data":      {[]string{"--data", s.Data}, "the directory is in use by another process"},
		"same API port":  {[]string{"--data", elsewhere, "--http", installation.ListenAt(s.API)}, "is Slipway running already?"},
		"same apps port": {[]string{"--data", elsewhere, "--apps", installation.ListenAt(s.Apps)}, "is Slipway running already?"},
		"same NATS port": {[]string{"--data", t.TempDir(), "--nats", installation.ListenAt(s.NATS)}, "address already in use"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			// Of a flag that is given twice the last one counts.
			args := append([]string{"serve", "--http", installation.FreePort, "--apps", installation.FreePort, "--nats", installation.FreePort}, c.args...)
			text, err := installation.Run(t, "slipway", args...)
			is.True(err != nil)                     // it does not start
			is.True(strings.Contains(text, c.want)) // and says why
			t.Log(text)
			_, err = os.Stat(elsewhere)
			is.True(os.IsNotExist(err)) // before it has touched anything
		})
	}
	is := is.New(t)
	is.True(s.Parts[installation.AllInOne].Runs())
	is.NoErr(s.Client().Call(ctx, http.MethodGet, "/v3/apps/"+app, nil, nil)) // the first answers as before
	s.WaitRoutable(ctx, t, app, 1)
	s.NoOrphans(ctx, t, 1)
	s.Sound(ctx, t)
	s.Stop(t)
}

// TestRefusesNonLoopback: there is no TLS yet, so no program listens where another machine could connect.
func TestRefusesNonLoopback(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	all := []string{"slipway", "serve", "--http", installation.FreePort, "--apps", installation.FreePort, "--nats", installation.FreePort, "--data", data}
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
				text, err := installation.Run(t, command[0], command[1:]...)
				is.True(err != nil)                                       // refused
				is.True(strings.Contains(text, "not a loopback address")) // clearly
				is.True(strings.Contains(text, host))                     // naming what was refused
			})
		}
	}
}

package exec

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/agent/driver"
	"slipway/internal/agent/driver/drivertest"
)

func TestEnvironment(t *testing.T) {
	is := is.New(t)
	r := record{Port: 61234, Spec: driver.Spec{
		Instance: "i1", App: "a1", AppName: "hello", Process: "p1", Type: "web", Index: 2, Hosts: []string{"hello.example.org"}, MemoryMB: 256, DiskMB: 512,
		Environment: map[string]string{"COLOR": "blue", "PORT": "1", markInstance: "forged", "PATH": "/app/bin"},
	}}
	is.Equal(environment(r, "agent-1", "/bin", "/run/i1"), []string{
		"CF_INSTANCE_ADDR=127.0.0.1:61234", "CF_INSTANCE_GUID=i1", "CF_INSTANCE_INDEX=2", "CF_INSTANCE_IP=127.0.0.1",
		"CF_INSTANCE_PORT=61234", "COLOR=blue", "HOME=/run/i1/app", "INSTANCE_GUID=i1", "INSTANCE_INDEX=2", "LANG=C.UTF-8",
		"MEMORY_LIMIT=256m", "PATH=/app/bin", "PORT=61234", "SLIPWAY_AGENT=agent-1", "SLIPWAY_INSTANCE=i1", "TMPDIR=/run/i1/tmp",
		`VCAP_APPLICATION={"application_id":"a1","application_name":"hello","application_uris":["hello.example.org"],` +
			`"process_id":"p1","process_type":"web","instance_id":"i1","instance_index":2,"limits":{"mem":256,"disk":512}}`,
	}) // the app may choose its PATH, but not who or where it is
}

// TestAnInstanceSeesNothingOfTheAgent: what the agent knows, such as credentials, is not inherited.
func TestAnInstanceSeesNothingOfTheAgent(t *testing.T) {
	for _, variable := range []string{"AGENT_SECRET", "SLIPWAY_ADMIN_PASSWORD", "SLIPWAY_PASSWORD", "SLIPWAY_SERVICE_SECRET", "NATS_PASSWORD"} {
		t.Setenv(variable, "sesame")
	}
	is := is.New(t)
	h := newHost(t)
	inst, err := h.open(t).Start(t.Context(), h.specs(1, drivertest.Serves)[0])
	is.NoErr(err)
	defer inst.Stop(t.Context(), patience)
	for inst.Probe(t.Context()) != nil {
	}
	resp, err := http.Get("http://" + inst.Address())
	is.NoErr(err)
	defer resp.Body.Close()
	env, err := io.ReadAll(resp.Body)
	is.NoErr(err)
	is.True(strings.Contains(string(env), "SLIPWAY_INSTANCE=")) // the page is the environment
	is.True(!strings.Contains(string(env), "sesame"))
}

// TestInstancesDoNotShareFiles: each has a copy of the droplet of its own.
func TestInstancesDoNotShareFiles(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	h := newHost(t)
	d := h.open(t)
	for range 2 {
		spec := h.specs(1, drivertest.Serves)[0]
		spec.Command = "cat text; echo changed > text; cat text; pwd; echo tmp > $TMPDIR/x"
		inst, err := d.Start(t.Context(), spec)
		is.NoErr(err)
		<-inst.Done()
		is.Equal(*inst.Exit().Status, 0)
		is.Equal(read(filepath.Join(d.dirs.logs, string(spec.Instance)+".log")),
			"from the droplet\nchanged\n"+filepath.Join(d.dirs.runOf(spec.Instance), appDir)+"\n") // as if it were alone
		_, err = os.Stat(d.dirs.runOf(spec.Instance))
		is.True(errors.Is(err, os.ErrNotExist)) // and gone when it has ended
	}
}

func TestWhatCannotBeRun(t *testing.T) {
	is := is.New(t)
	d := newHost(t).open(t)
	_, err := d.Start(t.Context(), driver.Spec{Instance: "i1", Image: "nginx:latest"})
	is.True(errors.Is(err, driver.ErrUnsupported)) // images need another driver
	_, err = d.Start(t.Context(), driver.Spec{Instance: "../i1"})
	is.True(errors.Is(err, driver.ErrUnsupported)) // an id is a name of a file here
	_, err = New(Config{Agent: "no.id"})
	is.True(err != nil)
}

func TestPorts(t *testing.T) {
	is := is.New(t)
	p, other := newPorts(), newPorts()
	defer p.close()
	defer other.close()
	a, err := p.take()
	is.NoErr(err)
	is.True(a >= firstPort && a <= lastPort)
	other.next = a
	b, err := other.take()
	is.NoErr(err)
	is.True(b != a) // two agents never give the same one

	p.free(a)
	c, err := p.take()
	is.NoErr(err)
	is.True(c != a) // the last to come round again

	busy, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(a)))
	if err == nil { // else somebody has it meanwhile, which is as good
		defer busy.Close()
	}
	p.next = a
	d, err := p.take()
	is.NoErr(err)
	is.True(d != a) // nor one that another program has
}

func TestOutputIsBounded(t *testing.T) {
	is := is.New(t)
	path := filepath.Join(t.TempDir(), logFile)
	app, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	is.NoErr(err)
	defer app.Close()
	say := func(text string) { _, err := app.WriteString(text); is.NoErr(err) }
	say("0123456789")
	is.NoErr(trim(path, 10))
	is.Equal(read(path), "0123456789") // within the limit
	say("abc")
	is.NoErr(trim(path, 10))
	say("def")
	is.Equal(read(path+".1"), "3456789abc") // the newest is kept
	is.Equal(read(path), "def")             // and the app writes on
}

func TestOutputOfTheLastEndedIsKept(t *testing.T) {
	is := is.New(t)
	d, err := makeDirs(t.TempDir())
	is.NoErr(err)
	for i := range keptLogs + 5 {
		id := events.InstanceID(fmt.Sprintf("i%03d", i))
		is.NoErr(os.Mkdir(d.runOf(id), 0o700))
		is.NoErr(os.WriteFile(filepath.Join(d.runOf(id), logFile), nil, 0o600))
		_, err := d.keepLog(id)
		is.NoErr(err)
	}
	entries, err := os.ReadDir(d.logs)
	is.NoErr(err)
	names := slices.Collect(func(yield func(string) bool) {
		for _, e := range entries {
			yield(e.Name())
		}
	})
	is.Equal(len(names), keptLogs)
	is.Equal(names[0], "i005.log") // the oldest have gone
}

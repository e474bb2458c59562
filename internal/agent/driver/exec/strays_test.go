package exec

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/agent/driver"
	"slipway/internal/agent/driver/drivertest"
)

// bystander is a process with some environment, as nobody wrote down.
func bystander(t *testing.T, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "sleep 600; :")
	cmd.Env = append(env, "PATH="+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); <-ended })
	return cmd
}

func lives(t *testing.T, cmd *exec.Cmd) bool {
	t.Helper()
	s, err := readStat(cmd.Process.Pid)
	return err == nil && !s.ended()
}

// TestAStartThatWasNeverWrittenDownIsEnded: the agent was killed between starting a process and recording its number.
func TestAStartThatWasNeverWrittenDownIsEnded(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	h := newHost(t)
	d := h.open(t)
	spec := h.specs(1, drivertest.Serves)[0]
	is.NoErr(d.dirs.write(record{Spec: spec, Port: 61001}))
	ours := bystander(t, markAgent+"="+string(h.agent), markInstance+"="+string(spec.Instance))
	others := bystander(t, markAgent+"=another", markInstance+"="+string(spec.Instance)+"x")
	is.True(h.alive(t) > 0)

	found, err := d.Recover(t.Context())
	is.NoErr(err)
	is.Equal(found, driver.Recovered{Vanished: []driver.Spec{spec}}) // nobody can reach it
	is.Equal(h.alive(t), 0)                                          // so it is ended, with what it started
	is.True(!lives(t, ours))
	is.True(lives(t, others)) // another agent's is none of ours
}

// TestARecycledNumberIsLeftAlone: the host has given the recorded number to somebody else.
func TestARecycledNumberIsLeftAlone(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	innocent := bystander(t)
	pid := innocent.Process.Pid
	s, err := readStat(pid)
	is.NoErr(err)
	tests := map[string]record{
		"started at another time": {PID: pid, Started: s.started - 1, Boot: bootID()},
		"in another boot":         {PID: pid, Started: s.started, Boot: "before"},
	}
	for name, r := range tests {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			h := newHost(t)
			d := h.open(t)
			r.Spec = h.specs(1, drivertest.Serves)[0]
			is.NoErr(d.dirs.write(r))
			found, err := d.Recover(t.Context())
			is.NoErr(err)
			is.Equal(found, driver.Recovered{Vanished: []driver.Spec{r.Spec}}) // not taken for ours
			is.True(lives(t, innocent))                                        // and not touched
		})
	}
}

func TestARecordThatCannotBeReadIsEnded(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	h := newHost(t)
	d := h.open(t)
	is.NoErr(os.WriteFile(d.dirs.recordOf("broken"), []byte("{"), 0o600))
	is.NoErr(os.Mkdir(d.dirs.runOf("unknown"), 0o700))
	bystander(t, markAgent+"="+string(h.agent), markInstance+"=broken")
	found, err := d.Recover(t.Context())
	is.NoErr(err)
	is.Equal(found, driver.Recovered{})
	is.Equal(h.alive(t), 0) // what it stood for is gone
	left, err := filepath.Glob(filepath.Join(h.dir, "[ir]*", "*"))
	is.NoErr(err)
	is.Equal(left, nil) // and so are records and directories
}

// TestNothingOutlivesAnInstance starts apps that leave something behind.
func TestNothingOutlivesAnInstance(t *testing.T) {
	tests := map[string]struct {
		command string
		stop    bool
	}{
		"a child in the background":             {command: this() + " & exit 3"},
		"a daemon in a session of its own":      {command: "setsid " + this() + " & exit 3"},
		"a child, when it is stopped":           {command: this() + " & " + this(), stop: true},
		"a daemon, when it is stopped":          {command: "setsid " + this() + " & " + this(), stop: true},
		"a stubborn child, when it is stopped":  {command: "trap '' TERM; " + this(), stop: true},
		"a daemon without marks, in its group":  {command: "env -i sleep 600 & exit 3"},
		"one that ignores the signal and forks": {command: "trap '' TERM; while :; do sleep 0.01; done", stop: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			is := is.New(t)
			h := newHost(t)
			spec := h.specs(1, drivertest.Serves)[0]
			spec.Command = tt.command
			inst, err := h.open(t).Start(t.Context(), spec)
			is.NoErr(err)
			if tt.stop {
				is.NoErr(inst.Stop(t.Context(), 1)) // no grace to speak of
			}
			<-inst.Done()
			is.Equal(h.alive(t), 0)
			rest, err := inst.(*instance).process.members(spec.Instance)
			is.NoErr(err)
			is.Equal(rest, nil) // nothing in its group
		})
	}
}

// TestStopIsGraceful: what the app does on SIGTERM is done before the instance has ended, by whichever process does it.
func TestStopIsGraceful(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	h := newHost(t)
	spec := h.specs(1, drivertest.Serves)[0]
	// The first process dies of the signal at once; its child still says goodbye.
	spec.Command = `sh -c 'trap "sleep 0.1; echo goodbye; exit" TERM; echo ready; while :; do sleep 0.01; done'; :`
	d := h.open(t)
	inst, err := d.Start(t.Context(), spec)
	is.NoErr(err)
	for read(filepath.Join(d.dirs.runOf(spec.Instance), logFile)) != "ready\n" {
		select {
		case <-inst.Done():
			t.Fatal("it ended early")
		default:
		}
	}
	is.NoErr(inst.Stop(t.Context(), patience))
	output := read(filepath.Join(d.dirs.logs, string(spec.Instance)+".log"))
	is.True(strings.HasSuffix(output, "goodbye\n")) // it was given the time, and its output is kept
}

func read(path string) string {
	data, _ := os.ReadFile(path)
	return string(data)
}

func TestParseStat(t *testing.T) {
	is := is.New(t)
	line := "42 (a) Z 1 (b) S 1 77 77 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 123456 0 0"
	s, err := parseStat(line)
	is.NoErr(err)
	is.Equal(s, stat{state: 'S', group: 77, started: 123456}) // the name may hold anything
	for _, bad := range []string{"", "42", "42 (a", "42 (a) S 1 2", strings.Replace(line, "123456", "x", 1)} {
		_, err := parseStat(bad)
		is.True(err != nil) // no line of stat
	}
	_, err = readStat(os.Getpid())
	is.NoErr(err) // this host's format
	is.Equal(events.ValidID(bootID()), true)
}

package exec

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/agent"
	"slipway/internal/agent/driver"
	"slipway/internal/agent/driver/drivertest"
)

// roleAgent makes the test binary an agent that starts instances until it is killed.
const roleAgent = "agent"

// errand is what a mortal agent shall do.
type errand struct {
	Dir   string
	Agent events.AgentID
	Specs []driver.Spec
}

// mortalAgent starts what its errand says, names each instance's address on a line once it has it, and waits for the end.
func mortalAgent() {
	var e errand
	if err := json.NewDecoder(os.Stdin).Decode(&e); err != nil {
		panic(err)
	}
	home, err := agent.OpenHome(e.Dir)
	if err != nil {
		panic(err)
	}
	defer home.Close()
	d, err := New(Config{Agent: e.Agent, Dir: e.Dir, Bits: newBox(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		panic(err)
	}
	for _, s := range e.Specs {
		i, err := d.Start(context.Background(), s)
		if err != nil {
			panic(err)
		}
		fmt.Println(i.Address())
	}
	select {}
}

// runMortal starts a mortal agent. kill ends it as kill -9 does; output has its lines.
func runMortal(t *testing.T, h host, specs []driver.Spec) (output *bufio.Scanner, kill func()) {
	t.Helper()
	cmd := exec.Command(this())
	cmd.Env = append(os.Environ(), behave+"="+roleAgent)
	cmd.Stderr = os.Stderr
	in, errIn := cmd.StdinPipe()
	out, errOut := cmd.StdoutPipe()
	if errIn != nil || errOut != nil {
		t.Fatal(errIn, errOut)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if err := json.NewEncoder(in).Encode(errand{h.dir, h.agent, specs}); err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = cmd.Process.Kill()
		_, _ = io.Copy(io.Discard, out)
		_ = cmd.Wait() // it says that it was killed
	}
	return bufio.NewScanner(out), kill
}

func (h host) specs(n int, b drivertest.Behaviour) []driver.Spec {
	specs := make([]driver.Spec, n)
	for i := range specs {
		specs[i] = h.Spec(b)
		specs[i].Instance, specs[i].Index = events.InstanceID(events.NewID()), i
	}
	return specs
}

// succeed opens a driver after a killed agent, as the next agent does: with the lock of its directory, which is free once no
// start of the one before is on its way.
func (h host) succeed(t *testing.T) *Driver {
	t.Helper()
	home, err := agent.OpenHome(h.dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = home.Close() })
	return h.open(t)
}

// alive counts the processes that carry the host's mark.
func (h host) alive(t *testing.T) int {
	t.Helper()
	all, err := running(func(m member) bool { return marks(m.pid)[markAgent] == string(h.agent) })
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestALaterAgentAdoptsWhatAKilledOneLeft(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	h := newHost(t)
	specs := h.specs(3, drivertest.Serves)
	output, kill := runMortal(t, h, specs)
	var addresses []string
	for range specs {
		is.True(output.Scan()) // each is started
		addresses = append(addresses, output.Text())
	}
	kill()
	is.Equal(h.alive(t), 2*len(specs)) // shell and app of each live on

	found, err := h.succeed(t).Recover(t.Context())
	is.NoErr(err)
	is.Equal(len(found.Alive), len(specs))
	is.Equal(len(found.Vanished), 0)
	for _, i := range found.Alive {
		is.Equal(i.Address(), addresses[i.Spec().Index]) // the same place
		is.NoErr(i.Stop(t.Context(), patience))
	}
	is.Equal(h.alive(t), 0) // nothing is left
}

// TestAnAgentKilledAtAnyMomentLeavesNoOrphan kills agents while they start instances, at another moment each time: what is
// found afterwards and stopped is all that runs.
func TestAnAgentKilledAtAnyMomentLeavesNoOrphan(t *testing.T) {
	t.Parallel()
	const started, lives = 6, 6
	for life := range lives {
		is := is.New(t)
		h := newHost(t)
		output, kill := runMortal(t, h, h.specs(started, drivertest.Serves))
		for range life {
			is.True(output.Scan())
		}
		kill() // somewhere in the start of the next one
		found, err := h.succeed(t).Recover(t.Context())
		is.NoErr(err)
		is.True(len(found.Alive) >= life) // those that were announced
		for _, i := range found.Alive {
			is.NoErr(i.Stop(t.Context(), patience))
		}
		is.Equal(h.alive(t), 0) // no orphan
	}
}

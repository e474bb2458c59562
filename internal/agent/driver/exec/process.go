package exec

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"

	"golang.org/x/sys/unix"

	"slipway/events"
	"slipway/internal/agent/driver"
)

// process is the first process of an instance and the group it leads.
type process struct {
	pid     int // of the first process, and id of the group
	started uint64
	handle  *handle
	cmd     *exec.Cmd // nil: it is not our child

	mu     sync.Mutex
	reaped bool // the pid may belong to somebody else by now
}

// ourChild takes over a command that was just started. Its pid is its own until it is reaped.
func ourChild(cmd *exec.Cmd) (*process, error) {
	p := &process{pid: cmd.Process.Pid, cmd: cmd}
	stat, err := readStat(p.pid)
	if err == nil {
		p.started = stat.started
		p.handle, err = openHandle(p.pid)
	}
	if err != nil {
		_ = unix.Kill(-p.pid, unix.SIGKILL) // it could not be watched
		_ = cmd.Wait()
		return nil, fmt.Errorf("process %d: %w", p.pid, err)
	}
	return p, nil
}

// foundAlive takes over a process of an earlier agent, if it is still the one that was recorded.
func foundAlive(r record) (*process, bool) {
	if r.PID <= 0 || r.Boot != bootID() {
		return nil, false
	}
	h, err := openHandle(r.PID)
	if err != nil {
		return nil, false
	}
	// The handle was opened first: what is read now is of the process the handle stands for, or newer.
	stat, err := readStat(r.PID)
	if err != nil || stat.started != r.Started || stat.ended() {
		h.close()
		return nil, false
	}
	return &process{pid: r.PID, started: r.Started, handle: h}, true
}

// await returns when the first process has ended, or with ctx's error.
func (p *process) await(ctx context.Context) error { return p.handle.await(ctx) }

// signal sends sig to everything of the instance: to the group at once while its number is certainly its own, one by one to
// what left it.
func (p *process) signal(id events.InstanceID, sig unix.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	grouped := !p.reaped && p.handle.signal(0) == nil && unix.Kill(-p.pid, sig) == nil
	rest, err := p.members(id)
	for _, m := range rest {
		if grouped && m.group == p.pid {
			continue
		}
		err = errors.Join(err, m.signal(sig))
	}
	return err
}

// end waits until nothing of the instance runs any more; from when now() is true it kills what does. The first process must
// have ended or be killed for it to return.
func (p *process) end(ctx context.Context, id events.InstanceID, now func() bool) error {
	for {
		rest, err := p.members(id)
		if err != nil || len(rest) == 0 {
			return err
		}
		for _, m := range rest {
			if err := m.end(ctx, now()); err != nil {
				return err
			}
		}
	}
}

// reap collects the first process of our own and says how it ended. Nothing of the group may be signaled by number after
// that.
func (p *process) reap() driver.Exit {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.reaped = true
	if p.cmd == nil {
		return driver.Exit{Reason: "ended; its exit status is not known"}
	}
	_ = p.cmd.Wait() // how it ended is in ProcessState
	return exitOf(p.cmd.ProcessState)
}

func exitOf(state *os.ProcessState) driver.Exit {
	if state.Exited() {
		status := state.ExitCode()
		return driver.Exit{Reason: fmt.Sprintf("exit status %d", status), Status: &status}
	}
	return driver.Exit{Reason: state.String()} // "signal: killed"
}

func (p *process) close() { p.handle.close() }

package exec

import (
	"context"
	"errors"
	"io/fs"

	"golang.org/x/sys/unix"

	"slipway/events"
)

// member is a process as it was seen: by its start time it is known even when its number has gone to another one.
type member struct {
	pid int
	stat
}

// running lists the processes of this host that run and match.
func running(match func(member) bool) ([]member, error) {
	all, err := pids()
	if err != nil {
		return nil, err
	}
	var found []member
	for _, pid := range all {
		s, err := readStat(pid)
		if m := (member{pid, s}); err == nil && !s.ended() && match(m) {
			found = append(found, m)
		}
	}
	return found, nil
}

// members lists what runs of the instance: its group, and whoever carries its mark.
func (p *process) members(id events.InstanceID) ([]member, error) {
	group := p.pid
	if leader, err := readStat(p.pid); err == nil && leader.started != p.started {
		group = -1 // the number has been given to another process: the group is not ours any more
	}
	return running(func(m member) bool { return m.group == group || marks(m.pid)[markInstance] == string(id) })
}

// open gives a handle of the process, and an error wrapping fs.ErrNotExist where it has gone.
func (m member) open() (*handle, error) {
	h, err := openHandle(m.pid)
	if errors.Is(err, unix.ESRCH) {
		return nil, fs.ErrNotExist
	}
	if err != nil {
		return nil, err
	}
	// The handle came first: if this is the process that was seen, it is the one of the handle.
	if s, err := readStat(m.pid); err != nil || s.started != m.started {
		h.close()
		return nil, fs.ErrNotExist
	}
	return h, nil
}

// signal sends sig; one that has gone needs none.
func (m member) signal(sig unix.Signal) error {
	h, err := m.open()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer h.close()
	if err := h.signal(sig); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}

// end waits until it has ended, killing it first if asked to.
func (m member) end(ctx context.Context, kill bool) error {
	h, err := m.open()
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer h.close()
	if kill {
		if err := h.signal(unix.SIGKILL); err != nil && !errors.Is(err, unix.ESRCH) {
			return err
		}
	}
	return h.await(ctx)
}

package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"slipway/events"
)

// ErrInUse: another agent works in this directory.
var ErrInUse = errors.New("another agent works in this directory")

// lockPatience is how long a lock is waited for: a killed agent's is free when its last thread has gone, which may be a
// moment after who killed it starts the next one.
const lockPatience = 2 * time.Second

// Home is an agent's directory and the identity kept there. The directory is locked from OpenHome to Close, or to the end
// of the process.
//
// The lock is also held by a process that is being started, until it runs its own program; so when an agent has the lock, no
// start by the one before it is still on its way.
type Home struct {
	ID   events.AgentID
	Dir  string
	lock *os.File
}

// OpenHome locks dir, which is made if need be, and reads the agent's id, which is made up the first time. It fails with
// [ErrInUse] while another agent has it.
func OpenHome(dir string) (*Home, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("agent's directory: %w", err)
	}
	lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("agent's directory: %w", err)
	}
	h := &Home{Dir: dir, lock: lock}
	if err := h.acquire(); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	if h.ID, err = identity(filepath.Join(dir, "id")); err != nil {
		return nil, errors.Join(fmt.Errorf("agent's id: %w", err), lock.Close())
	}
	return h, nil
}

// Close gives the directory free.
func (h *Home) Close() error { return h.lock.Close() }

func (h *Home) acquire() error {
	tick := time.NewTicker(lockPatience / 40)
	defer tick.Stop()
	deadline := time.After(lockPatience)
	for {
		err := unix.Flock(int(h.lock.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EWOULDBLOCK) {
			return fmt.Errorf("lock %s: %w", h.Dir, err)
		}
		select {
		case <-tick.C: // a file lock tells nobody when it is free
		case <-deadline:
			return fmt.Errorf("%s: %w", h.Dir, ErrInUse)
		}
	}
}

// identity reads the id, or makes one up where there is none.
func identity(path string) (events.AgentID, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		id := events.NewID()
		if err := os.WriteFile(path+".new", []byte(id+"\n"), 0o600); err != nil {
			return "", err
		}
		return events.AgentID(id), os.Rename(path+".new", path)
	}
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(string(data))
	if !events.ValidID(id) {
		return "", fmt.Errorf("%s holds %.80q, which is none", path, id)
	}
	return events.AgentID(id), nil
}

package exec

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"slipway/internal/agent/driver"
	"slipway/internal/agent/health"
)

// killTimeout bounds the wait for a process that was sent SIGKILL. Only one that hangs in the kernel takes longer.
const killTimeout = 10 * time.Second

// instance is a running copy, as seen by its watcher.
type instance struct {
	driver  *Driver
	spec    driver.Spec
	process *process
	port    int
	address string

	stopping atomic.Bool // asked to end: what it started may take its time too
	killing  atomic.Bool // the grace time is over
	exit     driver.Exit // written before done is closed
	done     chan struct{}
}

func (i *instance) Spec() driver.Spec     { return i.spec }
func (i *instance) Address() string       { return i.address }
func (i *instance) Done() <-chan struct{} { return i.done }
func (i *instance) Exit() driver.Exit     { return i.exit }

// Probe implements [driver.Instance].
func (i *instance) Probe(ctx context.Context) error {
	return health.Check(ctx, i.address, i.spec.HealthCheck)
}

// watch waits for the end of the first process, then of everything else, and tidies up. When ctx ends it lets go.
func (i *instance) watch(ctx context.Context) {
	defer i.process.close()
	err := i.process.await(ctx)
	if err == nil {
		// Whoever ends without being asked leaves nothing that may go on by itself.
		err = i.process.end(ctx, i.spec.Instance, func() bool { return !i.stopping.Load() || i.killing.Load() })
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		i.driver.log.Error("instance cannot be watched; look at it", "instance", i.spec.Instance, "pid", i.process.pid, "err", err)
	}
	i.exit = i.process.reap()
	i.driver.gone(i)
	close(i.done)
}

// Stop implements [driver.Instance]: SIGTERM to the group, and SIGKILL once the grace time is over.
func (i *instance) Stop(ctx context.Context, grace time.Duration) error {
	if i.stopping.CompareAndSwap(false, true) {
		if err := i.signal(unix.SIGTERM); err != nil {
			i.driver.log.Warn("SIGTERM failed; SIGKILL follows", "instance", i.spec.Instance, "err", err)
		}
	}
	if i.doneWithin(ctx, grace) {
		return nil
	}
	i.killing.Store(true)
	err := i.signal(unix.SIGKILL)
	if i.doneWithin(context.WithoutCancel(ctx), killTimeout) {
		return nil
	}
	return errors.Join(fmt.Errorf("instance %s (process %d) outlives SIGKILL", i.spec.Instance, i.process.pid), err)
}

func (i *instance) signal(sig unix.Signal) error { return i.process.signal(i.spec.Instance, sig) }

func (i *instance) doneWithin(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-i.done:
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

package projections

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"time"
)

// lockLook is how often a lock that another process has is tried again: nobody is told when it is free.
const lockLook = 50 * time.Millisecond

// lock takes an advisory lock that the system gives back when the process ends, however it ends. While another process has it, that
// is said once, and it is waited for until ctx ends.
func lock(ctx context.Context, path string, said io.Writer) (unlock func() error, err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o640)
	if err != nil {
		return nil, err
	}
	if err := acquire(ctx, f, said); err != nil {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", path, err), f.Close())
	}
	return f.Close, nil
}

func acquire(ctx context.Context, f *os.File, said io.Writer) error {
	free := func() (bool, error) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return false, nil
		}
		return true, err
	}
	if done, err := free(); done {
		return err
	}
	fmt.Fprintf(said, "waiting for another process, which has %s\n", f.Name())
	for tick := time.NewTicker(lockLook); ; {
		select {
		case <-tick.C:
			if done, err := free(); done {
				tick.Stop()
				return err
			}
		case <-ctx.Done():
			tick.Stop()
			return fmt.Errorf("another process has it: %w", ctx.Err())
		}
	}
}

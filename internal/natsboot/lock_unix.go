//go:build unix

package natsboot

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile takes f for this process, or fails at once with ErrInUse.
func lockFile(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return ErrInUse
	}
	return err
}

package natsboot

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/nats-io/nats-server/v2/server"

	"slipway/internal/auth"
)

// ErrTwoHistories: a data directory has streams of the time before logins and of the time after.
var ErrTwoHistories = errors.New("there are streams of the time before logins and of the time after")

// ErrClusteredHistory: the data is a cluster's, whose servers agree on where streams are.
var ErrClusteredHistory = errors.New("streams of a cluster of the time before logins: back them up with `nats account backup` from a " +
	"Slipway of that time, and restore them as the user " + auth.ServiceUser)

// adopt moves the streams of a directory from the time before there were logins, when everything was in the server's global
// account, to Slipway's. It is one rename: a crash leaves it done or not done.
func adopt(storeDir string, clustered bool) error {
	base := filepath.Join(storeDir, server.JetStreamStoreDir)
	old, now := filepath.Join(base, server.DEFAULT_GLOBAL_ACCOUNT), filepath.Join(base, accountSlipway)
	if empty, err := noStreams(old); empty || err != nil {
		return err
	}
	if clustered {
		return fmt.Errorf("%s: %w", old, ErrClusteredHistory)
	}
	empty, err := noStreams(now)
	if err != nil {
		return err
	}
	if !empty {
		return fmt.Errorf("%w: %s and %s; keep one, the one with EVENTS in it, and move the other elsewhere", ErrTwoHistories, old, now)
	}
	if err := os.RemoveAll(now); err != nil { // an empty one may be there, which a rename would not replace
		return err
	}
	if err := os.Rename(old, now); err != nil {
		return err
	}
	return syncDir(base)
}

// noStreams says whether an account's directory is not there, or holds no stream.
func noStreams(account string) (bool, error) {
	found, err := os.ReadDir(filepath.Join(account, "streams"))
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	return len(found) == 0, err
}

// syncDir puts a rename on disk.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

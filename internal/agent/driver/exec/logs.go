package exec

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Output of instances. Nothing tells when a file grows past a size, so it is looked at now and then: a log is at most
// maxLog, plus what is written between two looks, plus its last maxLog in a second file.
const (
	maxLog  = 10 << 20
	logLook = 5 * time.Second
)

// trimLogs keeps the output of running instances bounded.
func (d *Driver) trimLogs() {
	tick := time.NewTicker(logLook)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			d.trimAll(maxLog)
		case <-d.watching.Done():
			return
		}
	}
}

func (d *Driver) trimAll(limit int64) {
	d.mu.Lock()
	var paths []string
	for id := range d.alive {
		paths = append(paths, filepath.Join(d.dirs.runOf(id), logFile))
	}
	d.mu.Unlock()
	for _, path := range paths {
		if err := trim(path, limit); err != nil && !errors.Is(err, fs.ErrNotExist) { // it may have ended meanwhile
			d.log.Warn("output not trimmed", "path", path, "err", err)
		}
	}
}

// trim moves a full log's end aside and empties it. The instance keeps its open file, which appends, so it goes on at the
// new end; a line written in between is lost.
func trim(path string, limit int64) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || info.Size() <= limit {
		return err
	}
	if _, err := f.Seek(-limit, io.SeekEnd); err != nil {
		return err
	}
	old, err := os.Create(path + ".1")
	if err != nil {
		return err
	}
	_, err = io.CopyN(old, f, limit)
	return errors.Join(err, old.Close(), f.Truncate(0))
}

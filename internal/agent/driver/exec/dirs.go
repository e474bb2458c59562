package exec

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"slipway/events"
	"slipway/internal/agent/driver"
)

// What stands where in an instance's directory.
const (
	appDir  = "app" // its copy of the droplet: working directory and HOME
	tmpDir  = "tmp"
	logFile = "output.log"
)

// dirs is where a driver keeps things.
type dirs struct {
	records  string // <instance>.json of each
	runs     string // <instance>/ of each
	droplets string
	logs     string // output of those that ended
}

func makeDirs(base string) (dirs, error) {
	base, err := filepath.Abs(base)
	if err != nil {
		return dirs{}, err
	}
	d := dirs{
		records: filepath.Join(base, "instances"), runs: filepath.Join(base, "run"),
		droplets: filepath.Join(base, "droplets"), logs: filepath.Join(base, "logs"),
	}
	for _, dir := range []string{d.records, d.runs, d.droplets, d.logs} {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return dirs{}, err
		}
	}
	return d, nil
}

// record is what is kept of an instance for a later agent. Without a PID it is an intent: a process may have been started,
// or not.
type record struct {
	Spec    driver.Spec `json:"spec"`
	Port    int         `json:"port"`
	PID     int         `json:"pid,omitempty"`
	Started uint64      `json:"started,omitempty"` // clock ticks since boot
	Boot    string      `json:"boot,omitempty"`    // which boot
}

func (d dirs) runOf(id events.InstanceID) string { return filepath.Join(d.runs, string(id)) }

func (d dirs) recordOf(id events.InstanceID) string {
	return filepath.Join(d.records, string(id)+".json")
}

// write puts a record in its place at once: a reader sees the old one or the new one. It is not synced to disk: after a
// crash of the host the processes are gone too.
func (d dirs) write(r record) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("record of %s: %w", r.Spec.Instance, err)
	}
	path := d.recordOf(r.Spec.Instance)
	if err := os.WriteFile(path+".new", data, 0o600); err != nil { // it holds the app's environment
		return err
	}
	return os.Rename(path+".new", path)
}

// read gives the records of an earlier agent. One that cannot be read is named and left out: its processes carry marks.
func (d dirs) read() (records []record, broken []string, err error) {
	entries, err := os.ReadDir(d.records)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		id, isRecord := strings.CutSuffix(e.Name(), ".json")
		data, err := os.ReadFile(filepath.Join(d.records, e.Name()))
		var r record
		if !isRecord || err != nil || json.Unmarshal(data, &r) != nil || string(r.Spec.Instance) != id {
			broken = append(broken, e.Name())
			continue
		}
		records = append(records, r)
	}
	return records, broken, nil
}

// forget removes an instance's record and directory, the record last: while it is there, the rest is found again.
func (d dirs) forget(id events.InstanceID) error {
	err := os.RemoveAll(d.runOf(id))
	if errRecord := os.Remove(d.recordOf(id)); !errors.Is(errRecord, fs.ErrNotExist) {
		err = errors.Join(err, errRecord)
	}
	return err
}

// sweep removes what belongs to no instance.
func (d dirs) sweep(keep func(events.InstanceID) bool) error {
	var all error
	for _, dir := range []string{d.runs, d.records} {
		entries, err := os.ReadDir(dir)
		all = errors.Join(all, err)
		for _, e := range entries {
			id := strings.TrimSuffix(e.Name(), ".json")
			if !keep(events.InstanceID(id)) {
				all = errors.Join(all, os.RemoveAll(filepath.Join(dir, e.Name())))
			}
		}
	}
	return all
}

// keptLogs is of how many ended instances the output is kept: enough to see why the last ones crashed.
const keptLogs = 100

// keepLog moves an ended instance's output to where people look for it, and removes the oldest there.
func (d dirs) keepLog(id events.InstanceID) (string, error) {
	kept := filepath.Join(d.logs, string(id)+".log")
	if err := os.Rename(filepath.Join(d.runOf(id), logFile), kept); err != nil {
		return "", err
	}
	entries, err := os.ReadDir(d.logs)
	if err != nil {
		return kept, err
	}
	names := make([]string, 0, len(entries)) // ids are ULIDs: their order is that of time
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	for _, name := range names[:max(0, len(names)-keptLogs)] {
		err = errors.Join(err, os.Remove(filepath.Join(d.logs, name)))
	}
	return kept, err
}

package exec

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
)

// stat is what /proc/<pid>/stat says of a process, as far as it matters; see proc_pid_stat(5).
type stat struct {
	state   byte
	group   int
	started uint64 // clock ticks since boot: with the boot's id it names a process for ever
}

// ended says whether only the process's entry is left, waiting to be reaped by its parent. In a container whose first
// process does not reap, it waits for ever.
func (s stat) ended() bool { return s.state == 'Z' || s.state == 'X' }

func readStat(pid int) (stat, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return stat{}, err
	}
	return parseStat(string(data))
}

// parseStat starts behind the command's name: that is the program's choice and may hold blanks and brackets.
func parseStat(line string) (stat, error) {
	end := strings.LastIndexByte(line, ')')
	fields := strings.Fields(line[end+1:])
	if end < 0 || len(fields) < 20 {
		return stat{}, fmt.Errorf("not a line of /proc/pid/stat: %.100q", line)
	}
	group, errGroup := strconv.Atoi(fields[2])
	started, errStarted := strconv.ParseUint(fields[19], 10, 64)
	return stat{state: fields[0][0], group: group, started: started}, errors.Join(errGroup, errStarted)
}

// bootID names this run of the host's kernel; start times count from it.
var bootID = sync.OnceValue(func() string {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "unknown" // then start times alone must do
	}
	return string(bytes.TrimSpace(data))
})

// pids lists the processes of this host.
func pids() ([]int, error) {
	dir, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	var all []int
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil {
			all = append(all, pid)
		}
	}
	return all, nil
}

// marks reads a process's marks. Processes of other users cannot be read; they cannot be ours.
func marks(pid int) map[string]string {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err != nil {
		return nil
	}
	var found map[string]string
	for entry := range bytes.SplitSeq(data, []byte{0}) {
		if !bytes.HasPrefix(entry, []byte("SLIPWAY_")) {
			continue
		}
		if key, value, ok := strings.Cut(string(entry), "="); ok {
			if found == nil {
				found = map[string]string{}
			}
			found[key] = value
		}
	}
	return found
}

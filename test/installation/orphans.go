package installation

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Every process of an instance carries who runs it, and which instance it is, in its environment.
const (
	markAgent    = "SLIPWAY_AGENT="
	markInstance = "SLIPWAY_INSTANCE="
)

// instancesOf finds what runs of an agent's instances on this machine, whoever its parent is: process numbers by instance.
func instancesOf(agent string) map[string][]int {
	found := map[string][]int{}
	files, _ := filepath.Glob("/proc/[0-9]*/environ") // the pattern is right, which is all that can be wrong
	for _, file := range files {
		environ, err := os.ReadFile(file)
		if err != nil || !bytes.Contains(environ, []byte(markAgent+agent+"\x00")) {
			continue // it has ended, it is not ours, or it has ended and is not reaped: then its environment is empty
		}
		for _, variable := range strings.Split(string(environ), "\x00") {
			if instance, ok := strings.CutPrefix(variable, markInstance); ok {
				pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
				found[instance] = append(found[instance], pid)
			}
		}
	}
	return found
}

// agentID is the identity kept in an agent's directory; empty where no agent has worked yet.
func agentID(dir string) string {
	id, _ := os.ReadFile(filepath.Join(dir, "id"))
	return strings.TrimSpace(string(id))
}

// leavesNoInstances ends, after the test, what a failure of it has left running.
func leavesNoInstances(t *testing.T, agentDir string) {
	t.Cleanup(func() {
		id := agentID(agentDir)
		if id == "" {
			return
		}
		for _, pids := range instancesOf(id) {
			for _, pid := range pids {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
		}
	})
}

// NoOrphans waits until exactly so many instances run on this machine: one more is an orphan. Those of an earlier version may
// take a moment to stop.
func (i *Installation) NoOrphans(ctx context.Context, t *testing.T, instances int) {
	t.Helper()
	Eventually(ctx, t, i, func() (string, bool) {
		found := instancesOf(agentID(i.Agent()))
		return fmt.Sprintf("%d instances run on this machine, want %d: %v", len(found), instances, found), len(found) == instances
	})
}

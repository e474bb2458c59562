package exec

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"slipway/events"
	"slipway/internal/agent/driver"
)

// The marks: environment variables by which the processes of an instance are known, also after they left its group.
const (
	markAgent    = "SLIPWAY_AGENT"
	markInstance = "SLIPWAY_INSTANCE"
)

// launch starts the instance's shell. Its group is its own, so that a Ctrl-C for the agent does not reach it.
func (d *Driver) launch(r record) (*process, error) {
	run := d.dirs.runOf(r.Spec.Instance)
	output, err := os.OpenFile(filepath.Join(run, logFile), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer output.Close()
	cmd := exec.Command("/bin/sh", "-c", r.Spec.Command)
	cmd.Dir = filepath.Join(run, appDir)
	cmd.Env = environment(r, d.cfg.Agent, d.cfg.Path, run)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	d.forking.Lock()
	err = cmd.Start()
	d.forking.Unlock()
	if err != nil {
		return nil, err
	}
	return ourChild(cmd)
}

// discard ends a process that cannot be recorded.
func (d *Driver) discard(p *process, id events.InstanceID) error {
	defer p.close()
	if err := p.end(d.watching, id, func() bool { return true }); err != nil {
		return err
	}
	p.reap()
	return nil
}

// environment is all that an instance sees: the app's variables, and over them what the platform says. The names are Cloud
// Foundry's.
func environment(r record, agent events.AgentID, path, run string) []string {
	s := r.Spec
	env := map[string]string{"PATH": path, "LANG": "C.UTF-8"}
	maps.Copy(env, s.Environment)
	port, index := strconv.Itoa(r.Port), strconv.Itoa(s.Index)
	maps.Copy(env, map[string]string{
		"HOME":              filepath.Join(run, appDir),
		"TMPDIR":            filepath.Join(run, tmpDir),
		"PORT":              port,
		"INSTANCE_INDEX":    index,
		"INSTANCE_GUID":     string(s.Instance),
		"CF_INSTANCE_INDEX": index,
		"CF_INSTANCE_GUID":  string(s.Instance),
		"CF_INSTANCE_IP":    loopback,
		"CF_INSTANCE_PORT":  port,
		"CF_INSTANCE_ADDR":  loopback + ":" + port,
		"MEMORY_LIMIT":      fmt.Sprintf("%dm", s.MemoryMB),
		"VCAP_APPLICATION":  application(s),
		markAgent:           string(agent),
		markInstance:        string(s.Instance),
	})
	lines := make([]string, 0, len(env))
	for _, k := range slices.Sorted(maps.Keys(env)) {
		lines = append(lines, k+"="+env[k])
	}
	return lines
}

// application is VCAP_APPLICATION, as far as it means something here.
func application(s driver.Spec) string {
	type limits struct {
		Memory int `json:"mem"`
		Disk   int `json:"disk"`
	}
	data, err := json.Marshal(struct {
		ID          events.AppID      `json:"application_id"`
		Name        string            `json:"application_name"`
		URIs        []string          `json:"application_uris"`
		Process     events.ProcessID  `json:"process_id"`
		ProcessType string            `json:"process_type"`
		Instance    events.InstanceID `json:"instance_id"`
		Index       int               `json:"instance_index"`
		Limits      limits            `json:"limits"`
	}{s.App, s.AppName, append([]string{}, s.Hosts...), s.Process, s.Type, s.Instance, s.Index, limits{s.MemoryMB, s.DiskMB}})
	if err != nil {
		panic(fmt.Sprintf("exec: strings and numbers always encode: %v", err))
	}
	return string(data)
}

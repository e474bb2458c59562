package manifest

import (
	"fmt"
	"slices"
	"strconv"

	"go.yaml.in/yaml/v3"

	"slipway/events"
)

// maxProcesses bounds the processes of one app in a manifest.
const maxProcesses = 50

// processes reads what is said of processes: in a list, and of web beside it. If web is in the list, only that counts
// (Cloud Foundry's rule).
func (r *reader) processes(fields map[string]*yaml.Node) []Process {
	top := r.process(fields, events.ProcessTypeWeb)
	var listed []Process
	if n := fields["processes"]; n != nil && !null(n) {
		listed = r.listed(n)
	}
	slices.SortStableFunc(listed, func(a, b Process) int { return web(b) - web(a) })
	if (len(listed) == 0 || web(listed[0]) == 0) && (top.scales() || top.updates()) {
		listed = append([]Process{top}, listed...)
	}
	return listed
}

// web is 1 for a web process, 0 for another.
func web(p Process) int {
	if p.Type == events.ProcessTypeWeb {
		return 1
	}
	return 0
}

func (r *reader) listed(n *yaml.Node) []Process {
	if n.Kind != yaml.SequenceNode || len(n.Content) > maxProcesses {
		r.fault("Processes must be an array of process configurations")
		return nil
	}
	var all []Process
	for i, entry := range n.Content {
		fields, ok := mapping(entry)
		if !ok {
			r.fault("Processes must be an array of process configurations")
			return nil
		}
		kind := r.text(fields, "type", "Type")
		if kind == nil || *kind == "" {
			r.fault("All Processes must specify a type")
			continue
		}
		if slices.ContainsFunc(all, func(p Process) bool { return p.Type == *kind }) {
			r.fault("Process %q may only be present once", *kind)
			continue
		}
		p := r.process(fields, *kind)
		p.at = "/processes/" + strconv.Itoa(i)
		all = append(all, p)
	}
	return all
}

// process reads what is said of one process. What is wrong is said of the process.
func (r *reader) process(fields map[string]*yaml.Node, kind string) Process {
	inner := &reader{}
	p := Process{
		Type:              kind,
		Instances:         inner.integer(fields, "instances", "Instances", 0),
		MemoryMB:          sized(inner, fields, "memory", "Memory", megabytes),
		DiskMB:            sized(inner, fields, "disk_quota", "Disk quota", megabytes),
		LogRate:           sized(inner, fields, "log_rate_limit_per_second", "Log rate limit per second", rate),
		Command:           inner.command(fields),
		HealthCheck:       inner.healthCheck(fields),
		Endpoint:          inner.text(fields, "health_check_http_endpoint", "Health check http endpoint"),
		Timeout:           inner.integer(fields, "timeout", "Timeout", 1),
		InvocationTimeout: inner.integer(fields, "health_check_invocation_timeout", "Health check invocation timeout", 1),
		Interval:          inner.integer(fields, "health_check_interval", "Health check interval", 1),
	}
	if other := inner.integer(fields, "health_check_timeout", "Health check timeout", 1); other != nil && p.Timeout == nil {
		p.Timeout = other
	}
	if p.Endpoint != nil && *p.Endpoint != "" && p.HealthCheck != nil && *p.HealthCheck != events.HealthCheckHTTP {
		inner.fault("Health check type must be \"http\" to set a health check HTTP endpoint")
	}
	for _, fault := range inner.faults {
		r.faults = append(r.faults, fmt.Sprintf("Process %q: %s", kind, fault))
	}
	return p
}

// sized reads a size; nil where it is absent or null.
func sized[N any](r *reader, fields map[string]*yaml.Node, key, name string, read func(string) (*N, string)) *N {
	text := r.text(fields, key, name)
	if text == nil || *text == "" {
		return nil
	}
	n, fault := read(*text)
	if fault != "" {
		r.fault("%s%s", name, fault)
	}
	return n
}

// command reads a start command. Null, "null" and "default" go back to the droplet's.
func (r *reader) command(fields map[string]*yaml.Node) *string {
	text := r.text(fields, "command", "Command")
	if text != nil && (*text == "null" || *text == "default") {
		return new(string)
	}
	return text
}

// healthCheck reads the kind of a health check; "none" is what "process" was called once.
func (r *reader) healthCheck(fields map[string]*yaml.Node) *string {
	kind := r.text(fields, "health_check_type", "Health check type")
	if kind == nil || *kind == "" {
		return nil
	}
	if *kind == "none" {
		*kind = events.HealthCheckProcess
	}
	if !slices.Contains([]string{events.HealthCheckPort, events.HealthCheckProcess, events.HealthCheckHTTP}, *kind) {
		r.fault("Health check type must be \"port\", \"process\", or \"http\"")
	}
	return kind
}

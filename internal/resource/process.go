package resource

import (
	"slipway/events"
	"slipway/projections"
)

// Process is a process (reference 2.4).
type Process struct {
	Stamp
	Version       string               `json:"version"`
	Type          string               `json:"type"`
	Command       string               `json:"command"`
	User          *string              `json:"user"` // always null: agents choose it
	Instances     int                  `json:"instances"`
	MemoryMB      int                  `json:"memory_in_mb"`
	DiskMB        int                  `json:"disk_in_mb"`
	LogRate       int64                `json:"log_rate_limit_in_bytes_per_second"`
	HealthCheck   HealthCheck          `json:"health_check"`
	Readiness     HealthCheck          `json:"readiness_health_check"`
	Relationships ProcessRelationships `json:"relationships"`
	Metadata      Metadata             `json:"metadata"`
	Links         Links                `json:"links"`
}

// HealthCheck says how an instance shows that it is healthy. Times are seconds; null is the agent's default.
type HealthCheck struct {
	Type string          `json:"type"`
	Data HealthCheckData `json:"data"`
}

// HealthCheckData are the parameters of a health check.
type HealthCheckData struct {
	Timeout           *int    `json:"timeout,omitempty"`
	InvocationTimeout *int    `json:"invocation_timeout"`
	Interval          *int    `json:"interval"`
	Endpoint          *string `json:"endpoint,omitempty"`
}

// ProcessRelationships are what a process belongs to and runs.
type ProcessRelationships struct {
	App      ToOne  `json:"app"`
	Revision *ToOne `json:"revision"`
}

// Process presents a process.
func (b Base) Process(p projections.Process) Process {
	return Process{
		Stamp: stamp(p.GUID, p.Stamp), Version: string(p.GUID), Type: p.Type, Command: p.Command,
		Instances: p.Instances, MemoryMB: p.MemoryMB, DiskMB: p.DiskMB, LogRate: p.LogRate,
		HealthCheck: healthCheck(p.HealthCheck), Readiness: HealthCheck{Type: events.HealthCheckProcess},
		Relationships: ProcessRelationships{App: toOne(p.App), Revision: ofRevision(p.Revision)},
		Metadata:      metadata(events.Metadata{}), Links: b.processLinks(p),
	}
}

// ListedProcess presents a process as lists show it, without its command.
func (b Base) ListedProcess(p projections.Process) Process {
	p.Command = hidden
	return b.Process(p)
}

// ListedProcessWithInstances is a process with its instances, as the list shows it on demand.
type ListedProcessWithInstances struct {
	Process
	Instances []ProcessInstance `json:"process_instances"`
}

// ProcessInstance is how one index of a process is, in short.
type ProcessInstance struct {
	Index    int    `json:"index"`
	State    string `json:"state"`    // RUNNING, STARTING, STOPPING, CRASHED, DOWN
	Routable bool   `json:"routable"` // it gets requests (our own addition)
	Since    int64  `json:"since"`    // when it got into this state, in seconds since 1970; 0: never
}

// ListedProcessWithInstances presents a process as lists show it with their instances.
func (b Base) ListedProcessWithInstances(p projections.Process, instances []projections.Instance) ListedProcessWithInstances {
	return ListedProcessWithInstances{Process: b.ListedProcess(p), Instances: Each(instances, func(i projections.Instance) ProcessInstance {
		short := ProcessInstance{Index: i.Index, State: stateOf(p, i), Routable: routable(i)}
		if !i.Since.IsZero() {
			short.Since = i.Since.Unix()
		}
		return short
	})}
}

func ofRevision(id events.RevisionID) *ToOne {
	if id == "" {
		return nil
	}
	to := toOne(id)
	return &to
}

func healthCheck(h events.HealthCheck) HealthCheck {
	data := HealthCheckData{
		Timeout: seconds(h.TimeoutSeconds), InvocationTimeout: seconds(h.InvocationTimeoutSeconds),
		Interval: seconds(h.IntervalSeconds),
	}
	if h.Kind == events.HealthCheckHTTP {
		data.Endpoint = &h.Endpoint
	}
	return HealthCheck{Type: h.Kind, Data: data}
}

func seconds(n int) *int {
	if n == 0 {
		return nil
	}
	return &n
}

func (b Base) processLinks(p projections.Process) Links {
	id := string(p.GUID)
	return Links{
		"self": b.link("v3", "processes", id), "app": b.link("v3", "apps", string(p.App)),
		"scale": b.link("v3", "processes", id, "actions", "scale").by("POST"),
		"stats": b.link("v3", "processes", id, "stats"),
	}
}

package events

// InstanceRef says which instance a report is about. Index is its place among the process's instances, from 0; Instance
// names one start of it, so that a late report on an earlier start is told from one on the present.
type InstanceRef struct {
	App         AppID      `json:"app"`
	Process     ProcessID  `json:"process"`
	ProcessType string     `json:"process_type"` // web, worker, ...
	Index       int        `json:"index"`        // place among the process's instances, from 0
	Instance    InstanceID `json:"instance"`
	Agent       AgentID    `json:"agent"`
	Generation  int        `json:"generation,omitempty"` // of the process when it was started; see ProcessRestarted
}

// InstanceStarting: the agent started it; it has not shown that it is healthy yet.
type InstanceStarting struct {
	InstanceRef
}

// InstanceRunning: it is healthy and gets traffic (Cloud Foundry: RUNNING and routable).
type InstanceRunning struct {
	InstanceRef
	Address string `json:"address,omitempty"` // host:port, where it has one
	Adopted bool   `json:"adopted,omitempty"` // found alive after the agent itself was away
}

// InstanceUnready: it runs but gets no traffic, because its readiness is lost.
type InstanceUnready struct {
	InstanceRef
	Reason string `json:"reason"` // why, in words
}

// InstanceCrashed: it ended or failed its health check; the agent starts a new one later.
type InstanceCrashed struct {
	InstanceRef
	Reason     string `json:"reason"`                // e.g. "exit status 1", "health check: no answer on port 61001 within 60s"
	ExitStatus *int   `json:"exit_status,omitempty"` // where it exited by itself and the status is known
	Crashes    int    `json:"crashes"`               // crashes of this index in a row
	RetryMS    int64  `json:"retry_in_ms"`           // until the next start
}

// InstanceStopped: it was stopped because it was no longer wanted.
type InstanceStopped struct {
	InstanceRef
	Reason string `json:"reason,omitempty"` // why, in words
}

func (InstanceStarting) Type() Type { return TypeInstanceStarting }
func (InstanceRunning) Type() Type  { return TypeInstanceRunning }
func (InstanceUnready) Type() Type  { return TypeInstanceUnready }
func (InstanceCrashed) Type() Type  { return TypeInstanceCrashed }
func (InstanceStopped) Type() Type  { return TypeInstanceStopped }

// Subject of an instance's report is the instance's id.
func (r InstanceRef) Subject() string { return string(r.Instance) }

// Ref gives the instance a report is about.
func (r InstanceRef) Ref() InstanceRef { return r }

// InstanceEvent is any report of an agent.
type InstanceEvent interface {
	Event
	Ref() InstanceRef
}

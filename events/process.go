package events

// ProcessTypeWeb is the type a deployment rolls out instance by instance; others are restarted at its end.
const ProcessTypeWeb = "web"

// The kinds of a health check, Cloud Foundry's.
const (
	HealthCheckPort    = "port"
	HealthCheckHTTP    = "http"
	HealthCheckProcess = "process"
)

// HealthCheck says how an instance shows that it is healthy. Zero durations mean the agent's defaults.
type HealthCheck struct {
	Kind                     string `json:"type"`                         // port, http or process
	Endpoint                 string `json:"endpoint,omitempty"`           // path, for http
	TimeoutSeconds           int    `json:"timeout,omitempty"`            // from start to the first success
	InvocationTimeoutSeconds int    `json:"invocation_timeout,omitempty"` // of one probe
	IntervalSeconds          int    `json:"interval,omitempty"`           // between probes once healthy
}

// ProcessCreated: the app has a further process. Several of type web may stand side by side; that is what a deployment is.
type ProcessCreated struct {
	App         AppID        `json:"app"`
	Process     ProcessID    `json:"process"`
	ProcessType string       `json:"process_type"` // web, worker, ...
	Droplet     DropletID    `json:"droplet,omitempty"`
	Command     string       `json:"command"`                            // start command, run by a shell
	Custom      bool         `json:"custom_command,omitempty"`           // the command is the user's, not the droplet's
	Instances   int          `json:"instances"`                          // how many shall run
	MemoryMB    int          `json:"memory_in_mb"`                       // of each instance
	DiskMB      int          `json:"disk_in_mb"`                         // of each instance
	LogRate     int64        `json:"log_rate_limit_in_bytes_per_second"` // -1: no limit
	HealthCheck HealthCheck  `json:"health_check"`
	Revision    RevisionID   `json:"revision,omitempty"`
	Deployment  DeploymentID `json:"deployment,omitempty"` // the deployment that brought it
}

// ProcessUpdated: the process's start command and health check are now these; instances take them at their next start.
type ProcessUpdated struct {
	App         AppID       `json:"app"`
	Process     ProcessID   `json:"process"`
	Command     string      `json:"command"`                  // start command, run by a shell
	Custom      bool        `json:"custom_command,omitempty"` // the command is the user's, not the droplet's
	HealthCheck HealthCheck `json:"health_check"`
}

// ProcessScaled: so many instances of the process shall run, each of this size.
type ProcessScaled struct {
	App         AppID        `json:"app"`
	Process     ProcessID    `json:"process"`
	ProcessType string       `json:"process_type"`                       // web, worker, ...
	From        int          `json:"from"`                               // instances desired before
	Instances   int          `json:"instances"`                          // how many shall run
	MemoryMB    int          `json:"memory_in_mb"`                       // of each instance
	DiskMB      int          `json:"disk_in_mb"`                         // of each instance
	LogRate     int64        `json:"log_rate_limit_in_bytes_per_second"` // of each instance; -1: no limit
	Deployment  DeploymentID `json:"deployment,omitempty"`               // the deployment that asked for it
	Reason      string       `json:"reason"`                             // why, in words
	Leaving     []InstanceID `json:"leaving,omitempty"`                  // instances of an earlier growth that are on their way out: new ones take their indexes
}

// ProcessRestarted: all instances of the process shall be stopped and started, with this droplet, command and revision.
type ProcessRestarted struct {
	App         AppID        `json:"app"`
	Process     ProcessID    `json:"process"`
	ProcessType string       `json:"process_type"` // web, worker, ...
	Droplet     DropletID    `json:"droplet,omitempty"`
	Command     string       `json:"command"`                  // start command, run by a shell
	Custom      bool         `json:"custom_command,omitempty"` // the command is the user's, not the droplet's
	Revision    RevisionID   `json:"revision,omitempty"`
	Generation  int          `json:"generation"` // counts the restarts: instances of a lower one are out of date
	Deployment  DeploymentID `json:"deployment,omitempty"`
}

// ProcessDeleted: the process is gone; none of its instances shall run.
type ProcessDeleted struct {
	App         AppID        `json:"app"`
	Process     ProcessID    `json:"process"`
	ProcessType string       `json:"process_type"` // web, worker, ...
	Deployment  DeploymentID `json:"deployment,omitempty"`
}

func (ProcessCreated) Type() Type   { return TypeProcessCreated }
func (ProcessUpdated) Type() Type   { return TypeProcessUpdated }
func (ProcessScaled) Type() Type    { return TypeProcessScaled }
func (ProcessRestarted) Type() Type { return TypeProcessRestarted }
func (ProcessDeleted) Type() Type   { return TypeProcessDeleted }

func (e ProcessCreated) Subject() string   { return string(e.Process) }
func (e ProcessUpdated) Subject() string   { return string(e.Process) }
func (e ProcessScaled) Subject() string    { return string(e.Process) }
func (e ProcessRestarted) Subject() string { return string(e.Process) }
func (e ProcessDeleted) Subject() string   { return string(e.Process) }

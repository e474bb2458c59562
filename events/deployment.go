package events

// Strategies of a deployment.
const (
	StrategyRolling = "rolling"
	StrategyCanary  = "canary"
)

// Gates of a step: what must hold before the rollout goes on.
const (
	GateHealthy = "healthy" // all new instances of the step are routable
	GateManual  = "manual"  // and somebody has said "continue"
)

// Step is one target of a frozen plan.
type Step struct {
	New  int    `json:"new"`  // instances of the new process when the step is reached
	Old  int    `json:"old"`  // instances of all other web processes when it is reached
	Gate string `json:"gate"` // what must hold before the next step
}

// DeploymentOptions are the options of a request, as given. A nil field was not given.
type DeploymentOptions struct {
	MaxInFlight   int    `json:"max_in_flight"`                                // instances that may start at once, at least 1
	WebInstances  *int   `json:"web_instances,omitempty"`                      // how many web instances it ends with
	MemoryMB      *int   `json:"memory_in_mb,omitempty"`                       // of each instance
	DiskMB        *int   `json:"disk_in_mb,omitempty"`                         // of each instance
	LogRate       *int64 `json:"log_rate_limit_in_bytes_per_second,omitempty"` // of each instance; -1: no limit
	CanaryWeights []int  `json:"canary_weights,omitempty"`                     // percent of instances at each canary step, ascending; none: one step of one instance
}

// DeploymentCreated: a rollout of a droplet to an app has begun. Its plan is frozen here: no later change of a rule changes
// a rollout on its way.
type DeploymentCreated struct {
	App               AppID             `json:"app"`
	Deployment        DeploymentID      `json:"deployment"`
	Strategy          string            `json:"strategy"` // how it moves: rolling or canary
	Options           DeploymentOptions `json:"options"`
	Droplet           DropletID         `json:"droplet"`
	PreviousDroplet   DropletID         `json:"previous_droplet,omitempty"`
	Revision          RevisionID        `json:"revision,omitempty"`
	RevisionNumber    int               `json:"revision_number,omitempty"` // number of the revision
	Process           ProcessID         `json:"process,omitempty"`         // the new web process; none for a stopped app
	OriginalInstances int               `json:"original_instances"`        // what a cancel restores
	Target            int               `json:"target"`                    // web instances when it is done
	Floor             int               `json:"floor"`                     // what desired old + routable new never falls below
	Plan              []Step            `json:"plan"`                      // its steps, in order
	Metadata          Metadata          `json:"metadata,omitzero"`
	RolledBackTo      RevisionID        `json:"rolled_back_to,omitempty"` // the revision asked for, where it is a roll-back
}

// DeploymentPaused: a canary step is reached; the rollout waits for somebody to continue or to cancel it.
type DeploymentPaused struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	Step       int          `json:"step"` // the step reached, from 1
}

// DeploymentContinued: someone let a paused rollout go on.
type DeploymentContinued struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	Step       int          `json:"step"` // the step that was reached, from 1; the next one begins
	By         Actor        `json:"by"`   // who let it go on
}

// DeploymentErrorRecorded: why the rollout does not move, in words; an empty error says that it could move again.
type DeploymentErrorRecorded struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	Error      string       `json:"error"` // in words a person understands, at most 255 bytes
}

// DeploymentMetadataSet: the deployment's labels and annotations are now these.
type DeploymentMetadataSet struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	Metadata   Metadata     `json:"metadata"`
}

// DeploymentCanceling: someone asked to go back; the app's current droplet is the previous one again.
type DeploymentCanceling struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
}

// DeploymentCanceled: the deployment ended; the version kept is scaled to the original count.
type DeploymentCanceled struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	Kept       ProcessID    `json:"kept"` // the web process that serves again
}

// DeploymentSuperseded: a newer deployment took over. Its process lives on until the newer one drains it.
type DeploymentSuperseded struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	By         DeploymentID `json:"by"`
	Canceled   bool         `json:"canceled"` // it was not simply deploying: its version must not serve
}

// DeploymentDeployed: the rollout ended; only the new version serves.
type DeploymentDeployed struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
}

func (DeploymentCreated) Type() Type       { return TypeDeploymentCreated }
func (DeploymentPaused) Type() Type        { return TypeDeploymentPaused }
func (DeploymentContinued) Type() Type     { return TypeDeploymentContinued }
func (DeploymentErrorRecorded) Type() Type { return TypeDeploymentErrorRecorded }
func (DeploymentMetadataSet) Type() Type   { return TypeDeploymentMetadataSet }
func (DeploymentCanceling) Type() Type     { return TypeDeploymentCanceling }
func (DeploymentCanceled) Type() Type      { return TypeDeploymentCanceled }
func (DeploymentSuperseded) Type() Type    { return TypeDeploymentSuperseded }
func (DeploymentDeployed) Type() Type      { return TypeDeploymentDeployed }

func (e DeploymentCreated) Subject() string       { return string(e.Deployment) }
func (e DeploymentPaused) Subject() string        { return string(e.Deployment) }
func (e DeploymentContinued) Subject() string     { return string(e.Deployment) }
func (e DeploymentErrorRecorded) Subject() string { return string(e.Deployment) }
func (e DeploymentMetadataSet) Subject() string   { return string(e.Deployment) }
func (e DeploymentCanceling) Subject() string     { return string(e.Deployment) }
func (e DeploymentCanceled) Subject() string      { return string(e.Deployment) }
func (e DeploymentSuperseded) Subject() string    { return string(e.Deployment) }
func (e DeploymentDeployed) Subject() string      { return string(e.Deployment) }

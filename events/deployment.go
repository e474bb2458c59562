package events

import "time"

// Strategies of a deployment.
const (
	StrategyRolling     = "rolling"
	StrategyCanary      = "canary"
	StrategyAllAtOnce   = "all-at-once" // all new instances start at once, old ones leave as new ones take over
	StrategyBlueGreen   = "blue-green"  // all new instances beside all old ones, then the traffic is switched
	StrategyLinear      = "linear"      // a stored strategy that grows by the same share at each step
	StrategyExponential = "exponential" // a stored strategy that doubles the share at each step
)

// Gates of a step: what must hold before the rollout goes on. Each asks for all new instances of the step to be routable
// and for the checks to have passed since.
const (
	GateHealthy = "healthy" // no more than that
	GateManual  = "manual"  // and somebody has said "continue", or the pause has timed out
	GateBake    = "bake"    // and the bake time is over
)

// What becomes of a rollout whose pause timed out, or which failed.
const (
	ThenContinue = "continue" // after a pause only: it goes on
	ThenCancel   = "cancel"   // back to the version before, as quickly as may be
	ThenHold     = "hold"     // it stays where it is until somebody decides
	ThenRollback = "rollback" // after a failure only: back, with the old version at full strength before the new one leaves
)

// Step is one target of a frozen plan.
type Step struct {
	New   int     `json:"new"`                // instances of the new process when the step is reached
	Old   int     `json:"old"`                // instances of all other web processes when it is reached
	Gate  string  `json:"gate"`               // what must hold before the next step
	Share float64 `json:"share,omitempty"`    // percent of instances that are new, where a growth curve says it
	After int64   `json:"after_ms,omitempty"` // milliseconds after the start, before which the step does not begin
	Wait  int64   `json:"wait_ms,omitempty"`  // milliseconds that a pause may last, or that it bakes
	Then  string  `json:"then,omitempty"`     // what a pause that timed out does: continue, cancel or hold
	Dark  bool    `json:"dark,omitempty"`     // the new instances take no requests in this step
}

// Pause is how long a canary step waits, and what then. The zero Pause waits for somebody, for ever.
type Pause struct {
	Seconds int    `json:"seconds,omitempty"` // at most so long
	Then    string `json:"then,omitempty"`    // continue, cancel or hold
}

// DeploymentOptions are the options of a request, as given. A nil field was not given.
type DeploymentOptions struct {
	MaxInFlight   int     `json:"max_in_flight"`                                // instances that may start at once, at least 1
	WebInstances  *int    `json:"web_instances,omitempty"`                      // how many web instances it ends with
	MemoryMB      *int    `json:"memory_in_mb,omitempty"`                       // of each instance
	DiskMB        *int    `json:"disk_in_mb,omitempty"`                         // of each instance
	LogRate       *int64  `json:"log_rate_limit_in_bytes_per_second,omitempty"` // of each instance; -1: no limit
	CanaryWeights []int   `json:"canary_weights,omitempty"`                     // percent of instances at each canary step, ascending; none: one step of one instance
	CanaryPauses  []Pause `json:"canary_pauses,omitempty"`                      // of the canary steps, in order; a step beyond them waits for ever
	Bake          int     `json:"bake_in_seconds,omitempty"`                    // how long the new version is watched at full size before the rollout ends
	Guard
}

// Guard is what fails a rollout, and what becomes of it then.
type Guard struct {
	OnFailure        string  `json:"on_failure,omitempty"`                   // rollback, hold or cancel; absent: it is only told
	Fast             bool    `json:"fast,omitempty"`                         // a rollback does not wait for the old version
	ProgressDeadline int     `json:"progress_deadline_in_seconds,omitempty"` // how long nothing may get better; absent: for ever
	StartupTimeout   int     `json:"startup_timeout_in_seconds,omitempty"`   // how long a new instance may take to be routable; absent: for ever
	CrashLimit       int     `json:"crash_limit,omitempty"`                  // so many crashes of new instances fail it; absent: any number is borne
	CrashPercent     int     `json:"crash_percent,omitempty"`                // so many percent of the new instances down at once fail it
	IgnoreAlarms     bool    `json:"ignore_alarms,omitempty"`                // alarms about the app do not fail it
	Checks           []Check `json:"checks,omitempty"`                       // each fails it when it fails
}

// DeploymentCreated: a rollout of a droplet to an app has begun. Its plan is frozen here: no later change of a rule changes
// a rollout on its way.
type DeploymentCreated struct {
	App               AppID             `json:"app"`
	Deployment        DeploymentID      `json:"deployment"`
	Strategy          string            `json:"strategy"` // how it moves: rolling, canary, all-at-once, blue-green, linear or exponential
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
	StartedAt         time.Time         `json:"started_at,omitzero"`      // the steps' times count from here
	Group             GroupID           `json:"group,omitempty"`
	Requested         bool              `json:"requested,omitempty"`       // it had to wait for people or a window before
	StoredStrategy    StrategyID        `json:"stored_strategy,omitempty"` // id of the stored strategy that it was made from
	Growth            *Growth           `json:"growth,omitempty"`          // the numbers of that strategy, as they were then
}

// DeploymentStepStarted: the time of the next step has come and the one before is healthy.
type DeploymentStepStarted struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	Step       int          `json:"step"`            // the step that begins, from 1
	Share      float64      `json:"share,omitempty"` // percent of instances that are new when it is reached
	At         time.Time    `json:"at"`              // when it began
}

// DeploymentBakeStarted: all instances are new and healthy; they are watched for a while before the rollout ends.
type DeploymentBakeStarted struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	At         time.Time    `json:"at"`    // when it began
	Until      time.Time    `json:"until"` // when it ends if nothing fails
}

// DeploymentPaused: a canary step is reached; the rollout waits for somebody to continue or to cancel it.
type DeploymentPaused struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	Step       int          `json:"step"`           // the step reached, from 1
	Until      time.Time    `json:"until,omitzero"` // when it times out; absent: never
	Then       string       `json:"then,omitempty"` // what it does then: continue, cancel or hold
}

// DeploymentContinued: someone let a paused rollout go on.
type DeploymentContinued struct {
	App        AppID        `json:"app"`
	Deployment DeploymentID `json:"deployment"`
	Step       int          `json:"step"`              // the step that was reached, from 1; the next one begins
	By         Actor        `json:"by"`                // who let it go on
	At         time.Time    `json:"at,omitzero"`       // when
	Crashes    int          `json:"crashes,omitempty"` // where it had failed: crashes of new instances until then, which are forgiven
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
func (DeploymentStepStarted) Type() Type   { return TypeDeploymentStepStarted }
func (DeploymentBakeStarted) Type() Type   { return TypeDeploymentBakeStarted }
func (DeploymentPaused) Type() Type        { return TypeDeploymentPaused }
func (DeploymentContinued) Type() Type     { return TypeDeploymentContinued }
func (DeploymentErrorRecorded) Type() Type { return TypeDeploymentErrorRecorded }
func (DeploymentMetadataSet) Type() Type   { return TypeDeploymentMetadataSet }
func (DeploymentCanceling) Type() Type     { return TypeDeploymentCanceling }
func (DeploymentCanceled) Type() Type      { return TypeDeploymentCanceled }
func (DeploymentSuperseded) Type() Type    { return TypeDeploymentSuperseded }
func (DeploymentDeployed) Type() Type      { return TypeDeploymentDeployed }

func (e DeploymentCreated) Subject() string       { return string(e.Deployment) }
func (e DeploymentStepStarted) Subject() string   { return string(e.Deployment) }
func (e DeploymentBakeStarted) Subject() string   { return string(e.Deployment) }
func (e DeploymentPaused) Subject() string        { return string(e.Deployment) }
func (e DeploymentContinued) Subject() string     { return string(e.Deployment) }
func (e DeploymentErrorRecorded) Subject() string { return string(e.Deployment) }
func (e DeploymentMetadataSet) Subject() string   { return string(e.Deployment) }
func (e DeploymentCanceling) Subject() string     { return string(e.Deployment) }
func (e DeploymentCanceled) Subject() string      { return string(e.Deployment) }
func (e DeploymentSuperseded) Subject() string    { return string(e.Deployment) }
func (e DeploymentDeployed) Subject() string      { return string(e.Deployment) }

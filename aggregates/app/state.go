package app

import (
	"slices"
	"time"

	"slipway/aggregates/plan"
	"slipway/events"
)

// Desired is what the user wants of the app as a whole.
type Desired string

// The desired states, Cloud Foundry's.
const (
	Started Desired = "STARTED"
	Stopped Desired = "STOPPED"
)

// State is an app folded from its events. It is a value: Evolve returns a new one and never changes what an old one
// refers to. The zero State is an app that does not exist.
type State struct {
	ID           events.AppID           `json:"id"`
	Name         string                 `json:"name"`
	Space        events.SpaceID         `json:"space"`
	Organization events.OrganizationID  `json:"organization"`
	Desired      Desired                `json:"desired"`
	Routed       bool                   `json:"routed,omitempty"` // its requests come by routes, not by its name
	Deleted      bool                   `json:"deleted,omitempty"`
	Environment  map[string]string      `json:"environment,omitempty"`
	Metadata     events.Metadata        `json:"metadata,omitzero"`
	Droplet      events.DropletID       `json:"droplet,omitempty"`
	Types        DropletTypes           `json:"types,omitempty"`         // of the droplets still of use
	Processes    []Process              `json:"processes,omitempty"`     // in order of creation
	Revision     events.RevisionCreated `json:"revision,omitzero"`       // the latest; zero before the first
	Deployment   *Deployment            `json:"deployment,omitempty"`    // the active one, if any
	Ended        []Ended                `json:"ended,omitempty"`         // the last [endedKept] that ended, newest last
	Lifecycle    string                 `json:"lifecycle,omitempty"`     // what its droplets are: docker; empty: bits
	NoRevisions  bool                   `json:"no_revisions,omitempty"`  // the app's feature "revisions" is off
	Alarms       map[string]Alarm       `json:"alarms,omitempty"`        // that fire, by name
	Requests     []Request              `json:"requests,omitempty"`      // deployments that wait for people, a window or the end of a halt, oldest first
	Rejected     map[string]string      `json:"rejected,omitempty"`      // ids of droplets and revisions that must not be deployed, and why
	NoAutomation string                 `json:"no_automation,omitempty"` // why automation may not deploy; empty: it may
	Serving      events.DeploymentID    `json:"serving,omitempty"`       // the last that was deployed, where a stop ends it
	LetGo        events.HaltID          `json:"let_go,omitempty"`        // the last halt here that was over
}

// DropletTypes says of each droplet which process types it has, with their start commands.
type DropletTypes map[events.DropletID]map[string]string

// Standing says how far a process's version may be trusted.
type Standing string

// The standings of a process.
const (
	Proven   Standing = "proven"   // a deployment of it ended well, or it was there first
	New      Standing = "new"      // it is being deployed
	Interim  Standing = "interim"  // it was superseded while it was being deployed; it serves until it is drained
	Rejected Standing = "rejected" // it was superseded while paused or canceling; it must not serve
)

// Process is a scalable group of instances.
type Process struct {
	ID          events.ProcessID    `json:"id"`
	Type        string              `json:"type"`
	Droplet     events.DropletID    `json:"droplet,omitempty"`
	Command     string              `json:"command"`
	Custom      bool                `json:"custom_command,omitempty"` // the command is the user's, not the droplet's
	Instances   int                 `json:"instances"`
	MemoryMB    int                 `json:"memory_in_mb"`
	DiskMB      int                 `json:"disk_in_mb"`
	LogRate     int64               `json:"log_rate_limit_in_bytes_per_second"`
	HealthCheck events.HealthCheck  `json:"health_check"`
	Revision    events.RevisionID   `json:"revision,omitempty"`
	Deployment  events.DeploymentID `json:"deployment,omitempty"`
	Generation  int                 `json:"generation,omitempty"` // counts restarts
	Standing    Standing            `json:"standing"`
	Leaving     []events.InstanceID `json:"leaving,omitempty"`     // on their way out since an earlier size; see [Process.present]
	Returned    int                 `json:"returned,omitempty"`    // how many, the last ones, a rollout brought back; see [Process.serves]
	Environment map[string]string   `json:"environment,omitempty"` // of the app, when it was created, restarted or started
}

// Phase is where an active deployment stands: Cloud Foundry's internal state.
type Phase string

// The phases of an active deployment.
const (
	Deploying Phase = "DEPLOYING" // on its last step
	Prepaused Phase = "PREPAUSED" // on its way to a step at which it will pause
	Paused    Phase = "PAUSED"    // waits for somebody to continue
	Canceling Phase = "CANCELING"

	Baking      Phase = "BAKING"       // all instances are new; it is watched for a while
	RollingBack Phase = "ROLLING_BACK" // the old version comes back to full strength, then the new one leaves
)

// Deployment is the active rollout. Its plan and numbers are those of its first event.
type Deployment struct {
	events.DeploymentCreated
	Step        int          `json:"step"` // index into the plan
	AtPause     bool         `json:"at_pause,omitempty"`
	GoingBack   bool         `json:"going_back,omitempty"`   // canceled: as quickly as may be
	RollingBack bool         `json:"rolling_back,omitempty"` // with the old version at full strength first
	Hurry       bool         `json:"hurry,omitempty"`        // the rollback does not wait for the old version
	Held        bool         `json:"held,omitempty"`         // it failed and waits for somebody to decide
	Error       string       `json:"error,omitempty"`        // why it does not move, or goes back
	BackReason  string       `json:"back_reason,omitempty"`  // why it is rolled back
	ContinuedBy events.Actor `json:"continued_by,omitempty"`

	WatchedFrom time.Time            `json:"watched_from,omitzero"` // what failed before that has been forgiven
	ProgressAt  time.Time            `json:"progress_at,omitzero"`  // when it last moved, as far as its own events tell
	StepAt      time.Time            `json:"step_at,omitzero"`      // when its step began
	PausedUntil time.Time            `json:"paused_until,omitzero"` // when the pause times out; zero: never
	PausedThen  string               `json:"paused_then,omitempty"` // what it does then
	Halt        events.HaltID        `json:"halt,omitempty"`        // it stands still because of this halt
	BakeUntil   time.Time            `json:"bake_until,omitzero"`   // when the bake is over; zero: it has not begun
	Forgiven    int                  `json:"forgiven,omitempty"`    // crashes of new instances that were forgiven
	Checks      map[string]CheckSeen `json:"checks,omitempty"`      // the last verdict of each, by name
}

// CheckSeen is how a check stands.
type CheckSeen struct {
	Verdict  string    `json:"verdict"`
	At       time.Time `json:"at"`
	Failures int       `json:"failures,omitempty"` // failed verdicts so far
	Message  string    `json:"message,omitempty"`
}

// Phase follows from where the deployment stands in its plan.
func (d *Deployment) Phase() Phase {
	switch {
	case d.GoingBack:
		return Canceling
	case d.RollingBack:
		return RollingBack
	case d.AtPause, d.Held:
		return Paused
	case d.step().Gate == events.GateManual:
		return Prepaused
	case !d.BakeUntil.IsZero():
		return Baking
	}
	return Deploying
}

// step is what the rollout moves towards now.
func (d *Deployment) step() events.Step {
	if d.Step < 0 || d.Step >= len(d.Plan) {
		return events.Step{New: d.Target, Gate: events.GateHealthy}
	}
	return d.Plan[d.Step]
}

// CurrentStep is the step shown to people, from 1: it stays at the last pause once the rollout goes on to its end.
func (d *Deployment) CurrentStep() int { return min(d.Step+1, plan.Shown(d.Plan)) }

// reason is the status reason that people see of an active deployment.
func (d *Deployment) reason() string {
	if phase := d.Phase(); phase != Prepaused {
		return string(phase)
	}
	return string(Deploying)
}

// Ended is a deployment that is over. Reason is Cloud Foundry's status reason.
type Ended struct {
	ID     events.DeploymentID `json:"id"`
	Reason string              `json:"reason"`
	Group  events.GroupID      `json:"group,omitempty"` // it was a member of
}

// The reasons of a deployment's status.
const (
	ReasonDeployed   = "DEPLOYED"
	ReasonCanceled   = "CANCELED"
	ReasonSuperseded = "SUPERSEDED"
	ReasonRolledBack = "ROLLED_BACK"

	ReasonApproval = "CREATING_APPROVAL"        // active: it waits for people, a window or the end of a halt
	ReasonDenied   = "CREATING_APPROVAL_DENIED" // it never began
	ReasonDeleted  = "DELETED"                  // it was deployed, and its app was stopped
)

// endedKept is how many ended deployments an app remembers: as many as Cloud Foundry keeps of them.
const endedKept = 100

// Exists says whether the app has been created and not deleted.
func (s State) Exists() bool { return s.ID != "" && !s.Deleted }

// Process finds a process by id.
func (s State) Process(id events.ProcessID) (Process, bool) {
	i := slices.IndexFunc(s.Processes, func(p Process) bool { return p.ID == id })
	if i < 0 {
		return Process{}, false
	}
	return s.Processes[i], true
}

// Webs are the web processes, oldest first.
func (s State) Webs() []Process {
	var webs []Process
	for _, p := range s.Processes {
		if p.Type == events.ProcessTypeWeb {
			webs = append(webs, p)
		}
	}
	return webs
}

// ProcessOfType is what `GET /v3/apps/:guid/processes/:type` means: the newest process of the type.
func (s State) ProcessOfType(processType string) (Process, bool) {
	for _, p := range slices.Backward(s.Processes) {
		if p.Type == processType {
			return p, true
		}
	}
	return Process{}, false
}

// Dark says whether a process must take no requests now, though its instances run: of a blue-green rollout the new one
// before the switch, the old ones after it. On the way back every one that runs is welcome.
func (s State) Dark(p Process) bool {
	d := s.Deployment
	if d == nil || d.GoingBack || d.RollingBack || p.Type != events.ProcessTypeWeb {
		return false
	}
	switch {
	case d.step().Dark:
		return p.ID == d.Process
	case d.Step > 0 && d.Step < len(d.Plan) && d.Plan[d.Step-1].Dark:
		return p.ID != d.Process
	}
	return false
}

// InFlight says whether a deployment blocks other edits of the web process: one that is active and not canceling.
func (s State) InFlight() bool { return s.Deployment != nil && !s.Deployment.GoingBack }

func (s State) ended(id events.DeploymentID) (Ended, bool) {
	i := slices.IndexFunc(s.Ended, func(e Ended) bool { return e.ID == id })
	if i < 0 {
		return Ended{}, false
	}
	return s.Ended[i], true
}

// decision collects events and the state they lead to, so that a later part of a decision builds on an earlier one.
type decision struct {
	State
	quota  Quota
	seen   Instances
	events []events.Event
}

func (d *decision) add(e events.Event) {
	d.events = append(d.events, e)
	d.State = Evolve(d.State, e)
}

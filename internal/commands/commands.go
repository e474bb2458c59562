package commands

import (
	"slipway/aggregates"
	"slipway/aggregates/group"
	"slipway/aggregates/plan"
	"slipway/events"
)

// Command is a request to decide something. Its JSON form is the body on the NATS doors.
type Command interface {
	// Name is "<aggregate>.<verb>": the last two tokens of its NATS subjects.
	Name() string
}

// The catalogue.
type (
	// CreateApp creates an app, stopped and without a droplet.
	CreateApp struct {
		AppName     string            `json:"name"`
		Space       events.SpaceID    `json:"space,omitempty"`     // default: "default"
		NoRoute     bool              `json:"no_route,omitempty"`  // it gets no default route
		Lifecycle   string            `json:"lifecycle,omitempty"` // docker, or buildpack, the default
		Environment map[string]string `json:"environment,omitempty"`
		Metadata    events.Metadata   `json:"metadata,omitzero"`
	}
	// StartApp starts an app with its current droplet.
	StartApp struct {
		App events.AppID `json:"app"`
	}
	// StopApp stops all instances of an app.
	StopApp struct {
		App events.AppID `json:"app"`
	}
	// RestartApp stops and starts all instances at once.
	RestartApp struct {
		App events.AppID `json:"app"`
	}
	// DeleteApp deletes an app and all it has.
	DeleteApp struct {
		App events.AppID `json:"app"`
	}
	// SetEnvironment merges variables; null deletes one.
	SetEnvironment struct {
		App events.AppID       `json:"app"`
		Var map[string]*string `json:"var"`
	}
	// AssignDroplet makes a droplet the app's current one.
	AssignDroplet struct {
		App     events.AppID     `json:"app"`
		Droplet events.DropletID `json:"droplet"`
	}
	// CreateDroplet makes a droplet that waits for its bits.
	CreateDroplet struct {
		App          events.AppID      `json:"app"`
		ProcessTypes map[string]string `json:"process_types,omitempty"`
	}
	// ScaleProcess changes a process's size. It names the process, or its app and type.
	ScaleProcess struct {
		Process   events.ProcessID `json:"process,omitempty"`
		App       events.AppID     `json:"app,omitempty"`
		Type      string           `json:"type,omitempty"`
		Instances *int             `json:"instances,omitempty"`
		MemoryMB  *int             `json:"memory_in_mb,omitempty"`
		DiskMB    *int             `json:"disk_in_mb,omitempty"`
		LogRate   *int64           `json:"log_rate_limit_in_bytes_per_second,omitempty"`
	}
	// UpdateProcess changes a process's start command and health check.
	UpdateProcess struct {
		Process     events.ProcessID    `json:"process"`
		Command     *string             `json:"command,omitempty"`
		HealthCheck *events.HealthCheck `json:"health_check,omitempty"`
	}
	// CreateDeployment rolls out a droplet, rolls back to a revision, or rolls the current droplet out anew.
	CreateDeployment struct {
		App                events.AppID      `json:"app"`
		Droplet            events.DropletID  `json:"droplet,omitempty"`
		Revision           events.RevisionID `json:"revision,omitempty"`
		Strategy           string            `json:"strategy,omitempty"`
		DeploymentStrategy events.StrategyID `json:"deployment_strategy,omitempty"` // a stored one, in place of a name
		Options            Options           `json:"options,omitzero"`
		Metadata           events.Metadata   `json:"metadata,omitzero"`
		Group              events.GroupID    `json:"-"` // it is a member of: nobody says so of their own deployment
		Schedule           plan.Schedule     `json:"-"` // when the steps of its growth curve begin; empty: as the handler is told
	}
	// ContinueDeployment lets a paused deployment go on. An expected step fences a retry.
	ContinueDeployment struct {
		Deployment   events.DeploymentID `json:"deployment"`
		ExpectedStep int                 `json:"expected_step,omitempty"`
	}
	// CancelDeployment goes back to the version before.
	CancelDeployment struct {
		Deployment   events.DeploymentID `json:"deployment"`
		ExpectedStep int                 `json:"expected_step,omitempty"`
	}
	// RollBackDeployment goes back to the version before without a dip: it is at full strength before the new one leaves.
	RollBackDeployment struct {
		Deployment   events.DeploymentID `json:"deployment"`
		ExpectedStep int                 `json:"expected_step,omitempty"`
	}
	// UpdateDeployment merges labels and annotations; null deletes one.
	UpdateDeployment struct {
		Deployment events.DeploymentID `json:"deployment"`
		Metadata   MetadataPatch       `json:"metadata"`
	}
)

func (CreateApp) Name() string          { return "app.create" }
func (StartApp) Name() string           { return "app.start" }
func (StopApp) Name() string            { return "app.stop" }
func (RestartApp) Name() string         { return "app.restart" }
func (DeleteApp) Name() string          { return "app.delete" }
func (SetEnvironment) Name() string     { return "app.set-environment" }
func (AssignDroplet) Name() string      { return "app.assign-droplet" }
func (CreateDroplet) Name() string      { return "droplet.create" }
func (ScaleProcess) Name() string       { return "process.scale" }
func (UpdateProcess) Name() string      { return "process.update" }
func (CreateDeployment) Name() string   { return "deployment.create" }
func (ContinueDeployment) Name() string { return "deployment.continue" }
func (CancelDeployment) Name() string   { return "deployment.cancel" }
func (RollBackDeployment) Name() string { return "deployment.rollback" }
func (UpdateDeployment) Name() string   { return "deployment.update" }

// MetadataPatch changes labels and annotations: a nil value deletes a key, what is not named stays.
type MetadataPatch = aggregates.MetadataPatch

// Kind is what kind of resource a command is about.
type Kind string

// The kinds, as Cloud Foundry calls them in its error texts.
const (
	KindApp        Kind = "App"
	KindProcess    Kind = "Process"
	KindDroplet    Kind = "Droplet"
	KindPackage    Kind = "Package"
	KindBuild      Kind = "Build"
	KindDeployment Kind = "Deployment"
	KindRevision   Kind = "Revision"
	KindHalt       Kind = "Halt"
	KindPolicy     Kind = "Policy"

	KindOrganization      Kind = "Organization"
	KindSpace             Kind = "Space"
	KindOrganizationQuota Kind = "Organization quota"
	KindSpaceQuota        Kind = "Space quota"
	KindDomain            Kind = "Domain"
	KindRoute             Kind = "Route"
	KindStrategy          Kind = "Deployment strategy"
	KindSubscription      Kind = "Subscription"
	// KindWholeOrganization is an organization with all its spaces, those to come too: a role in one of them is not enough for it.
	KindWholeOrganization Kind = "Whole organization"
	KindGroup             Kind = group.Kind
)

// Result says what a command was about and where to read it.
type Result struct {
	Kind      Kind
	ID        string          // of the resource
	App       events.AppID    // it belongs to
	Sequence  events.Sequence // a read model at or past this shows the result
	Duplicate bool            // the command had been carried out before
	Recorded  bool            // of a command about an app: something changed by it
	Secret    bool            // the thing has a new secret, which the answer shows
}

package events

import "time"

// AppCreated: an app exists. It is stopped and has no droplet yet.
type AppCreated struct {
	App          AppID             `json:"app"`
	Name         string            `json:"name"` // of the app, unique in its space
	Space        SpaceID           `json:"space"`
	Organization OrganizationID    `json:"organization"`          // the space belongs to
	Environment  map[string]string `json:"environment,omitempty"` // environment variables, all of them
	Routed       bool              `json:"routed,omitempty"`      // requests come by routes; absent, of the time before routes: by its name
	Metadata     Metadata          `json:"metadata,omitzero"`
	Lifecycle    string            `json:"lifecycle,omitempty"` // what its droplets are: docker; absent: buildpack, bits
}

// AppUpdated: the app's metadata is now this.
type AppUpdated struct {
	App      AppID    `json:"app"`
	Metadata Metadata `json:"metadata"`
}

// AppEnvironmentSet: the app's environment variables are now these, all of them. Running instances keep theirs until
// they are restarted or deployed.
type AppEnvironmentSet struct {
	App         AppID             `json:"app"`
	Environment map[string]string `json:"environment"` // environment variables, all of them
}

// The lifecycles of an app, Cloud Foundry's.
const (
	LifecycleBuildpack = "buildpack" // its droplets are bits
	LifecycleDocker    = "docker"    // its droplets are images
)

// The features of an app that can be switched, Cloud Foundry's.
const (
	FeatureRevisions = "revisions" // on unless it is switched off
	FeatureSSH       = "ssh"       // always off
)

// AppFeatureSet: a feature of the app is switched on or off.
type AppFeatureSet struct {
	App     AppID  `json:"app"`
	Name    string `json:"name"`    // of the feature: revisions
	Enabled bool   `json:"enabled"` // it is on now
}

// AppStarted: the app's desired state is STARTED.
type AppStarted struct {
	App AppID     `json:"app"`
	At  time.Time `json:"at,omitzero"` // when; a deployment's deadlines count anew from here
}

// AppStopped: the app's desired state is STOPPED; no instance of it shall run.
type AppStopped struct {
	App AppID `json:"app"`
}

// AppDropletAssigned: the app's current droplet is this one. During a deployment it is the desired one from the first
// moment (Cloud Foundry's rule).
type AppDropletAssigned struct {
	App             AppID             `json:"app"`
	Droplet         DropletID         `json:"droplet"`
	PreviousDroplet DropletID         `json:"previous_droplet,omitempty"`
	ProcessTypes    map[string]string `json:"process_types"` // type to start command
	Deployment      DeploymentID      `json:"deployment,omitempty"`
}

// AppDeleted: the app and all it had is gone; its id stays used.
type AppDeleted struct {
	App AppID `json:"app"`
}

// RevisionCreated: a numbered snapshot of what runs: droplet, environment, start commands.
type RevisionCreated struct {
	App         AppID             `json:"app"`
	Revision    RevisionID        `json:"revision"`
	Number      int               `json:"number"` // 1..9999, then 1 again
	Droplet     DropletID         `json:"droplet"`
	Environment map[string]string `json:"environment,omitempty"` // environment variables, all of them
	Commands    map[string]string `json:"commands"`              // type to custom start command, where it has one
	Types       []string          `json:"types"`                 // all process types, sorted
	Description string            `json:"description"`           // why it was made, in words
	Deployment  DeploymentID      `json:"deployment,omitempty"`
}

func (AppCreated) Type() Type         { return TypeAppCreated }
func (AppUpdated) Type() Type         { return TypeAppUpdated }
func (AppEnvironmentSet) Type() Type  { return TypeAppEnvironmentSet }
func (AppFeatureSet) Type() Type      { return TypeAppFeatureSet }
func (AppStarted) Type() Type         { return TypeAppStarted }
func (AppStopped) Type() Type         { return TypeAppStopped }
func (AppDropletAssigned) Type() Type { return TypeAppDropletAssigned }
func (AppDeleted) Type() Type         { return TypeAppDeleted }
func (RevisionCreated) Type() Type    { return TypeRevisionCreated }

func (e AppCreated) Subject() string         { return string(e.App) }
func (e AppUpdated) Subject() string         { return string(e.App) }
func (e AppEnvironmentSet) Subject() string  { return string(e.App) }
func (e AppFeatureSet) Subject() string      { return string(e.App) }
func (e AppStarted) Subject() string         { return string(e.App) }
func (e AppStopped) Subject() string         { return string(e.App) }
func (e AppDropletAssigned) Subject() string { return string(e.App) }
func (e AppDeleted) Subject() string         { return string(e.App) }
func (e RevisionCreated) Subject() string    { return string(e.Revision) }

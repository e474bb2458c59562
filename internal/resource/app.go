package resource

import (
	"slipway/projections"
)

// App is an app (reference 2.4).
type App struct {
	Stamp
	Name          string           `json:"name"`
	State         string           `json:"state"`     // STARTED or STOPPED: what is wanted
	Lifecycle     Lifecycle        `json:"lifecycle"` // how its droplets come to be
	Relationships AppRelationships `json:"relationships"`
	Metadata      Metadata         `json:"metadata"`
	// AutomationHeld is why automation may not deploy the app (our own addition).
	AutomationHeld *Rejected `json:"automation_held,omitempty"`
	Links          Links     `json:"links"`
}

// AppRelationships are where an app lives and what it runs.
type AppRelationships struct {
	Space          ToOne `json:"space"`
	CurrentDroplet ToOne `json:"current_droplet"` // what it is started with
}

// App presents an app.
func (b Base) App(a projections.App) App {
	return App{
		Stamp: stamp(a.GUID, a.Stamp), Name: a.Name, State: string(a.State), Lifecycle: lifecycleOf(a.Lifecycle == LifecycleDocker),
		Relationships: AppRelationships{Space: toOne(a.Space), CurrentDroplet: toOne(a.Droplet)},
		Metadata:      metadata(a.Metadata), AutomationHeld: rejected(a.NoAutomation), Links: b.appLinks(a),
	}
}

func (b Base) appLinks(a projections.App) Links {
	id := string(a.GUID)
	at := func(more ...string) Link { return b.link(append([]string{"v3", "apps", id}, more...)...) }
	links := Links{
		"self": at(), "environment_variables": at("environment_variables"), "processes": at("processes"),
		"droplets": at("droplets"), "packages": at("packages"), "builds": at("builds"), "features": at("features"), "current_droplet": at("droplets", "current"), "revisions": at("revisions"),
		"deployed_revisions": at("revisions", "deployed"), "start": at("actions", "start").by("POST"),
		"stop": at("actions", "stop").by("POST"), "restart": at("actions", "restart").by("POST"),
	}
	if a.NoAutomation != "" {
		links["release_automation"] = at("actions", "release_automation").by("POST")
	}
	return links
}

// Variables is a set of environment variables.
type Variables struct {
	Var   map[string]string `json:"var"`
	Links Links             `json:"links"`
}

// AppVariables presents the environment variables that a user gave an app.
func (b Base) AppVariables(a projections.App) Variables {
	id := string(a.GUID)
	return Variables{Var: filled(a.Environment), Links: Links{
		"self": b.link("v3", "apps", id, "environment_variables"), "app": b.link("v3", "apps", id),
	}}
}

// Env is all that is in an app's environment, by where it comes from.
type Env struct {
	Staging     map[string]string `json:"staging_env_json"`
	Running     map[string]string `json:"running_env_json"`
	Variables   map[string]string `json:"environment_variables"`
	System      map[string]string `json:"system_env_json"`
	Application struct {
		VCAP VCAPApplication `json:"VCAP_APPLICATION"`
	} `json:"application_env_json"`
}

// VCAPApplication is what an app is told of itself in VCAP_APPLICATION, as far as it is the same for all of its instances.
type VCAPApplication struct {
	API              string   `json:"cf_api"`
	ID               string   `json:"application_id"`
	Name             string   `json:"application_name"`
	URIs             []string `json:"application_uris"`
	SpaceID          string   `json:"space_id"`
	SpaceName        string   `json:"space_name"`
	OrganizationID   string   `json:"organization_id"`
	OrganizationName string   `json:"organization_name"`
}

// AppEnv presents the environment of an app: its variables, and where it lives and is reached.
func (b Base) AppEnv(a projections.App, s projections.Space, o projections.Organization, routes []projections.Route) Env {
	none := map[string]string{}
	env := Env{Staging: none, Running: none, Variables: filled(a.Environment), System: none}
	env.Application.VCAP = VCAPApplication{
		API: string(b), ID: string(a.GUID), Name: a.Name, URIs: Each(routes, func(r projections.Route) string { return r.URL }),
		SpaceID: string(a.Space), SpaceName: s.Name, OrganizationID: string(o.GUID), OrganizationName: o.Name,
	}
	return env
}

// Relationship is a to-one relationship as a resource of its own.
type Relationship struct {
	ToOne
	Links Links `json:"links"`
}

// CurrentDroplet presents the relationship of an app to its current droplet.
func (b Base) CurrentDroplet(a projections.App) Relationship {
	id := string(a.GUID)
	return Relationship{ToOne: toOne(a.Droplet), Links: Links{
		"self":    b.link("v3", "apps", id, "relationships", "current_droplet"),
		"related": b.link("v3", "apps", id, "droplets", "current"),
	}}
}

// Package manifest reads Cloud Foundry's app manifests, applies them, and says how they differ from what is there.
//
// A manifest is no command of its own: [Apply] carries out a list of commands, each with an id derived from the manifest's, so
// that the same manifest sent again under the same id changes nothing the second time.
//
// What it guarantees:
//
//  1. A manifest with a fault, anywhere in it, changes nothing; all its faults are told together, in Cloud Foundry's words.
//  2. What it does not say stays as it is. What it says and Slipway does not do (services, sidecars) is refused; what Cloud
//     Foundry ignores (unknown keys) and what has no meaning here (buildpacks, stack, path) is passed over.
//  3. A route that it asks for is made if it is not there and leads to the app too; a default one only where the app has none.
//  4. Applied, it is recorded with how it ended; a part that was refused ends it, and what came before that stands.
//
// Shapes and texts: reference cloud-foundry.md 2.4 and 3.3.
package manifest

import (
	"slipway/events"
)

// Manifest is what a manifest asks for.
type Manifest struct {
	Apps []App
}

// App is what a manifest says of one app. A nil field is not said.
type App struct {
	Name         string
	Environment  map[string]string
	Metadata     events.Metadata
	Image        string
	Lifecycle    string    // docker or buildpack
	Processes    []Process // web first
	DefaultRoute bool
	NoRoute      bool
	RandomRoute  bool
	Routes       []string // host names, with a domain
}

// lifecycle is that of an app which is created as the manifest says.
func (a App) lifecycle() string {
	if a.Image != "" {
		return events.LifecycleDocker
	}
	return a.Lifecycle
}

// Process is what a manifest says of one process. A nil field is not said.
type Process struct {
	at                string // where it stands in the manifest: a JSON pointer within its app; empty beside the other fields
	Type              string
	Instances         *int
	MemoryMB          *int
	DiskMB            *int
	LogRate           *int64  // bytes per second; -1: no limit
	Command           *string // empty: the droplet's
	HealthCheck       *string // port, process or http
	Endpoint          *string
	Timeout           *int // seconds
	InvocationTimeout *int // seconds
	Interval          *int // seconds
}

// scales says whether the size of the process is said.
func (p Process) scales() bool {
	return p.Instances != nil || p.MemoryMB != nil || p.DiskMB != nil || p.LogRate != nil
}

// updates says whether the command or the health check of the process is said.
func (p Process) updates() bool {
	return p.Command != nil || p.HealthCheck != nil || p.Endpoint != nil || p.Timeout != nil || p.InvocationTimeout != nil ||
		p.Interval != nil
}

// health is the health check that stands once what the manifest says is done to the present one.
func (p Process) health(h events.HealthCheck) *events.HealthCheck {
	if p.HealthCheck != nil && *p.HealthCheck != h.Kind {
		h.Kind, h.Endpoint = *p.HealthCheck, ""
	}
	if p.Endpoint != nil && h.Kind == events.HealthCheckHTTP {
		h.Endpoint = *p.Endpoint
	}
	for said, stands := range map[*int]*int{
		p.Timeout: &h.TimeoutSeconds, p.InvocationTimeout: &h.InvocationTimeoutSeconds, p.Interval: &h.IntervalSeconds,
	} {
		if said != nil {
			*stands = *said
		}
	}
	return &h
}

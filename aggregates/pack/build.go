package pack

import (
	"strings"
	"time"

	"slipway/aggregates"
	"slipway/events"
)

// Deadline is how long a build may take: Cloud Foundry's staging timeout, and the cf CLI's. What was not possible for so
// long fails rather than waits silently.
const Deadline = 15 * time.Minute

// Phase is where a build stands: Cloud Foundry's state.
type Phase string

// The phases of a build.
const (
	Staging Phase = "STAGING"
	Staged  Phase = "STAGED"
	Failed  Phase = "FAILED"
)

// Build is a build folded from its events; the zero Build does not exist.
type Build struct {
	ID      events.BuildID   `json:"id"`
	Package events.PackageID `json:"package"`
	App     events.AppID     `json:"app"`
	Droplet events.DropletID `json:"droplet"` // the one it makes
	Bits    string           `json:"bits,omitempty"`
	Image   string           `json:"image,omitempty"`
	Phase   Phase            `json:"phase"`
}

// EvolveBuild folds one event into a build. It is total; a build that has ended stays as it is.
func EvolveBuild(b Build, e events.Event) Build {
	switch e := e.(type) {
	case events.BuildCreated:
		return Build{ID: e.Build, Package: e.Package, App: e.App, Droplet: e.Droplet, Bits: e.Bits, Image: e.Image, Phase: Staging}
	case events.BuildStaged:
		return b.end(Staged)
	case events.BuildFailed:
		return b.end(Failed)
	}
	return b
}

func (b Build) end(as Phase) Build {
	if b.Phase == Staging {
		b.Phase = as
	}
	return b
}

// CreateBuild is the command to make a droplet of a package.
type CreateBuild struct {
	ID       events.BuildID
	Droplet  events.DropletID // the id it will have
	Package  State            // from the package's own aggregate; once READY it never changes
	Metadata events.Metadata
}

// BuildPackage begins a build. The same command again decides nothing.
func BuildPackage(b Build, c CreateBuild) ([]events.Event, error) {
	switch {
	case b.ID != "":
		return nil, nil
	case c.Package.ID == "":
		return nil, aggregates.Reject("Unable to use package. Ensure that the package exists and you have access to it.")
	case !c.Package.Ready():
		return nil, aggregates.Reject("Cannot stage package whose state is not ready.")
	}
	return []events.Event{events.BuildCreated{
		Build: c.ID, Package: c.Package.ID, App: c.Package.App, Droplet: c.Droplet, Bits: c.Package.Bits, Image: c.Package.Image,
		Metadata: c.Metadata,
	}}, nil
}

// FinishBuild ends a build well, once its droplet is STAGED. A build that has ended stays ended.
func FinishBuild(b Build) []events.Event {
	if b.Phase != Staging {
		return nil
	}
	return []events.Event{events.BuildStaged{Build: b.ID, Package: b.Package, App: b.App, Droplet: b.Droplet}}
}

// maxError bounds why a build failed, in bytes.
const maxError = 1000

// FailBuild ends a build badly. A build that has ended stays ended.
func FailBuild(b Build, why string) []events.Event {
	if b.Phase != Staging {
		return nil
	}
	if len(why) > maxError {
		why = strings.ToValidUTF8(why[:maxError], "") + "..."
	}
	return []events.Event{events.BuildFailed{Build: b.ID, Package: b.Package, App: b.App, Error: why}}
}

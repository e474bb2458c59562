package resource

import (
	"slipway/events"
	"slipway/projections"
)

// Droplet is a droplet (reference 2.4).
type Droplet struct {
	Stamp
	State             string            `json:"state"`                            // AWAITING_UPLOAD or STAGED
	Error             *string           `json:"error"`                            // always null
	Lifecycle         DropletLifecycle  `json:"lifecycle"`                        // how it came to be
	ExecutionMetadata string            `json:"execution_metadata"`               // always empty
	ProcessTypes      map[string]string `json:"process_types"`                    // the start command of each type of process
	Checksum          *Checksum         `json:"checksum"`                         // of its bits; null before they are there
	SizeBytes         *int64            `json:"size_in_bytes"`                    // of its bits; null before they are there
	Buildpacks        []string          `json:"buildpacks" jsonschema:"nullable"` // null: there are none here // null: there are none here
	Stack             *string           `json:"stack"`                            // null: there are none here
	Image             *string           `json:"image"`                            // where it is one of docker
	Relationships     OfApp             `json:"relationships"`
	Metadata          Metadata          `json:"metadata"`
	Rejected          *Rejected         `json:"rejected,omitempty"` // our own addition
	Links             Links             `json:"links"`
}

// Rejected is why a droplet or a revision must not be deployed.
type Rejected struct {
	Reason string `json:"reason"` // why
}

func rejected(reason string) *Rejected {
	if reason == "" {
		return nil
	}
	return &Rejected{reason}
}

// DropletLifecycle is the lifecycle as droplets show it: its data are empty.
type DropletLifecycle struct {
	Type string   `json:"type"` // buildpack or docker
	Data struct{} `json:"data"` // always empty
}

// Checksum is of a droplet's bits.
type Checksum struct {
	Type  string `json:"type"`  // sha256
	Value string `json:"value"` // in hex
}

// Droplet presents a droplet.
func (b Base) Droplet(d projections.Droplet) Droplet {
	id := string(d.GUID)
	out := Droplet{
		Stamp: stamp(d.GUID, d.Stamp), State: string(d.State), Lifecycle: DropletLifecycle{Type: LifecycleBuildpack},
		ProcessTypes: filled(d.ProcessTypes), Relationships: OfApp{toOne(d.App)}, Metadata: metadata(events.Metadata{}), Rejected: rejected(d.Rejected),
		Links: Links{
			"self": b.link("v3", "droplets", id), "app": b.link("v3", "apps", string(d.App)),
			"assign_current_droplet": b.link("v3", "apps", string(d.App), "relationships", "current_droplet").by("PATCH"),
		},
	}
	if d.Image != "" {
		out.Lifecycle.Type, out.Image = LifecycleDocker, &d.Image
	}
	if d.Package != "" {
		out.Links["package"] = b.link("v3", "packages", string(d.Package))
	}
	if d.SHA256 != "" {
		out.Checksum, out.SizeBytes = &Checksum{Type: "sha256", Value: d.SHA256}, &d.SizeBytes
	}
	if d.State == projections.DropletAwaitingUpload {
		out.Links["upload"] = b.link("v3", "droplets", id, "upload").by("POST")
	}
	return out
}

// ListedDroplet presents a droplet as lists show it, without its start commands.
func (b Base) ListedDroplet(d projections.Droplet) Droplet {
	out := b.Droplet(d)
	out.ExecutionMetadata, out.ProcessTypes = hidden, map[string]string{"redacted_message": hidden}
	return out
}

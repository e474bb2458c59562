package resource

import (
	"slipway/aggregates/pack"
	"slipway/projections"
)

// Build is the making of a droplet (reference 2.4).
type Build struct {
	Stamp
	CreatedBy     Person    `json:"created_by"`
	State         string    `json:"state"` // STAGING, STAGED or FAILED
	Error         *string   `json:"error"` // why it failed
	MemoryMB      int       `json:"staging_memory_in_mb"`
	DiskMB        int       `json:"staging_disk_in_mb"`
	LogRate       int64     `json:"staging_log_rate_limit_bytes_per_second"`
	Lifecycle     Lifecycle `json:"lifecycle"`
	Package       GUID      `json:"package"`
	Droplet       *GUID     `json:"droplet"` // null until it is STAGED
	Relationships OfApp     `json:"relationships"`
	Metadata      Metadata  `json:"metadata"`
	Links         Links     `json:"links"`
}

// Person is who did something.
type Person struct {
	GUID  string `json:"guid"`
	Name  string `json:"name"`
	Email string `json:"email"`
}

// What a build is shown to be allowed: Cloud Foundry's defaults. Staging copies files, so nothing needs to be limited.
const (
	stagingMB      = 1024
	stagingLogRate = -1
)

// Build presents a build. ids may be nil.
func (b Base) Build(of projections.Build, ids UserIDs) Build {
	id := string(of.GUID)
	by, who := ids.called(of.Actor)
	out := Build{
		Stamp: stamp(of.GUID, of.Stamp), CreatedBy: Person{GUID: by, Name: who, Email: who}, State: string(of.State),
		MemoryMB: stagingMB, DiskMB: stagingMB, LogRate: stagingLogRate, Lifecycle: lifecycleOf(of.Image != ""),
		Package: guid(of.Package), Relationships: OfApp{toOne(of.App)}, Metadata: metadata(of.Metadata), Links: Links{
			"self": b.link("v3", "builds", id), "app": b.link("v3", "apps", string(of.App)),
			"package": b.link("v3", "packages", string(of.Package)),
		},
	}
	switch of.State {
	case pack.Staged:
		made := guid(of.Droplet)
		out.Droplet, out.Links["droplet"] = &made, b.link("v3", "droplets", string(of.Droplet))
	case pack.Failed:
		out.Error = &of.Error
	case pack.Staging:
	}
	return out
}

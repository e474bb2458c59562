package resource

import (
	"slipway/events"
	"slipway/projections"
)

// Package is what a droplet is built of (reference 2.4).
type Package struct {
	Stamp
	Type          string      `json:"type"`
	Data          PackageData `json:"data"`
	State         string      `json:"state"` // AWAITING_UPLOAD or READY
	Relationships OfApp       `json:"relationships"`
	Metadata      Metadata    `json:"metadata"`
	Links         Links       `json:"links"`
}

// PackageData is an image, or how the upload went.
type PackageData struct {
	*ImageData
	*BitsData
}

// ImageData names an image. Slipway keeps no credentials, so there are none to show.
type ImageData struct {
	Image    string  `json:"image"`
	Username *string `json:"username"`
	Password *string `json:"password"`
}

// BitsData tells of the files. Error is always null: what cannot be used is refused.
type BitsData struct {
	Error    *string         `json:"error"`
	Checksum PackageChecksum `json:"checksum"`
}

// PackageChecksum is of the zip; its value is null before the upload.
type PackageChecksum struct {
	Type  string  `json:"type"` // sha256
	Value *string `json:"value"`
}

// Package presents a package.
func (b Base) Package(p projections.Package) Package {
	id := string(p.GUID)
	out := Package{
		Stamp: stamp(p.GUID, p.Stamp), Type: p.Type, State: string(p.State), Relationships: OfApp{toOne(p.App)},
		Metadata: metadata(p.Metadata), Links: Links{
			"self": b.link("v3", "packages", id), "app": b.link("v3", "apps", string(p.App)),
			"droplets": b.link("v3", "packages", id, "droplets"),
		},
	}
	if p.Type == events.PackageTypeDocker {
		out.Data.ImageData = &ImageData{Image: p.Image}
		return out
	}
	out.Data.BitsData = &BitsData{Checksum: PackageChecksum{Type: "sha256"}}
	if p.SHA256 != "" {
		out.Data.BitsData.Checksum.Value = &p.SHA256
	}
	if p.State == projections.PackageAwaitingUpload {
		out.Links["upload"] = b.link("v3", "packages", id, "upload").by("POST")
	}
	return out
}

package events

// ManifestApplied: all that a manifest says of apps is done.
type ManifestApplied struct {
	Command      CommandID      `json:"command"` // that brought the manifest
	Space        SpaceID        `json:"space"`
	Organization OrganizationID `json:"organization,omitempty"` // of the space
	Apps         []AppID        `json:"apps"`                   // in the order of the manifest
}

// ManifestFailed: a manifest was applied up to a part that was refused. What came before it stands.
type ManifestFailed struct {
	Command      CommandID      `json:"command"` // that brought the manifest
	Space        SpaceID        `json:"space"`
	Organization OrganizationID `json:"organization,omitempty"` // of the space
	Code         string         `json:"code"`                   // e.g. "CF-UnprocessableEntity"
	Message      string         `json:"message"`                // for a person
}

func (ManifestApplied) Type() Type { return TypeManifestApplied }
func (ManifestFailed) Type() Type  { return TypeManifestFailed }

func (e ManifestApplied) Subject() string { return string(e.Command) }
func (e ManifestFailed) Subject() string  { return string(e.Command) }

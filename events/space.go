package events

// OrganizationCreated: an organization exists; it has no spaces yet.
type OrganizationCreated struct {
	Organization OrganizationID `json:"organization"`
	Name         string         `json:"name"` // unique among all organizations
	Metadata     Metadata       `json:"metadata,omitzero"`
}

// OrganizationUpdated: the organization's name and metadata are now these.
type OrganizationUpdated struct {
	Organization OrganizationID `json:"organization"`
	Name         string         `json:"name"` // unique among all organizations
	Metadata     Metadata       `json:"metadata,omitzero"`
}

// OrganizationDeleted: the organization is gone with all it had; its id stays used.
type OrganizationDeleted struct {
	Organization OrganizationID `json:"organization"`
}

// SpaceCreated: the organization has a further space, where apps can live.
type SpaceCreated struct {
	Space        SpaceID        `json:"space"`
	Organization OrganizationID `json:"organization"`
	Name         string         `json:"name"` // unique in its organization
	Metadata     Metadata       `json:"metadata,omitzero"`
}

// SpaceUpdated: the space's name and metadata are now these.
type SpaceUpdated struct {
	Space        SpaceID        `json:"space"`
	Organization OrganizationID `json:"organization"`
	Name         string         `json:"name"` // unique in its organization
	Metadata     Metadata       `json:"metadata,omitzero"`
}

// SpaceDeleted: the space is gone; what lived in it is deleted right after.
type SpaceDeleted struct {
	Space        SpaceID        `json:"space"`
	Organization OrganizationID `json:"organization"`
}

func (OrganizationCreated) Type() Type { return TypeOrganizationCreated }
func (OrganizationUpdated) Type() Type { return TypeOrganizationUpdated }
func (OrganizationDeleted) Type() Type { return TypeOrganizationDeleted }
func (SpaceCreated) Type() Type        { return TypeSpaceCreated }
func (SpaceUpdated) Type() Type        { return TypeSpaceUpdated }
func (SpaceDeleted) Type() Type        { return TypeSpaceDeleted }

func (e OrganizationCreated) Subject() string { return string(e.Organization) }
func (e OrganizationUpdated) Subject() string { return string(e.Organization) }
func (e OrganizationDeleted) Subject() string { return string(e.Organization) }
func (e SpaceCreated) Subject() string        { return string(e.Space) }
func (e SpaceUpdated) Subject() string        { return string(e.Space) }
func (e SpaceDeleted) Subject() string        { return string(e.Space) }

package events

// QuotaLimits is what a quota allows. A limit that is absent is none: Cloud Foundry's null. Those of services, of tasks, of
// ports and of domains are kept for clients; Slipway has none of these things, so they are never reached.
type QuotaLimits struct {
	MemoryMB         *int   `json:"total_memory_in_mb,omitempty"`                 // of all instances together
	InstanceMemoryMB *int   `json:"per_process_memory_in_mb,omitempty"`           // of one instance
	Instances        *int   `json:"total_instances,omitempty"`                    // of all apps together
	LogRate          *int64 `json:"log_rate_limit_in_bytes_per_second,omitempty"` // of all instances together
	Routes           *int   `json:"total_routes,omitempty"`                       // of all spaces together
	AppTasks         *int   `json:"per_app_tasks,omitempty"`                      // of one app
	ServiceInstances *int   `json:"total_service_instances,omitempty"`            // of all spaces together
	ServiceKeys      *int   `json:"total_service_keys,omitempty"`                 // of all spaces together
	NoPaidServices   bool   `json:"paid_services_forbidden,omitempty"`            // absent: they are allowed
	ReservedPorts    *int   `json:"total_reserved_ports,omitempty"`               // of all routes together
	Domains          *int   `json:"total_domains,omitempty"`                      // of the organization
}

// QuotaCreated: a quota exists, of organizations or, where it names an organization, of that one's spaces.
type QuotaCreated struct {
	Quota        QuotaID        `json:"quota"`
	Organization OrganizationID `json:"organization,omitempty"` // whose spaces it is for; absent: it is for organizations
	Name         string         `json:"name"`                   // unique among the quotas of its kind
	Limits       QuotaLimits    `json:"limits"`                 // what it allows
}

// QuotaUpdated: the quota's name and limits are now these. What runs goes on running, even above them.
type QuotaUpdated struct {
	Quota        QuotaID        `json:"quota"`
	Organization OrganizationID `json:"organization,omitempty"` // whose spaces it is for; absent: it is for organizations
	Name         string         `json:"name"`                   // unique among the quotas of its kind
	Limits       QuotaLimits    `json:"limits"`                 // what it allows
}

// QuotaDeleted: the quota is gone; spaces that had it have none.
type QuotaDeleted struct {
	Quota        QuotaID        `json:"quota"`
	Organization OrganizationID `json:"organization,omitempty"` // whose spaces it was for; absent: it was for organizations
}

// QuotaApplied: the quota of the organization, or of the space where one is named, is now this one, or none.
type QuotaApplied struct {
	Quota        QuotaID        `json:"quota,omitempty"` // absent: none
	Organization OrganizationID `json:"organization"`
	Space        SpaceID        `json:"space,omitempty"` // absent: it is about the organization
}

func (QuotaCreated) Type() Type { return TypeQuotaCreated }
func (QuotaUpdated) Type() Type { return TypeQuotaUpdated }
func (QuotaDeleted) Type() Type { return TypeQuotaDeleted }
func (QuotaApplied) Type() Type { return TypeQuotaApplied }

func (e QuotaCreated) Subject() string { return string(e.Quota) }
func (e QuotaUpdated) Subject() string { return string(e.Quota) }
func (e QuotaDeleted) Subject() string { return string(e.Quota) }

// Subject is the space or organization that the quota is applied to.
func (e QuotaApplied) Subject() string {
	if e.Space != "" {
		return string(e.Space)
	}
	return string(e.Organization)
}

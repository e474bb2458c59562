package resource

import (
	"slipway/events"
	"slipway/projections"
)

// Organization is an organization (reference 2.4).
type Organization struct {
	Stamp
	Name          string                    `json:"name"`
	Suspended     bool                      `json:"suspended"` // never
	Relationships OrganizationRelationships `json:"relationships"`
	Metadata      Metadata                  `json:"metadata"`
	Links         Links                     `json:"links"`
}

// OrganizationRelationships is what an organization has.
type OrganizationRelationships struct {
	Quota ToOne `json:"quota"` // null: there is none
}

// Organization presents an organization.
func (b Base) Organization(o projections.Organization) Organization {
	id := string(o.GUID)
	links := Links{
		"self": b.link("v3", "organizations", id), "domains": b.link("v3", "organizations", id, "domains"),
		"default_domain": b.link("v3", "organizations", id, "domains", "default"),
	}
	if o.Quota != "" {
		links["quota"] = b.link("v3", "organization_quotas", string(o.Quota))
	}
	return Organization{
		Stamp: stamp(o.GUID, o.Stamp), Name: o.Name, Relationships: OrganizationRelationships{toOne(o.Quota)},
		Metadata: metadata(o.Metadata), Links: links,
	}
}

// OrganizationQuotaOf presents the relationship of an organization to its quota.
func (b Base) OrganizationQuotaOf(o projections.Organization) Relationship {
	r := Relationship{ToOne: toOne(o.Quota), Links: Links{"self": b.link("v3", "organizations", string(o.GUID), "relationships", "quota")}}
	if o.Quota != "" {
		r.Links["related"] = b.link("v3", "organization_quotas", string(o.Quota))
	}
	return r
}

// Space is a space (reference 2.4).
type Space struct {
	Stamp
	Name          string             `json:"name"`
	Suspended     bool               `json:"suspended"` // never
	Relationships SpaceRelationships `json:"relationships"`
	Metadata      Metadata           `json:"metadata"`
	Links         Links              `json:"links"`
}

// SpaceRelationships is where a space belongs and what it has.
type SpaceRelationships struct {
	Organization ToOne `json:"organization"`
	Quota        ToOne `json:"quota"` // null: there is none
}

// Space presents a space.
func (b Base) Space(p projections.Space) Space {
	links := Links{
		"self": b.link("v3", "spaces", string(p.GUID)), "organization": b.link("v3", "organizations", string(p.Organization)),
	}
	if p.Quota != "" {
		links["quota"] = b.link("v3", "space_quotas", string(p.Quota))
	}
	return Space{
		Stamp: stamp(p.GUID, p.Stamp), Name: p.Name,
		Relationships: SpaceRelationships{Organization: toOne(p.Organization), Quota: toOne(p.Quota)},
		Metadata:      metadata(p.Metadata), Links: links,
	}
}

// Included is what stands beside the resources that were asked for, once each.
type Included struct {
	Organizations []Organization `json:"organizations,omitempty"` // those that were asked for
	Spaces        []Space        `json:"spaces,omitempty"`        // those that were asked for
	Domains       []Domain       `json:"domains,omitempty"`       // those that were asked for
}

// ToMany is a relationship to any number of resources; data is never null.
type ToMany struct {
	Data []GUID `json:"data"` // their guids
}

func toMany[ID ~string](ids []ID) ToMany {
	to := ToMany{Data: make([]GUID, 0, len(ids))}
	for _, id := range ids {
		to.Data = append(to.Data, guid(id))
	}
	return to
}

// Quota is a quota of organizations or of spaces (Cloud Foundry's form). A limit that is null is none.
type Quota struct {
	Stamp
	Name          string             `json:"name"`
	Apps          QuotaApps          `json:"apps"`
	Services      QuotaServices      `json:"services"`
	Routes        QuotaRoutes        `json:"routes"`
	Domains       *QuotaDomains      `json:"domains,omitempty"` // only of organizations
	Relationships QuotaRelationships `json:"relationships"`
	Links         Links              `json:"links"`
}

// QuotaApps is what apps may use. Of per_app_tasks there is no use: Slipway has no tasks.
type QuotaApps struct {
	MemoryMB         *int   `json:"total_memory_in_mb"`
	InstanceMemoryMB *int   `json:"per_process_memory_in_mb"`
	Instances        *int   `json:"total_instances"`
	AppTasks         *int   `json:"per_app_tasks"`
	LogRate          *int64 `json:"log_rate_limit_in_bytes_per_second"`
}

// QuotaServices limits services, of which Slipway has none.
type QuotaServices struct {
	PaidAllowed bool `json:"paid_services_allowed"`
	Instances   *int `json:"total_service_instances"`
	Keys        *int `json:"total_service_keys"`
}

// QuotaRoutes limits routes.
type QuotaRoutes struct {
	Routes        *int `json:"total_routes"`
	ReservedPorts *int `json:"total_reserved_ports"`
}

// QuotaDomains limits domains.
type QuotaDomains struct {
	Domains *int `json:"total_domains"`
}

// QuotaRelationships says who has a quota, and to whose spaces it can be given.
type QuotaRelationships struct {
	Organizations *ToMany `json:"organizations,omitempty"`
	Organization  *ToOne  `json:"organization,omitempty"`
	Spaces        *ToMany `json:"spaces,omitempty"`
}

func (b Base) quota(q projections.Quota) Quota {
	l := q.Limits
	return Quota{
		Stamp: stamp(q.GUID, q.Stamp), Name: q.Name,
		Apps: QuotaApps{
			MemoryMB: l.MemoryMB, InstanceMemoryMB: l.InstanceMemoryMB, Instances: l.Instances, AppTasks: l.AppTasks, LogRate: l.LogRate,
		},
		Services: QuotaServices{PaidAllowed: !l.NoPaidServices, Instances: l.ServiceInstances, Keys: l.ServiceKeys},
		Routes:   QuotaRoutes{Routes: l.Routes, ReservedPorts: l.ReservedPorts},
	}
}

// OrganizationQuota presents a quota of organizations and those that have it.
func (b Base) OrganizationQuota(q projections.Quota, has []events.OrganizationID) Quota {
	shown, to := b.quota(q), toMany(has)
	shown.Domains = &QuotaDomains{q.Limits.Domains}
	shown.Relationships.Organizations = &to
	shown.Links = Links{"self": b.link("v3", "organization_quotas", string(q.GUID))}
	return shown
}

// SpaceQuota presents a quota of spaces and those that have it.
func (b Base) SpaceQuota(q projections.Quota, has []events.SpaceID) Quota {
	shown, home, to := b.quota(q), toOne(q.Organization), toMany(has)
	shown.Relationships = QuotaRelationships{Organization: &home, Spaces: &to}
	shown.Links = Links{
		"self": b.link("v3", "space_quotas", string(q.GUID)), "organization": b.link("v3", "organizations", string(q.Organization)),
	}
	return shown
}

// Holders presents who has a quota, as a resource of its own.
func (b Base) Holders(q Quota, of string) any {
	to, holders := q.Relationships.Organizations, "organizations"
	if to == nil {
		to, holders = q.Relationships.Spaces, "spaces"
	}
	return struct {
		ToMany
		Links Links `json:"links"`
	}{*to, Links{"self": b.link("v3", of, q.GUID, "relationships", holders)}}
}

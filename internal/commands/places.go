package commands

import (
	"context"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/route"
	"slipway/aggregates/space"
	"slipway/events"
	"slipway/internal/eventlog"
)

// The catalogue of where apps live and how they are reached.
type (
	// CreateOrganization creates an organization without spaces.
	CreateOrganization struct {
		Called   string          `json:"name"`
		Metadata events.Metadata `json:"metadata,omitzero"`
	}
	// UpdateOrganization renames an organization and merges its metadata.
	UpdateOrganization struct {
		Organization events.OrganizationID `json:"organization"`
		Called       *string               `json:"name,omitempty"`
		Metadata     MetadataPatch         `json:"metadata,omitzero"`
	}
	// DeleteOrganization deletes an organization and all that lives in it.
	DeleteOrganization struct {
		Organization events.OrganizationID `json:"organization"`
	}
	// CreateSpace creates a space without apps.
	CreateSpace struct {
		Organization events.OrganizationID `json:"organization"`
		Called       string                `json:"name"`
		Metadata     events.Metadata       `json:"metadata,omitzero"`
	}
	// UpdateSpace renames a space and merges its metadata.
	UpdateSpace struct {
		Space    events.SpaceID `json:"space"`
		Called   *string        `json:"name,omitempty"`
		Metadata MetadataPatch  `json:"metadata,omitzero"`
	}
	// DeleteSpace deletes a space and all that lives in it.
	DeleteSpace struct {
		Space events.SpaceID `json:"space"`
	}
	// CreateQuota creates a quota, of organizations or, where it names one, of that one's spaces, and applies it.
	CreateQuota struct {
		Organization  events.OrganizationID   `json:"organization,omitempty"`
		Called        string                  `json:"name"`
		Limits        events.QuotaLimits      `json:"limits,omitzero"`
		Organizations []events.OrganizationID `json:"organizations,omitempty"`
		Spaces        []events.SpaceID        `json:"spaces,omitempty"`
	}
	// UpdateQuota renames a quota and replaces its limits.
	UpdateQuota struct {
		Quota  events.QuotaID      `json:"quota"`
		Called *string             `json:"name,omitempty"`
		Limits *events.QuotaLimits `json:"limits,omitempty"`
	}
	// ApplyQuota gives a quota to organizations, or to spaces.
	ApplyQuota struct {
		Quota         events.QuotaID          `json:"quota"`
		Organizations []events.OrganizationID `json:"organizations,omitempty"`
		Spaces        []events.SpaceID        `json:"spaces,omitempty"`
	}
	// RemoveQuota takes a quota from a space.
	RemoveQuota struct {
		Quota events.QuotaID `json:"quota"`
		Space events.SpaceID `json:"space"`
	}
	// DeleteQuota deletes a quota.
	DeleteQuota struct {
		Quota events.QuotaID `json:"quota"`
	}
	// CreateDomain lets routes be made under a name; without an organization, everybody's.
	CreateDomain struct {
		Called       string                `json:"name"`
		Organization events.OrganizationID `json:"organization,omitempty"`
	}
	// CreateRoute makes a route that leads nowhere yet.
	CreateRoute struct {
		Space    events.SpaceID  `json:"space,omitempty"`  // default: "default"
		Domain   events.DomainID `json:"domain,omitempty"` // default: "localhost"
		Host     string          `json:"host,omitempty"`
		Metadata events.Metadata `json:"metadata,omitzero"`
	}
	// UpdateRoute merges labels and annotations.
	UpdateRoute struct {
		Route    events.RouteID `json:"route"`
		Metadata MetadataPatch  `json:"metadata,omitzero"`
	}
	// Destination is where a route shall lead: an app's processes of a type, by default web.
	Destination struct {
		App  events.AppID `json:"app"`
		Type string       `json:"type,omitempty"`
	}
	// SetDestinations lets a route lead to these and nowhere else.
	SetDestinations struct {
		Route        events.RouteID `json:"route"`
		Destinations []Destination  `json:"destinations"`
	}
	// AddDestinations lets a route lead to these too.
	AddDestinations struct {
		Route        events.RouteID `json:"route"`
		Destinations []Destination  `json:"destinations"`
	}
	// RemoveDestination lets a route lead there no more.
	RemoveDestination struct {
		Route       events.RouteID `json:"route"`
		Destination string         `json:"destination"`
	}
	// DeleteRoute deletes a route.
	DeleteRoute struct {
		Route events.RouteID `json:"route"`
	}
)

func (CreateOrganization) Name() string { return "organization.create" }
func (UpdateOrganization) Name() string { return "organization.update" }
func (DeleteOrganization) Name() string { return "organization.delete" }
func (CreateSpace) Name() string        { return "space.create" }
func (UpdateSpace) Name() string        { return "space.update" }
func (DeleteSpace) Name() string        { return "space.delete" }
func (CreateQuota) Name() string        { return "quota.create" }
func (UpdateQuota) Name() string        { return "quota.update" }
func (ApplyQuota) Name() string         { return "quota.apply" }
func (RemoveQuota) Name() string        { return "quota.remove" }
func (DeleteQuota) Name() string        { return "quota.delete" }
func (CreateDomain) Name() string       { return "domain.create" }
func (CreateRoute) Name() string        { return "route.create" }
func (UpdateRoute) Name() string        { return "route.update" }
func (SetDestinations) Name() string    { return "route.set-destinations" }
func (AddDestinations) Name() string    { return "route.add-destinations" }
func (RemoveDestination) Name() string  { return "route.remove-destination" }
func (DeleteRoute) Name() string        { return "route.delete" }

// Places looks up what spaces, quotas and routes have to do with each other. Like [Finder] it answers from read models that
// have caught up with every command already acknowledged.
type Places interface {
	OrganizationOfSpace(ctx context.Context, id events.SpaceID) (events.OrganizationID, error)
	// OrganizationOfDeletedSpace is where a space was that has been deleted.
	OrganizationOfDeletedSpace(ctx context.Context, id events.SpaceID) (events.OrganizationID, error)
	// OrganizationOfQuota is the organization to whose spaces a quota can be given, or could before it was deleted.
	OrganizationOfQuota(ctx context.Context, id events.QuotaID) (events.OrganizationID, error)
	// QuotaInUse says whether an organization has the quota.
	QuotaInUse(ctx context.Context, id events.QuotaID) (bool, error)
	// Contents lists what lives in a space, or where that is empty in the whole organization, and who listens to it.
	Contents(ctx context.Context, organization events.OrganizationID, space events.SpaceID) (Contents, error)
	// Forsaken lists the places that something is said to be in, or to be about, and that are not there.
	Forsaken(ctx context.Context) ([]Home, error)
	Usage
}

// Usage sums up what is used of quotas.
type Usage interface {
	Usage(ctx context.Context, organization events.OrganizationID, space events.SpaceID) (ofOrganization, ofSpace app.Usage, err error)
}

// places are the histories of where apps live and how they are reached.
type places struct {
	organizations *eventlog.Repository[space.State]
	quotas        *eventlog.Repository[space.Quota]
	domains       *eventlog.Repository[route.Domain]
	routes        *eventlog.Repository[route.State]
}

func newPlaces(log eventlog.Log, snapshots eventlog.Snapshots) places {
	return places{
		organizations: Organizations(log, snapshots), quotas: OrganizationQuotas(log), routes: Routes(log),
		domains: eventlog.NewRepository(log, events.AggregateDomain, route.EvolveDomain, nil, 0),
	}
}

// Organizations is the repository of organizations.
func Organizations(log eventlog.Log, snapshots eventlog.Snapshots) *eventlog.Repository[space.State] {
	return eventlog.NewRepository(log, events.AggregateOrganization, space.Evolve, snapshots, organizationSchema)
}

// OrganizationQuotas is the repository of quotas of organizations.
func OrganizationQuotas(log eventlog.Log) *eventlog.Repository[space.Quota] {
	return eventlog.NewRepository(log, events.AggregateQuota, space.EvolveQuota, nil, 0)
}

// Routes is the repository of routes, for whoever decides about them or follows them.
func Routes(log eventlog.Log) *eventlog.Repository[route.State] {
	return eventlog.NewRepository(log, events.AggregateRoute, route.Evolve, nil, 0)
}

// derived is m for a further thing that the same command leads to.
func derived(m eventlog.Meta, kind string) eventlog.Meta {
	m.CommandID = events.CommandID(events.DeriveID(m.CommandID, kind, 0))
	return m
}

// resultOf says what an outcome was about.
func resultOf[S any](kind Kind, id string, out eventlog.Outcome[S]) Result {
	return Result{Kind: kind, ID: id, Sequence: out.Position.Sequence, Duplicate: out.Duplicate}
}

// and notes that a further commit belongs to the result.
func (r Result) and(seq events.Sequence) Result {
	r.Sequence = max(r.Sequence, seq)
	return r
}

// InvalidSpace is Cloud Foundry's text for a space in a body.
func InvalidSpace() error {
	return aggregates.Reject("Invalid space. Ensure that the space exists and you have access to it.")
}

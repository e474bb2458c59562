package space

import (
	"reflect"
	"slices"

	"slipway/aggregates"
	"slipway/events"
)

// SetQuota is the command to create or change a quota. Of a change, a nil name and nil limits stay.
type SetQuota struct {
	Quota  events.QuotaID
	Name   *string
	Limits *events.QuotaLimits
}

func (c SetQuota) on(stands Quota) Quota {
	if c.Name != nil {
		stands.Name = *c.Name
	}
	if c.Limits != nil {
		stands.Limits = *c.Limits
	}
	stands.ID = c.Quota
	return stands
}

// maxLimit bounds every limit: a number beyond it is a slip.
const maxLimit = 1<<31 - 1

// check refuses a quota that makes no sense; the texts are Cloud Foundry's.
func (q Quota) check() error {
	if err := CheckName(q.Name); err != nil {
		return err
	}
	for _, limit := range []struct {
		name  string
		value *int
	}{
		{"Total memory in mb", q.Limits.MemoryMB}, {"Per process memory in mb", q.Limits.InstanceMemoryMB},
		{"Total instances", q.Limits.Instances}, {"Per app tasks", q.Limits.AppTasks},
		{"Total service instances", q.Limits.ServiceInstances}, {"Total service keys", q.Limits.ServiceKeys},
		{"Total routes", q.Limits.Routes}, {"Total reserved ports", q.Limits.ReservedPorts}, {"Total domains", q.Limits.Domains},
	} {
		if limit.value == nil {
			continue
		}
		if *limit.value < 0 {
			return aggregates.Reject("%s must be greater than or equal to 0", limit.name)
		}
		if *limit.value > maxLimit {
			return aggregates.Reject("%s must be less than or equal to %d", limit.name, maxLimit)
		}
	}
	if q.Limits.LogRate != nil && *q.Limits.LogRate < 0 {
		return aggregates.Reject("Log rate limit in bytes per second must be greater than or equal to 0")
	}
	return nil
}

// EvolveQuota folds one event into a quota of organizations, an aggregate of its own. It is total.
func EvolveQuota(q Quota, e events.Event) Quota {
	switch e := e.(type) {
	case events.QuotaCreated:
		return Quota{ID: e.Quota, Name: e.Name, Limits: e.Limits}
	case events.QuotaUpdated:
		q.Name, q.Limits = e.Name, e.Limits
	case events.QuotaDeleted:
		return Quota{ID: q.ID, Name: q.Name, Deleted: true}
	}
	return q
}

// Exists says whether the quota has been created and not deleted.
func (q Quota) Exists() bool { return q.ID != "" && !q.Deleted }

// CreateQuota brings forth a quota of organizations. Its name was taken before.
func CreateQuota(q Quota, c SetQuota) ([]events.Event, error) {
	if q.ID != "" {
		return nil, nil // this command made it
	}
	next := c.on(Quota{})
	if err := next.check(); err != nil {
		return nil, err
	}
	return []events.Event{events.QuotaCreated{Quota: next.ID, Name: next.Name, Limits: next.Limits}}, nil
}

// UpdateQuota changes a quota of organizations. A new name was taken before.
func UpdateQuota(q Quota, c SetQuota) ([]events.Event, error) {
	if !q.Exists() {
		return nil, aggregates.NotFound("Organization quota")
	}
	next := c.on(q)
	if err := next.check(); err != nil {
		return nil, err
	}
	if same(next, q) {
		return nil, nil
	}
	return []events.Event{events.QuotaUpdated{Quota: next.ID, Name: next.Name, Limits: next.Limits}}, nil
}

// DeleteQuota removes a quota of organizations; inUse says that one still has it.
func DeleteQuota(q Quota, inUse bool) ([]events.Event, error) {
	if q.Deleted {
		return nil, nil
	}
	if !q.Exists() {
		return nil, aggregates.NotFound("Organization quota")
	}
	if inUse {
		return nil, aggregates.Reject("This quota is applied to one or more organizations. Apply different quotas to those organizations before deleting.")
	}
	return []events.Event{events.QuotaDeleted{Quota: q.ID}}, nil
}

// CreateSpaceQuota brings forth a quota for spaces of the organization.
func CreateSpaceQuota(s State, c SetQuota) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.Reject("Organization with guid '%s' does not exist, or you do not have access to it.", s.ID)
	}
	if _, made := s.SpaceQuota(c.Quota); made {
		return nil, nil
	}
	next := c.on(Quota{})
	if err := s.checkQuota(next); err != nil {
		return nil, err
	}
	if len(s.Quotas) >= maxQuotas {
		return nil, aggregates.Reject("An organization can have at most %d space quotas", maxQuotas)
	}
	return []events.Event{events.QuotaCreated{Quota: next.ID, Organization: s.ID, Name: next.Name, Limits: next.Limits}}, nil
}

func (s State) checkQuota(next Quota) error {
	if err := next.check(); err != nil {
		return err
	}
	if slices.ContainsFunc(s.Quotas, func(q Quota) bool { return q.ID != next.ID && q.Name == next.Name }) {
		return aggregates.Reject("Space Quota '%s' already exists.", next.Name)
	}
	return nil
}

// UpdateSpaceQuota changes a quota for spaces.
func UpdateSpaceQuota(s State, c SetQuota) ([]events.Event, error) {
	q, ok := s.SpaceQuota(c.Quota)
	if !ok {
		return nil, aggregates.NotFound("Space quota")
	}
	next := c.on(q)
	if err := s.checkQuota(next); err != nil {
		return nil, err
	}
	if same(next, q) {
		return nil, nil
	}
	return []events.Event{events.QuotaUpdated{Quota: next.ID, Organization: s.ID, Name: next.Name, Limits: next.Limits}}, nil
}

// DeleteSpaceQuota removes a quota for spaces; those that had it have none (Cloud Foundry's rule).
func DeleteSpaceQuota(s State, id events.QuotaID) []events.Event {
	if _, ok := s.SpaceQuota(id); !ok {
		return nil // it has gone already
	}
	return []events.Event{events.QuotaDeleted{Quota: id, Organization: s.ID}}
}

// ApplyQuota gives the organization a quota of organizations, which exists.
func ApplyQuota(s State, id events.QuotaID) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.Reject("Organizations with guids [%q] do not exist, or you do not have access to them.", string(s.ID))
	}
	if s.Quota == id {
		return nil, nil
	}
	return []events.Event{events.QuotaApplied{Quota: id, Organization: s.ID}}, nil
}

// ApplySpaceQuota gives a space of the organization one of its space quotas.
func ApplySpaceQuota(s State, id events.QuotaID, to events.SpaceID) ([]events.Event, error) {
	if _, ok := s.SpaceQuota(id); !ok {
		return nil, aggregates.NotFound("Space quota")
	}
	p, ok := s.Space(to)
	if !ok {
		return nil, aggregates.Reject("Spaces with guids [%q] do not exist within the organization specified, or you do not have access to them.", string(to))
	}
	if p.Quota == id {
		return nil, nil
	}
	return []events.Event{events.QuotaApplied{Quota: id, Organization: s.ID, Space: to}}, nil
}

// RemoveSpaceQuota takes a quota away from a space that has it.
func RemoveSpaceQuota(s State, id events.QuotaID, from events.SpaceID) ([]events.Event, error) {
	p, ok := s.Space(from)
	if _, known := s.SpaceQuota(id); !known {
		return nil, aggregates.NotFound("Space quota")
	}
	if !ok || p.Quota != id {
		return nil, aggregates.Reject("Unable to remove quota from space with guid '%s'. Ensure the space quota is applied to this space.", from)
	}
	return []events.Event{events.QuotaApplied{Organization: s.ID, Space: from}}, nil
}

func same(a, b Quota) bool { return reflect.DeepEqual(a, b) } // limits are pointers: what they point to counts

package projections

import (
	"context"
	"fmt"

	"slipway/events"
)

// Quota is a set of limits, of organizations or of the spaces of one.
type Quota struct {
	GUID         events.QuotaID
	Name         string
	Organization events.OrganizationID // whose spaces it is for; empty: it is for organizations
	Limits       events.QuotaLimits
	Stamp
}

var quotas = view[events.QuotaID, Quota]{
	table: "quotas", kind: "quota",
	key:   func(q *Quota) events.QuotaID { return q.GUID },
	stamp: func(q *Quota) *Stamp { return &q.Stamp },
	columns: func(q *Quota) []column {
		return []column{
			{"guid", &q.GUID}, {"name", &q.Name}, {"organization", &q.Organization}, {"limits", asJSON(&q.Limits)},
		}
	},
}.ready()

// quotaDeleted takes the quota from all that had it.
func (f *fold) quotaDeleted(m moment, e events.QuotaDeleted) error {
	if err := f.quotas.drop(e.Quota); err != nil {
		return err
	}
	f.spaces.editIf(func(p *Space) bool { return p.Quota == e.Quota }, func(p *Space) {
		p.Quota = ""
		p.touch(m)
	})
	f.organizations.editIf(func(o *Organization) bool { return o.Quota == e.Quota }, func(o *Organization) {
		o.Quota = ""
		o.touch(m)
	})
	return nil
}

func (f *fold) quotaApplied(m moment, e events.QuotaApplied) error {
	if e.Space != "" {
		return f.spaces.change(m, e.Space, func(p *Space) { p.Quota = e.Quota })
	}
	return f.organizations.change(m, e.Organization, func(o *Organization) { o.Quota = e.Quota })
}

// QuotaFilter selects quotas. Empty fields select all; all that are set must hold.
type QuotaFilter struct {
	GUIDs         []events.QuotaID
	Names         []string
	OfSpaces      bool                    // false: those of organizations
	Organizations []events.OrganizationID // that have it, or to whose spaces it can be given
	Spaces        []events.SpaceID        // that have it
	Created       TimeFilter
	Updated       TimeFilter
}

// Quota reads one quota, or gives [ErrNotFound].
func (s *Store) Quota(ctx context.Context, id events.QuotaID) (Quota, error) {
	return quotas.get(ctx, s.readers, id)
}

// Quotas lists quotas of one kind.
func (s Sight) Quotas(ctx context.Context, f QuotaFilter, o Order, p Page) (List[Quota], error) {
	var w where
	s.ofHolders(&w, f.OfSpaces)
	in(&w, "guid", f.GUIDs)
	in(&w, "name", f.Names)
	if f.OfSpaces {
		w.add("organization <> ''")
		in(&w, "organization", f.Organizations)
	} else {
		w.add("organization = ''")
		having(&w, "organizations", f.Organizations)
	}
	having(&w, "spaces", f.Spaces)
	w.times("created_at", f.Created)
	w.times("updated_at", f.Updated)
	return list(ctx, s.store, quotas, w, o.sql(), p)
}

// ofHolders leaves quotas that an organization has which may be seen; of spaces, those that such a space has or such an
// organization can give to its own.
func (s Sight) ofHolders(w *where, ofSpaces bool) {
	switch {
	case s.all:
	case ofSpaces:
		w.add("("+among("organization")+" OR guid IN (SELECT quota FROM spaces WHERE "+among("guid")+"))", s.organizations, s.spaces)
	default:
		w.add("guid IN (SELECT quota FROM organizations WHERE "+among("guid")+")", s.organizations)
	}
}

// having adds that one of the organizations or spaces has the quota.
func having[ID any](w *where, table string, ids []ID) {
	if len(ids) == 0 {
		return
	}
	var sub where
	in(&sub, "guid", ids)
	w.add("guid IN (SELECT quota FROM "+table+" "+sub.sql()+")", sub.args...)
}

// Usage is what started apps use, by the instances that are desired, and how many routes there are.
type Usage struct {
	Instances int
	MemoryMB  int
	LogRate   int64 // bytes per second, of instances that have a limit
	Unlimited int   // instances without a limit on their log
	Routes    int
}

// Usage sums up an organization.
func (s *Store) Usage(ctx context.Context, id events.OrganizationID) (Usage, error) {
	return s.usage(ctx, "organization", string(id))
}

// SpaceUsage sums up a space.
func (s *Store) SpaceUsage(ctx context.Context, id events.SpaceID) (Usage, error) {
	return s.usage(ctx, "space", string(id))
}

// usage reads by the indexes apps_by_organization, apps_by_space, processes_by_app, routes_by_organization, routes_by_space.
func (s *Store) usage(ctx context.Context, column, id string) (u Usage, err error) {
	query := `SELECT coalesce(sum(p.instances), 0), coalesce(sum(p.instances * p.memory_mb), 0),
		coalesce(sum(CASE WHEN p.log_rate > 0 THEN p.instances * p.log_rate ELSE 0 END), 0),
		coalesce(sum(CASE WHEN p.log_rate < 0 THEN p.instances ELSE 0 END), 0),
		(SELECT count(*) FROM routes WHERE ` + column + ` = ?)
		FROM apps a JOIN processes p ON p.app = a.guid WHERE a.` + column + ` = ? AND a.state = ?`
	err = s.readers.QueryRowContext(ctx, query, id, id, AppStarted).Scan(&u.Instances, &u.MemoryMB, &u.LogRate, &u.Unlimited, &u.Routes)
	if err != nil {
		return u, fmt.Errorf("sum up %s %s: %w", column, id, err)
	}
	return u, nil
}

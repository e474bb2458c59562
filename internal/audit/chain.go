package audit

import (
	"reflect"
	"strconv"
	"strings"

	"slipway/events"
	"slipway/internal/eventlog"
)

// head is the newest commit of an aggregate.
type head struct {
	sequence events.Sequence
	version  events.Version
	hash     events.Hash
}

// chain asserts that a commit is the next of its aggregate, and that a report is in no chain. After a break it goes on from
// what stands there, so that one break is told once.
func (a *auditor) chain(raw eventlog.Raw, c events.Recorded) bool {
	if aggregate, _, _ := c.Subject.Split(); aggregate == events.AggregateInstance {
		if c.Version != 0 || c.Previous != "" {
			a.breach(LawChain, raw, "a report of an agent with version %d and previous %q: it belongs to no chain", c.Version, c.Previous)
			return false
		}
		return true
	}
	before := a.heads[c.Subject]
	whole := a.link(raw, before, c)
	if c.Version > before.version {
		a.heads[c.Subject] = head{c.Sequence, c.Version, c.Hash}
	}
	return whole
}

func (a *auditor) link(raw eventlog.Raw, before head, c events.Recorded) bool {
	switch {
	case c.Version == 0:
		a.breach(LawChain, raw, "it has no version, after version %d", before.version)
	case c.Version <= before.version:
		a.breach(LawChain, raw, "version %d after version %d at sequence %d", c.Version, before.version, before.sequence)
	case c.Version > before.version+1:
		a.breach(LawChain, raw, "version %d after version %d: versions are missing", c.Version, before.version)
	case c.Previous != before.hash:
		a.breach(LawChain, raw, "its Slipway-Previous is not the hash of the commit at sequence %d: one of the two was changed", before.sequence)
	default:
		return true
	}
	return false
}

// skip passes over a message that cannot be decoded. Its hash needs no decoding: if it stands in the chain by its version,
// the chain goes on behind it; else it was put between.
func (a *auditor) skip(raw eventlog.Raw) {
	a.spoil(raw.Subject, nil)
	next := a.heads[raw.Subject].version + 1
	if v := raw.Header[events.HeaderVersion]; len(v) == 1 && v[0] == strconv.FormatUint(uint64(next), 10) {
		a.heads[raw.Subject] = head{raw.Sequence, next, events.HashMessage(raw.Message)}
	}
}

// place asserts that every event stands on the subject of the aggregate it is about.
func (a *auditor) place(raw eventlog.Raw, c events.Recorded) bool {
	for _, e := range c.Events {
		if home := home(e); home != c.Subject {
			a.breach(LawPlace, raw, "%s belongs on %q", e.Type(), home)
			return false
		}
	}
	return true
}

// homes says, for the first token of an event's type, which aggregate it belongs to and which of its fields has the id. All
// that are not here are the app's: a list of them would be one more to forget.
var homes = map[string]struct{ aggregate, field string }{
	"droplet":      {events.AggregateDroplet, "Droplet"},
	"package":      {events.AggregatePackage, "Package"},
	"build":        {events.AggregateBuild, "Build"},
	"manifest":     {events.AggregateManifest, "Command"},
	"command":      {events.AggregateCommand, "Command"},
	"organization": {events.AggregateOrganization, "Organization"},
	"space":        {events.AggregateOrganization, "Organization"},
	"domain":       {events.AggregateDomain, "Domain"},
	"route":        {events.AggregateRoute, "Route"},
	"group":        {events.AggregateGroup, "Group"},
	"strategy":     {events.AggregateStrategy, "Strategy"},
	"subscription": {events.AggregateSubscription, "Subscription"},
}

// home is the subject that an event belongs on.
func home(e events.Event) events.Subject {
	switch e := e.(type) {
	case events.InstanceEvent:
		return events.InstanceSubject(e.Ref().Process)
	case events.NameClaimed:
		return events.NameSubject(e.Space, e.Name)
	case events.NameReleased:
		return events.NameSubject(e.Space, e.Name)
	case events.HaltDeclared, events.HaltMetadataSet, events.HaltLifted:
		return events.HaltSubject
	case events.PolicyCreated, events.PolicyUpdated, events.PolicyDeleted:
		return events.PolicySubject
	case events.NameTaken:
		return events.ScopedNameSubject(e.Scope, e.Name)
	case events.NameFreed:
		return events.ScopedNameSubject(e.Scope, e.Name)
	}
	kind, _, _ := strings.Cut(string(e.Type()), ".")
	at, ok := homes[kind]
	switch {
	case kind == "quota":
		at.aggregate, at.field = events.AggregateQuota, "Quota"
		if organization, ok := field(e, "Organization"); ok && organization != "" {
			at = homes["organization"] // a space quota is its organization's
		}
	case !ok:
		at.aggregate, at.field = events.AggregateApp, "App"
	}
	id, ok := field(e, at.field)
	if !ok {
		return ""
	}
	return events.Subject("events." + at.aggregate + "." + id)
}

// field is an event's field by name, if it has one.
func field(e events.Event, name string) (string, bool) {
	v := reflect.ValueOf(e).FieldByName(name)
	if !v.IsValid() {
		return "", false
	}
	return v.String(), true
}

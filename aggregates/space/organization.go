package space

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"slipway/aggregates"
	"slipway/events"
)

// Bounds of an organization. It is one aggregate, folded as a whole for each decision about it.
const (
	maxName   = 255 // characters, Cloud Foundry's limit
	maxSpaces = 10_000
	maxQuotas = 1_000
)

// CheckName refuses a name that no organization, space or quota may have.
func CheckName(name string) error {
	switch {
	case strings.TrimSpace(name) == "":
		return aggregates.Reject("Name can't be blank")
	case utf8.RuneCountInString(name) > maxName:
		return aggregates.Reject("Name is too long (maximum is %d characters)", maxName)
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		return aggregates.Reject("Name must not contain control characters or invalid UTF-8")
	}
	return nil
}

// Change is what a command changes of an organization or a space. A nil name stays.
type Change struct {
	Name     *string
	Metadata aggregates.MetadataPatch
}

func (c Change) name(stands string) string {
	if c.Name == nil {
		return stands
	}
	return *c.Name
}

// CreateOrganization brings forth an organization without spaces. Its name was taken before.
func CreateOrganization(s State, id events.OrganizationID, name string, m events.Metadata) ([]events.Event, error) {
	if s.ID != "" {
		return nil, nil // this command made it
	}
	if err := CheckName(name); err != nil {
		return nil, err
	}
	return []events.Event{events.OrganizationCreated{Organization: id, Name: name, Metadata: m}}, nil
}

// UpdateOrganization changes its name, which was taken before, and its metadata.
func UpdateOrganization(s State, c Change) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("Organization")
	}
	next := events.OrganizationUpdated{Organization: s.ID, Name: c.name(s.Name), Metadata: c.Metadata.On(s.Metadata)}
	if err := CheckName(next.Name); err != nil {
		return nil, err
	}
	if next.Name == s.Name && aggregates.SameMetadata(next.Metadata, s.Metadata) {
		return nil, nil
	}
	return []events.Event{next}, nil
}

// DeleteOrganization removes the organization with its spaces and their quotas, in one commit.
func DeleteOrganization(s State) ([]events.Event, error) {
	if s.Deleted {
		return nil, nil
	}
	if !s.Exists() {
		return nil, aggregates.NotFound("Organization")
	}
	var gone []events.Event
	for _, p := range s.Spaces {
		gone = append(gone, events.SpaceDeleted{Space: p.ID, Organization: s.ID})
	}
	for _, q := range s.Quotas {
		gone = append(gone, events.QuotaDeleted{Quota: q.ID, Organization: s.ID})
	}
	if len(gone) >= events.MaxEventsPerCommit {
		return nil, aggregates.Reject("The organization has too many spaces to be deleted at once: delete some of them first")
	}
	return append(gone, events.OrganizationDeleted{Organization: s.ID}), nil
}

// CreateSpace brings forth a space without apps.
func CreateSpace(s State, id events.SpaceID, name string, m events.Metadata) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.Reject("Invalid organization. Ensure the organization exists and you have access to it.")
	}
	if _, made := s.Space(id); made {
		return nil, nil
	}
	if err := s.checkSpace(id, name); err != nil {
		return nil, err
	}
	if len(s.Spaces) >= maxSpaces {
		return nil, aggregates.Reject("An organization can have at most %d spaces", maxSpaces)
	}
	return []events.Event{events.SpaceCreated{Space: id, Organization: s.ID, Name: name, Metadata: m}}, nil
}

func (s State) checkSpace(id events.SpaceID, name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	for _, p := range s.Spaces {
		if p.ID != id && p.Name == name {
			return aggregates.Reject("Name must be unique per organization")
		}
	}
	return nil
}

// UpdateSpace changes a space's name and metadata.
func UpdateSpace(s State, id events.SpaceID, c Change) ([]events.Event, error) {
	p, ok := s.Space(id)
	if !ok {
		return nil, aggregates.NotFound("Space")
	}
	next := events.SpaceUpdated{Space: id, Organization: s.ID, Name: c.name(p.Name), Metadata: c.Metadata.On(p.Metadata)}
	if err := s.checkSpace(id, next.Name); err != nil {
		return nil, err
	}
	if next.Name == p.Name && aggregates.SameMetadata(next.Metadata, p.Metadata) {
		return nil, nil
	}
	return []events.Event{next}, nil
}

// DeleteSpace removes a space. What lives in it is deleted after it, so that nothing new can come to live there meanwhile.
func DeleteSpace(s State, id events.SpaceID) []events.Event {
	if _, ok := s.Space(id); !ok {
		return nil // it has gone already
	}
	return []events.Event{events.SpaceDeleted{Space: id, Organization: s.ID}}
}

package resource

import (
	"net/url"
	"time"

	"slipway/events"
	"slipway/projections"
)

// Base is the absolute URL that links begin with, without a slash at its end: "http://127.0.0.1:8080".
type Base string

// Link is a place to go on from a resource. Method is empty for GET.
type Link struct {
	Href   string `json:"href"`             // where
	Method string `json:"method,omitempty"` // how to ask; absent: GET
}

// Links of a resource, by what they lead to.
type Links map[string]Link

// link joins escaped path segments behind the base.
func (b Base) link(segments ...string) Link {
	href := string(b)
	for _, s := range segments {
		href += "/" + url.PathEscape(s)
	}
	return Link{Href: href}
}

func (l Link) by(method string) Link {
	l.Method = method
	return l
}

// Time is written as Cloud Foundry does: UTC, whole seconds.
type Time time.Time

// TimeLayout is how times are written, for package time.
const TimeLayout = "2006-01-02T15:04:05Z"

// MarshalJSON cuts the fraction off.
func (t Time) MarshalJSON() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, `"`+TimeLayout+`"`), nil
}

// UnmarshalJSON implements json.Unmarshaler: clients of the API read what it answers with these types.
func (t *Time) UnmarshalJSON(data []byte) error { return (*time.Time)(t).UnmarshalJSON(data) }

// GUID is a reference to another resource; its guid is null where there is none.
type GUID struct {
	GUID *string `json:"guid"` // null where there is none
}

func guid[ID ~string](id ID) GUID {
	if id == "" {
		return GUID{}
	}
	s := string(id)
	return GUID{&s}
}

// ToOne is a relationship to at most one resource; data is null where there is none.
type ToOne struct {
	Data *GUID `json:"data"` // null where there is none
}

func toOne[ID ~string](id ID) ToOne {
	if id == "" {
		return ToOne{}
	}
	g := guid(id)
	return ToOne{&g}
}

// Metadata is labels and annotations, both always there.
type Metadata struct {
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
}

func metadata(m events.Metadata) Metadata { return Metadata{filled(m.Labels), filled(m.Annotations)} }

// filled keeps an empty map from becoming null.
func filled(m map[string]string) map[string]string {
	if m == nil {
		return map[string]string{}
	}
	return m
}

// Stamp is what all resources begin with.
type Stamp struct {
	GUID      string `json:"guid"`       // its id
	CreatedAt Time   `json:"created_at"` // when it came to be
	UpdatedAt Time   `json:"updated_at"` // when it was changed last; created_at where it never was
}

func stamp[ID ~string](id ID, s projections.Stamp) Stamp {
	return Stamp{GUID: string(id), CreatedAt: Time(s.CreatedAt), UpdatedAt: Time(s.UpdatedAt)}
}

// Lifecycle says how an app's droplets come to be. Slipway's are made elsewhere and uploaded, or made of the files as they
// are, which is closest to Cloud Foundry's buildpack lifecycle without any buildpack; or they are images.
type Lifecycle struct {
	Type string `json:"type"` // buildpack or docker
	Data any    `json:"data"` // LifecycleData; for docker an empty object
}

// LifecycleData is what the buildpack lifecycle holds; see [Lifecycle].
type LifecycleData struct {
	Buildpacks []string `json:"buildpacks"`
	Stack      *string  `json:"stack"`
}

// The types of lifecycles.
const (
	LifecycleBuildpack = events.LifecycleBuildpack
	LifecycleDocker    = events.LifecycleDocker
)

func lifecycle() Lifecycle {
	return Lifecycle{Type: LifecycleBuildpack, Data: LifecycleData{Buildpacks: []string{}}}
}

// lifecycleOf is the lifecycle of what is made of images, or of bits.
func lifecycleOf(images bool) Lifecycle {
	if images {
		return Lifecycle{Type: LifecycleDocker, Data: struct{}{}}
	}
	return lifecycle()
}

// hidden stands in lists where only the resource itself shows a value (Cloud Foundry's text).
const hidden = "[PRIVATE DATA HIDDEN IN LISTS]"

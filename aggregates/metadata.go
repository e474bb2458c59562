package aggregates

import (
	"maps"

	"slipway/events"
)

// MetadataPatch is a change of labels and annotations: what is named is set, null deletes, the rest stays (Cloud Foundry's
// rule).
type MetadataPatch struct {
	Labels      map[string]*string `json:"labels,omitempty"`
	Annotations map[string]*string `json:"annotations,omitempty"`
}

// On gives the metadata that stand once the change is made. What they were is left as it is.
func (p MetadataPatch) On(m events.Metadata) events.Metadata {
	return events.Metadata{Labels: merge(m.Labels, p.Labels), Annotations: merge(m.Annotations, p.Annotations)}
}

func merge(stands map[string]string, patch map[string]*string) map[string]string {
	merged := maps.Clone(stands)
	for key, value := range patch {
		if value == nil {
			delete(merged, key)
			continue
		}
		if merged == nil {
			merged = map[string]string{}
		}
		merged[key] = *value
	}
	if len(merged) == 0 {
		return nil // absent and empty are one
	}
	return merged
}

// SameMetadata says whether two sets of metadata say the same.
func SameMetadata(a, b events.Metadata) bool {
	return maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Annotations, b.Annotations)
}

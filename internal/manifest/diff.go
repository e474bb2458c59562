package manifest

import (
	"maps"
	"slices"
	"strconv"
)

// Change is one difference between what a manifest asks for and what is there, as Cloud Foundry shows it.
type Change struct {
	Op    string `json:"op"`            // add or replace; nothing that a manifest does not name is removed
	Path  string `json:"path"`          // where in the manifest, a JSON pointer
	Was   any    `json:"was,omitempty"` // what is there, for replace
	Value any    `json:"value"`         // what is asked for
}

// Diff says what applying a manifest would change. present has the apps that are there, by name.
func Diff(asked Manifest, present map[string]App) []Change {
	changes := []Change{}
	for i, a := range asked.Apps {
		there, known := present[a.Name]
		stands := map[string]any{}
		if known {
			for _, f := range there.fields() {
				stands[f.key] = f.value
			}
		}
		for _, f := range a.fields() {
			was, there := stands[f.key]
			path := "/applications/" + strconv.Itoa(i) + f.path
			switch {
			case !there:
				changes = append(changes, Change{Op: "add", Path: path, Value: f.value})
			case was != f.value:
				changes = append(changes, Change{Op: "replace", Path: path, Was: was, Value: f.value})
			}
		}
	}
	return changes
}

// field is one thing that is said of an app: key names it whatever the order of lists, path is where it stands.
type field struct {
	key, path string
	value     any
}

// fields are all that is said of an app, in order.
func (a App) fields() []field {
	all := []field{{"name", "/name", a.Name}}
	if a.Image != "" {
		all = append(all, field{"image", "/docker/image", a.Image})
	}
	all = append(all, entries("/env/", a.Environment)...)
	all = append(all, entries("/metadata/labels/", a.Metadata.Labels)...)
	all = append(all, entries("/metadata/annotations/", a.Metadata.Annotations)...)
	for i, route := range a.Routes {
		all = append(all, field{"route/" + route, "/routes/" + strconv.Itoa(i) + "/route", route})
	}
	for _, p := range a.Processes {
		all = append(all, p.fields()...)
	}
	return all
}

func entries(at string, values map[string]string) []field {
	var all []field
	for _, key := range slices.Sorted(maps.Keys(values)) {
		all = append(all, field{at + key, at + pointer(key), values[key]})
	}
	return all
}

func (p Process) fields() []field {
	var all []field
	say := func(name string, value any) {
		all = append(all, field{"process/" + p.Type + "/" + name, p.at + "/" + name, value})
	}
	number := func(name string, n *int) {
		if n != nil && *n != 0 {
			say(name, *n)
		}
	}
	words := func(name string, s *string) {
		if s != nil && *s != "" {
			say(name, *s)
		}
	}
	if p.at != "" {
		say("type", p.Type)
	}
	if p.Instances != nil {
		say("instances", *p.Instances)
	}
	if p.MemoryMB != nil {
		say("memory", sizeText(*p.MemoryMB))
	}
	if p.DiskMB != nil {
		say("disk_quota", sizeText(*p.DiskMB))
	}
	if p.LogRate != nil {
		say("log-rate-limit-per-second", rateText(*p.LogRate))
	}
	words("command", p.Command)
	words("health-check-type", p.HealthCheck)
	words("health-check-http-endpoint", p.Endpoint)
	number("timeout", p.Timeout)
	number("health-check-invocation-timeout", p.InvocationTimeout)
	number("health-check-interval", p.Interval)
	return all
}

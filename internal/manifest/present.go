package manifest

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"slipway/projections"
)

// Present says of an app that is there what a manifest could say: of processes the newest of each type, in order. routes are
// the host names that lead to it; image is that of its current droplet.
func Present(a projections.App, processes []projections.Process, routes []string, image string) App {
	out := App{Name: a.Name, Environment: a.Environment, Metadata: a.Metadata, Image: image, Routes: routes}
	place := map[string]int{}
	for _, p := range processes {
		said := present(p)
		if at, twice := place[p.Type]; twice {
			out.Processes[at] = said // a newer one, which is being deployed
			continue
		}
		place[p.Type] = len(out.Processes)
		out.Processes = append(out.Processes, said)
	}
	return out
}

func present(p projections.Process) Process {
	said := Process{
		Type: p.Type, at: "/processes", Instances: &p.Instances, MemoryMB: &p.MemoryMB, DiskMB: &p.DiskMB, LogRate: &p.LogRate,
		HealthCheck: &p.HealthCheck.Kind, Endpoint: &p.HealthCheck.Endpoint, Timeout: &p.HealthCheck.TimeoutSeconds,
		InvocationTimeout: &p.HealthCheck.InvocationTimeoutSeconds, Interval: &p.HealthCheck.IntervalSeconds,
	}
	if p.Custom {
		said.Command = &p.Command
	}
	return said
}

// YAML writes a manifest that leads to the app as it is.
func (a App) YAML() ([]byte, error) {
	var processes []*yaml.Node
	for _, p := range a.Processes {
		one := &yaml.Node{Kind: yaml.MappingNode}
		for _, f := range p.fields() {
			if err := put(one, f.path[strings.LastIndexByte(f.path, '/')+1:], f.value); err != nil {
				return nil, err
			}
		}
		processes = append(processes, one)
	}
	app := &yaml.Node{Kind: yaml.MappingNode}
	for _, part := range []struct {
		key   string
		value any
		there bool
	}{
		{"name", a.Name, true},
		{"docker", map[string]string{"image": a.Image}, a.Image != ""},
		{"env", a.Environment, len(a.Environment) > 0},
		{"metadata", a.metadata(), !a.Metadata.IsZero()},
		{"routes", routes(a.Routes), len(a.Routes) > 0},
		{"processes", &yaml.Node{Kind: yaml.SequenceNode, Content: processes}, len(processes) > 0},
	} {
		if !part.there {
			continue
		}
		if err := put(app, part.key, part.value); err != nil {
			return nil, err
		}
	}
	return yaml.Marshal(map[string][]*yaml.Node{"applications": {app}})
}

func (a App) metadata() map[string]map[string]string {
	parts := map[string]map[string]string{}
	if len(a.Metadata.Labels) > 0 {
		parts["labels"] = a.Metadata.Labels
	}
	if len(a.Metadata.Annotations) > 0 {
		parts["annotations"] = a.Metadata.Annotations
	}
	return parts
}

func routes(urls []string) []map[string]string {
	var all []map[string]string
	for _, url := range urls {
		all = append(all, map[string]string{"route": url})
	}
	return all
}

// put adds a field to a mapping; a mapping of Go would not keep the order.
func put(to *yaml.Node, key string, value any) error {
	var k, v yaml.Node
	if err := k.Encode(key); err != nil {
		return err
	}
	if err := v.Encode(value); err != nil {
		return err
	}
	to.Content = append(to.Content, &k, &v)
	return nil
}

// pointer escapes a key for a JSON pointer.
func pointer(key string) string { return strings.NewReplacer("~", "~0", "/", "~1").Replace(key) }

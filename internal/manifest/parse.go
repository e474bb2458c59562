package manifest

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/commands"
)

// maxApps bounds the apps of one manifest: each is several commits.
const maxApps = 100

// Parse reads a manifest. Errors are *aggregates.RejectedError with all that is wrong.
func Parse(text []byte) (Manifest, error) {
	apps, err := applications(text)
	if err != nil {
		return Manifest{}, err
	}
	var m Manifest
	var faults []string
	for i, node := range apps {
		r := &reader{}
		a := r.app(node)
		where := fmt.Sprintf("For application '%s': ", a.Name)
		if a.Name == "" {
			where = fmt.Sprintf("For application at index %d: ", i)
		}
		for _, fault := range r.faults {
			faults = append(faults, where+fault)
		}
		if a.Name != "" && slices.ContainsFunc(m.Apps, func(other App) bool { return other.Name == a.Name }) {
			faults = append(faults, where+"it is there more than once")
		}
		m.Apps = append(m.Apps, a)
	}
	if len(faults) > 0 {
		return Manifest{}, aggregates.Reject("%s", strings.Join(faults, ", "))
	}
	return m, nil
}

// applications finds the nodes of the apps.
func applications(text []byte) ([]*yaml.Node, error) {
	var document yaml.Node
	if !utf8.Valid(text) || yaml.Unmarshal(text, &document) != nil || len(document.Content) != 1 {
		return nil, commands.Malformed()
	}
	if aliased(&document) {
		return nil, &aggregates.RejectedError{
			Code: commands.CodeMalformed, Message: "Request invalid due to parse error: Manifest does not support Anchors and Aliases",
		}
	}
	fields, ok := mapping(document.Content[0])
	list := fields["applications"]
	switch {
	case !ok || list == nil || list.Kind != yaml.SequenceNode || len(list.Content) == 0:
		return nil, aggregates.Reject("Cannot parse manifest with no 'applications' field.")
	case len(list.Content) > maxApps:
		return nil, aggregates.Reject("Applications: at most %d are allowed in one manifest", maxApps)
	case fields["version"] != nil && fields["version"].Value != "1":
		return nil, aggregates.Reject("Unsupported manifest schema version. Currently supported versions: [1].")
	}
	return list.Content, nil
}

// aliased says whether a document refers to parts of itself, which could make a small one endless.
func aliased(n *yaml.Node) bool {
	return n.Kind == yaml.AliasNode || n.Anchor != "" || slices.ContainsFunc(n.Content, aliased)
}

// mapping is the fields of a node, by their names with underscores: manifests write both. A null has none.
func mapping(n *yaml.Node) (fields map[string]*yaml.Node, ok bool) {
	fields = map[string]*yaml.Node{}
	if n == nil || n.Kind != yaml.MappingNode {
		return fields, n == nil || null(n)
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		fields[strings.ReplaceAll(n.Content[i].Value, "-", "_")] = n.Content[i+1]
	}
	return fields, true
}

func null(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// reader reads one app and collects what is wrong with it.
type reader struct {
	faults []string
}

func (r *reader) fault(format string, args ...any) {
	r.faults = append(r.faults, fmt.Sprintf(format, args...))
}

func (r *reader) app(n *yaml.Node) App {
	fields, ok := mapping(n)
	if !ok || n.Kind != yaml.MappingNode {
		r.fault("must be an object")
		return App{}
	}
	var a App
	if name := r.text(fields, "name", "Name"); name == nil || *name == "" {
		r.fault("Name must not be empty")
	} else if err := app.CheckName(*name); err != nil {
		r.fault("%v", err)
	} else {
		a.Name = *name
	}
	a.Environment = r.environment(fields["env"])
	a.Metadata = r.metadata(fields["metadata"])
	a.Image = r.image(fields["docker"])
	if kind := r.text(fields, "lifecycle", "Lifecycle"); kind != nil {
		a.Lifecycle = *kind
	}
	a.Processes = r.processes(fields)
	a.DefaultRoute = r.flag(fields, "default_route", "Default-route")
	a.NoRoute = r.flag(fields, "no_route", "No-route")
	a.RandomRoute = r.flag(fields, "random_route", "Random-route")
	a.Routes = r.routes(fields["routes"])
	r.combinations(fields, a)
	return a
}

// combinations tells what does not go together, and what is not done here.
func (r *reader) combinations(fields map[string]*yaml.Node, a App) {
	if a.RandomRoute && a.DefaultRoute {
		r.fault("Random-route and default-route may not be used together")
	}
	if a.Image != "" && (fields["buildpack"] != nil || fields["buildpacks"] != nil) {
		r.fault("Cannot specify both buildpack(s) and docker keys")
	}
	if fields["buildpack"] != nil && fields["buildpacks"] != nil {
		r.fault("Buildpack and Buildpacks fields cannot be used together.")
	}
	for _, key := range []string{"services", "sidecars"} {
		if n := fields[key]; n != nil && len(n.Content) > 0 {
			r.fault("%s are not supported: remove them from the manifest", key)
		}
	}
	if a.Lifecycle != "" && a.Lifecycle != events.LifecycleBuildpack && a.Lifecycle != events.LifecycleDocker {
		r.fault("Lifecycle type must be 'buildpack' or 'docker': staging takes the files as they are")
	}
}

// environment reads variables as they are written: 1.10 is not 1.1.
func (r *reader) environment(n *yaml.Node) map[string]string {
	if n == nil {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.fault("Env must be an object of keys and values")
		return nil
	}
	env := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1]
		switch {
		case value.Kind != yaml.ScalarNode:
			r.fault("Env variable '%.64s' must be a string, a number or a boolean", key)
		case null(value):
			env[key] = ""
		default:
			env[key] = value.Value
		}
	}
	// The rule book says what an environment may hold; it is asked about an app that has none yet.
	if _, err := app.SetEnvironment(app.State{ID: "any"}, patch(env)); err != nil {
		r.fault("%v", err)
	}
	return env
}

func (r *reader) metadata(n *yaml.Node) events.Metadata {
	fields, ok := mapping(n)
	if !ok {
		r.fault("Metadata must be an object")
	}
	m := events.Metadata{Labels: r.strings(fields["labels"], "labels"), Annotations: r.strings(fields["annotations"], "annotations")}
	if err := app.CheckMetadata(m); err != nil {
		r.fault("%v", err)
	}
	return m
}

func (r *reader) strings(n *yaml.Node, part string) map[string]string {
	if n == nil || null(n) {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		r.fault("Metadata '%s' is not an object", part)
		return nil
	}
	values := map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i+1].Kind != yaml.ScalarNode {
			r.fault("Metadata '%s' has a value that is no string", part)
			continue
		}
		values[n.Content[i].Value] = n.Content[i+1].Value
	}
	return values
}

func (r *reader) image(n *yaml.Node) string {
	fields, ok := mapping(n)
	if !ok {
		r.fault("Docker must be an object")
	}
	if name := r.text(fields, "username", "Docker username"); name != nil && *name != "" {
		r.fault("Docker username is not supported: credentials would stand in the history for good")
	}
	image := r.text(fields, "image", "Docker image")
	if image == nil {
		return ""
	}
	return *image
}

func (r *reader) routes(n *yaml.Node) []string {
	if n == nil || null(n) {
		return nil
	}
	var routes []string
	for _, entry := range n.Content {
		fields, _ := mapping(entry)
		if route := r.text(fields, "route", "Route"); route != nil && *route != "" {
			routes = append(routes, *route)
			continue
		}
		r.fault("Routes must be a list of route objects")
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		r.fault("Routes must be a list of route objects")
		return nil
	}
	return routes
}

// text reads a scalar; nil where it is absent. An explicit null is an empty text.
func (r *reader) text(fields map[string]*yaml.Node, key, name string) *string {
	n := fields[key]
	switch {
	case n == nil:
		return nil
	case n.Kind != yaml.ScalarNode:
		r.fault("%s must be a string", name)
		return nil
	case null(n):
		return new(string)
	}
	return &n.Value
}

func (r *reader) flag(fields map[string]*yaml.Node, key, name string) bool {
	n := fields[key]
	var set bool
	if n != nil && n.Decode(&set) != nil {
		r.fault("%s must be a boolean", name)
	}
	return set
}

// integer reads a whole number; nil where it is absent or null.
func (r *reader) integer(fields map[string]*yaml.Node, key, name string, least int) *int {
	n := fields[key]
	if n == nil || null(n) {
		return nil
	}
	var number int
	switch {
	case n.Kind != yaml.ScalarNode || n.Tag != "!!int" || n.Decode(&number) != nil:
		r.fault("%s is not a number", name)
		return nil
	case number < least:
		r.fault("%s must be greater than or equal to %d", name, least)
		return nil
	}
	return &number
}

// patch is values as a change that sets them all.
func patch(values map[string]string) map[string]*string {
	change := map[string]*string{}
	for key, value := range values {
		change[key] = &value
	}
	return change
}

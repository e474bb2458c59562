package watch

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"strings"

	"slipway/events"
	"slipway/internal/client"
	"slipway/internal/resource"
	"slipway/projections"
)

// Rollout is how a deployment stands, and what serves meanwhile.
type Rollout struct {
	GUID          string                   `json:"guid"`
	Status        resource.Status          `json:"status"`
	Approval      *resource.Approval       `json:"approval"`
	Strategy      string                   `json:"strategy"`
	NewProcesses  []resource.ProcessRef    `json:"new_processes"`
	Relationships resource.OfDeployment    `json:"relationships"`
	App           string                   `json:"-"` // name
	Level         resource.Level           `json:"-"` // of its web processes; zero where it is over since long
	Created       events.DeploymentCreated `json:"-"` // zero until the history has told it
}

// Over says that nothing follows any more.
func (r Rollout) Over() bool { return r.Status.Value == projections.StatusFinalized }

// Moves says that its rules may change how many instances run, unless it is halted.
func (r Rollout) Moves() bool {
	return !r.Over() && !r.Returns() && r.Status.Reason != projections.ReasonApproval
}

// Returns says that it is on its way back, which no halt holds up.
func (r Rollout) Returns() bool {
	return r.Status.Reason == projections.ReasonCanceling || r.Status.Reason == projections.ReasonRollingBack
}

// step is how far it is in its plan; zero of one with a single step.
func (r Rollout) step() (current, total int) {
	switch s := r.Status; {
	case s.Canary != nil:
		return s.Canary.Steps.Current, s.Canary.Steps.Total
	case s.Step != nil:
		return s.Step.Current, s.Step.Total
	}
	return 0, 0
}

func (r Rollout) appGUID() string { return appOf(r.Relationships.OfApp) }

func appOf(of resource.OfApp) string {
	if of.App.Data == nil {
		return ""
	}
	return text(*of.App.Data)
}

// text is a guid; empty where there is none.
func text(g resource.GUID) string {
	if g.GUID == nil {
		return ""
	}
	return *g.GUID
}

// Reader reads how rollouts stand. It keeps the names of their apps, which it asks for once.
type Reader struct {
	API   *client.Client
	names map[string]string // of apps, by guid; empty: it is not among those that are asked for
}

// Read gives the deployments that a query selects, as GET /v3/deployments has it, of apps that a second one selects, as GET
// /v3/apps has it; always the same second one.
func (r *Reader) Read(ctx context.Context, query, apps url.Values) ([]Rollout, error) {
	all, err := client.All[Rollout](ctx, r.API, "/v3/deployments", query)
	if err != nil {
		return nil, err
	}
	if err := r.name(ctx, all, apps); err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(d Rollout) bool { return r.names[d.appGUID()] == "" })
	return all, r.measure(ctx, all)
}

// chunk bounds the guids of one request, so that its URL stays short.
const chunk = 100

// each asks for the resources of all guids, some at a time.
func each[T any](ctx context.Context, c *client.Client, path, key string, guids []string, query url.Values, fn func(T)) error {
	for some := range slices.Chunk(guids, chunk) {
		q := url.Values{key: {strings.Join(some, ",")}}
		maps.Copy(q, query)
		found, err := client.All[T](ctx, c, path, q)
		if err != nil {
			return err
		}
		for _, one := range found {
			fn(one)
		}
	}
	return nil
}

// name tells the names of apps.
func (r *Reader) name(ctx context.Context, all []Rollout, query url.Values) error {
	if r.names == nil {
		r.names = map[string]string{}
	}
	var unknown []string
	for _, d := range all {
		if _, known := r.names[d.appGUID()]; !known && !slices.Contains(unknown, d.appGUID()) {
			unknown = append(unknown, d.appGUID())
		}
	}
	type app struct{ GUID, Name string }
	found := map[string]string{}
	if err := each(ctx, r.API, "/v3/apps", "guids", unknown, query, func(a app) { found[a.GUID] = a.Name }); err != nil {
		return err
	}
	for _, guid := range unknown {
		r.names[guid] = found[guid]
	}
	for i := range all {
		all[i].App = r.names[all[i].appGUID()]
	}
	return nil
}

// measure counts what serves.
func (r *Reader) measure(ctx context.Context, all []Rollout) error {
	of, apps := map[string][]*Rollout{}, []string{}
	for i := range all {
		id := all[i].appGUID()
		if of[id] == nil {
			apps = append(apps, id)
		}
		of[id] = append(of[id], &all[i])
	}
	webs := url.Values{"types": {events.ProcessTypeWeb}, "embed": {"process_instances"}}
	return each(ctx, r.API, "/v3/processes", "app_guids", apps, webs, func(p process) {
		for _, d := range of[appOf(p.Relationships)] {
			d.count(p)
		}
	})
}

// process is a web process with its desired instances.
type process struct {
	GUID          string                     `json:"guid"`
	Relationships resource.OfApp             `json:"relationships"`
	Instances     []resource.ProcessInstance `json:"process_instances"`
}

// count adds the instances of a process to the level.
func (r *Rollout) count(p process) {
	r.Level.Desired += len(p.Instances)
	serving := &r.Level.Old
	if slices.ContainsFunc(r.NewProcesses, func(made resource.ProcessRef) bool { return made.GUID == p.GUID }) {
		serving = &r.Level.New
	}
	for _, i := range p.Instances {
		if i.Routable {
			*serving++
		}
	}
}

// dark leaves out what runs without requests: of a blue-green rollout the new version before the switch, the old one after it.
func (r *Rollout) dark() {
	plan, step := r.Created.Plan, 0
	if r.Status.Step == nil || !r.Moves() {
		return
	}
	if step = r.Status.Step.Current - 1; step >= len(plan) {
		return
	}
	switch {
	case plan[step].Dark:
		r.Level.New = 0
	case step > 0 && plan[step-1].Dark:
		r.Level.Old = 0
	}
}

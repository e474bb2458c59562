package replay

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"slipway/aggregates/app"
	"slipway/aggregates/plan"
	"slipway/events"
	"slipway/internal/commands"
)

// asked is the command that a deployment was created with, as far as its first commit tells.
func asked(before app.State, c events.Recorded, id events.DeploymentID, revisions map[events.RevisionID]events.RevisionCreated) (
	ask app.CreateDeployment, created events.DeploymentCreated,
) {
	ask.ID, ask.Now = c.CommandID, c.Time
	for _, waited := range before.Requests { // its ids come from the command that asked for it
		if waited.Deployment == id {
			ask.ID = waited.Request
		}
	}
	for _, e := range c.Events {
		switch e := e.(type) {
		case events.AppDropletAssigned:
			ask.Droplet = &app.Droplet{ID: e.Droplet, App: e.App, Staged: true, ProcessTypes: e.ProcessTypes}
		case events.DeploymentCreated:
			if e.Deployment == id {
				created = e
			}
		}
	}
	ask.Strategy, ask.Options, ask.Metadata = created.Strategy, created.Options, created.Metadata
	if created.StoredStrategy != "" && created.Growth != nil {
		ask.Stored = &app.StoredStrategy{ID: created.StoredStrategy, Growth: *created.Growth}
		ask.Schedule = scheduleOf(created)
	}
	if revision, ok := revisions[created.RolledBackTo]; ok {
		ask.Revision = &revision
		if ask.Droplet == nil {
			ask.Droplet = &app.Droplet{ID: created.Droplet, App: created.App, Staged: true, ProcessTypes: before.Types[created.Droplet]}
		}
	}
	return ask, created
}

// scheduleOf finds the schedule that a plan was made by; it stands in no event.
func scheduleOf(created events.DeploymentCreated) plan.Schedule {
	for _, s := range plan.Schedules {
		made := plan.Compile(plan.Request{
			Strategy: created.Strategy, Original: created.OriginalInstances, Target: created.Target, Options: created.Options,
			Growth: created.Growth, Schedule: s,
		})
		if reflect.DeepEqual(made, created.Plan) {
			return s
		}
	}
	return ""
}

// With is what is asked for with other options: "key=value" pairs, where keys are those of the API's options, dots lead into
// objects, and "strategy" and "steps" (20/50) are the strategy and the canary steps. Another strategy goes at its own pace
// unless max_in_flight is given.
func (r Rollout) With(changes []string) (app.CreateDeployment, error) {
	ask := r.deploy
	form, err := optionsForm(ask.Options)
	if err != nil {
		return ask, err
	}
	for _, change := range changes {
		key, value, ok := strings.Cut(change, "=")
		if !ok || key == "" {
			return ask, fmt.Errorf("with %q: want key=value, such as max_in_flight=10", change)
		}
		switch key {
		case "strategy":
			if value == ask.Strategy {
				continue
			}
			ask.Strategy, ask.Stored = value, nil
			delete(form, "canary")
			delete(form, "max_in_flight")
		case "steps":
			form["canary"] = map[string]any{"steps": steps(value)}
		default:
			set(form, strings.Split(key, "."), value)
		}
	}
	ask.Options, err = parse(form)
	return ask, err
}

func optionsForm(o events.DeploymentOptions) (map[string]any, error) {
	data, err := json.Marshal(commands.OptionsOf(o))
	if err != nil {
		return nil, err
	}
	form := map[string]any{}
	return form, json.Unmarshal(data, &form)
}

// parse reads the options as the API does, with its words for what is wrong.
func parse(form map[string]any) (events.DeploymentOptions, error) {
	data, err := json.Marshal(form)
	if err != nil {
		return events.DeploymentOptions{}, err
	}
	var o commands.Options
	if err := json.Unmarshal(data, &o); err != nil {
		return events.DeploymentOptions{}, fmt.Errorf("with: %w", err)
	}
	return o.DeploymentOptions, nil
}

// set puts a value where a path leads: JSON, or a text.
func set(form map[string]any, path []string, value string) {
	for _, key := range path[:len(path)-1] {
		inner, ok := form[key].(map[string]any)
		if !ok {
			inner = map[string]any{}
			form[key] = inner
		}
		form = inner
	}
	var v any
	if json.Unmarshal([]byte(value), &v) != nil {
		v = value
	}
	form[path[len(path)-1]] = v
}

func steps(value string) (all []any) {
	for weight := range strings.SplitSeq(value, "/") {
		all = append(all, map[string]any{"instance_weight": json.Number(weight)})
	}
	return all
}

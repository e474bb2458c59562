package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"slipway/internal/client"
)

// Request is what a deployment is asked for with.
type Request struct {
	App         string        `required:"" help:"Name or guid of the app."`
	Droplet     string        `help:"Guid of the droplet; without one the app's current one."`
	Revision    string        `help:"Guid of the revision to roll back to."`
	Strategy    string        `help:"rolling, canary, all-at-once or blue-green."`
	Stored      string        `name:"deployment-strategy" help:"Id of a stored deployment strategy."`
	Steps       []int         `help:"Canary steps, in percent of the instances."`
	MaxInFlight int           `help:"Instances that may start at once."`
	Instances   *int          `help:"Web instances that it ends with."`
	Memory      int           `help:"Memory of each instance, in MB."`
	Bake        time.Duration `help:"How long the new version is watched at full size."`
	OnFailure   string        `help:"What becomes of it when it fails: rollback, hold or cancel."`
	Options     string        `help:"Further options, as the JSON object of the API." placeholder:"JSON"`
}

// body is the request in the form of the API.
func (r Request) body(ctx context.Context, c *client.Client) (map[string]any, error) {
	options, err := r.options()
	if err != nil {
		return nil, err
	}
	app, err := find(ctx, c, r.App)
	if err != nil {
		return nil, err
	}
	relationships := map[string]any{"app": to(app)}
	body := map[string]any{"relationships": relationships}
	for _, part := range []struct {
		key   string
		given string
		value any
	}{
		{"droplet", r.Droplet, map[string]any{"guid": r.Droplet}}, {"revision", r.Revision, map[string]any{"guid": r.Revision}},
		{"strategy", r.Strategy, r.Strategy},
	} {
		if part.given != "" {
			body[part.key] = part.value
		}
	}
	if r.Stored != "" {
		relationships["deployment_strategy"] = to(r.Stored)
	}
	if len(options) > 0 {
		body["options"] = options
	}
	return body, nil
}

func to(guid string) any { return map[string]any{"data": map[string]any{"guid": guid}} }

func (r Request) options() (map[string]any, error) {
	options := map[string]any{}
	if r.Options != "" {
		if err := json.Unmarshal([]byte(r.Options), &options); err != nil {
			return nil, fmt.Errorf("--options: want a JSON object: %w", err)
		}
	}
	for _, part := range []struct {
		key   string
		given bool
		value any
	}{
		{"max_in_flight", r.MaxInFlight != 0, r.MaxInFlight}, {"web_instances", r.Instances != nil, r.Instances},
		{"memory_in_mb", r.Memory != 0, r.Memory}, {"bake_in_seconds", r.Bake != 0, int(r.Bake.Seconds())},
		{"on_failure", r.OnFailure != "", r.OnFailure}, {"canary", len(r.Steps) > 0, canary(r.Steps)},
	} {
		if part.given {
			options[part.key] = part.value
		}
	}
	return options, nil
}

func canary(weights []int) any {
	steps := []any{}
	for _, weight := range weights {
		steps = append(steps, map[string]any{"instance_weight": weight})
	}
	return map[string]any{"steps": steps}
}

// find gives the guid of the app with a name, or the name itself: it may be a guid.
func find(ctx context.Context, c *client.Client, name string) (guid string, err error) {
	var found struct {
		Resources []struct {
			GUID string `json:"guid"`
		} `json:"resources"`
	}
	if err := c.Call(ctx, http.MethodGet, "/v3/apps?names="+url.QueryEscape(name), nil, &found); err != nil {
		return "", err
	}
	switch len(found.Resources) {
	case 0:
		return name, nil
	case 1:
		return found.Resources[0].GUID, nil
	}
	return "", fmt.Errorf("several apps are called %s: name one by its guid, see %s/v3/apps?names=%s", name, c.Base, url.QueryEscape(name))
}

package commands

import (
	"context"
	"fmt"
	"time"

	"slipway/aggregates"
	"slipway/aggregates/app"
	rules "slipway/aggregates/policy"
	"slipway/aggregates/space"
	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/policy"
)

// The catalogue of policies over deployment requests.
type (
	// CreatePolicy brings a policy in for a space or an organization, or with neither for all.
	CreatePolicy struct {
		Called       string                `json:"name"`
		Organization events.OrganizationID `json:"organization,omitempty"`
		Space        events.SpaceID        `json:"space,omitempty"`
		Rule         events.PolicyRule     `json:"rule"`
		Metadata     events.Metadata       `json:"metadata,omitzero"`
	}
	// UpdatePolicy renames a policy, replaces its rule, and merges its metadata.
	UpdatePolicy struct {
		Policy   events.PolicyID    `json:"policy"`
		Called   *string            `json:"name,omitempty"`
		Rule     *events.PolicyRule `json:"rule,omitempty"`
		Metadata MetadataPatch      `json:"metadata,omitzero"`
	}
	// DeletePolicy takes a policy away. Requests it had a say in keep that.
	DeletePolicy struct {
		Policy events.PolicyID `json:"policy"`
	}
)

func (CreatePolicy) Name() string { return "policy.create" }
func (UpdatePolicy) Name() string { return "policy.update" }
func (DeletePolicy) Name() string { return "policy.delete" }

// lastDeployments is how many earlier deployments of an app policies see.
const lastDeployments = 10

// Judged is what the policies say of a deployment that nobody has asked for yet.
type Judged struct {
	Outcome string // the strictest of the verdicts; allow where there is none
	AppName string
	app.Judgement
	Sequence events.Sequence // of the app's commit that it was made from
}

// Judge says which policies would match a request for a deployment, and what would come out. It is refused as the command would be,
// as far as that can be seen without the app, and writes nothing.
func (h *Handler) Judge(ctx context.Context, c CreateDeployment, by Caller) (Judged, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	j, err := h.judged(ctx, c, by)
	if err != nil {
		return Judged{}, fmt.Errorf("policy.evaluate: %w", err)
	}
	return j, nil
}

func (h *Handler) judged(ctx context.Context, c CreateDeployment, by Caller) (Judged, error) {
	create, err := h.asked(ctx, c, by, h.meta(by))
	if err != nil {
		return Judged{}, err
	}
	agg, err := h.apps.Load(ctx, string(c.App))
	if err != nil {
		return Judged{}, err
	}
	if !agg.State.Exists() {
		return Judged{}, aggregates.Reject("Unable to use app. Ensure that the app exists and you have access to it.")
	}
	j := Judged{Outcome: events.OutcomeAllow, AppName: agg.State.Name, Sequence: agg.Position.Sequence}
	j.Judgement, err = h.policies.Evaluate(ctx, h.asking(c, agg.State, create, by), h.lastOf(c.App))
	if err != nil {
		return Judged{}, err
	}
	for _, outcome := range []string{events.OutcomeHold, events.OutcomeApproval, events.OutcomeDeny} {
		for _, v := range j.Verdicts {
			if v.Outcome == outcome {
				j.Outcome = outcome
			}
		}
	}
	return j, nil
}

// judge asks the policies about a deployment of an app.
func (h *Handler) judge(ctx context.Context, c CreateDeployment, s app.State, create app.CreateDeployment, by Caller) (*app.Judgement, error) {
	return h.policies.Judge(ctx, create.Await.ID != "", h.asking(c, s, create, by), h.lastOf(s.ID))
}

func (h *Handler) asking(c CreateDeployment, s app.State, create app.CreateDeployment, by Caller) func(context.Context) (policy.Request, error) {
	return func(ctx context.Context) (policy.Request, error) { return h.request(ctx, c, s, create, by) }
}

func (h *Handler) lastOf(id events.AppID) func(context.Context) ([]policy.Past, error) {
	return func(ctx context.Context) ([]policy.Past, error) {
		return h.finder.LastDeployments(ctx, id, lastDeployments)
	}
}

// request gathers what policies see.
func (h *Handler) request(ctx context.Context, c CreateDeployment, s app.State, create app.CreateDeployment, by Caller) (policy.Request, error) {
	web, _ := s.ProcessOfType(events.ProcessTypeWeb)
	r := policy.Request{
		App: policy.App{
			GUID: s.ID, Name: s.Name, Labels: s.Metadata.Labels, Annotations: s.Metadata.Annotations, State: string(s.Desired),
			Instances: web.Instances, CurrentDroplet: s.Droplet,
		},
		Strategy: policy.Strategy{Name: create.Strategy, Stored: c.DeploymentStrategy, Options: create.Options},
		Actor:    policy.Actor{Name: create.By, Automation: create.Automation}, Now: create.Now,
	}
	if create.Revision != nil {
		r.Revision = policy.Revision{GUID: create.Revision.Revision, Version: create.Revision.Number, Description: create.Revision.Description}
	}
	if r.Strategy.Name == "" {
		r.Strategy.Name = events.StrategyRolling
	}
	wanted := s.Droplet
	if create.Droplet != nil {
		wanted = create.Droplet.ID
	}
	var err error
	if r.Droplet, err = h.artifact(ctx, wanted); err != nil {
		return r, err
	}
	if r.Organization, r.Space, err = h.homes(ctx, s); err != nil {
		return r, err
	}
	r.Actor.Roles, err = by.rolesAt(ctx, s.ID)
	return r, err
}

// artifact is what policies see of a droplet.
func (h *Handler) artifact(ctx context.Context, id events.DropletID) (policy.Droplet, error) {
	agg, err := h.droplets.Load(ctx, string(id))
	d := agg.State
	return policy.Droplet{GUID: id, SHA256: d.SHA256, SizeBytes: d.SizeBytes, Image: d.Image}, err
}

// homes is what policies see of where an app lives.
func (h *Handler) homes(ctx context.Context, s app.State) (organization, home policy.Place, err error) {
	agg, err := h.places.organizations.Load(ctx, string(s.Organization))
	if err != nil {
		return organization, home, err
	}
	in, _ := agg.State.Space(s.Space)
	return placeOf(string(s.Organization), agg.State.Name, agg.State.Metadata), spaceOf(s.Space, in), nil
}

func spaceOf(id events.SpaceID, s space.Space) policy.Place {
	return placeOf(string(id), s.Name, s.Metadata)
}

// placeOf is named by its id as long as nothing says how it is called: the default ones until they are made.
func placeOf(id, name string, m events.Metadata) policy.Place {
	if name == "" {
		name = id
	}
	return policy.Place{GUID: id, Name: name, Labels: m.Labels}
}

func (h *Handler) deletePolicy(ctx context.Context, c DeletePolicy, m eventlog.Meta) (Result, error) {
	return h.onPolicies(ctx, c.Policy, m, func(s rules.State) ([]events.Event, error) { return rules.Delete(s, c.Policy) })
}

func (h *Handler) onPolicies(ctx context.Context, id events.PolicyID, m eventlog.Meta, decide func(rules.State) ([]events.Event, error)) (Result, error) {
	out, err := h.policies.Decide(ctx, m, decide)
	if err != nil {
		return Result{}, err
	}
	return resultOf(KindPolicy, string(id), out), nil
}

func (h *Handler) createPolicy(ctx context.Context, c CreatePolicy, m eventlog.Meta) (Result, error) {
	p := rules.Policy{
		ID: events.PolicyID(events.DeriveID(m.CommandID, "policy", 0)), Name: c.Called, Rule: started(c.Rule, m.Time), Metadata: c.Metadata,
	}
	if _, err := rules.Create(rules.State{}, p); err != nil {
		return Result{}, err // what a rule must have comes before what it says
	}
	if err := policy.Check(p.Rule, m.Time); err != nil {
		return Result{}, err
	}
	var err error
	if p.Organization, p.Space, err = h.scope(ctx, c.Organization, c.Space); err != nil {
		return Result{}, err
	}
	made, err := h.onPolicies(ctx, p.ID, m, func(s rules.State) ([]events.Event, error) { return rules.Create(s, p) })
	if err != nil {
		return Result{}, err
	}
	return h.settle(ctx, Home{p.Organization, p.Space}, made, m)
}

func (h *Handler) updatePolicy(ctx context.Context, c UpdatePolicy, m eventlog.Meta) (Result, error) {
	change := rules.Change{Name: c.Called, Metadata: c.Metadata}
	if c.Rule != nil {
		rule := started(*c.Rule, m.Time)
		if err := policy.Check(rule, m.Time); err != nil {
			return Result{}, err
		}
		change.Rule = &rule
	}
	return h.onPolicies(ctx, c.Policy, m, func(s rules.State) ([]events.Event, error) { return rules.Update(s, c.Policy, change) })
}

// started gives a window without a start one at the beginning of the day on which it is made.
func started(rule events.PolicyRule, now time.Time) events.PolicyRule {
	if rule.Window == nil || rule.Window.Start != "" {
		return rule
	}
	w := *rule.Window
	if zone, err := time.LoadLocation(w.Zone); err == nil {
		now = now.In(zone)
	}
	w.Start = now.Format(time.DateOnly) + "T00:00:00"
	rule.Window = &w
	return rule
}

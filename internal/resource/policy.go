package resource

import (
	"context"
	"fmt"

	"slipway/events"
	"slipway/internal/commands"
	"slipway/internal/policy"
	"slipway/projections"
)

// Policy is a policy over deployment requests (our own addition, in Cloud Foundry's style).
type Policy struct {
	Stamp
	Name          string            `json:"name"`
	Rule          events.PolicyRule `json:"rule"` // what it judges, and how
	Relationships Scope             `json:"relationships"`
	Metadata      Metadata          `json:"metadata"`
	Links         Links             `json:"links"`
}

// Policy presents a policy.
func (b Base) Policy(p projections.Policy) Policy {
	return Policy{
		Stamp: stamp(p.GUID, p.Stamp), Name: p.Name, Rule: p.Rule, Relationships: Scope{toOne(p.Organization), toOne(p.Space)},
		Metadata: metadata(p.Metadata), Links: Links{"self": b.link("v3", "policies", string(p.GUID))},
	}
}

// Evaluation is what the policies say of a deployment that nobody has asked for yet.
type Evaluation struct {
	Outcome   string          `json:"outcome"`              // the strictest of the verdicts
	HeldUntil *Time           `json:"held_until,omitempty"` // when it would begin by itself
	Verdicts  []PolicyVerdict `json:"verdicts"`             // of the policies that match
	Context   any             `json:"context"`              // what conditions see, whether a policy matches or not
}

// EvaluationOf presents what the policies say.
func EvaluationOf(j commands.Judged) Evaluation {
	e := Evaluation{Outcome: j.Outcome, Verdicts: Each(j.Verdicts, Verdict), Context: j.Context}
	e.HeldUntil, _ = held(&projections.Asked{Verdicts: j.Verdicts})
	return e
}

// GroupEvaluation is what the policies say of a group that nobody has asked for yet.
type GroupEvaluation struct {
	Outcome string             `json:"outcome"` // the strictest of the members'
	Members []MemberEvaluation `json:"members"` // in the order of the request
}

// MemberEvaluation is what the policies say of one member.
type MemberEvaluation struct {
	App  AppRef `json:"app"`
	Wave int    `json:"wave"` // from 1
	Evaluation
}

// GroupEvaluationOf presents what the policies say of a group that is asked for.
func GroupEvaluationOf(c commands.CreateGroup, j commands.JudgedGroup) GroupEvaluation {
	e := GroupEvaluation{Outcome: j.Outcome}
	for i, m := range c.Members {
		of := j.Members[i]
		e.Members = append(e.Members, MemberEvaluation{
			App: AppRef{GUID: string(m.App), Name: of.AppName}, Wave: m.WaveNumber(), Evaluation: EvaluationOf(of),
		})
	}
	return e
}

// Judges asks the policies: *commands.Handler.
type Judges interface {
	Judge(ctx context.Context, c commands.CreateDeployment, by commands.Caller) (commands.Judged, error)
	JudgeGroup(ctx context.Context, c commands.CreateGroup, by commands.Caller) (commands.JudgedGroup, error)
}

// Ask gives what a question is answered, and the newest commit that the answer was made from. Errors are those of whom it asks.
func Ask(ctx context.Context, j Judges, q commands.Question, by commands.Caller) (shown any, at events.Sequence, err error) {
	switch q := q.(type) {
	case commands.EvaluatePolicies:
		judged, err := j.Judge(ctx, q.CreateDeployment, by)
		return EvaluationOf(judged), judged.Sequence, err
	case commands.EvaluateGroup:
		judged, err := j.JudgeGroup(ctx, q.CreateGroup, by)
		if err != nil {
			return nil, 0, err // there is not something for each member
		}
		return GroupEvaluationOf(q.CreateGroup, judged), judged.Sequence, nil
	}
	return nil, 0, fmt.Errorf("no answer to %T", q)
}

// LastDeployments implements commands.Finder.
func (f Finder) LastDeployments(ctx context.Context, id events.AppID, most int) ([]policy.Past, error) {
	if err := f.caughtUp(ctx); err != nil {
		return nil, err
	}
	l, err := f.Store.All().Deployments(ctx, projections.DeploymentFilter{Apps: []events.AppID{id}},
		projections.Order{By: projections.ByCreated, Descending: true}, projections.Page{Number: 1, PerPage: most})
	if err != nil {
		return nil, err
	}
	past := make([]policy.Past, 0, len(l.Rows))
	for _, d := range l.Rows {
		by, err := f.whoAsked(ctx, d)
		if err != nil {
			return nil, err
		}
		p := policy.Past{
			GUID: d.GUID, Status: d.StatusValue, Reason: d.StatusReason, Droplet: d.Droplet, Strategy: d.Strategy, By: by, CreatedAt: d.CreatedAt,
		}
		if d.StatusValue == projections.StatusFinalized {
			ended := d.LastStatusChange
			p.EndedAt = &ended
		}
		past = append(past, p)
	}
	return past, nil
}

// whoAsked is who asked for a deployment: the actor of the commit that brought it forth.
func (f Finder) whoAsked(ctx context.Context, d projections.Deployment) (events.Actor, error) {
	if d.Watch.Asked != nil {
		return d.Watch.Asked.By, nil
	}
	made := projections.HistoryFilter{Deployment: d.GUID, Types: []events.Type{events.TypeDeploymentCreated}}
	l, err := f.Store.History(ctx, made, projections.Order{}, projections.Page{Number: 1, PerPage: 1})
	if err != nil || len(l.Rows) == 0 {
		return "", err
	}
	return l.Rows[0].Actor, nil
}

package app

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/aggregates"
	"slipway/events"
)

// Judgement is what the policies say of a request, and what they saw.
type Judgement struct {
	Verdicts []events.PolicyVerdict
	Context  json.RawMessage
}

// waits says whether the request must not begin at once.
func (j *Judgement) waits(now time.Time) bool {
	return j != nil && slices.ContainsFunc(j.Verdicts, func(v events.PolicyVerdict) bool {
		switch v.Outcome {
		case events.OutcomeDeny:
			return true
		case events.OutcomeApproval:
			return v.Needed > 0
		case events.OutcomeHold:
			return now.Before(v.Until)
		}
		return false
	})
}

// instead is what to do with a droplet that must not simply be assigned.
const instead = "Deploy it instead (POST /v3/deployments, cf push --strategy rolling)"

// unassignable is why a droplet must not be assigned, by the strictest of the policies, and what to do instead; empty where it may.
func (j *Judgement) unassignable(now time.Time) string {
	if !j.waits(now) {
		return ""
	}
	for _, outcome := range []string{events.OutcomeDeny, events.OutcomeApproval, events.OutcomeHold} {
		for _, v := range j.Verdicts {
			switch {
			case v.Outcome != outcome:
			case outcome == events.OutcomeDeny:
				return denial(v) + ". " + instead + " if the policy lets you."
			case outcome == events.OutcomeHold && now.Before(v.Until):
				return Hold{Name: v.Name, Reason: v.Reason, Until: v.Until}.Text() + ". " + instead + ": a deployment begins by itself then."
			case v.Needed > 0:
				return wanted(v) + ". " + instead + ": a deployment can be approved."
			}
		}
	}
	return ""
}

// await records a request that does not begin at once: it is denied in the same commit where a policy says so.
func (s State) await(c CreateDeployment) ([]events.Event, error) {
	if len(s.Requests) >= maxRequests {
		return nil, aggregates.Reject("The app has %d deployments that wait for approval, the most it can have: cancel one first", maxRequests)
	}
	d, j := &decision{State: s}, c.judgement()
	asked := events.DeploymentApprovalRequested{
		App: s.ID, Deployment: c.DeploymentID(), Request: c.ID, By: c.By, Strategy: c.Strategy, Options: c.Options,
		Schedule: string(c.Schedule), Group: c.Group, Metadata: c.Metadata, Verdicts: j.Verdicts, Context: j.Context, At: c.Now,
		Automation: c.Automation,
	}
	version := events.VersionRequested{App: s.ID, Deployment: asked.Deployment, RollBackTo: c.Revision}
	if c.Droplet != nil {
		asked.Droplet, version.Droplet, version.ProcessTypes = c.Droplet.ID, c.Droplet.ID, c.Droplet.ProcessTypes
	}
	if c.Revision != nil {
		asked.RollBackTo = c.Revision.Revision
	}
	if c.Stored != nil {
		asked.StoredStrategy, asked.Growth = c.Stored.ID, &c.Stored.Growth
	}
	d.add(asked)
	d.add(version)
	for _, v := range j.Verdicts {
		if v.Outcome == events.OutcomeDeny {
			d.add(events.DeploymentDenied{
				App: s.ID, Deployment: asked.Deployment, By: events.ActorPolicy, Policy: v.Policy, Reason: denial(v), At: c.Now,
			})
			return d.events, nil
		}
	}
	if c.Await.ID != "" {
		for _, e := range s.halted(asked.Deployment, c.Await) {
			d.add(e)
		}
	}
	return d.events, nil
}

// judgement is what the policies say; nothing where there are none.
func (c CreateDeployment) judgement() Judgement {
	if c.Judgement == nil {
		return Judgement{Verdicts: []events.PolicyVerdict{}}
	}
	return *c.Judgement
}

func denial(v events.PolicyVerdict) string {
	text := "policy " + v.Name + " denies it"
	if v.Reason != "" {
		text += ": " + v.Reason
	}
	return text
}

// wanted says whom a policy asks.
func wanted(v events.PolicyVerdict) string {
	text := fmt.Sprintf("policy %s wants it approved by %d of %s", v.Name, v.Needed, strings.Join(v.Approvers, ", "))
	if v.Reason != "" {
		text += ": " + v.Reason
	}
	return text
}

// Answer is the command to say yes or no to a requested deployment.
type Answer struct {
	Deployment events.DeploymentID
	By         events.Actor
	Roles      []string // of By, where the app lives
	Comment    string
	Now        time.Time
}

// maxComment bounds what people say to an answer, in bytes.
const maxComment = 1024

// ApproveDeployment says yes. It counts once for each policy that By may answer for and has not yet; when nobody is left to be
// asked the request is granted. Granted, it starts by itself, or when somebody starts it: that is another fact.
func ApproveDeployment(s State, c Answer) ([]events.Event, error) {
	r, err := s.asked("approve", c.Deployment)
	if err != nil {
		return nil, err
	}
	if err := aggregates.CheckText("Comment", c.Comment, 0, maxComment); err != nil {
		return nil, err
	}
	policies, err := r.answers("approve", c)
	if err != nil || len(policies) == 0 {
		return nil, err
	}
	approved := events.DeploymentApproved{
		App: s.ID, Deployment: c.Deployment, By: c.By, Policies: policies, Comment: c.Comment, At: c.Now,
	}
	after := r.approved(approved)
	approved.Granted = !slices.ContainsFunc(r.Verdicts, func(v events.PolicyVerdict) bool { return after.missing(v) > 0 })
	return []events.Event{approved}, nil
}

// DenyDeployment says no: one who may answer is enough, and it is final.
func DenyDeployment(s State, c Answer) ([]events.Event, error) {
	r, err := s.asked("deny", c.Deployment)
	if err != nil {
		return nil, err
	}
	if r.Granted && r.asksPeople() {
		return nil, aggregates.Reject("Cannot deny the deployment: it is approved; cancel it instead")
	}
	if err := aggregates.CheckText("Comment", c.Comment, 0, maxComment); err != nil {
		return nil, err
	}
	policies, err := r.answers("deny", c)
	if err != nil {
		return nil, err
	}
	denied := events.DeploymentDenied{App: s.ID, Deployment: c.Deployment, By: c.By, Reason: c.Comment, At: c.Now}
	if denied.Reason == "" {
		denied.Reason = "denied by " + string(c.By)
	}
	if len(policies) > 0 {
		denied.Policy = policies[0]
	}
	return []events.Event{denied}, nil
}

// asked finds a request that still waits.
func (s State) asked(verb string, id events.DeploymentID) (Request, error) {
	if r, ok := s.request(id); ok {
		return r, nil
	}
	if s.Deployment != nil && s.Deployment.ID() == id {
		return Request{}, aggregates.Reject("Cannot %s a deployment with status: ACTIVE and reason: %s", verb, s.Deployment.reason())
	}
	if ended, ok := s.ended(id); ok {
		return Request{}, aggregates.Reject("Cannot %s a deployment with status: FINALIZED and reason: %s", verb, ended.Reason)
	}
	return Request{}, aggregates.NotFound("Deployment")
}

// asksPeople says whether a policy wants anybody's word.
func (r Request) asksPeople() bool {
	return slices.ContainsFunc(r.Verdicts, func(v events.PolicyVerdict) bool { return v.Outcome == events.OutcomeApproval })
}

// mayAnswer says whether somebody is among those whom a policy asks, by name or by a role.
func mayAnswer(v events.PolicyVerdict, c Answer) bool {
	return slices.ContainsFunc(v.Approvers, func(who string) bool {
		return who == string(c.By) || slices.Contains(c.Roles, who)
	})
}

// answers are the policies for which somebody's answer counts now; none where it was given before. A refusal says who may.
func (r Request) answers(verb string, c Answer) ([]events.PolicyID, error) {
	if !r.asksPeople() {
		return nil, aggregates.Reject("Cannot %s the deployment: no policy asks anybody about it; to take it back, cancel it", verb)
	}
	var open, given []events.PolicyID
	var may []string
	var late error
	self := false
	for _, v := range r.Verdicts {
		switch {
		case v.Outcome != events.OutcomeApproval:
		case !mayAnswer(v, c):
			may = append(may, v.Approvers...)
		case c.By == r.By && !v.SelfApproval:
			self = true
		case slices.Contains(r.Approvals[v.Policy], c.By):
			given = append(given, v.Policy)
		case !v.Expires.IsZero() && !c.Now.Before(v.Expires):
			late = aggregates.Reject("Cannot %s the deployment: the time for answers is over since %s", verb, v.Expires.Format(time.RFC3339))
			if r.missing(v) > 0 {
				return nil, late // what others say changes nothing any more
			}
		default:
			open = append(open, v.Policy)
		}
	}
	switch {
	case len(open) > 0 || len(given) > 0:
		return open, nil
	case self:
		return nil, aggregates.Forbid("Cannot %s the deployment: nobody approves what they asked for themselves", verb)
	case late != nil:
		return nil, late
	}
	return nil, aggregates.Forbid("Cannot %s the deployment: only %s may", verb, strings.Join(may, ", "))
}

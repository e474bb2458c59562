package projections

import (
	"slices"
	"time"

	"slipway/events"
)

// Asked is a deployment that had to be approved, or that waits for a window: what the policies say, and who answered.
type Asked struct {
	By        events.Actor           `json:"by"`
	At        time.Time              `json:"at"`
	Verdicts  []events.PolicyVerdict `json:"verdicts"`
	Approvals []Approval             `json:"approvals,omitempty"`
	Granted   bool                   `json:"granted,omitempty"` // nobody is left to be asked
	Denial    *Denial                `json:"denial,omitempty"`
	Held      *Held                  `json:"held,omitempty"` // it could have begun, but for a window
}

// Held is the window of a policy that keeps a deployment from beginning.
type Held struct {
	Policy events.PolicyID `json:"policy"`
	Name   string          `json:"name"` // of the policy
	Reason string          `json:"reason,omitempty"`
	Until  time.Time       `json:"until"`
}

// Holding is what keeps it from beginning, by what was said last, or when it was asked for; nil where no window does.
func (a Asked) Holding() *Held {
	if a.Held != nil {
		return a.Held
	}
	var longest *Held
	for _, v := range a.Verdicts {
		if v.Outcome == events.OutcomeHold && (longest == nil || v.Until.After(longest.Until)) {
			longest = &Held{Policy: v.Policy, Name: v.Name, Reason: v.Reason, Until: v.Until}
		}
	}
	return longest
}

// Approval is one person's yes.
type Approval struct {
	By       events.Actor      `json:"by"`
	Policies []events.PolicyID `json:"policies"` // for which it counts
	Comment  string            `json:"comment,omitempty"`
	At       time.Time         `json:"at"`
}

// Denial is why a deployment never began.
type Denial struct {
	By     events.Actor    `json:"by"`
	Policy events.PolicyID `json:"policy,omitempty"`
	Reason string          `json:"reason"`
	At     time.Time       `json:"at"`
}

// Halted is a halt as a rollout knows of it.
type Halted struct {
	Halt   events.HaltID `json:"halt"`
	Reason string        `json:"reason"`
	By     events.Actor  `json:"by"`
	Until  time.Time     `json:"until,omitzero"`
}

// began gives the row of a deployment that is asked for or begins. One that was asked for before keeps when, and its answers.
func (d Deployment) began(m moment, e events.Event) Deployment {
	switch e := e.(type) {
	case events.DeploymentApprovalRequested:
		return requestedDeployment(m, e)
	case events.DeploymentCreated:
		row := newDeployment(m, e)
		if d.GUID != "" {
			row.Stamp, row.Watch.Asked = d.Stamp, d.Watch.Asked
			row.touch(m)
		}
		return row
	}
	return d
}

func requestedDeployment(m moment, e events.DeploymentApprovalRequested) Deployment {
	row := newDeployment(m, events.DeploymentCreated{
		App: e.App, Deployment: e.Deployment, Strategy: e.Strategy, Options: e.Options, Droplet: e.Droplet,
		StoredStrategy: e.StoredStrategy, Growth: e.Growth, Group: e.Group, Metadata: e.Metadata, Plan: []events.Step{},
	})
	row.RolledBackTo = e.RollBackTo
	row.State, row.StatusReason = Requested, ReasonApproval
	row.Watch.Asked = &Asked{By: e.By, At: e.At, Verdicts: e.Verdicts, Granted: !slices.ContainsFunc(e.Verdicts, func(v events.PolicyVerdict) bool {
		return v.Outcome == events.OutcomeApproval && v.Needed > 0
	})}
	return row
}

// answered folds what people and time say to a request.
func (d *Deployment) answered(m moment, e events.Event) {
	asked := Asked{}
	if d.Watch.Asked != nil {
		asked = *d.Watch.Asked
	}
	d.Watch.Asked = &asked
	switch e := e.(type) {
	case events.DeploymentApproved:
		asked.Approvals = append(slices.Clone(asked.Approvals), Approval{By: e.By, Policies: e.Policies, Comment: e.Comment, At: e.At})
		asked.Granted = e.Granted
		d.touch(m)
	case events.DeploymentHeld:
		asked.Held = &Held{Policy: e.Policy, Name: e.Name, Reason: e.Reason, Until: e.Until}
		d.touch(m)
	case events.DeploymentDenied:
		asked.Denial, d.Error = &Denial{By: e.By, Policy: e.Policy, Reason: e.Reason, At: e.At}, e.Reason
		d.moveTo(m, Denied, StatusFinalized, ReasonDenied)
	case events.DeploymentWithdrawn:
		d.Error = e.Reason
		d.moveTo(m, Canceled, StatusFinalized, ReasonCanceled)
	}
}

package api

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"slipway/internal/access"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/openapi"
)

// need is what an operation asks package access before it answers, which says who may.
type need struct {
	command commands.Command // that is carried out; nil: it reads
	action  auth.Action      // to read, of what lives in a space; of the answer, where there is a command
	silent  bool             // the command's answer shows nothing
	list    bool             // nobody is refused: who may read nothing sees nothing
}

func reads(a auth.Action) need      { return need{action: a} }
func lists(a auth.Action) need      { return need{action: a, list: true} }
func shows(c commands.Command) need { return need{command: c, action: auth.Read} }
func does(c commands.Command) need  { return need{command: c, silent: true} }

// needs are those of all operations that are not open to strangers, by their ids.
var needs = map[string]need{
	"listDeployments":        lists(auth.Read),
	"createDeployment":       shows(commands.CreateDeployment{}),
	"planDeployment":         does(commands.CreateDeployment{}),
	"getDeployment":          reads(auth.Read),
	"updateDeployment":       shows(commands.UpdateDeployment{}),
	"cancelDeployment":       does(commands.CancelDeployment{}),
	"continueDeployment":     does(commands.ContinueDeployment{}),
	"rollBackDeployment":     does(commands.RollBackDeployment{}),
	"listDeploymentEvents":   reads(auth.Read),
	"streamDeploymentEvents": reads(auth.Read),

	"listAppEvents":   reads(auth.Read),
	"listAuditEvents": lists(auth.ReadAuditEvents),
	"getAuditEvent":   reads(auth.ReadAuditEvents),

	"listDeploymentGroups":        lists(auth.Read),
	"createDeploymentGroup":       shows(commands.CreateGroup{Members: []commands.Member{{}}}),
	"evaluateDeploymentGroup":     does(commands.CreateGroup{Members: []commands.Member{{}}}),
	"getDeploymentGroup":          reads(auth.Read),
	"listDeploymentGroupEvents":   reads(auth.Read),
	"streamDeploymentGroupEvents": reads(auth.Read),
	"updateDeploymentGroup":       shows(commands.UpdateGroup{}),
	"continueDeploymentGroup":     shows(commands.ContinueGroup{}),
	"finalizeDeploymentGroup":     shows(commands.FinalizeGroup{}),
	"cancelDeploymentGroup":       shows(commands.CancelGroup{}),
	"rollBackDeploymentGroup":     shows(commands.RollBackGroup{}),

	"approveDeployment": shows(commands.ApproveDeployment{}),
	"denyDeployment":    shows(commands.DenyDeployment{}),
	"startDeployment":   shows(commands.StartDeployment{}),
	"rejectDroplet":     shows(commands.RejectVersion{}),
	"acceptDroplet":     shows(commands.AcceptVersion{}),
	"rejectRevision":    shows(commands.RejectVersion{Revision: "any"}),
	"acceptRevision":    shows(commands.AcceptVersion{Revision: "any"}),
	"releaseAutomation": shows(commands.ReleaseAutomation{}),

	"listHalts":   lists(auth.Read),
	"declareHalt": shows(commands.DeclareHalt{}),
	"getHalt":     reads(auth.Read),
	"updateHalt":  shows(commands.UpdateHalt{}),
	"liftHalt":    shows(commands.LiftHalt{}),

	"listPolicies":     lists(auth.Read),
	"createPolicy":     shows(commands.CreatePolicy{}),
	"evaluatePolicies": does(commands.CreateDeployment{}),
	"getPolicy":        reads(auth.Read),
	"updatePolicy":     shows(commands.UpdatePolicy{}),
	"deletePolicy":     does(commands.DeletePolicy{}),

	"listSignals":           reads(auth.Read),
	"signalApp":             does(commands.SignalApp{}),
	"receiveAlerts":         does(commands.SignalApp{}),
	"listPrometheusTargets": lists(auth.Read),

	"listSubscriptions":        lists(auth.Read),
	"createSubscription":       shows(commands.CreateSubscription{}),
	"getSubscription":          reads(auth.Read),
	"updateSubscription":       shows(commands.UpdateSubscription{}),
	"deleteSubscription":       does(commands.DeleteSubscription{}),
	"testSubscription":         shows(commands.TestSubscription{}),
	"rotateSubscriptionSecret": shows(commands.RotateSubscription{}),
}

// who adds to an operation who may.
func who(o openapi.Operation) (openapi.Operation, error) {
	if o.Open {
		return o, nil
	}
	n, ok := needs[o.ID]
	if !ok {
		return o, fmt.Errorf("%s: say in needs, internal/api/openapi_access.go, what it asks package access", o.ID)
	}
	openings, err := n.openings()
	if err != nil {
		return o, fmt.Errorf("%s: %w", o.ID, err)
	}
	for _, at := range openings {
		for _, names := range n.names(at) {
			if !slices.ContainsFunc(o.Needs, func(known []string) bool { return slices.Equal(known, names) }) {
				o.Needs = append(o.Needs, names)
			}
		}
	}
	o.Text = strings.TrimSpace(o.Text + "\n\n" + n.words(openings))
	o.Schemes = []string{byToken}
	if strings.HasPrefix(o.Path, integrations) {
		o.Schemes = []string{byClient, byToken}
	}
	return o, nil
}

func (n need) openings() ([]access.Opening, error) {
	read, err := access.OfReading(n.action)
	if n.command == nil {
		return []access.Opening{read}, err
	}
	all, more := access.OfCommand(n.command)
	for i := range all {
		if !n.silent && all[i].Roles != nil {
			all[i].Scopes = union(all[i].Scopes, read.Scopes)
		}
	}
	return all, errors.Join(err, more)
}

func union(some, others auth.Scopes) auth.Scopes {
	both := slices.Concat(some, others)
	slices.Sort(both)
	return slices.Compact(both)
}

// names are the alternatives of an opening: scopes and roles that are needed together.
func (n need) names(o access.Opening) (all [][]string) {
	for _, scope := range o.Global {
		all = append(all, []string{scope})
	}
	if n.list {
		return append(all, o.Scopes)
	}
	for _, role := range o.Roles {
		all = append(all, append(slices.Clone(o.Scopes), string(role)))
	}
	return all
}

// words say the same for people.
func (n need) words(openings []access.Opening) string {
	if n.list {
		o := openings[0]
		return "**What is in it:** for " + either(o.Global) + " everything; with " + both(o.Scopes) + " what is where the caller is " + either(o.Roles) +
			", or holds everywhere."
	}
	if len(openings) == 1 {
		return "**Who may:** " + people(openings[0]) + "."
	}
	var parts []string
	for _, o := range openings {
		where := map[access.Where]string{
			access.InSpace: "in a space", access.InOrganization: "in an organization", access.Everywhere: "of what holds everywhere",
		}[o.Where]
		parts = append(parts, where+" "+people(o))
	}
	return "**Who may:** " + strings.Join(parts, "; ") + "."
}

func people(o access.Opening) string {
	everybody := "everybody with " + either(o.Global)
	if o.Roles == nil {
		return everybody
	}
	return either(o.Roles) + " with " + both(o.Scopes) + ", and " + everybody
}

func both(scopes auth.Scopes) string { return "`" + strings.Join(scopes, "` and `") + "`" }

func either[T ~string](names []T) string {
	var quoted []string
	for _, name := range names {
		quoted = append(quoted, "`"+string(name)+"`")
	}
	last := len(quoted) - 1
	if last == 0 {
		return quoted[0]
	}
	return strings.Join(quoted[:last], ", ") + " or " + quoted[last]
}

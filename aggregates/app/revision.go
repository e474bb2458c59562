package app

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/aggregates"
	"slipway/events"
)

// maxRevision is the last number before they start at 1 again (Cloud Foundry's rule).
const maxRevision = 9999

// revise creates a revision if what would run differs from the latest one: droplet, environment, custom commands or
// process types. Otherwise the latest is used again.
//
// A roll-back always brings a new one, with the commands of the one gone back to.
func (d *decision) revise(id events.CommandID, deployment events.DeploymentID, back *events.RevisionCreated) {
	if d.NoRevisions {
		return
	}
	next := events.RevisionCreated{
		App: d.State.ID, Revision: events.RevisionID(events.DeriveID(id, "revision", 0)),
		Number: d.State.Revision.Number%maxRevision + 1, Droplet: d.Droplet, Environment: d.Environment,
		Commands: d.customCommands(), Types: d.processTypes(), Deployment: deployment,
	}
	switch {
	case back != nil:
		next.Commands = back.Commands
		next.Description = describe(d.State.Revision, next, fmt.Sprintf("Rolled back to revision %d.", back.Number))
	case d.State.Revision.Revision == "":
		next.Description = "Initial revision."
	default:
		next.Description = describe(d.State.Revision, next)
	}
	if next.Description != "" {
		d.add(next)
	}
}

// customCommands are the start commands that users gave; of web, the newest process's counts.
func (d *decision) customCommands() map[string]string {
	commands := map[string]string{}
	for _, processType := range d.processTypes() {
		if p, _ := d.ProcessOfType(processType); p.Custom {
			commands[processType] = p.Command
		}
	}
	return commands
}

func (d *decision) processTypes() []string {
	var types []string
	for _, p := range d.Processes {
		types = append(types, p.Type)
	}
	slices.Sort(types)
	return slices.Compact(types)
}

// rollBack makes the revision's environment the app's. It refuses one that would change nothing. The latest revision may
// not be what runs: that of a deployment that was canceled may be asked for again (Cloud Foundry refuses it, and its users
// complain).
func (d *decision) rollBack(c CreateDeployment) error {
	r := c.Revision
	if r == nil {
		return nil
	}
	if d.NoRevisions {
		return aggregates.Reject("Cannot create deployment from a revision for an app without revisions enabled")
	}
	if r.Revision == "" {
		return aggregates.Reject("The revision does not exist")
	}
	if c.Droplet == nil || !c.Droplet.Staged || c.Droplet.ID != r.Droplet {
		return aggregates.Reject("Unable to deploy this revision, the droplet for this revision no longer exists.")
	}
	latest := d.State.Revision
	if d.runs(latest.Revision) && latest.Droplet == r.Droplet && maps.Equal(latest.Environment, r.Environment) &&
		maps.Equal(latest.Commands, r.Commands) {
		return aggregates.Reject("Unable to rollback. The code and configuration you are rolling back to is the same as the deployed revision.")
	}
	if !c.Automation && c.By != "" {
		d.holdAutomation(c.By, c.Now)
	}
	if !maps.Equal(d.Environment, r.Environment) {
		environment := maps.Clone(r.Environment)
		if environment == nil {
			environment = map[string]string{}
		}
		d.add(events.AppEnvironmentSet{App: d.State.ID, Environment: environment})
	}
	return nil
}

// runs says whether a web process has the revision.
func (d *decision) runs(id events.RevisionID) bool {
	return slices.ContainsFunc(d.Webs(), func(p Process) bool { return p.Revision == id })
}

// describe says how a revision differs from the one before it, in Cloud Foundry's words, sorted; nothing if it does not.
func describe(before, after events.RevisionCreated, reasons ...string) string {
	say := func(differs bool, format string, args ...any) {
		if differs {
			reasons = append(reasons, fmt.Sprintf(format, args...))
		}
	}
	say(before.Droplet != after.Droplet, "New droplet deployed.")
	say(!maps.Equal(before.Environment, after.Environment), "New environment variables deployed.")
	for _, t := range after.Types {
		had, hadAny := before.Commands[t]
		has, hasAny := after.Commands[t]
		say(!hadAny && hasAny, "Custom start command added for '%s' process.", t)
		say(hadAny && !hasAny, "Custom start command removed for '%s' process.", t)
		say(hadAny && hasAny && had != has, "Custom start command updated for '%s' process.", t)
		say(!slices.Contains(before.Types, t), "New process type '%s' added.", t)
	}
	for _, t := range before.Types {
		say(!slices.Contains(after.Types, t), "Process type '%s' removed.", t)
	}
	slices.Sort(reasons)
	return strings.Join(reasons, " ")
}

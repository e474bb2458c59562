package app

import (
	"cmp"
	"slices"
	"time"

	"slipway/aggregates"
	"slipway/aggregates/plan"
	"slipway/events"
)

// CreateDeployment is the command to roll out a droplet. All new ids are derived from its own.
type CreateDeployment struct {
	ID       events.CommandID
	Strategy string                  // empty: rolling
	Droplet  *Droplet                // nil: the app's current one, which makes it a restart without downtime
	Revision *events.RevisionCreated // roll back to this one; Droplet is its droplet then
	Options  events.DeploymentOptions
	Metadata events.Metadata
	Quota    Quota
	Stored   *StoredStrategy // linear and exponential: where the numbers come from
	Schedule plan.Schedule   // when the steps of a growth curve begin
	Now      time.Time       // of the command
	Group    events.GroupID  // it is a member of; empty: of none

	Judgement  *Judgement // what the policies say; nil: there are none
	Halt       string     // why no rollout may begin here now; empty: it may
	Await      Halt       // a halt whose end it waits for, where Halt would refuse it: it was promised its turn
	By         events.Actor
	Automation bool // By is no person
	requested  bool // it has been approved: nobody is asked again
}

// StoredStrategy is a deployment strategy as it was when a deployment was asked for.
type StoredStrategy struct {
	ID     events.StrategyID
	Growth events.Growth
}

// StrategyName is the strategy of a deployment that follows it.
func (s StoredStrategy) StrategyName() string {
	if s.Growth.GrowthType == events.GrowthExponential {
		return events.StrategyExponential
	}
	return events.StrategyLinear
}

// DeploymentID is the id of the deployment the command makes.
func (c CreateDeployment) DeploymentID() events.DeploymentID {
	return events.DeploymentID(events.DeriveID(c.ID, "deployment", 0))
}

// DeployApp begins a rollout: in one commit the droplet becomes current, a revision is made, a deployment on its way is
// superseded, and the new web process stands beside the old ones. A stopped app is simply started: its deployment is
// DEPLOYED at once. Rules: Cloud Foundry's, reference 1.3, 1.8 and 1.12.
func DeployApp(s State, c CreateDeployment) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.Reject("Unable to use app. Ensure that the app exists and you have access to it.")
	}
	if err := s.admits(c); err != nil {
		return nil, err
	}
	c.complete()
	if err := c.check(); err != nil {
		return nil, err
	}
	d := &decision{State: s, quota: c.Quota}
	if err := d.wouldFit(c); err != nil {
		return nil, err
	}
	if err := checkCount("Web instances", c.Options.WebInstances); err != nil {
		return nil, err
	}
	if err := d.target(c); err != nil {
		return nil, err
	}
	added := d.deployStopped
	if s.Desired == Started {
		added = d.deployStarted
	}
	if text := c.Quota.CheckDeployment(added(c, s.Droplet)); text != "" {
		return nil, aggregates.Reject("%s", text)
	}
	if !c.requested && (c.Judgement.waits(c.Now) || c.Await.ID != "") {
		return s.await(c) // what is wrong with it has been told by now
	}
	return d.events, nil
}

// admits refuses what must not be deployed now, whoever asks and however.
func (s State) admits(c CreateDeployment) error {
	if c.Halt != "" {
		return aggregates.Reject("%s", c.Halt)
	}
	if err := s.automates(c.Automation); err != nil {
		return err
	}
	droplet := s.Droplet
	if c.Droplet != nil {
		droplet = c.Droplet.ID
	}
	var revision events.RevisionID
	if c.Revision != nil {
		revision = c.Revision.Revision
	}
	return s.acceptable(droplet, revision)
}

// acceptable refuses a version that was rejected.
func (s State) acceptable(droplet events.DropletID, revision events.RevisionID) error {
	if why, rejected := s.Rejected[versionID(droplet, "")]; rejected {
		return aggregates.Reject("Droplet %s is rejected: %s. Deploy another one, or accept it first (POST /v3/droplets/%[1]s/actions/accept).", droplet, why)
	}
	if why, rejected := s.Rejected[versionID("", revision)]; rejected {
		return aggregates.Reject("Revision %s is rejected: %s. Deploy another one, or accept it first (POST /v3/revisions/%[1]s/actions/accept).", revision, why)
	}
	return nil
}

// wouldFit asks whether the final state fits into the quotas, if the request changes it: not whether old and new together
// do (Cloud Foundry's rule, reference 1.3 step 1).
func (d *decision) wouldFit(c CreateDeployment) error {
	o := c.Options
	if o.WebInstances == nil && o.MemoryMB == nil && o.LogRate == nil {
		return nil
	}
	web, _ := d.ProcessOfType(events.ProcessTypeWeb)
	now := UsageOf(web.Instances, web.MemoryMB, web.LogRate)
	if d.Desired == Stopped {
		now = Usage{}
	}
	final := UsageOf(or(o.WebInstances, web.Instances), or(o.MemoryMB, web.MemoryMB), or(o.LogRate, web.LogRate))
	if text := c.Quota.CheckDeployment(growth(now, final)); text != "" {
		return aggregates.Reject("%s", text)
	}
	return nil
}

func (c CreateDeployment) check() error {
	if err := c.checkStrategy(); err != nil {
		return err
	}
	if len(c.Options.CanaryWeights) > 0 && c.Strategy != events.StrategyCanary {
		return aggregates.Reject("Options canary are only valid for Canary deployments")
	}
	if err := checkWeights(c.Options.CanaryWeights); err != nil {
		return err
	}
	if err := CheckOptions(c.Options); err != nil {
		return err
	}
	if c.Options.MaxInFlight < 0 {
		return aggregates.Reject("Max in flight must be an integer greater than 0")
	}
	return checkSize("Web instances", c.Options.WebInstances, c.Options.MemoryMB, c.Options.DiskMB, c.Options.LogRate)
}

// checkStrategy refuses a strategy that there is not, or that says otherwise than the stored one.
func (c CreateDeployment) checkStrategy() error {
	if c.Stored == nil {
		return CheckStrategy(c.Strategy)
	}
	if c.Strategy != c.Stored.StrategyName() {
		return aggregates.Reject("Strategy '%s' does not go with deployment strategy %s: leave one of them out", c.Strategy, c.Stored.ID)
	}
	if c.Options.Bake > 0 {
		return aggregates.Reject("Bake in seconds cannot be set: deployment strategy %s has a bake time of its own", c.Stored.ID)
	}
	return nil
}

// CheckStrategy refuses the name of a strategy that there is not; empty is rolling.
func CheckStrategy(strategy string) error {
	switch strategy {
	case "", events.StrategyRolling, events.StrategyCanary, events.StrategyAllAtOnce, events.StrategyBlueGreen:
		return nil
	}
	return aggregates.Reject("Strategy '%s' is not a supported deployment strategy", strategy)
}

// maxSteps bounds a canary's steps: one per percent is the finest there can be.
const maxSteps = 100

func checkWeights(weights []int) error {
	for i, w := range weights {
		if w < 1 || w > 100 {
			return aggregates.Reject("Options canary steps instance weight must be an Integer between 1-100 (inclusive)")
		}
		if i > 0 && w < weights[i-1] {
			return aggregates.Reject("Options canary steps instance weight must be sorted in ascending order")
		}
	}
	if len(weights) > maxSteps {
		return aggregates.Reject("Options canary steps must be at most %d", maxSteps)
	}
	return nil
}

// plan is the steps of the rollout.
func (c CreateDeployment) plan(original, target int) []events.Step {
	r := plan.Request{Strategy: c.Strategy, Original: original, Target: target, Options: c.Options, Schedule: c.Schedule}
	if c.Stored != nil {
		r.Growth = &c.Stored.Growth
	}
	return plan.Compile(r)
}

// target makes the droplet to roll out the current one: what a deployment shows as "current" is the desired version from
// its first moment. A roll-back brings back the revision's environment, too.
func (d *decision) target(c CreateDeployment) error {
	if err := d.rollBack(c); err != nil {
		return err
	}
	if c.Droplet != nil {
		if err := d.assign(c.ID, *c.Droplet, c.DeploymentID()); err != nil {
			return err
		}
	}
	if d.Droplet == "" {
		return aggregates.Reject("Invalid droplet. Please specify a droplet in the request or set a current droplet for the app.")
	}
	if d.webCommand(c) == "" {
		return aggregates.Reject("Unable to deploy: the droplet names no start command for process type 'web', and the app has none of its own.")
	}
	return nil
}

// webCommand is what the new web process will run: the user's command, the revision's on the way back, or the droplet's.
func (d *decision) webCommand(c CreateDeployment) string {
	web, _ := d.ProcessOfType(events.ProcessTypeWeb)
	custom := ""
	switch {
	case c.Revision != nil:
		custom = c.Revision.Commands[web.Type]
	case web.Custom:
		custom = web.Command
	}
	return cmp.Or(custom, d.Types[d.Droplet][web.Type])
}

// deployStarted begins the rollout of a started app, and says what its first new instances take.
func (d *decision) deployStarted(c CreateDeployment, previous events.DropletID) Usage {
	d.revise(c.ID, c.DeploymentID(), c.Revision)
	original := d.Webs()[0].Instances
	if d.Deployment != nil {
		original = d.Deployment.OriginalInstances
	}
	d.supersede(c.DeploymentID())
	target := or(c.Options.WebInstances, original)
	c.Options.MaxInFlight = c.inFlight(target)
	steps := c.plan(original, target)
	process := events.ProcessID(events.DeriveID(c.ID, "process", 0))
	d.create(c, process, previous, original, target, steps)
	fresh := d.clone(c, process, plan.Start(steps, c.Options.MaxInFlight))
	d.add(fresh)
	return UsageOf(fresh.Instances, fresh.MemoryMB, fresh.LogRate)
}

// clone is the new web process: the newest one as it is, but for what the request changes and the version it runs.
func (d *decision) clone(c CreateDeployment, id events.ProcessID, instances int) events.ProcessCreated {
	newest, _ := d.ProcessOfType(events.ProcessTypeWeb)
	current := d.current(newest, c.DeploymentID())
	return events.ProcessCreated{
		App: d.State.ID, Process: id, ProcessType: events.ProcessTypeWeb, Droplet: d.Droplet,
		Command: current.Command, Custom: current.Custom, Instances: instances,
		MemoryMB: or(c.Options.MemoryMB, newest.MemoryMB), DiskMB: or(c.Options.DiskMB, newest.DiskMB),
		LogRate: or(c.Options.LogRate, newest.LogRate), HealthCheck: newest.HealthCheck,
		Revision: current.Revision, Deployment: c.DeploymentID(),
	}
}

// deployStopped starts a stopped app with the new version. Nothing runs, so nothing must be kept: web processes left from a
// rollout that the stop had interrupted go, and that rollout is superseded. It says what the app takes from now on.
func (d *decision) deployStopped(c CreateDeployment, previous events.DropletID) Usage {
	web, _ := d.ProcessOfType(events.ProcessTypeWeb)
	original := web.Instances
	if d.Deployment != nil {
		original = d.Deployment.Target
	}
	target := or(c.Options.WebInstances, original)
	c.Options.MaxInFlight = c.inFlight(target)
	d.revise(c.ID, c.DeploymentID(), c.Revision)
	d.supersede(c.DeploymentID())
	d.create(c, "", previous, original, target, c.plan(original, target))
	for _, p := range d.Webs() {
		if p.ID != web.ID {
			d.remove(p)
		}
	}
	sized := events.ProcessScaled{
		App: d.State.ID, Process: web.ID, ProcessType: web.Type, From: web.Instances, Instances: target,
		MemoryMB: or(c.Options.MemoryMB, web.MemoryMB), DiskMB: or(c.Options.DiskMB, web.DiskMB),
		LogRate: or(c.Options.LogRate, web.LogRate), Deployment: c.DeploymentID(), Reason: "requested",
	}
	if sized.Instances != web.Instances || sized.MemoryMB != web.MemoryMB || sized.DiskMB != web.DiskMB || sized.LogRate != web.LogRate {
		d.add(sized)
	}
	d.anew(c.DeploymentID())
	d.add(events.AppStarted{App: d.State.ID, At: c.Now})
	d.add(events.DeploymentDeployed{App: d.State.ID, Deployment: c.DeploymentID()})
	return d.total()
}

// supersede ends a deployment on its way. One that was simply deploying may have brought a good version: its process
// serves until it is drained. Any other left something that must not serve.
func (d *decision) supersede(by events.DeploymentID) {
	for _, r := range d.Requests {
		if r.Deployment == by { // what was asked for later waits on
			break
		}
		// To begin it later would bring back what is older.
		d.add(events.DeploymentSuperseded{App: d.State.ID, Deployment: r.Deployment, By: by, Canceled: true})
	}
	if d.Deployment == nil {
		return
	}
	d.add(events.DeploymentSuperseded{
		App: d.State.ID, Deployment: d.Deployment.ID(), By: by, Canceled: !d.Deployment.mayServe(),
	})
}

// mayServe says whether the version of a rollout that is superseded may serve on: one that was simply on its way, or all new
// and watched. One that was paused, going back, or had no requests yet may not.
func (d *Deployment) mayServe() bool {
	phase := d.Phase()
	return (phase == Deploying || phase == Baking) && !d.step().Dark
}

func (d *decision) create(c CreateDeployment, process events.ProcessID, previous events.DropletID, original, target int, steps []events.Step) {
	created := events.DeploymentCreated{
		App: d.State.ID, Deployment: c.DeploymentID(), Strategy: c.Strategy, Options: c.Options,
		Droplet: d.Droplet, PreviousDroplet: previous, Process: process, OriginalInstances: original, Target: target,
		Floor: min(target, original), Plan: slices.Clone(steps), Metadata: c.Metadata, StartedAt: c.Now,
		Group: c.Group, Requested: c.requested,
	}
	if c.Stored != nil {
		created.StoredStrategy, created.Growth = c.Stored.ID, &c.Stored.Growth
	}
	if !d.NoRevisions {
		created.Revision, created.RevisionNumber = d.State.Revision.Revision, d.State.Revision.Number
	}
	if c.Revision != nil {
		created.RolledBackTo = c.Revision.Revision
	}
	d.add(created)
}

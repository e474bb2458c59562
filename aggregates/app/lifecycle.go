package app

import (
	"maps"
	"slices"
	"strings"
	"time"

	"slipway/aggregates"
	"slipway/events"
)

// What a new process has unless it is scaled: Cloud Foundry's defaults.
const (
	defaultMemoryMB = 1024
	defaultDiskMB   = 1024
	noLogRateLimit  = -1
)

// Bounds of what an app may carry: a commit must stay far below the size of a message.
const (
	maxNameLength       = 255
	maxEnvironmentKeys  = 500
	maxEnvironmentBytes = 128 << 10
)

// Create is the command to create an app. Its id is derived from the command's, so the command sent twice makes one app.
type Create struct {
	ID           events.AppID
	Name         string
	Space        events.SpaceID
	Organization events.OrganizationID
	Environment  map[string]string
	Metadata     events.Metadata
	Lifecycle    string // empty: buildpack
}

// CreateApp brings forth an app and its first web process, which has the app's id (Cloud Foundry's rule).
func CreateApp(s State, c Create) ([]events.Event, error) {
	if s.ID != "" {
		return nil, nil // this command made it
	}
	if err := CheckName(c.Name); err != nil {
		return nil, err
	}
	if err := checkEnvironment(c.Environment); err != nil {
		return nil, err
	}
	switch c.Lifecycle {
	case events.LifecycleBuildpack:
		c.Lifecycle = ""
	case "", events.LifecycleDocker:
	default:
		return nil, aggregates.Reject("Lifecycle type must be 'buildpack' or 'docker': staging takes the files as they are")
	}
	d := &decision{State: s}
	d.add(events.AppCreated{
		App: c.ID, Name: c.Name, Space: c.Space, Organization: c.Organization, Environment: c.Environment, Routed: true,
		Metadata: c.Metadata, Lifecycle: c.Lifecycle,
	})
	d.add(firstProcess(c.ID, events.ProcessID(c.ID), events.ProcessTypeWeb, "", ""))
	return d.events, nil
}

// CheckName refuses a name no app may have.
func CheckName(name string) error {
	if strings.TrimSpace(name) == "" {
		return aggregates.Reject("Name can't be blank")
	}
	if len(name) > maxNameLength {
		return aggregates.Reject("Name is too long (maximum is %d characters)", maxNameLength)
	}
	if strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f || r == '�' }) {
		return aggregates.Reject("Name must not contain control characters or invalid UTF-8")
	}
	return nil
}

func firstProcess(app events.AppID, id events.ProcessID, processType, command string, droplet events.DropletID) events.ProcessCreated {
	p := events.ProcessCreated{
		App: app, Process: id, ProcessType: processType, Droplet: droplet, Command: command,
		MemoryMB: defaultMemoryMB, DiskMB: defaultDiskMB, LogRate: noLogRateLimit,
		HealthCheck: events.HealthCheck{Kind: events.HealthCheckProcess},
	}
	if processType == events.ProcessTypeWeb {
		p.Instances = 1
		p.HealthCheck.Kind = events.HealthCheckPort
	}
	return p
}

// StartApp makes the app run with its current droplet, environment and commands. Starting an app that runs does nothing.
func StartApp(s State, id events.CommandID, q Quota, now time.Time) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("App")
	}
	if s.Desired == Started {
		return nil, nil
	}
	if s.Droplet == "" {
		return nil, aggregates.Reject("Assign a droplet before starting this app.")
	}
	if err := s.startable(); err != nil {
		return nil, err
	}
	if text := q.Check(s.total()); text != "" {
		return nil, aggregates.Reject("%s", text)
	}
	d := &decision{State: s}
	d.revise(id, "", nil)
	d.anew("")
	d.add(events.AppStarted{App: s.ID, At: now})
	return d.events, nil
}

// startable refuses to bring a rejected version into service. What ran before may run again: else a stop and a start, which is how
// clients restart an app, would leave it down.
func (s State) startable() error {
	ran := func(p Process) bool { return p.Type == events.ProcessTypeWeb && p.Droplet == s.Droplet }
	if slices.ContainsFunc(s.Processes, ran) {
		return nil
	}
	return s.acceptable(s.Droplet, "")
}

// total is what all instances of the app take together once it is started.
func (s State) total() Usage {
	var sum Usage
	for _, p := range s.Processes {
		u := UsageOf(p.Instances, p.MemoryMB, p.LogRate)
		sum.Instances += u.Instances
		sum.MemoryMB += u.MemoryMB
		sum.LogRate += u.LogRate
		sum.Unlimited = sum.Unlimited || u.Unlimited
		sum.LargestMB = max(sum.LargestMB, u.LargestMB)
	}
	return sum
}

// anew lets every process start anew: those that a rollout under way moves with what they run, the others with what the app
// is now. What still stops from before is of an earlier generation then, so nobody takes it for what has been started.
func (d *decision) anew(deployment events.DeploymentID) {
	for _, p := range d.Processes {
		if p.Type == events.ProcessTypeWeb && d.Deployment != nil && d.Deployment.Process != "" {
			d.add(d.same(p))
		} else {
			d.add(d.current(p, deployment))
		}
	}
}

// StopApp lets no instance run. A deployment on its way stays active and goes on when the app is started again.
func StopApp(s State) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("App")
	}
	if s.Desired == Stopped {
		return nil, nil
	}
	stopped := []events.Event{events.AppStopped{App: s.ID}}
	if s.Serving != "" {
		stopped = append(stopped, events.DeploymentDeleted{App: s.ID, Deployment: s.Serving})
	}
	return stopped, nil
}

// RestartApp stops and starts all instances at once; it is quick and not without downtime. A deployment without a new
// droplet is the gentle way.
func RestartApp(s State, id events.CommandID, q Quota, now time.Time) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("App")
	}
	if s.Desired == Stopped {
		return StartApp(s, id, q, now)
	}
	if err := s.startable(); err != nil {
		return nil, err
	}
	d := &decision{State: s}
	if d.Deployment == nil {
		d.revise(id, "", nil)
	}
	d.anew("")
	return d.events, nil
}

// same restarts a process with what it runs.
func (d *decision) same(p Process) events.ProcessRestarted {
	return events.ProcessRestarted{
		App: d.State.ID, Process: p.ID, ProcessType: p.Type, Droplet: p.Droplet, Command: p.Command, Custom: p.Custom,
		Revision: p.Revision, Generation: p.Generation + 1,
	}
}

// current restarts a process with what the app is now: its droplet, its latest revision, and the start command of that
// revision where a user gave one, else the droplet's.
func (d *decision) current(p Process, deployment events.DeploymentID) events.ProcessRestarted {
	r := d.same(p)
	r.Droplet, r.Revision, r.Deployment = d.Droplet, "", deployment
	if !d.NoRevisions {
		r.Revision = d.State.Revision.Revision
		r.Command, r.Custom = d.State.Revision.Commands[p.Type], d.State.Revision.Commands[p.Type] != ""
	}
	if !r.Custom {
		r.Command = d.Types[d.Droplet][p.Type]
	}
	return r
}

// restartOthers restarts every process that is not web, as the last act of a rollout.
func (d *decision) restartOthers(deployment events.DeploymentID) {
	for _, p := range d.Processes {
		if p.Type != events.ProcessTypeWeb {
			d.add(d.current(p, deployment))
		}
	}
}

// DeleteApp removes the app with all it has.
func DeleteApp(s State) ([]events.Event, error) {
	if s.Deleted {
		return nil, nil
	}
	if !s.Exists() {
		return nil, aggregates.NotFound("App")
	}
	return []events.Event{events.AppDeleted{App: s.ID}}, nil
}

// SetEnvironment merges variables into the app's environment; a nil value deletes one. Instances take them at their next start.
func SetEnvironment(s State, patch map[string]*string) ([]events.Event, error) {
	if !s.Exists() {
		return nil, aggregates.NotFound("App")
	}
	merged := maps.Clone(s.Environment)
	if merged == nil {
		merged = map[string]string{}
	}
	for key, value := range patch {
		if value == nil {
			delete(merged, key)
		} else {
			merged[key] = *value
		}
	}
	if err := checkEnvironment(merged); err != nil {
		return nil, err
	}
	if maps.Equal(merged, s.Environment) {
		return nil, nil
	}
	return []events.Event{events.AppEnvironmentSet{App: s.ID, Environment: merged}}, nil
}

func checkEnvironment(env map[string]string) error {
	size := 0
	for _, key := range slices.Sorted(maps.Keys(env)) {
		switch {
		case key == "":
			return aggregates.Reject("Environment variable key cannot be empty")
		case strings.HasPrefix(key, "VCAP_"), strings.HasPrefix(key, "VMC"), key == "PORT":
			return aggregates.Reject("Environment variable key '%s' is reserved: keys must not be PORT nor start with VCAP_ or VMC", key)
		case strings.ContainsAny(key, "=\x00"), strings.Contains(env[key], "\x00"):
			return aggregates.Reject("Environment variable '%s' must not contain '=' in its key nor a zero byte", strings.ToValidUTF8(key, "?"))
		}
		size += len(key) + len(env[key])
	}
	if len(env) > maxEnvironmentKeys || size > maxEnvironmentBytes {
		return aggregates.Reject("Environment is too large (at most %d variables and %d bytes in all)", maxEnvironmentKeys, maxEnvironmentBytes)
	}
	return nil
}

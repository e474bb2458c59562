package app

import (
	"strings"

	"slipway/aggregates"
	"slipway/events"
)

// MaxInstances bounds the instances of one process, whatever quotas say: beyond it a request is a slip of the finger. It
// leaves room in a commit and in memory for each instance's own state.
const MaxInstances = 10_000

// Bounds of sizes, so that sums stay far from overflow.
const (
	maxMB      = 1 << 30
	maxCommand = 4096 // bytes of a start command, Cloud Foundry's limit
)

// Scale is the command to change a process's size. A nil field stays as it is.
type Scale struct {
	Process   events.ProcessID
	Instances *int
	MemoryMB  *int
	DiskMB    *int
	LogRate   *int64
	Quota     Quota
}

// ScaleProcess changes how many instances of a process shall run, and of what size.
func ScaleProcess(s State, c Scale) ([]events.Event, error) {
	p, ok := s.Process(c.Process)
	if !ok {
		return nil, aggregates.NotFound("Process")
	}
	if p.Type == events.ProcessTypeWeb && s.InFlight() {
		return nil, aggregates.Reject("Cannot scale this process while a deployment is in flight.")
	}
	if err := checkSize("Instances", c.Instances, c.MemoryMB, c.DiskMB, c.LogRate); err != nil {
		return nil, err
	}
	next := events.ProcessScaled{
		App: s.ID, Process: p.ID, ProcessType: p.Type, From: p.Instances, Reason: "requested",
		Instances: or(c.Instances, p.Instances), MemoryMB: or(c.MemoryMB, p.MemoryMB),
		DiskMB: or(c.DiskMB, p.DiskMB), LogRate: or(c.LogRate, p.LogRate),
	}
	if next.Instances == p.Instances && next.MemoryMB == p.MemoryMB && next.DiskMB == p.DiskMB && next.LogRate == p.LogRate {
		return nil, nil
	}
	if text := c.Quota.Check(growth(UsageOf(p.Instances, p.MemoryMB, p.LogRate), UsageOf(next.Instances, next.MemoryMB, next.LogRate))); text != "" && s.Desired == Started {
		return nil, aggregates.Reject("%s", text)
	}
	if err := checkCount("Instances", c.Instances); err != nil {
		return nil, err
	}
	return []events.Event{next}, nil
}

// growth is what a change takes more than what stood before it.
func growth(before, after Usage) Usage {
	return Usage{
		Instances: after.Instances - before.Instances, MemoryMB: after.MemoryMB - before.MemoryMB,
		LogRate: after.LogRate - before.LogRate, Unlimited: after.Unlimited && !before.Unlimited, LargestMB: after.LargestMB,
	}
}

// checkSize refuses sizes that make no sense; the texts are Cloud Foundry's. instancesName is how the request calls them.
func checkSize(instancesName string, instances, memoryMB, diskMB *int, logRate *int64) error {
	if instances != nil && *instances < 0 {
		return aggregates.Reject("%s must be greater than or equal to 0", instancesName)
	}
	for _, size := range []struct {
		name string
		mb   *int
	}{{"Memory in mb", memoryMB}, {"Disk in mb", diskMB}} {
		if size.mb != nil && *size.mb <= 0 {
			return aggregates.Reject("%s must be greater than 0", size.name)
		}
		if size.mb != nil && *size.mb > maxMB {
			return aggregates.Reject("%s must be less than or equal to %d", size.name, maxMB)
		}
	}
	if logRate != nil && *logRate < noLogRateLimit {
		return aggregates.Reject("Log rate limit in bytes per second must be greater than or equal to -1")
	}
	return nil
}

// checkCount refuses more instances than [MaxInstances]. Ask the quotas first: theirs are the words that clients know.
func checkCount(instancesName string, instances *int) error {
	if instances != nil && *instances > MaxInstances {
		return aggregates.Reject("%s must be less than or equal to %d", instancesName, MaxInstances)
	}
	return nil
}

// Update is the command to change how a process is started and watched. A nil field stays as it is; an empty command
// goes back to the droplet's.
type Update struct {
	Process     events.ProcessID
	Command     *string
	HealthCheck *events.HealthCheck
}

// UpdateProcess changes a process's command and health check; instances take them at their next start.
func UpdateProcess(s State, c Update) ([]events.Event, error) {
	p, ok := s.Process(c.Process)
	if !ok {
		return nil, aggregates.NotFound("Process")
	}
	if p.Type == events.ProcessTypeWeb && s.InFlight() {
		return nil, aggregates.Reject("Cannot update this process while a deployment is in flight.")
	}
	next := events.ProcessUpdated{App: s.ID, Process: p.ID, Command: p.Command, Custom: p.Custom, HealthCheck: p.HealthCheck}
	if c.Command != nil {
		next.Command, next.Custom = *c.Command, *c.Command != ""
		if !next.Custom {
			next.Command = s.Types[s.Droplet][p.Type]
		}
	}
	if c.HealthCheck != nil {
		next.HealthCheck = *c.HealthCheck
	}
	if err := checkUpdate(next); err != nil {
		return nil, err
	}
	if next.Command == p.Command && next.Custom == p.Custom && next.HealthCheck == p.HealthCheck {
		return nil, nil
	}
	return []events.Event{next}, nil
}

// maxSeconds bounds the times of a health check: longer than a day is a slip.
const maxSeconds = 86_400

func checkUpdate(e events.ProcessUpdated) error {
	if len(e.Command) > maxCommand || strings.ContainsRune(e.Command, 0) {
		return aggregates.Reject("Command must have no zero byte and at most %d characters", maxCommand)
	}
	h := e.HealthCheck
	switch h.Kind {
	case events.HealthCheckPort, events.HealthCheckProcess:
		if h.Endpoint != "" {
			return aggregates.Reject("Health check endpoint is only valid for health check type http")
		}
	case events.HealthCheckHTTP:
		if h.Endpoint != "" && !strings.HasPrefix(h.Endpoint, "/") {
			return aggregates.Reject("Health check endpoint must be a valid URI path")
		}
	default:
		return aggregates.Reject("Health check type must be \"port\", \"process\", or \"http\"")
	}
	for _, seconds := range []int{h.TimeoutSeconds, h.InvocationTimeoutSeconds, h.IntervalSeconds} {
		if seconds < 0 || seconds > maxSeconds {
			return aggregates.Reject("Health check times must be between 1 and %d seconds", maxSeconds)
		}
	}
	return nil
}

// or is what v points to, or what stands where nothing was given.
func or[T any](v *T, stands T) T {
	if v == nil {
		return stands
	}
	return *v
}

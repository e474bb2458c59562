package app

import (
	"strings"

	"slipway/events"
)

// Usage is what instances take of a quota: what runs, or what a decision would add.
type Usage struct {
	Instances int
	MemoryMB  int   // of all instances together
	LogRate   int64 // bytes per second, of all instances that have a limit
	Unlimited bool  // some instance may write as much as it likes
	LargestMB int   // memory of the largest instance
	Routes    int   // of the scope; a decision about apps adds none
}

// UsageOf is what instances of one size take together; logRate -1 is no limit.
func UsageOf(instances, memoryMB int, logRate int64) Usage {
	if instances <= 0 {
		return Usage{}
	}
	return Usage{
		Instances: instances, MemoryMB: instances * memoryMB, LogRate: int64(instances) * max(logRate, 0),
		Unlimited: logRate < 0, LargestMB: memoryMB,
	}
}

// Quota is what a decision must know of the quotas that an app falls under. Its facts come with the command: limits from the
// organization's history, usage from the read models. They are as of a moment: two decisions about different apps at the same
// time may together go beyond a limit (Cloud Foundry's are no tighter). The zero Quota allows everything.
type Quota struct {
	Organization QuotaScope
	Space        QuotaScope
}

// QuotaScope is an organization or a space with its limits and what is used of them.
type QuotaScope struct {
	Name   string
	Limits events.QuotaLimits
	Used   Usage // by started apps
}

// Check says in Cloud Foundry's words which limits would be broken by using so much more, in its order (reference 1.10); the
// text is empty where none would. What a change gives back is no reason to refuse it: a field that does not grow breaks no
// limit, even one that is exceeded already.
func (q Quota) Check(add Usage) string {
	var broken []string
	say := func(breaks bool, text string) {
		if breaks {
			broken = append(broken, text)
		}
	}
	say(q.Space.memory(add), "memory space_quota_exceeded")
	say(q.Organization.memory(add), "memory quota_exceeded")
	say(q.Organization.instanceMemory(add), "memory instance_memory_limit_exceeded")
	say(q.Space.instanceMemory(add), "memory space_instance_memory_limit_exceeded")
	say(q.Organization.instances(add), "app_instance_limit app_instance_limit_exceeded")
	say(q.Space.instances(add), "app_instance_limit space_app_instance_limit_exceeded")
	say(q.Space.unlimited(add), "log_rate_limit cannot be unlimited in space '"+q.Space.Name+"'.")
	say(q.Space.logRate(add), "log_rate_limit exceeds space log rate quota")
	say(q.Organization.unlimited(add), "log_rate_limit cannot be unlimited in organization '"+q.Organization.Name+"'.")
	say(q.Organization.logRate(add), "log_rate_limit exceeds organization log rate quota")
	return strings.Join(broken, ", ")
}

// CheckDeployment is Check for the creation of a deployment, whose texts say more.
func (q Quota) CheckDeployment(add Usage) string {
	text := q.Check(add)
	const hint = "quota may not be large enough to support rolling deployments or your configured max-in-flight."
	switch {
	case strings.Contains(text, "space_quota_exceeded"), strings.Contains(text, "space_app_instance_limit_exceeded"):
		return text + " for space " + q.Space.Name + ". This space's " + hint
	case strings.Contains(text, "quota_exceeded"), strings.Contains(text, "app_instance_limit_exceeded"):
		return text + " for organization " + q.Organization.Name + ". This organization's " + hint
	}
	return text
}

func (s QuotaScope) memory(add Usage) bool {
	return s.Limits.MemoryMB != nil && add.MemoryMB > 0 && s.Used.MemoryMB+add.MemoryMB > *s.Limits.MemoryMB
}

func (s QuotaScope) instanceMemory(add Usage) bool {
	return s.Limits.InstanceMemoryMB != nil && add.LargestMB > *s.Limits.InstanceMemoryMB
}

func (s QuotaScope) instances(add Usage) bool {
	return s.Limits.Instances != nil && add.Instances > 0 && s.Used.Instances+add.Instances > *s.Limits.Instances
}

func (s QuotaScope) unlimited(add Usage) bool { return s.Limits.LogRate != nil && add.Unlimited }

func (s QuotaScope) logRate(add Usage) bool {
	return s.Limits.LogRate != nil && add.LogRate > 0 && s.Used.LogRate+add.LogRate > *s.Limits.LogRate
}

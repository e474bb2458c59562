package app

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"slipway/events"
)

// maxError bounds the text that says why a rollout does not move, in bytes: Cloud Foundry's limit.
const maxError = 255

// Missing is how many new instances no agent has reported on. For a moment after each growth that is all of it; if it
// lasts, something is wrong with the agents.
func Missing(s State, seen Instances) int {
	if !s.InFlight() || s.Desired != Started {
		return 0
	}
	fresh, _ := s.Process(s.Deployment.Process)
	missing := 0
	for i := range fresh.Instances {
		if _, reported := seen[fresh.ID][i]; !reported {
			missing++
		}
	}
	return missing
}

// Explain records why a rollout does not move, when that changes: nothing waits silently. overdue says that instances have
// been missing for longer than an agent needs to report them. It is asked when [Next] decides nothing.
func Explain(s State, seen Instances, overdue bool, q Quota, now time.Time) []events.Event {
	if !s.InFlight() || s.Deployment.Held || s.Deployment.Halt != "" { // what is held says why since it failed
		return nil
	}
	why := cut(s.stalled(seen, overdue, q, now), maxError)
	if s.Deployment.RollingBack {
		why = cut(cmp.Or(s.stalledBack(seen, q, now), s.Deployment.BackReason), maxError)
	}
	if why == s.Deployment.Error {
		return nil
	}
	return []events.Event{events.DeploymentErrorRecorded{App: s.ID, Deployment: s.Deployment.ID(), Error: why}}
}

// cut bounds a text, in bytes.
func cut(text string, most int) string {
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "")
	}
	return text
}

// stalled says why the rollout cannot move, or nothing.
func (s State) stalled(seen Instances, overdue bool, q Quota, now time.Time) string {
	if s.Desired != Started {
		return "app is stopped: start it, cancel the deployment, or deploy again"
	}
	fresh, _ := s.Process(s.Deployment.Process)
	crashed, worst, at := 0, Instance{}, 0
	for i := range fresh.Instances {
		known := seen[fresh.ID][i]
		if known.State != InstanceCrashed {
			// One that starts anew after a crash has not shown yet that it is better.
			if known.State != InstanceStarting || known.Crashes == 0 {
				continue
			}
		}
		crashed++
		if known.Crashes >= worst.Crashes {
			worst, at = known, i
		}
	}
	if crashed > 0 {
		return fmt.Sprintf("%d of %d new instances unhealthy: instance %d CRASHED %s (%s)",
			crashed, fresh.Instances, at, times(worst.Crashes), worst.Reason)
	}
	if text := QuotaRefusal(s, seen, q); text != "" {
		return text
	}
	if missing := Missing(s, seen); missing > 0 && overdue {
		return fmt.Sprintf("%d of %d new instances missing: no agent reports on them; is an agent running?", missing, fresh.Instances)
	}
	if due := s.progressDue(seen[fresh.ID], now); !due.IsZero() && !now.Before(due) {
		return s.silence(seen[fresh.ID])
	}
	if name := s.alarm(); name != "" {
		return s.Alarms[name].words(name)
	}
	return ""
}

// stalledBack says why a rollback cannot move, or nothing.
func (s State) stalledBack(seen Instances, q Quota, now time.Time) string {
	d := &decision{State: s}
	kept, original := d.proven(seen), s.Deployment.OriginalInstances
	if kept.Instances < original {
		return "rolling back waits for room: " + q.refusal(kept, original)
	}
	if due := s.progressDue(nil, now); due.IsZero() || now.Before(due) {
		return ""
	}
	return fmt.Sprintf("rolling back waits: %d of %d old instances are routable; cancel the deployment to go back without waiting for them",
		kept.present(seen).Count(kept.Instances).Routable, original)
}

// QuotaRefusal says which limits keep the rollout from its next growth, in Cloud Foundry's words; nothing if none does.
func QuotaRefusal(s State, seen Instances, q Quota) string {
	if !s.InFlight() || s.Desired != Started || s.Deployment.AtPause {
		return ""
	}
	fresh, _ := s.Process(s.Deployment.Process)
	to := s.Deployment.nextSize(fresh.Instances, s.Deployment.step(), seen[fresh.ID].Count(fresh.Instances))
	if to <= fresh.Instances {
		return ""
	}
	return q.refusal(fresh, to)
}

func times(n int) string {
	if n <= 1 {
		return "once"
	}
	return fmt.Sprintf("%d times in a row", n)
}

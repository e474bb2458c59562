package resource

import (
	"net"
	"strconv"
	"time"

	"slipway/projections"
)

// Stats is how the instances of a process are, by index. It has no pages (Cloud Foundry).
type Stats struct {
	Resources []InstanceStats `json:"resources"`
}

// InstanceStats is how one index of a process is.
type InstanceStats struct {
	Type     string `json:"type"`
	Index    int    `json:"index"`
	State    string `json:"state"` // RUNNING, STARTING, STOPPING, CRASHED, DOWN
	Routable bool   `json:"routable"`
	Uptime   int64  `json:"uptime"` // seconds in this state
	Isolated *bool  `json:"isolation_segment"`
	Details  string `json:"details,omitempty"` // of the last crash, or why it gets no traffic
	*Runtime        // nil when DOWN: there is nothing to say it of
}

// Runtime is what is known of an instance that is there.
type Runtime struct {
	Instance  string         `json:"instance_guid"`
	Since     Time           `json:"since"` // in this state
	Host      string         `json:"host"`
	Internal  string         `json:"instance_internal_ip"`
	MemQuota  int64          `json:"mem_quota"`      // bytes
	DiskQuota int64          `json:"disk_quota"`     // bytes
	LogRate   int64          `json:"log_rate_limit"` // bytes per second; -1: no limit
	FdsQuota  int            `json:"fds_quota"`      // 0: not limited by Slipway
	Ports     []InstancePort `json:"instance_ports"`
	Usage     struct{}       `json:"usage"` // nobody measures it, so it says nothing
	Crashes   int            `json:"crashes"`
	Exit      *int           `json:"exit_status"` // of the last crash, where it is known
	Agent     string         `json:"agent"`
}

// InstancePort is where an instance listens.
type InstancePort struct {
	External int `json:"external"`
	Internal int `json:"internal"`
}

const bytesPerMB = 1 << 20

// Stats presents the instances of a process as they are at the time now.
func (b Base) Stats(p projections.Process, instances []projections.Instance, now time.Time) Stats {
	return Stats{Resources: Each(instances, func(i projections.Instance) InstanceStats { return instanceStats(p, i, now) })}
}

func instanceStats(p projections.Process, i projections.Instance, now time.Time) InstanceStats {
	s := InstanceStats{
		Type: p.Type, Index: i.Index, State: stateOf(p, i),
		Routable: routable(i), Details: i.Reason,
	}
	if s.State == stateStopping {
		s.Details = "" // the cf CLI takes it for the reason why an instance does not start
	}
	if i.State == projections.InstanceDown {
		return s
	}
	host, ports := address(i.Address)
	s.Uptime = max(0, int64(now.Sub(i.Since)/time.Second))
	s.Runtime = &Runtime{
		Instance: string(i.Instance), Since: Time(i.Since), Host: host, Internal: host,
		MemQuota: int64(p.MemoryMB) * bytesPerMB, DiskQuota: int64(p.DiskMB) * bytesPerMB, LogRate: p.LogRate,
		Ports: ports, Crashes: i.Crashes, Exit: i.ExitStatus, Agent: string(i.Agent),
	}
	return s
}

func routable(i projections.Instance) bool {
	return i.State == projections.InstanceRunning && i.Routable
}

// stateStopping is the state of an instance that ran before its process was started anew, and goes on until it is stopped.
// To call it RUNNING would tell clients that the new start has succeeded.
const stateStopping = "STOPPING"

func stateOf(p projections.Process, i projections.Instance) string {
	if i.State == projections.InstanceRunning && i.Generation < p.Generation {
		return stateStopping
	}
	return string(i.State)
}

// address takes host:port apart. What is none has no port.
func address(hostPort string) (string, []InstancePort) {
	host, port, err := net.SplitHostPort(hostPort)
	number, badPort := strconv.Atoi(port)
	if err != nil || badPort != nil {
		return "", []InstancePort{}
	}
	return host, []InstancePort{{External: number, Internal: number}}
}

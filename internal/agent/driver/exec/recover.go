package exec

import (
	"context"
	"errors"
	"fmt"

	"slipway/events"
	"slipway/internal/agent/driver"
)

// sweeps bounds how often the host is searched for strays: each search finds what the last one's finds started meanwhile.
const sweeps = 20

// Recover implements [driver.Driver]. What was recorded and is still the same process is alive. Everything else that
// carries this agent's mark is a stray, such as a process whose agent was killed before it could write its number down: it is
// killed, for nobody knows how to reach it. No start of the earlier agent may still be on its way: [Config.Dir] must be locked as
// an agent's home is.
func (d *Driver) Recover(ctx context.Context) (driver.Recovered, error) {
	records, broken, err := d.dirs.read()
	if err != nil {
		return driver.Recovered{}, fmt.Errorf("exec: read records: %w", err)
	}
	for _, name := range broken {
		d.log.Warn("record of an instance cannot be read; what it stands for is ended", "record", name)
	}
	var found driver.Recovered
	kept := map[events.InstanceID]bool{}
	for _, r := range records {
		if p, alive := foundAlive(r); alive {
			d.ports.reserve(r.Port)
			kept[r.Spec.Instance] = true
			found.Alive = append(found.Alive, d.watch(r, p))
			continue
		}
		d.log.Warn("instance of an earlier agent has vanished", "app", r.Spec.App, "process", r.Spec.Process,
			"index", r.Spec.Index, "instance", r.Spec.Instance, "pid", r.PID)
		found.Vanished = append(found.Vanished, r.Spec)
		if err := endRest(ctx, r); err != nil {
			return driver.Recovered{}, fmt.Errorf("exec: end what is left of instance %s: %w", r.Spec.Instance, err)
		}
	}
	if err := d.killStrays(ctx, kept); err != nil {
		return driver.Recovered{}, fmt.Errorf("exec: end what an earlier agent left: %w", err)
	}
	if err := d.dirs.sweep(func(id events.InstanceID) bool { return kept[id] }); err != nil {
		d.log.Warn("directories of an earlier agent not removed", "err", err)
	}
	return found, nil
}

// endRest ends what a vanished instance's first process started: it may have rewritten its environment, marks and all.
func endRest(ctx context.Context, r record) error {
	if r.PID <= 0 || r.Boot != bootID() {
		return nil
	}
	return (&process{pid: r.PID, started: r.Started}).end(ctx, r.Spec.Instance, func() bool { return true })
}

// killStrays ends every process with this agent's mark that belongs to none of the instances kept.
func (d *Driver) killStrays(ctx context.Context, kept map[events.InstanceID]bool) error {
	for range sweeps {
		strays, err := running(func(m member) bool {
			marks := marks(m.pid)
			return marks[markAgent] == string(d.cfg.Agent) && !kept[events.InstanceID(marks[markInstance])]
		})
		if err != nil || len(strays) == 0 {
			return err
		}
		for _, m := range strays {
			d.log.Warn("process of an earlier agent ended", "pid", m.pid)
			if err := m.end(ctx, true); err != nil {
				return err
			}
		}
	}
	return errors.New("new processes of an earlier agent keep appearing")
}

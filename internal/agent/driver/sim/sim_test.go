package sim_test

import (
	"errors"
	"testing"
	"time"

	"slipway/internal/agent/driver"
	"slipway/internal/agent/driver/drivertest"
	"slipway/internal/agent/driver/sim"
)

// host is a sim driver that outlives its agents.
type host struct{ driver *sim.Driver }

func (h host) Open(*testing.T) driver.Driver           { return h.driver }
func (h host) Spec(b drivertest.Behaviour) driver.Spec { return driver.Spec{Command: string(b)} }
func (h host) Kill(_ *testing.T, i driver.Instance)    { h.driver.Kill(i.Spec().Instance) }

func TestSim(t *testing.T) {
	lives := map[drivertest.Behaviour]sim.Life{
		drivertest.Serves:      {HealthyAfter: 10 * time.Millisecond},
		drivertest.Exits:       {ExitAfter: 10 * time.Millisecond, ExitStatus: 3},
		drivertest.Sickly:      {NeverHealthy: true},
		drivertest.Stubborn:    {StopTakes: time.Hour},
		drivertest.Unstartable: {StartError: errors.New("no bits")},
	}
	drivertest.Run(t, func(*testing.T) drivertest.Host {
		return host{sim.New(func(s driver.Spec, _ int) sim.Life { return lives[drivertest.Behaviour(s.Command)] })}
	})
}

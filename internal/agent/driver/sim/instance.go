package sim

import (
	"context"
	"sync"
	"time"

	"slipway/internal/agent/driver"
)

// instance is one fake.
type instance struct {
	driver *Driver
	spec   driver.Spec
	life   Life
	born   time.Time
	death  *time.Timer // nil: it does not end by itself

	once sync.Once
	exit driver.Exit // written before done is closed
	done chan struct{}
}

func (i *instance) Spec() driver.Spec     { return i.spec }
func (i *instance) Address() string       { return "" }
func (i *instance) Done() <-chan struct{} { return i.done }
func (i *instance) Exit() driver.Exit     { return i.exit }

// Probe waits until the fake is healthy or ctx ends, so that a fake is seen as healthy at the very moment it is.
func (i *instance) Probe(ctx context.Context) error {
	if i.life.NeverHealthy {
		return i.unhealthy(ctx)
	}
	age := time.Since(i.born)
	if i.life.SickAfter > 0 && age >= i.life.SickAfter {
		return errUnhealthy
	}
	if age >= i.life.HealthyAfter {
		return nil
	}
	t := time.NewTimer(i.life.HealthyAfter - age)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-i.done:
		return errUnhealthy
	case <-ctx.Done():
		return errUnhealthy
	}
}

func (i *instance) unhealthy(ctx context.Context) error {
	select {
	case <-ctx.Done():
	case <-i.done:
	}
	return errUnhealthy
}

// Stop implements [driver.Instance].
func (i *instance) Stop(ctx context.Context, grace time.Duration) error {
	exit := driver.Exit{Reason: "signal: terminated"}
	takes := i.life.StopTakes
	if takes > grace {
		takes, exit.Reason = grace, "signal: killed"
	}
	if takes > 0 {
		t := time.NewTimer(takes)
		defer t.Stop()
		select {
		case <-t.C:
		case <-i.done:
		case <-ctx.Done():
			exit.Reason = "signal: killed"
		}
	}
	i.end(exit)
	<-i.done
	return nil
}

func (i *instance) end(exit driver.Exit) {
	i.once.Do(func() {
		i.exit = exit
		i.driver.gone(i)
		if i.death != nil {
			i.death.Stop()
		}
		close(i.done)
	})
}

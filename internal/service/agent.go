package service

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"

	"slipway/internal/agent"
	"slipway/internal/agent/driver/exec"
	"slipway/internal/commands"
)

// AgentConfig says what an agent works with.
type AgentConfig struct {
	Dir     string       // its own: identity, droplets, logs of the instances
	Traffic net.Listener // where its router takes requests
}

// Agent is the part that runs instances as processes of this host and routes traffic to them. It owns the listener.
func Agent(b *Backbone, c AgentConfig, logger *slog.Logger) (Part, error) {
	home, err := agent.OpenHome(c.Dir)
	if err != nil {
		return Part{}, err
	}
	driver, err := exec.New(exec.Config{
		Agent: home.ID, Dir: filepath.Join(home.Dir, "exec"), Bits: dropletBits{b.Droplets, commands.Droplets(b.Log)}, Logger: logger,
	})
	if err != nil {
		return Part{}, errors.Join(err, home.Close())
	}
	a, err := agent.New(agent.Config{
		ID: home.ID, Driver: driver, Source: agent.Apps{Log: b.Log, Apps: commands.Apps(b.Log, b.Snapshots), Logger: logger},
		Routes: agent.Routes{Log: b.Log, Routes: commands.Routes(b.Log), Logger: logger},
		Log:    b.Log, Traffic: c.Traffic, Logger: logger,
	})
	if err != nil {
		return Part{}, errors.Join(err, driver.Close(), home.Close())
	}
	return Part{Name: "agent", Run: func(ctx context.Context) error {
		err := a.Run(ctx)
		if closed := errors.Join(driver.Close(), home.Close()); closed != nil {
			err = errors.Join(err, fmt.Errorf("close: %w", closed))
		}
		return err
	}}, nil
}

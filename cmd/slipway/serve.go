package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"slipway/internal/auth"
	"slipway/internal/cli"
	"slipway/internal/natsboot"
	"slipway/internal/service"
	"slipway/projections"
)

// Serve runs everything in one process on an embedded NATS server.
type Serve struct {
	HTTP string `default:"127.0.0.1:8080" env:"SLIPWAY_HTTP" help:"Loopback address of the API; port 0 takes a free one."`
	Apps string `default:"127.0.0.1:8081" env:"SLIPWAY_APPS" help:"Loopback address of the router to the apps; port 0 takes a free one."`
	NATS string `default:"127.0.0.1:4222" env:"SLIPWAY_NATS_LISTEN" help:"Loopback address of the embedded NATS server; port 0 takes a free one."`
	Data string `default:"data" env:"SLIPWAY_DATA" help:"Directory that everything is kept in." type:"path"`
	service.Growth
	cli.Logging
}

// parts is all that runs, in the order in which it is stopped.
type parts struct {
	listener, apps net.Listener
	server         *natsboot.Server
	backbone       *service.Backbone
	store          *projections.Store
	all            []service.Part
}

// Run serves until ctx ends.
func (s Serve) Run(ctx context.Context, streams cli.Streams) (err error) {
	began := time.Now()
	logger := s.Logger(streams.Err)
	var p parts
	defer func() { err = errors.Join(err, p.close()) }()
	if err := s.open(ctx, &p, streams.Out, logger); err != nil {
		return err
	}
	ready := service.Part{Name: "greeting", Run: func(ctx context.Context) error {
		if s.caughtUp(ctx, &p) == nil {
			s.greet(streams.Out, &p, time.Since(began))
		}
		<-ctx.Done()
		return nil
	}}
	return service.Run(ctx, logger, append([]service.Part{ready}, p.all...)...)
}

// open opens everything, listeners first: a port that is taken is told before anything is touched.
func (s Serve) open(ctx context.Context, p *parts, out io.Writer, logger *slog.Logger) (err error) {
	if p.listener, err = service.Listen(s.HTTP); err != nil {
		return err
	}
	if p.apps, err = service.Listen(s.Apps); err != nil {
		return err
	}
	if err := os.MkdirAll(s.Data, 0o755); err != nil {
		return err
	}
	dir := filepath.Join(s.Data, "auth")
	logins, err := service.Logins(dir, out, logger)
	if err != nil {
		return err
	}
	secret, err := auth.ServiceSecret(dir)
	if err != nil {
		return err
	}
	host, port, err := hostPort(s.NATS)
	if err != nil {
		return err
	}
	opened := make(chan *projections.Store, 1)
	p.server, p.backbone, err = service.Embed(ctx, natsboot.Config{
		StoreDir: filepath.Join(s.Data, "nats"), Host: host, Port: port, SyncAlways: true, Logins: logins, Places: service.PlacesOf(opened),
	}, secret, logger)
	if err != nil {
		return err
	}
	if p.store, err = projections.Open(ctx, filepath.Join(s.Data, "views.db")); err != nil { // which the server has locked
		return err
	}
	opened <- p.store
	agent, err := service.Agent(p.backbone, service.AgentConfig{Dir: filepath.Join(s.Data, "agent"), Traffic: p.apps}, logger)
	if err != nil {
		return err
	}
	p.all = []service.Part{
		service.API(p.backbone, p.store, logins, p.listener, s.Growth, logger),
		service.Groups(p.backbone, p.store, logger),
		service.Checks(p.backbone, logger),
		service.Notify(p.backbone, logger),
		service.Updater(p.backbone, p.store, logger), // before the agent, so that the end of its instances moves no rollout
		agent,
		service.Projector(p.backbone, p.store, logger),
	}
	return nil
}

func (p *parts) close() error {
	var faults []error
	for _, l := range []net.Listener{p.listener, p.apps} {
		if l != nil {
			_ = l.Close() // its server has closed it, where one was started
		}
	}
	if p.store != nil {
		faults = append(faults, p.store.Close())
	}
	if p.backbone != nil {
		p.backbone.Close()
	}
	if p.server != nil {
		faults = append(faults, p.server.Shutdown())
	}
	return errors.Join(faults...)
}

func hostPort(addr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err == nil {
		port, err = strconv.Atoi(text)
	}
	if err != nil {
		return "", 0, fmt.Errorf("--nats %q: want host:port: %w", addr, err)
	}
	return host, port, nil
}

// caughtUp waits until every part does its work and the read models show everything that is in the log.
func (s Serve) caughtUp(ctx context.Context, p *parts) error {
	for _, part := range p.all {
		if part.Ready == nil {
			continue
		}
		select {
		case <-part.Ready:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	newest, err := p.backbone.Log.Newest(ctx)
	if err != nil {
		return err
	}
	return p.store.Wait(ctx, newest)
}

// greet says where everything is and what to try.
func (s Serve) greet(w io.Writer, p *parts, took time.Duration) {
	api, apps, nats := "http://"+p.listener.Addr().String(), "http://"+p.apps.Addr().String(), p.server.ClientURL()
	fmt.Fprintf(w, `
Slipway is ready after %.1f s. Its data is in %s and stays there.

  API    %s
  apps   %s   (by host name: <app>.localhost)
  NATS   %s

Try, in a second terminal:

  %s
  curl -H "Authorization: bearer $(go run ./cmd/slipway auth token --api %s)" %s/v3/deployments
  go run ./cmd/slipway audit verify --nats %s --auth %s
  nats --server %s --user admin sub 'rollouts.>'        (with the nats CLI; NATS_PASSWORD has the password)

Ctrl-C stops everything, instances too.
`, took.Seconds(), s.Data, api, apps, nats, s.demoCommand(api, apps), api, api, nats, filepath.Join(s.Data, "auth"), nats)
}

// demoCommand is the demo for these addresses: the short one where they are the defaults.
func (s Serve) demoCommand(api, apps string) string {
	if api == defaultAPI && apps == defaultApps {
		return "make demo"
	}
	return fmt.Sprintf("go run ./cmd/slipway demo --api %s --apps %s --data %s", api, apps, s.Data)
}

package exec

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"slipway/events"
	"slipway/internal/agent/driver"
	"slipway/internal/agent/tree"
)

// Config says where a driver works.
type Config struct {
	Agent  events.AgentID // marks the processes, so that those of other agents on this host are left alone
	Dir    string         // its own: under a directory that the agent has locked
	Bits   tree.Bits      // where droplets come from
	Limits tree.Limits    // of droplets; zero: tree.DefaultLimits
	Path   string         // PATH of instances; empty: the agent's
	Logger *slog.Logger
}

// Driver runs processes.
type Driver struct {
	cfg   Config
	log   *slog.Logger
	dirs  dirs
	trees *tree.Cache
	ports *ports
	slots chan struct{} // bounds starts at once

	// forking keeps a fork from happening while a program is being written. The child would hold the file open for
	// writing for a moment, and executing it then fails with "text file busy".
	forking sync.RWMutex

	watching context.Context // of all watchers; ends with Close
	close    context.CancelFunc
	watchers sync.WaitGroup

	mu    sync.Mutex
	alive map[events.InstanceID]*instance
}

// startsPerCPU bounds how many instances are prepared at once: copying more in parallel makes none of them faster.
const startsPerCPU = 2

// New opens a driver on its directory.
func New(c Config) (*Driver, error) {
	if !events.ValidID(string(c.Agent)) {
		return nil, fmt.Errorf("exec: agent id %q", c.Agent)
	}
	if c.Limits == (tree.Limits{}) {
		c.Limits = tree.DefaultLimits
	}
	if c.Path == "" {
		c.Path = os.Getenv("PATH")
	}
	dirs, err := makeDirs(c.Dir)
	if err != nil {
		return nil, fmt.Errorf("exec: %w", err)
	}
	trees, err := tree.Open(dirs.droplets, c.Bits, c.Limits, c.Logger)
	if err != nil {
		return nil, fmt.Errorf("exec: %w", err)
	}
	d := &Driver{
		cfg: c, log: c.Logger, dirs: dirs, trees: trees, ports: newPorts(),
		slots: make(chan struct{}, startsPerCPU*runtime.GOMAXPROCS(0)), alive: map[events.InstanceID]*instance{},
	}
	d.watching, d.close = context.WithCancel(context.Background())
	d.watchers.Go(d.trimLogs)
	d.log.Warn("driver exec isolates nothing: apps run as this user, with its files, network, memory and CPU")
	return d, nil
}

// Close implements [driver.Driver]: what runs goes on running.
func (d *Driver) Close() error {
	d.close()
	d.watchers.Wait()
	d.trees.Close()
	d.ports.close()
	return nil
}

// Start implements [driver.Driver].
func (d *Driver) Start(ctx context.Context, s driver.Spec) (driver.Instance, error) {
	if s.Image != "" {
		return nil, fmt.Errorf("container image %q: %w: driver exec runs droplet bits only", s.Image, driver.ErrUnsupported)
	}
	if !events.ValidID(string(s.Instance)) {
		return nil, fmt.Errorf("instance id %q: %w", s.Instance, driver.ErrUnsupported)
	}
	select {
	case d.slots <- struct{}{}:
		defer func() { <-d.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	port, err := d.ports.take()
	if err != nil {
		return nil, err
	}
	i, err := d.start(ctx, record{Spec: s, Port: port})
	if err != nil {
		d.ports.free(port)
		return nil, errors.Join(err, d.dirs.forget(s.Instance))
	}
	return i, nil
}

func (d *Driver) start(ctx context.Context, r record) (*instance, error) {
	if err := d.prepare(ctx, r.Spec); err != nil {
		return nil, err
	}
	if err := d.dirs.write(r); err != nil { // the intent: from here on Recover looks for it
		return nil, err
	}
	p, err := d.launch(r)
	if err != nil {
		return nil, err
	}
	r.PID, r.Started, r.Boot = p.pid, p.started, bootID()
	if err := d.dirs.write(r); err != nil {
		return nil, errors.Join(err, d.discard(p, r.Spec.Instance))
	}
	return d.watch(r, p), nil
}

// prepare gives the instance its directory: a copy of the droplet's files, which it may change as it likes.
func (d *Driver) prepare(ctx context.Context, s driver.Spec) error {
	files, done, err := d.trees.Use(ctx, s.Droplet)
	if err != nil {
		return err
	}
	defer done()
	run := d.dirs.runOf(s.Instance)
	if err := os.MkdirAll(filepath.Join(run, tmpDir), 0o700); err != nil {
		return err
	}
	d.forking.RLock()
	defer d.forking.RUnlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	return os.CopyFS(filepath.Join(run, appDir), os.DirFS(files))
}

// watch keeps an instance in sight until it ends.
func (d *Driver) watch(r record, p *process) *instance {
	i := &instance{
		driver: d, spec: r.Spec, process: p, done: make(chan struct{}),
		port: r.Port, address: net.JoinHostPort(loopback, strconv.Itoa(r.Port)),
	}
	d.mu.Lock()
	d.alive[r.Spec.Instance] = i
	d.mu.Unlock()
	d.watchers.Go(func() { i.watch(d.watching) })
	return i
}

// gone tidies up after an instance.
func (d *Driver) gone(i *instance) {
	d.mu.Lock()
	delete(d.alive, i.spec.Instance)
	d.mu.Unlock()
	d.ports.free(i.port)
	kept, err := d.dirs.keepLog(i.spec.Instance)
	err = errors.Join(err, d.dirs.forget(i.spec.Instance))
	if err != nil {
		d.log.Warn("instance not tidied up", "instance", i.spec.Instance, "err", err)
	}
	d.log.Info("instance ended", "app", i.spec.App, "process", i.spec.Process, "index", i.spec.Index,
		"instance", i.spec.Instance, "exit", i.exit.Reason, "output", kept)
}

package doors

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go"
	"golang.org/x/sync/errgroup"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
	"slipway/internal/eventlog"
)

// The doors, as the cause of what came through them.
const (
	doorRPC      = "rpc"
	doorCommands = "commands"
)

// Handler carries out commands: [commands.Handler].
type Handler interface {
	Handle(ctx context.Context, c commands.Command, by commands.Caller) (commands.Result, error)
}

// Config is what the doors work with. All but Ready and Roles is needed.
type Config struct {
	NC      *nats.Conn
	Handler Handler
	Callers Callers
	// Allow says whether somebody may send a command: nil, or what to answer.
	Allow func(ctx context.Context, i auth.Identity, c commands.Command) error
	// Roles gives the roles of somebody, for the commands that ask for them; nil: nobody has any.
	Roles func(i auth.Identity) commands.Roles
	// Present gives what a result is about, as JSON shows it to its caller; nil where it is gone. It waits until the read
	// model shows the result, or says why it cannot.
	Present func(ctx context.Context, i auth.Identity, result commands.Result) (any, error)
	// Answer gives what a question is answered, as JSON shows it, and the newest commit that it was made from.
	Answer func(ctx context.Context, q commands.Question, by commands.Caller) (any, events.Sequence, error)
	// Log is where refusals through the durable door are recorded.
	Log    eventlog.Log
	Logger *slog.Logger
	// Ready is called once, when both doors are open.
	Ready func()

	ackWait time.Duration // defaultAckWait, but for tests
}

// Run opens both doors and keeps them open until ctx ends; then it finishes what runs and returns nil. The stream
// COMMANDS must be there. An error means that a door cannot be opened, or that the connection was closed.
func Run(ctx context.Context, cfg Config) error {
	d, err := openDurable(ctx, cfg)
	if ctx.Err() != nil {
		return nil // stopped before a door was open
	}
	if err != nil {
		return fmt.Errorf("open the durable door: %w", err)
	}
	r, err := openRPC(context.WithoutCancel(ctx), cfg)
	if err != nil {
		return fmt.Errorf("open the rpc door: %w", err)
	}
	if cfg.Ready != nil {
		cfg.Ready()
	}
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return d.run(ctx) })
	group.Go(func() error {
		<-ctx.Done()
		return r.close()
	})
	if err := group.Wait(); err != nil {
		return fmt.Errorf("doors: %w", err)
	}
	return nil
}

// carryOut decodes a command of somebody's and hands it to the handler, if they may send it.
func (cfg Config) carryOut(ctx context.Context, i auth.Identity, name string, body []byte, by commands.Caller) (result commands.Result, err error) {
	defer cfg.outlive(ctx, name, by, &err)
	c, err := commands.Decode(name, body)
	if err != nil {
		return commands.Result{}, err
	}
	if by, err = cfg.admit(ctx, i, name, c, by); err != nil {
		return commands.Result{}, err
	}
	return cfg.Handler.Handle(ctx, c, by)
}

// ask decodes a question of somebody's and has it answered, if they may send the command that it is about.
func (cfg Config) ask(ctx context.Context, i auth.Identity, name string, body []byte, by commands.Caller) (shown any, at events.Sequence, err error) {
	defer cfg.outlive(ctx, name, by, &err)
	q, err := commands.DecodeQuestion(name, body)
	if err != nil {
		return nil, 0, err
	}
	if by, err = cfg.admit(ctx, i, name, q.About(), by); err != nil {
		return nil, 0, err
	}
	return cfg.Answer(ctx, q, by)
}

// admit asks whether somebody may send a command, and completes what is said of them.
func (cfg Config) admit(ctx context.Context, i auth.Identity, name string, c commands.Command, by commands.Caller) (commands.Caller, error) {
	if err := cfg.Allow(ctx, i, c); err != nil {
		return by, fmt.Errorf("%s: %w", name, err)
	}
	if by.Automation = i.Automation; cfg.Roles != nil {
		by.Roles = cfg.Roles(i)
	}
	return by, nil
}

// outlive makes an error of a panic: it must not take the process down, since a command that waits in a stream would do so again and
// again.
func (cfg Config) outlive(ctx context.Context, name string, by commands.Caller, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s: %w: %v", name, errPanic, p)
		cfg.Logger.LogAttrs(ctx, slog.LevelError, "a command made its handler panic", slog.String("command", name),
			slog.String("id", string(by.CommandID)), slog.Any("panic", p), slog.String("stack", string(debug.Stack())))
	}
}

var errPanic = errors.New("panic")

var traceparentForm = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// trace passes a W3C trace context on. Anything else is left out: it would stand in history for ever.
func trace(h nats.Header) string {
	if t := h.Get(events.HeaderTraceparent); traceparentForm.MatchString(t) {
		return t
	}
	return ""
}

// Package cli is what all programs have in common: flags and environment into a struct, a logger, signals, exit codes. Its
// main stays one statement, so that tests start the same run.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

// Run is a program: it works until it is done or ctx ends, prints results to stdout and logs to stderr.
type Run func(ctx context.Context, args []string, stdout, stderr io.Writer) error

// Main runs a program until it ends or SIGINT or SIGTERM comes, and exits: 0 if it ended well, 1 with the error if not. A
// second signal kills at once.
func Main(run Run) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // the first signal asks; the next one has its usual effect
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// errHelp: help was asked for and printed; there is nothing more to do.
var errHelp = errors.New("help was printed")

// Parse fills flags, a pointer to a struct with kong's tags, from the arguments and the environment. An error says what is
// wrong and how to see what is right. It calls the Run method of the command that was chosen, if flags have commands, with ctx
// and bindings at hand; else it calls then.
func Parse(ctx context.Context, flags any, name, description string, args []string, stdout, stderr io.Writer, then func() error) (err error) {
	defer func() {
		if stop := recover(); stop == errHelp { // kong ends by calling Exit; a test must not end with it
			err = nil
		} else if stop != nil {
			panic(stop)
		}
	}()
	parser, err := kong.New(flags, kong.Name(name), kong.Description(description), kong.UsageOnError(),
		kong.Writers(stdout, stderr), kong.Exit(func(int) { panic(errHelp) }), kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(Streams{Out: stdout, Err: stderr}))
	if err != nil {
		return err
	}
	chosen, err := parser.Parse(args)
	if err != nil {
		return fmt.Errorf("%w (see %s --help)", err, name)
	}
	if then != nil {
		return then()
	}
	return chosen.Run()
}

// Streams are what a command prints to.
type Streams struct {
	Out io.Writer // results
	Err io.Writer // logs, progress
}

// Logging is the flags about logs; embed it in a program's flags.
type Logging struct {
	LogLevel  slog.Level `default:"info" env:"SLIPWAY_LOG_LEVEL" help:"Least level that is logged: debug, info, warn or error."`
	LogFormat string     `default:"text" enum:"text,json" env:"SLIPWAY_LOG_FORMAT" help:"Form of the log: text or json."`
}

// Logger makes the logger that the flags ask for.
func (l Logging) Logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: l.LogLevel}
	if l.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// Command projector brings the event log into the read models and into the feed. It also makes the read models anew, and
// proves that they are what the log says.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"slipway/internal/cli"
	"slipway/internal/eventlog"
	"slipway/internal/projector"
	"slipway/internal/service"
	"slipway/projections"
)

// Config is what the program needs to know.
type Config struct {
	service.Connection
	DB string `default:"data/views.db" env:"SLIPWAY_DB" help:"File of the read models."`
	cli.Logging

	Run     Follow  `cmd:"" default:"1" help:"Follow the log until stopped; what it does without a command."`
	Rebuild Rebuild `cmd:"" help:"Make the read models anew beside the old ones, then switch. Everything may go on meanwhile."`
	Digest  Digest  `cmd:"" help:"Print a hash over every row; equal read models have equal ones."`
	Verify  Verify  `cmd:"" help:"Compare the read models with a rebuild, row by row; fail at the first difference."`
}

func main() { cli.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c Config
	return cli.Parse(ctx, &c, "projector", "Brings the event log into the read models and into the feed.", args, stdout, stderr, nil)
}

// with opens the read models and the log for a command.
func (c *Config) with(ctx context.Context, streams cli.Streams, do func(*projections.Store, *service.Backbone) error) error {
	store, err := projections.Open(ctx, c.DB)
	if err != nil {
		return err
	}
	backbone, err := c.Dial(ctx, "projector", c.Logger(streams.Err))
	if err != nil {
		return errors.Join(err, store.Close())
	}
	defer backbone.Close()
	return errors.Join(do(store, backbone), store.Close())
}

// Follow is the command run.
type Follow struct{}

// Run follows the log until ctx ends.
func (Follow) Run(ctx context.Context, c *Config, streams cli.Streams) error {
	return c.with(ctx, streams, func(store *projections.Store, b *service.Backbone) error {
		fmt.Fprintf(streams.Out, "projector works on %s\n", c.DB)
		logger := c.Logger(streams.Err)
		return service.Run(ctx, logger, service.Projector(b, store, logger))
	})
}

// Rebuild is the command rebuild.
type Rebuild struct{}

// Run makes the read models anew.
func (Rebuild) Run(ctx context.Context, c *Config, streams cli.Streams) error {
	return c.with(ctx, streams, func(store *projections.Store, b *service.Backbone) error {
		at, err := store.Rebuild(ctx, projector.Source{Log: b.Log}, streams.Err)
		if err != nil {
			return err
		}
		eventlog.AnnounceProjected(b.Conn)(at)
		fmt.Fprintf(streams.Out, "rebuilt up to sequence %d\n", at)
		return printDigest(ctx, store, streams.Out)
	})
}

// Digest is the command digest. It needs no log.
type Digest struct{}

// Run prints the digest.
func (Digest) Run(ctx context.Context, c *Config, streams cli.Streams) error {
	store, err := projections.Open(ctx, c.DB)
	if err != nil {
		return err
	}
	return errors.Join(printDigest(ctx, store, streams.Out), store.Close())
}

func printDigest(ctx context.Context, store *projections.Store, out io.Writer) error {
	digest, err := store.Digest(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, "digest", digest)
	return err
}

// Verify is the command verify.
type Verify struct{}

// errDiffers: the read models are not what the log says.
var errDiffers = errors.New("the read models differ from the log (projector rebuild heals them)")

// Run compares, and fails with errDiffers.
func (Verify) Run(ctx context.Context, c *Config, streams cli.Streams) error {
	return c.with(ctx, streams, func(store *projections.Store, b *service.Backbone) error {
		found, err := store.Check(ctx, projector.Source{Log: b.Log}, streams.Err)
		if err != nil {
			return err
		}
		if found != nil {
			fmt.Fprintln(streams.Out, "first difference:", found)
			return errDiffers
		}
		return printExtent(ctx, store, b, streams.Out)
	})
}

// printExtent says how far the comparison went: read models that are empty or far behind agree with any log.
func printExtent(ctx context.Context, store *projections.Store, b *service.Backbone, out io.Writer) error {
	at, err := store.Checkpoint(ctx)
	if err != nil {
		return err
	}
	newest, err := b.Log.Newest(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "the read models are what the log says, up to sequence %d of %d\n", at, newest)
	return err
}

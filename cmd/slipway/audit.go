package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/schollz/progressbar/v3"

	"slipway/events"
	"slipway/internal/audit"
	"slipway/internal/cli"
	"slipway/internal/service"
)

// Audit reads the event log and judges it.
type Audit struct {
	Verify AuditVerify `cmd:"" help:"Walk the whole log: versions, hash chains, every event, and the capacity law in every rollout."`
}

// AuditVerify exits non-zero on the first kind of breach it can name.
type AuditVerify struct {
	service.Connection
	JSON bool `help:"Print the report as JSON."`
}

// errBreach: the history is not what it should be; the report names where.
var errBreach = errors.New("history is not as it should be: see the breaches above; nothing was changed")

// Run verifies.
func (a AuditVerify) Run(ctx context.Context, streams cli.Streams) error {
	backbone, err := a.Dial(ctx, "audit", slog.New(slog.NewTextHandler(streams.Err, &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	defer backbone.Close()
	report, err := audit.Verify(ctx, backbone.Log, backbone.Registry, progress(streams.Err))
	if err != nil {
		return err
	}
	if err := a.print(streams.Out, report); err != nil {
		return err
	}
	if !report.OK() {
		return errBreach
	}
	return nil
}

func (a AuditVerify) print(w io.Writer, report audit.Report) error {
	if !a.JSON {
		return report.WriteText(w)
	}
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(report)
}

// progressEvery is how often the bar is drawn anew.
const progressEvery = 100 * time.Millisecond

// progress draws a bar while the log is walked.
func progress(w io.Writer) func(done, total events.Sequence) {
	var bar *progressbar.ProgressBar
	return func(done, total events.Sequence) {
		if bar == nil {
			bar = progressbar.NewOptions64(int64(total), progressbar.OptionSetWriter(w), progressbar.OptionSetDescription("reading the log"),
				progressbar.OptionShowCount(), progressbar.OptionThrottle(progressEvery), progressbar.OptionOnCompletion(func() { fmt.Fprintln(w) }))
		}
		_ = bar.Set64(int64(done)) // it is only a picture
	}
}

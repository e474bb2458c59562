package service

import (
	"context"
	"log/slog"

	"slipway/internal/commands"
	"slipway/internal/eventlog"
	"slipway/internal/notify"
)

// Notify is the part that sends events to those who subscribed to them over HTTP.
func Notify(b *Backbone, logger *slog.Logger) Part {
	return Part{Name: "notify", Run: func(ctx context.Context) error {
		feed, err := eventlog.OpenFeedReader(ctx, b.Conn, eventlog.Config{Logger: logger})
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		web := notify.NewWeb(b.Secrets)
		defer web.Close()
		return notify.New(notify.Config{
			Log: b.Log, Subscriptions: commands.Subscriptions(b.Log), Feed: feed, Web: web, Logger: logger,
		}).Run(ctx)
	}}
}

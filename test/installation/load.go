package installation

import (
	"context"
	"testing"

	"slipway/internal/demo"
)

// UnderLoad does something while requests for the app go through the router.
func (i *Installation) UnderLoad(ctx context.Context, t *testing.T, app string, do func()) demo.Result {
	t.Helper()
	load := &demo.Load{URL: i.Apps, Host: app + ".localhost"}
	ctx, stop := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		load.Run(ctx)
	}()
	defer func() { stop(); <-ended }() // also where do ends the test
	do()
	stop()
	<-ended
	result := load.Result()
	t.Logf("%d requests, %.0f a second, %d failed", result.Sent, result.Rate, result.Failed)
	return result
}

package clients

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/appconfig/types"

	"slipway/test/installation"
)

// startDelay is how long an instance of the second rollout takes to start: time to change a strategy while a rollout goes on.
const startDelay = 5 * time.Second

// rollout is a deployment by a strategy, as Slipway shows it.
type rollout struct {
	GUID   string `json:"guid"`
	Status struct{ Value, Reason string }
	Growth struct {
		GrowthType                string  `json:"growth_type"`
		GrowthFactor              float64 `json:"growth_factor"`
		DeploymentDurationMinutes int     `json:"deployment_duration_minutes"`
		FinalBakeMinutes          int     `json:"final_bake_minutes"`
	} `json:"growth"`
}

// rollsOut deploys the example app a second time, by a strategy that moves as fast as its instances start.
func (w *sdk) rollsOut(app string) (strategy string, begun rollout) {
	w.t.Helper()
	strategy = *w.creates(func(in *create) {
		in.DeploymentDurationInMinutes, in.GrowthFactor = aws.Int32(0), aws.Float32(100)
	}).Id
	ctx, c := w.t.Context(), w.s.Client()
	guid, err := c.App(ctx, app)
	w.NoErr(err)
	droplet, err := c.Droplet(ctx, guid, installation.Bits(w.t, "v1"))
	w.NoErr(err)
	w.s.DeployFirst(ctx, w.t, guid, droplet, 1)
	w.NoErr(c.SetEnvironment(ctx, guid, map[string]string{"START_DELAY": startDelay.String()}))
	of := func(guid string) map[string]any { return map[string]any{"data": map[string]string{"guid": guid}} }
	w.NoErr(c.Call(ctx, http.MethodPost, "/v3/deployments", map[string]any{
		"relationships": map[string]any{"app": of(guid), "deployment_strategy": of(strategy)},
	}, &begun))
	return strategy, begun
}

// goesOn checks that a rollout is on its way with the numbers that it began with, and waits for its end.
func (w *sdk) goesOn(begun rollout) {
	w.t.Helper()
	var now rollout
	w.NoErr(w.s.Client().Call(w.t.Context(), http.MethodGet, "/v3/deployments/"+begun.GUID, nil, &now))
	w.Equal(now.Status.Value, "ACTIVE") // it has not ended before the strategy changed
	w.Equal(now.Growth, begun.Growth)
	w.Equal([]int{now.Growth.DeploymentDurationMinutes, now.Growth.FinalBakeMinutes}, []int{0, 0})
	w.Equal(now.Growth.GrowthFactor, 100.0)
	w.s.Deployed(w.t.Context(), w.t, begun.GUID)
}

// deployCases are the cases 37 and 38, with Slipway's deployments.
var deployCases = []appConfigCase{
	{"37 delete a strategy while its deployment runs", func(w *sdk) {
		strategy, begun := w.rollsOut("by-deleted")
		w.NoErr(w.deletes(strategy))
		w.goesOn(begun)
	}},
	{"38 update a strategy while its deployment runs", func(w *sdk) {
		strategy, begun := w.rollsOut("by-updated")
		_, err := w.updates(strategy, func(in *update) {
			in.DeploymentDurationInMinutes, in.FinalBakeTimeInMinutes = aws.Int32(1440), aws.Int32(1440)
			in.GrowthType, in.GrowthFactor = types.GrowthTypeExponential, aws.Float32(1)
		})
		w.NoErr(err)
		w.goesOn(begun)
	}},
}

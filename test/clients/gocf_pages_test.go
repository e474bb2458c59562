package clients

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cloudfoundry/go-cfclient/v3/client"
	"github.com/cloudfoundry/go-cfclient/v3/resource"
	"github.com/matryer/is"

	"slipway/test/installation"
)

// How many deployments there are to page through.
const (
	pagedApps    = 10
	pagedPerApp  = 101
	pagedPerPage = 37
)

// TestGoCFPages pages through more than a thousand deployments: none is lost and none comes twice, whatever selects and sorts
// them, and also where more are made meanwhile.
func TestGoCFPages(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	ctx := t.Context()
	s := installation.Serve(t, t.TempDir())
	api := newGoCF(t, s)
	made := map[string][]string{} // by app, in order
	var all []string
	began := time.Now()
	for app, deployments := range makeDeployments(ctx, t, s) {
		made[app] = deployments
		all = append(all, deployments...)
	}
	t.Logf("made %d deployments in %.1f s", len(all), time.Since(began).Seconds())
	slices.Sort(all)

	listed := paged(ctx, t, api, nil)
	is.Equal(differ(sorted(listed), all), "") // all of them, each once
	for app, deployments := range made {
		is.Equal(differ(ids(listed, app), deployments), "") // in the order in which they were made
	}

	// Page by page, while another one is made: it comes last, and what was there stays where it was.
	o := client.NewDeploymentListOptions()
	o.PerPage = pagedPerPage
	first, pager, err := api.Deployments.List(ctx, o)
	is.NoErr(err)
	is.Equal([]int{pager.TotalResults, pager.TotalPages}, []int{len(all), (len(all) + pagedPerPage - 1) / pagedPerPage})
	app := listed[0].Relationships.App.Data.GUID
	one, err := s.Client().Deploy(ctx, app, listed[0].Droplet.GUID, nil)
	is.NoErr(err)
	pager.NextPage(o)
	rest, err := api.Deployments.ListAll(ctx, o)
	is.NoErr(err)
	is.Equal(differ(guidsOf(append(first, rest...)), append(guidsOf(listed), one)), "")
	all = append(all, one)
	slices.Sort(all)
	ends(t, s, api, one, "FINALIZED/DEPLOYED") // from here on nothing moves

	newestFirst := paged(ctx, t, api, func(o *client.DeploymentListOptions) { o.OrderBy = "-created_at" })
	oldestFirst := guidsOf(paged(ctx, t, api, func(o *client.DeploymentListOptions) { o.OrderBy = "created_at" }))
	slices.Reverse(oldestFirst)
	is.Equal(differ(guidsOf(newestFirst), oldestFirst), "")
	is.Equal(differ(sorted(newestFirst), all), "")
	is.True(slices.IsSortedFunc(newestFirst, func(a, b *resource.Deployment) int { return b.CreatedAt.Compare(a.CreatedAt) }))

	partitions(t, api, all)
	is.Equal(guidsOf(paged(ctx, t, api, func(o *client.DeploymentListOptions) {
		o.AppGUIDs.EqualTo(app)
		o.StatusValues.EqualTo("FINALIZED")
		o.States.EqualTo("DEPLOYED")
		o.LabelSel = client.LabelSelector{}
		o.LabelSel.NotExistence("n")
	})), []string{one}) // all filters hold together: it alone has no label
}

// partitions holds that filters which exclude each other and leave nothing out give everything together.
func partitions(t *testing.T, api *client.Client, all []string) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	middle := paged(ctx, t, api, nil)[len(all)/2].CreatedAt
	type set = func(*client.DeploymentListOptions)
	label := func(choose func(client.LabelSelector)) set {
		return func(o *client.DeploymentListOptions) { o.LabelSel = client.LabelSelector{}; choose(o.LabelSel) }
	}
	apps, err := api.Applications.ListAll(ctx, nil)
	is.NoErr(err)
	names := guids(apps, func(a *resource.App) string { return a.GUID })
	for name, parts := range map[string][]set{
		"status_values": {
			func(o *client.DeploymentListOptions) { o.StatusValues.EqualTo("ACTIVE") },
			func(o *client.DeploymentListOptions) { o.StatusValues.EqualTo("FINALIZED") },
		},
		"status_reasons": {
			func(o *client.DeploymentListOptions) { o.StatusReasons.EqualTo("PAUSED", "DEPLOYING") },
			func(o *client.DeploymentListOptions) { o.StatusReasons.EqualTo("DEPLOYED") },
			func(o *client.DeploymentListOptions) { o.StatusReasons.EqualTo("SUPERSEDED", "CANCELED") },
		},
		"states": {
			func(o *client.DeploymentListOptions) { o.States.EqualTo("PAUSED", "PREPAUSED", "DEPLOYING") },
			func(o *client.DeploymentListOptions) { o.States.EqualTo("DEPLOYED", "CANCELED") },
		},
		"app_guids": {
			func(o *client.DeploymentListOptions) { o.AppGUIDs.EqualTo(names[:3]...) },
			func(o *client.DeploymentListOptions) { o.AppGUIDs.EqualTo(names[3:]...) },
		},
		"label_selector": {
			label(func(l client.LabelSelector) { l.EqualTo("n", "0") }),
			label(func(l client.LabelSelector) { l.EqualTo("n", "1", "2") }),
			label(func(l client.LabelSelector) { l.NotEqualTo("n", "0", "1", "2") }), // those without the label too
		},
		"label_selector for the key": {
			label(func(l client.LabelSelector) { l.Existence("n") }),
			label(func(l client.LabelSelector) { l.NotExistence("n") }),
		},
		"created_ats": {
			func(o *client.DeploymentListOptions) { o.CreatedAts.Before(middle) },
			func(o *client.DeploymentListOptions) { o.CreatedAts.EqualTo(middle) },
			func(o *client.DeploymentListOptions) { o.CreatedAts.After(middle) },
		},
		"created_ats with equality": {
			func(o *client.DeploymentListOptions) { o.CreatedAts.BeforeOrEqualTo(middle) },
			func(o *client.DeploymentListOptions) { o.CreatedAts.After(middle) },
		},
		"updated_ats": {
			func(o *client.DeploymentListOptions) { o.UpdatedAts.Before(middle) },
			func(o *client.DeploymentListOptions) { o.UpdatedAts.AfterOrEqualTo(middle) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			var together []*resource.Deployment
			for _, part := range parts {
				of := paged(ctx, t, api, part)
				is.True(len(of) > 0) // each part is there
				together = append(together, of...)
			}
			is.Equal(differ(sorted(together), all), "") // and nothing is in two or in none
		})
	}
}

// paged lists deployments in small pages.
func paged(ctx context.Context, t *testing.T, api *client.Client, set func(*client.DeploymentListOptions)) []*resource.Deployment {
	t.Helper()
	o := client.NewDeploymentListOptions()
	o.PerPage = pagedPerPage
	if set != nil {
		set(o)
	}
	all, err := api.Deployments.ListAll(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func guidsOf(all []*resource.Deployment) []string {
	return guids(all, func(d *resource.Deployment) string { return d.GUID })
}

func sorted(all []*resource.Deployment) []string {
	ids := guidsOf(all)
	slices.Sort(ids)
	return ids
}

// differ says where two lists begin to differ; empty: nowhere.
func differ(have, want []string) string {
	for i := range max(len(have), len(want)) {
		if i >= len(have) || i >= len(want) || have[i] != want[i] {
			return fmt.Sprintf("%d and %d long; from %d on: have %v, want %v", len(have), len(want), i,
				have[min(i, len(have)):min(i+3, len(have))], want[min(i, len(want)):min(i+3, len(want))])
		}
	}
	return ""
}

// ids of the deployments of one app, in order.
func ids(all []*resource.Deployment, app string) []string {
	return guidsOf(slices.DeleteFunc(slices.Clone(all), func(d *resource.Deployment) bool { return d.Relationships.App.Data.GUID != app }))
}

// makeDeployments makes apps with many deployments each. The apps have no instances, so a deployment is over as soon as the
// updater has seen it, unless the next one was faster. The last two start a canary: one is superseded, the other is paused.
func makeDeployments(ctx context.Context, t *testing.T, s *installation.Installation) map[string][]string {
	t.Helper()
	var mu sync.Mutex
	made := map[string][]string{}
	var makers sync.WaitGroup
	for n := range pagedApps {
		makers.Go(func() {
			app, deployments, err := makeApp(ctx, s, fmt.Sprintf("app-%d", n), installation.Bits(t, "v1"))
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			made[app] = deployments
		})
	}
	makers.Wait()
	if t.Failed() {
		t.FailNow()
	}
	return made
}

// makeApp makes one app with its deployments, labelled by their number.
func makeApp(ctx context.Context, s *installation.Installation, name string, bits []byte) (app string, deployments []string, err error) {
	api := s.Client()
	if app, err = api.App(ctx, name); err != nil {
		return "", nil, err
	}
	droplet, err := api.Droplet(ctx, app, bits)
	if err != nil {
		return "", nil, err
	}
	if err := api.Call(ctx, http.MethodPost, "/v3/apps/"+app+"/processes/web/actions/scale", map[string]int{"instances": 0}, nil); err != nil {
		return "", nil, err
	}
	for n := range pagedPerApp {
		strategy := "rolling"
		if n >= pagedPerApp-2 {
			strategy = "canary"
		}
		var deployment struct{ GUID string }
		if err := api.Call(ctx, http.MethodPost, "/v3/deployments", map[string]any{
			"relationships": map[string]any{"app": map[string]any{"data": map[string]string{"guid": app}}},
			"droplet":       map[string]string{"guid": droplet}, "strategy": strategy,
			"metadata": map[string]any{"labels": map[string]string{"n": fmt.Sprint(n % 5)}},
		}, &deployment); err != nil {
			return "", nil, err
		}
		deployments = append(deployments, deployment.GUID)
	}
	return app, deployments, nil
}

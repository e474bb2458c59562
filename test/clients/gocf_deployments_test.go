package clients

import (
	"strings"
	"testing"
	"time"

	"github.com/cloudfoundry/go-cfclient/v3/client"
	"github.com/cloudfoundry/go-cfclient/v3/operation"
	"github.com/cloudfoundry/go-cfclient/v3/resource"
	"github.com/matryer/is"

	"slipway/test/installation"
)

// ends waits until a deployment stands at value and reason.
func ends(t *testing.T, s *installation.Installation, api *client.Client, guid, want string) *resource.Deployment {
	t.Helper()
	var d *resource.Deployment
	installation.Eventually(t.Context(), t, s, func() (string, bool) {
		var err error
		if d, err = api.Deployments.Get(t.Context(), guid); err != nil {
			return err.Error(), false
		}
		stands := d.Status.Value + "/" + d.Status.Reason
		return "the deployment is " + stands, stands == want
	})
	return d
}

// TestGoCFDeployments rolls out and back, under load, and takes a canary back.
func TestGoCFDeployments(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	ctx := t.Context()
	s := installation.Serve(t, t.TempDir())
	api := newGoCF(t, s)
	app, droplets := s.Upload(ctx, t, 50*time.Millisecond, 1)
	s.DeployFirst(ctx, t, app, droplets[0], 3)
	v2, err := api.Droplets.Create(ctx, resource.NewDropletCreate(app))
	is.NoErr(err)
	job, v2, err := api.Droplets.Upload(ctx, v2.GUID, strings.NewReader(string(installation.Bits(t, "v2"))))
	done(ctx, t, api, job, err)

	load := s.UnderLoad(ctx, t, installation.AppName, func() {
		roll := resource.NewDeploymentCreate(app)
		roll.Droplet, roll.Metadata = &resource.Relationship{GUID: v2.GUID}, resource.NewMetadata().WithLabel("", "ticket", "42")
		d, err := api.Deployments.Create(ctx, roll)
		is.NoErr(err)
		is.Equal([]string{d.Status.Value, d.Status.Reason, d.Strategy}, []string{"ACTIVE", "DEPLOYING", "rolling"})
		is.Equal([]string{d.Droplet.GUID, d.PreviousDroplet.GUID}, []string{v2.GUID, droplets[0]})
		is.Equal([]string{d.NewProcesses[0].Type, *d.Metadata.Labels["ticket"]}, []string{"web", "42"})
		is.Equal(*d.Revision.Version, 2)
		d = ends(t, s, api, d.GUID, "FINALIZED/DEPLOYED")
		answers(t, s, installation.AppName, "v2")
		change := resource.NewMetadata().WithAnnotation("", "why", "it was time")
		change.RemoveLabel("", "ticket")
		d, err = api.Deployments.Update(ctx, d.GUID, &resource.DeploymentUpdate{Metadata: change})
		is.NoErr(err)
		is.Equal(len(d.Metadata.Labels), 0)
		is.Equal(*d.Metadata.Annotations["why"], "it was time")

		back := resource.NewDeploymentCreate(app)
		back.Revision = &resource.DeploymentRevision{GUID: revisions(t, api, app)}
		d, err = api.Deployments.Create(ctx, back)
		is.NoErr(err)
		ends(t, s, api, d.GUID, "FINALIZED/DEPLOYED")
		answers(t, s, installation.AppName, "v1")
	})
	is.Equal(load.Faults, nil)                      // no request failed
	is.Equal(load.Versions(), []string{"v1", "v2"}) // both versions answered

	canary := resource.NewDeploymentCreate(app)
	canary.Droplet, canary.Strategy = &resource.Relationship{GUID: v2.GUID}, "canary"
	d, err := api.Deployments.Create(ctx, canary)
	is.NoErr(err)
	ends(t, s, api, d.GUID, "ACTIVE/PAUSED")
	paused := client.NewDeploymentListOptions()
	paused.AppGUIDs.EqualTo(app)
	paused.StatusReasons.EqualTo("PAUSED")
	for _, find := range []func() (*resource.Deployment, error){
		func() (*resource.Deployment, error) { return api.Deployments.Single(ctx, paused) },
		func() (*resource.Deployment, error) { return api.Deployments.First(ctx, paused) },
	} {
		found, err := find()
		is.NoErr(err)
		is.Equal(found.GUID, d.GUID)
	}
	is.NoErr(api.Deployments.Cancel(ctx, d.GUID))
	ends(t, s, api, d.GUID, "FINALIZED/CANCELED")
	answers(t, s, installation.AppName, "v1")
	err = api.Deployments.Cancel(ctx, d.GUID)
	is.True(resource.IsUnprocessableEntityError(err))
	is.True(strings.Contains(err.Error(), "Cannot cancel a deployment with status: FINALIZED and reason: CANCELED"))
	s.NoOrphans(ctx, t, 3)
	s.Sound(ctx, t)
}

// revisions looks at the two revisions of an app in every way, and gives the first.
func revisions(t *testing.T, api *client.Client, app string) (first string) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	of := client.NewRevisionListOptions()
	of.Versions.EqualTo("1")
	revision, err := api.Revisions.SingleForApp(ctx, app, of)
	is.NoErr(err)
	is.Equal(revision.Description, "Initial revision.")
	same, err := api.Revisions.FirstForApp(ctx, app, of)
	is.NoErr(err)
	is.Equal(same, revision)
	same, err = api.Revisions.Get(ctx, revision.GUID)
	is.NoErr(err)
	is.Equal(same.GUID, revision.GUID)
	variables, err := api.Revisions.GetEnvironmentVariables(ctx, revision.GUID)
	is.NoErr(err)
	is.Equal(*variables["START_DELAY"], "50ms")
	all, pager, err := api.Revisions.ListForApp(ctx, app, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 2)
	again, err := api.Revisions.ListForAppAll(ctx, app, nil)
	is.NoErr(err)
	is.Equal(again, all)
	deployed, err := api.Revisions.SingleForAppDeployed(ctx, app, nil)
	is.NoErr(err)
	is.Equal(deployed.Version, 2)
	_, pager, err = api.Revisions.ListForAppDeployed(ctx, app, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 1)
	again, err = api.Revisions.ListForAppDeployedAll(ctx, app, nil)
	is.NoErr(err)
	is.Equal(again, []*resource.Revision{deployed})
	return revision.GUID
}

// TestGoCFPush pushes with go-cfclient's own operation: first as any app, then rolling.
func TestGoCFPush(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	ctx := t.Context()
	s := installation.Serve(t, t.TempDir())
	api := newGoCF(t, s)
	push := operation.NewAppPushOperation(api, "default", "default")
	push.WithStrategy(operation.StrategyRolling)
	manifest := operation.NewAppManifest("shop")
	instances := uint(2)
	manifest.Instances, manifest.Memory, manifest.HealthCheckType = &instances, "64M", operation.Http
	manifest.HealthCheckHTTPEndpoint, manifest.DefaultRoute = "/healthz", true
	manifest.Buildpacks, manifest.Stack = nil, ""
	_, err := push.Push(ctx, manifest, zipped(t, "v1"))
	is.NoErr(err)
	sees(t, s, "shop", seen{State: "STARTED", Webs: []int{2}, Revisions: 1})
	load := s.UnderLoad(ctx, t, "shop", func() {
		_, err = push.Push(ctx, manifest, zipped(t, "v2"))
		is.NoErr(err)
		answers(t, s, "shop", "v2")
	})
	is.Equal(load.Faults, nil) // no request failed
	sees(t, s, "shop", seen{State: "STARTED", Webs: []int{2}, Deployments: []string{"rolling FINALIZED/DEPLOYED"}, Revisions: 2})
}

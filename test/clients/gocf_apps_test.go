package clients

import (
	"archive/zip"
	"bytes"
	"fmt"
	"testing"

	"github.com/cloudfoundry/go-cfclient/v3/client"
	"github.com/cloudfoundry/go-cfclient/v3/resource"
	"github.com/matryer/is"

	"slipway/test/installation"
)

// TestGoCFApps makes an app of a package, and looks at all that comes of it.
func TestGoCFApps(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	ctx := t.Context()
	s := installation.Serve(t, t.TempDir())
	api := newGoCF(t, s)
	create := resource.NewAppCreate("hello", "default")
	create.EnvironmentVariables = map[string]string{"COLOUR": "red", "SIZE": "5"}
	create.Metadata = resource.NewMetadata().WithLabel("example.org", "tier", "gold")
	app, err := api.Applications.Create(ctx, create)
	is.NoErr(err)
	app, err = api.Applications.Update(ctx, app.GUID, &resource.AppUpdate{Name: "hello", Metadata: resource.NewMetadata().WithLabel("", "team", "shop")})
	is.NoErr(err)
	is.Equal(len(app.Metadata.Labels), 2) // the other stays

	findApps(t, api, app)
	variables(t, api, app)
	features(t, api, app)
	droplet := build(t, api, app)
	start(t, s, api, app, droplet)
	processes(t, s, api, app)
	manifests(t, api, app)
	auditEvents(t, api, app)

	job, err := api.Applications.Delete(ctx, app.GUID)
	done(ctx, t, api, job, err)
	shown, err := api.Jobs.Get(ctx, job)
	is.NoErr(err)
	is.Equal(string(shown.State), "COMPLETE")
	_, err = api.Applications.Get(ctx, app.GUID)
	is.True(resource.IsResourceNotFoundError(err))
	s.NoOrphans(ctx, t, 0)
}

func findApps(t *testing.T, api *client.Client, app *resource.App) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	other, err := api.Applications.Create(ctx, resource.NewAppCreate("other", "default"))
	is.NoErr(err)
	for name, set := range map[string]func(*client.AppListOptions){
		"guids": func(o *client.AppListOptions) { o.GUIDs.EqualTo(app.GUID) },
		"names": func(o *client.AppListOptions) { o.Names.EqualTo("hello", "nobody") },
		"label": func(o *client.AppListOptions) {
			o.LabelSel = client.LabelSelector{}
			o.LabelSel.EqualTo("example.org/tier", "gold")
		},
		"all of them": func(o *client.AppListOptions) {
			o.SpaceGUIDs.EqualTo("default")
			o.OrganizationGUIDs.EqualTo("default")
			o.LifecycleType = resource.LifecycleBuildpack
			o.Names.EqualTo("hello")
			o.CreatedAts.BeforeOrEqualTo(app.CreatedAt)
			o.OrderBy = "-name"
		},
	} {
		o := client.NewAppListOptions()
		set(o)
		found, err := api.Applications.Single(ctx, o)
		is.NoErr(err)
		is.Equal(found, app) // by name
		_ = name
	}
	none := client.NewAppListOptions()
	none.LifecycleType = resource.LifecycleDocker
	_, err = api.Applications.First(ctx, none)
	is.Equal(err, client.ErrNoResultsReturned)
	none = client.NewAppListOptions()
	none.Stacks.EqualTo("cflinuxfs4")
	_, err = api.Applications.First(ctx, none)
	is.Equal(err, client.ErrNoResultsReturned) // no app here is built for a stack
	found, err := api.Applications.Get(ctx, app.GUID)
	is.NoErr(err)
	is.Equal(found, app)
	all, pager, err := api.Applications.List(ctx, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 2)
	is.Equal(all, []*resource.App{app, other})
	same, err := api.Applications.ListAll(ctx, nil)
	is.NoErr(err)
	is.Equal(same, all)

	_, space, err := api.Applications.GetIncludeSpace(ctx, app.GUID)
	is.NoErr(err)
	is.Equal(space.Name, "default")
	_, space, organization, err := api.Applications.GetIncludeSpaceAndOrganization(ctx, app.GUID)
	is.NoErr(err)
	is.Equal([]string{space.Name, organization.Name}, []string{"default", "default"})
	_, spaces, _, err := api.Applications.ListIncludeSpaces(ctx, nil)
	is.NoErr(err)
	is.Equal(len(spaces), 1) // once, although both apps live there
	_, spaces, err = api.Applications.ListIncludeSpacesAll(ctx, nil)
	is.NoErr(err)
	is.Equal(len(spaces), 1)
	_, spaces, organizations, _, err := api.Applications.ListIncludeSpacesAndOrganizations(ctx, nil)
	is.NoErr(err)
	is.Equal([]int{len(spaces), len(organizations)}, []int{1, 1})
	_, spaces, organizations, err = api.Applications.ListIncludeSpacesAndOrganizationsAll(ctx, nil)
	is.NoErr(err)
	is.Equal([]int{len(spaces), len(organizations)}, []int{1, 1})
}

func variables(t *testing.T, api *client.Client, app *resource.App) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	blue := "blue"
	set, err := api.Applications.SetEnvironmentVariables(ctx, app.GUID, map[string]*string{"COLOUR": &blue, "SIZE": nil})
	is.NoErr(err)
	is.Equal(set, map[string]*string{"COLOUR": &blue})
	got, err := api.Applications.GetEnvironmentVariables(ctx, app.GUID)
	is.NoErr(err)
	is.Equal(got, set)
	env, err := api.Applications.GetEnvironment(ctx, app.GUID)
	is.NoErr(err)
	is.Equal(env.EnvVars, map[string]string{"COLOUR": "blue"})
	is.True(bytes.Contains(env.AppEnvVars["VCAP_APPLICATION"], []byte(`"application_uris":["hello.localhost"]`)))
}

func features(t *testing.T, api *client.Client, app *resource.App) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	ssh, err := api.Applications.SSHEnabled(ctx, app.GUID)
	is.NoErr(err)
	is.True(!ssh.Enabled && ssh.Reason != "")
	all, _, err := api.AppFeatures.List(ctx, app.GUID)
	is.NoErr(err)
	is.Equal(len(all), 2)
	feature, err := api.AppFeatures.Get(ctx, app.GUID, "ssh")
	is.NoErr(err)
	is.True(!feature.Enabled)
	feature, err = api.AppFeatures.GetSSH(ctx, app.GUID)
	is.NoErr(err)
	is.True(!feature.Enabled)
	feature, err = api.AppFeatures.GetRevisions(ctx, app.GUID)
	is.NoErr(err)
	is.True(feature.Enabled) // unless one wishes otherwise
	feature, err = api.AppFeatures.Update(ctx, app.GUID, "revisions", false)
	is.NoErr(err)
	is.True(!feature.Enabled)
	feature, err = api.AppFeatures.UpdateRevisions(ctx, app.GUID, true)
	is.NoErr(err)
	is.True(feature.Enabled)
	_, err = api.AppFeatures.UpdateSSH(ctx, app.GUID, true)
	is.True(resource.IsUnprocessableEntityError(err)) // nobody listens there
}

// build uploads a package and stages it.
func build(t *testing.T, api *client.Client, app *resource.App) (droplet string) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	known, err := api.ResourceMatches.Create(ctx, &resource.ResourceMatches{Resources: []resource.ResourceMatch{{SizeInBytes: 1, Path: "x", Mode: "644"}}})
	is.NoErr(err)
	is.Equal(len(known.Resources), 0) // nothing is kept of earlier uploads
	files, err := api.Packages.Create(ctx, &resource.PackageCreate{Type: "bits", Relationships: resource.AppRelationship{App: relatedTo(app.GUID)}})
	is.NoErr(err)
	files, err = api.Packages.Upload(ctx, files.GUID, zipped(t, "v1"))
	is.NoErr(err)
	is.NoErr(api.Packages.PollReady(ctx, files.GUID, soon()))
	files, err = api.Packages.Get(ctx, files.GUID)
	is.NoErr(err)
	ready := client.NewPackageListOptions()
	ready.States.EqualTo("READY")
	ready.Types.EqualTo("bits")
	ready.AppGUIDs.EqualTo(app.GUID)
	ofApp := client.NewPackageListOptions()
	ofApp.States.EqualTo("READY")
	for _, find := range []func() (*resource.Package, error){
		func() (*resource.Package, error) { return api.Packages.First(ctx, ready) },
		func() (*resource.Package, error) { return api.Packages.Single(ctx, ready) },
		func() (*resource.Package, error) { return api.Packages.FirstForApp(ctx, app.GUID, ofApp) },
		func() (*resource.Package, error) { return api.Packages.SingleForApp(ctx, app.GUID, ofApp) },
	} {
		found, err := find()
		is.NoErr(err)
		is.Equal(found.GUID, files.GUID)
	}
	_, pager, err := api.Packages.List(ctx, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 1)
	_, pager, err = api.Packages.ListForApp(ctx, app.GUID, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 1)
	all, err := api.Packages.ListAll(ctx, nil)
	is.NoErr(err)
	same, err := api.Packages.ListForAppAll(ctx, app.GUID, nil)
	is.NoErr(err)
	is.Equal(same, all)

	staged, err := api.Builds.Create(ctx, resource.NewBuildCreate(files.GUID))
	is.NoErr(err)
	is.NoErr(api.Builds.PollStaged(ctx, staged.GUID, soon()))
	staged, err = api.Builds.Get(ctx, staged.GUID)
	is.NoErr(err)
	is.Equal(staged.CreatedBy.Name, "admin")
	findBuilds(t, api, app, staged)
	findDroplets(t, api, app, files, staged.Droplet.GUID)
	return staged.Droplet.GUID
}

// zipped is the example app as the zip file that a package is uploaded as.
func zipped(t *testing.T, version string) *bytes.Buffer {
	t.Helper()
	is := is.New(t)
	var file bytes.Buffer
	w := zip.NewWriter(&file)
	for name, data := range map[string][]byte{"Procfile": []byte("web: ./hello\n"), "VERSION": []byte(version), "hello": installation.Hello()} {
		header := &zip.FileHeader{Name: name, Method: zip.Store}
		header.SetMode(0o755)
		part, err := w.CreateHeader(header)
		is.NoErr(err)
		_, err = part.Write(data)
		is.NoErr(err)
	}
	is.NoErr(w.Close())
	return &file
}

func findBuilds(t *testing.T, api *client.Client, app *resource.App, staged *resource.Build) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	o := client.NewBuildListOptions()
	o.States.EqualTo("STAGED")
	o.AppGUIDs.EqualTo(app.GUID)
	o.PackageGUIDs.EqualTo(staged.Package.GUID)
	ofApp := client.NewBuildAppListOptions()
	ofApp.States.EqualTo("STAGED")
	for _, find := range []func() (*resource.Build, error){
		func() (*resource.Build, error) { return api.Builds.First(ctx, o) },
		func() (*resource.Build, error) { return api.Builds.Single(ctx, o) },
		func() (*resource.Build, error) { return api.Builds.FirstForApp(ctx, app.GUID, ofApp) },
		func() (*resource.Build, error) { return api.Builds.SingleForApp(ctx, app.GUID, ofApp) },
	} {
		found, err := find()
		is.NoErr(err)
		is.Equal(found, staged)
	}
	_, pager, err := api.Builds.List(ctx, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 1)
	_, pager, err = api.Builds.ListForApp(ctx, app.GUID, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 1)
	all, err := api.Builds.ListAll(ctx, nil)
	is.NoErr(err)
	same, err := api.Builds.ListForAppAll(ctx, app.GUID, nil)
	is.NoErr(err)
	is.Equal(same, all)
}

func findDroplets(t *testing.T, api *client.Client, app *resource.App, of *resource.Package, droplet string) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	shown, err := api.Droplets.Get(ctx, droplet)
	is.NoErr(err)
	is.Equal(shown.ProcessTypes, map[string]string{"web": "./hello"})
	o := client.NewDropletListOptions()
	o.States.EqualTo("STAGED")
	o.AppGUIDs.EqualTo(app.GUID)
	o.GUIDs.EqualTo(droplet)
	ofApp, ofPackage := client.NewDropletAppListOptions(), client.NewDropletPackageListOptions()
	ofApp.States.EqualTo("STAGED")
	ofPackage.States.EqualTo("STAGED")
	for _, find := range []func() (*resource.Droplet, error){
		func() (*resource.Droplet, error) { return api.Droplets.First(ctx, o) },
		func() (*resource.Droplet, error) { return api.Droplets.Single(ctx, o) },
		func() (*resource.Droplet, error) { return api.Droplets.FirstForApp(ctx, app.GUID, ofApp) },
		func() (*resource.Droplet, error) { return api.Droplets.SingleForApp(ctx, app.GUID, ofApp) },
		func() (*resource.Droplet, error) { return api.Droplets.FirstForPackage(ctx, of.GUID, ofPackage) },
		func() (*resource.Droplet, error) { return api.Droplets.SingleForPackage(ctx, of.GUID, ofPackage) },
	} {
		found, err := find()
		is.NoErr(err)
		is.Equal(found.GUID, droplet)
	}
	_, pager, err := api.Droplets.List(ctx, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 1)
	_, pager, err = api.Droplets.ListForApp(ctx, app.GUID, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 1)
	_, pager, err = api.Droplets.ListForPackage(ctx, of.GUID, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 1)
	all, err := api.Droplets.ListAll(ctx, nil)
	is.NoErr(err)
	same, err := api.Droplets.ListForAppAll(ctx, app.GUID, nil)
	is.NoErr(err)
	is.Equal(same, all)
	same, err = api.Droplets.ListForPackageAll(ctx, of.GUID, nil)
	is.NoErr(err)
	is.Equal(same, all)
}

// start runs the droplet.
func start(t *testing.T, s *installation.Installation, api *client.Client, app *resource.App, droplet string) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	_, err := api.Droplets.GetCurrentForApp(ctx, app.GUID)
	is.True(resource.IsResourceNotFoundError(err))
	_, err = api.Applications.Start(ctx, app.GUID)
	is.True(resource.IsUnprocessableEntityError(err)) // with what?
	_, err = api.Droplets.SetCurrentAssociationForApp(ctx, app.GUID, droplet)
	is.NoErr(err)
	current, err := api.Droplets.GetCurrentAssociationForApp(ctx, app.GUID)
	is.NoErr(err)
	is.Equal(current.Data.GUID, droplet)
	of := client.NewDropletAppListOptions()
	of.Current = true
	found, err := api.Droplets.SingleForApp(ctx, app.GUID, of)
	is.NoErr(err)
	is.Equal(found.GUID, droplet)
	whole, err := api.Droplets.GetCurrentForApp(ctx, app.GUID)
	is.NoErr(err)
	is.Equal(whole.GUID, droplet)
	for _, act := range []func() (*resource.App, error){
		func() (*resource.App, error) { return api.Applications.Start(ctx, app.GUID) },
		func() (*resource.App, error) { return api.Applications.Restart(ctx, app.GUID) },
		func() (*resource.App, error) { return api.Applications.Stop(ctx, app.GUID) },
		func() (*resource.App, error) { return api.Applications.Start(ctx, app.GUID) },
	} {
		_, err := act()
		is.NoErr(err)
	}
	s.WaitRoutable(ctx, t, app.GUID, 1)
	answers(t, s, "hello", "v1")
}

func processes(t *testing.T, s *installation.Installation, api *client.Client, app *resource.App) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	o := client.NewProcessOptions()
	o.Types.EqualTo("web")
	o.AppGUIDs.EqualTo(app.GUID)
	o.SpaceGUIDs.EqualTo("default")
	ofApp := client.NewProcessOptions()
	ofApp.Types.EqualTo("web")
	web, err := api.Processes.Single(ctx, o)
	is.NoErr(err)
	for _, find := range []func() (*resource.Process, error){
		func() (*resource.Process, error) { return api.Processes.First(ctx, o) },
		func() (*resource.Process, error) { return api.Processes.Get(ctx, web.GUID) },
		func() (*resource.Process, error) { return api.Processes.FirstForApp(ctx, app.GUID, ofApp) },
		func() (*resource.Process, error) { return api.Processes.SingleForApp(ctx, app.GUID, ofApp) },
	} {
		found, err := find()
		is.NoErr(err)
		is.Equal(found.GUID, web.GUID)
	}
	_, pager, err := api.Processes.List(ctx, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 2) // that of the other app too
	all, err := api.Processes.ListAll(ctx, nil)
	is.NoErr(err)
	is.Equal(len(all), 2)
	_, pager, err = api.Processes.ListForApp(ctx, app.GUID, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 1)
	all, err = api.Processes.ListForAppAll(ctx, app.GUID, nil)
	is.NoErr(err)
	is.Equal(len(all), 1)

	scaled, err := api.Processes.Scale(ctx, web.GUID, resource.NewProcessScale().WithInstances(2).WithMemoryInMB(64).WithDiskInMB(128))
	is.NoErr(err)
	is.Equal([]int{scaled.Instances, scaled.MemoryInMB, scaled.DiskInMB}, []int{2, 64, 128})
	endpoint, timeout := "/healthz", 30
	updated, err := api.Processes.Update(ctx, web.GUID, &resource.ProcessUpdate{HealthCheck: &resource.ProcessHealthCheck{
		Type: "http", Data: resource.ProcessHealthCheckData{Endpoint: &endpoint, Timeout: &timeout},
	}})
	is.NoErr(err)
	is.Equal(*updated.HealthCheck.Data.Endpoint, "/healthz")
	s.WaitRoutable(ctx, t, app.GUID, 2)
	stats, err := api.Processes.GetStats(ctx, web.GUID)
	is.NoErr(err)
	is.Equal(fmt.Sprintf("%s %d", stats.Stats[1].State, stats.Stats[1].MemoryQuota>>20), "RUNNING 64")
	same, err := api.Processes.GetStatsForApp(ctx, app.GUID, "web")
	is.NoErr(err)
	is.Equal(len(same.Stats), len(stats.Stats))
}

func manifests(t *testing.T, api *client.Client, app *resource.App) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	text, err := api.Manifests.Generate(ctx, app.GUID)
	is.NoErr(err)
	diff, err := api.Manifests.ManifestDiff(ctx, "default", text)
	is.NoErr(err)
	is.Equal(diff.Diff, []resource.ManifestDiffItem{}) // it is as its manifest says
	job, err := api.Manifests.ApplyManifest(ctx, "default", text)
	done(ctx, t, api, job, err)
}

func auditEvents(t *testing.T, api *client.Client, app *resource.App) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	o := client.NewAuditEventListOptions()
	o.Types.EqualTo("audit.app.create")
	o.TargetGUIDs.EqualTo(app.GUID)
	o.SpaceGUIDs.EqualTo("default")
	o.OrganizationGUIDs.EqualTo("default")
	event, err := api.AuditEvents.Single(ctx, o)
	is.NoErr(err)
	is.Equal([]string{event.Actor.Type, event.Actor.Name, event.Target.Name}, []string{"user", "admin", "hello"})
	same, err := api.AuditEvents.First(ctx, o)
	is.NoErr(err)
	is.Equal(same, event)
	same, err = api.AuditEvents.Get(ctx, event.GUID)
	is.NoErr(err)
	is.Equal(same, event)
	others := client.NewAuditEventListOptions()
	others.TargetGUIDs.NotEqualTo(app.GUID)
	others.Types.EqualTo("audit.app.create")
	same, err = api.AuditEvents.Single(ctx, others)
	is.NoErr(err)
	is.Equal(same.Target.Name, "other")
	all, err := api.AuditEvents.ListAll(ctx, nil)
	is.NoErr(err)
	_, pager, err := api.AuditEvents.List(ctx, nil)
	is.NoErr(err)
	is.Equal(len(all), pager.TotalResults)
}

package clients

import (
	"testing"

	"github.com/cloudfoundry/go-cfclient/v3/client"
	"github.com/cloudfoundry/go-cfclient/v3/resource"
	"github.com/matryer/is"

	"slipway/test/installation"
)

// TestGoCFPlaces makes an organization with a space, a domain and routes in it, finds them in every way, and takes them away.
func TestGoCFPlaces(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	ctx := t.Context()
	s := installation.Serve(t, t.TempDir())
	api := newGoCF(t, s)

	root, err := api.Root.Get(ctx)
	is.NoErr(err)
	is.Equal(root.Links.CloudControllerV3.Href, s.API+"/v3")
	_, err = api.Root.GetV3(ctx)
	is.NoErr(err)

	acme, err := api.Organizations.Create(ctx, resource.NewOrganizationCreate("acme"))
	is.NoErr(err)
	acme, err = api.Organizations.Update(ctx, acme.GUID, &resource.OrganizationUpdate{
		Name: "acme", Metadata: resource.NewMetadata().WithLabel("", "tier", "gold").WithAnnotation("", "who", "us"),
	})
	is.NoErr(err)
	is.Equal(*acme.Metadata.Labels["tier"], "gold")
	byName := client.NewOrganizationListOptions()
	byName.Names.EqualTo("acme")
	for _, find := range []func() (*resource.Organization, error){
		func() (*resource.Organization, error) { return api.Organizations.Get(ctx, acme.GUID) },
		func() (*resource.Organization, error) { return api.Organizations.First(ctx, byName) },
		func() (*resource.Organization, error) { return api.Organizations.Single(ctx, byName) },
	} {
		found, err := find()
		is.NoErr(err)
		is.Equal(found, acme)
	}
	organizations, pager, err := api.Organizations.List(ctx, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 2) // default and acme
	all, err := api.Organizations.ListAll(ctx, nil)
	is.NoErr(err)
	is.Equal(all, organizations)

	space, err := api.Spaces.Create(ctx, resource.NewSpaceCreate("prod", acme.GUID))
	is.NoErr(err)
	space, err = api.Spaces.Update(ctx, space.GUID, &resource.SpaceUpdate{Name: "prod", Metadata: resource.NewMetadata().WithLabel("", "tier", "gold")})
	is.NoErr(err)
	ofAcme := client.NewSpaceListOptions()
	ofAcme.OrganizationGUIDs.EqualTo(acme.GUID)
	for _, find := range []func() (*resource.Space, error){
		func() (*resource.Space, error) { return api.Spaces.Get(ctx, space.GUID) },
		func() (*resource.Space, error) { return api.Spaces.First(ctx, ofAcme) },
		func() (*resource.Space, error) { return api.Spaces.Single(ctx, ofAcme) },
	} {
		found, err := find()
		is.NoErr(err)
		is.Equal(found, space)
	}
	found, parent, err := api.Spaces.GetIncludeOrganization(ctx, space.GUID)
	is.NoErr(err)
	is.Equal([]string{found.GUID, parent.GUID}, []string{space.GUID, acme.GUID})
	spaces, pager, err := api.Spaces.List(ctx, ofAcme)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 1)
	everywhere, err := api.Spaces.ListAll(ctx, nil)
	is.NoErr(err)
	is.Equal(everywhere[len(everywhere)-1], spaces[0]) // the newest
	_, parents, _, err := api.Spaces.ListIncludeOrganizations(ctx, nil)
	is.NoErr(err)
	is.Equal(len(parents), 2)
	_, parents, err = api.Spaces.ListIncludeOrganizationsAll(ctx, nil)
	is.NoErr(err)
	is.Equal(len(parents), 2)

	domains(t, api, acme)
	routes(t, api, space)

	job, err := api.Spaces.Delete(ctx, space.GUID)
	done(ctx, t, api, job, err)
	job, err = api.Organizations.Delete(ctx, acme.GUID)
	done(ctx, t, api, job, err)
	_, err = api.Organizations.Get(ctx, acme.GUID)
	is.True(resource.IsResourceNotFoundError(err)) // and all that was in it
}

// domains makes a domain of an organization's own.
func domains(t *testing.T, api *client.Client, acme *resource.Organization) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	create := resource.NewDomainCreate("acme.example.org")
	of := relatedTo(acme.GUID)
	create.Relationships = &resource.DomainRelationships{Organization: &of}
	domain, err := api.Domains.Create(ctx, create)
	is.NoErr(err)
	named := client.NewDomainListOptions()
	named.Names.EqualTo("acme.example.org")
	for _, find := range []func() (*resource.Domain, error){
		func() (*resource.Domain, error) { return api.Domains.Get(ctx, domain.GUID) },
		func() (*resource.Domain, error) { return api.Domains.First(ctx, named) },
		func() (*resource.Domain, error) { return api.Domains.Single(ctx, named) },
		func() (*resource.Domain, error) { return api.Domains.FirstForOrganization(ctx, acme.GUID, named) },
		func() (*resource.Domain, error) { return api.Domains.SingleForOrganization(ctx, acme.GUID, named) },
	} {
		found, err := find()
		is.NoErr(err)
		is.Equal(found, domain)
	}
	all, err := api.Domains.ListAll(ctx, nil)
	is.NoErr(err)
	ofAcme, err := api.Domains.ListForOrganizationAll(ctx, acme.GUID, nil)
	is.NoErr(err)
	is.Equal(ofAcme, all)                                                 // its own and everybody's
	_, pager, err := api.Domains.List(ctx, client.NewDomainListOptions()) // it has no default for none
	is.NoErr(err)
	is.Equal(pager.TotalResults, 2)
	_, pager, err = api.Domains.ListForOrganization(ctx, "default", nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 1) // that of another organization is not for it
	shared, err := api.Organizations.GetDefaultDomain(ctx, acme.GUID)
	is.NoErr(err)
	is.Equal(shared.Name, "localhost")
}

// routes makes an app of a space reachable under another name.
func routes(t *testing.T, api *client.Client, space *resource.Space) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	app, err := api.Applications.Create(ctx, resource.NewAppCreate("shop", space.GUID))
	is.NoErr(err)
	domain, err := api.Domains.First(ctx, client.NewDomainListOptions())
	is.NoErr(err)
	create := resource.NewRouteCreate(domain.GUID, space.GUID)
	host := "store"
	create.Host = &host
	route, err := api.Routes.Create(ctx, create)
	is.NoErr(err)
	to, err := api.Routes.InsertDestinations(ctx, route.GUID, []*resource.RouteDestinationInsertOrReplace{
		resource.NewRouteDestinationInsertOrReplace(app.GUID).WithProcessType("web"),
	})
	is.NoErr(err)
	is.Equal(len(to.Destinations), 1)
	to, err = api.Routes.ReplaceDestinations(ctx, route.GUID, []*resource.RouteDestinationInsertOrReplace{
		resource.NewRouteDestinationInsertOrReplace(app.GUID),
	})
	is.NoErr(err)
	shown, err := api.Routes.GetDestinations(ctx, route.GUID)
	is.NoErr(err)
	is.Equal(shown.Destinations, to.Destinations)
	route, err = api.Routes.Update(ctx, route.GUID, &resource.RouteUpdate{Metadata: resource.NewMetadata().WithLabel("", "tier", "gold")})
	is.NoErr(err)
	is.Equal(route.URL, "store.localhost")

	byHost := client.NewRouteListOptions()
	byHost.Hosts.EqualTo("store")
	for _, find := range []func() (*resource.Route, error){
		func() (*resource.Route, error) { return api.Routes.Get(ctx, route.GUID) },
		func() (*resource.Route, error) { return api.Routes.First(ctx, byHost) },
		func() (*resource.Route, error) { return api.Routes.Single(ctx, byHost) },
		func() (*resource.Route, error) { return api.Routes.FirstForApp(ctx, app.GUID, byHost) },
		func() (*resource.Route, error) { return api.Routes.SingleForApp(ctx, app.GUID, byHost) },
	} {
		found, err := find()
		is.NoErr(err)
		is.Equal(found, route)
	}
	all, pager, err := api.Routes.List(ctx, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 2) // the app has had one from its birth
	same, err := api.Routes.ListAll(ctx, nil)
	is.NoErr(err)
	is.Equal(same, all)
	_, pager, err = api.Routes.ListForApp(ctx, app.GUID, nil)
	is.NoErr(err)
	is.Equal(pager.TotalResults, 2)
	same, err = api.Routes.ListForAppAll(ctx, app.GUID, nil)
	is.NoErr(err)
	is.Equal(same, all)
	routesWithParents(t, api, route, space)

	is.NoErr(api.Routes.RemoveDestination(ctx, route.GUID, *to.Destinations[0].GUID))
	job, err := api.Routes.Delete(ctx, route.GUID)
	done(ctx, t, api, job, err)
	job, err = api.Applications.Delete(ctx, app.GUID)
	done(ctx, t, api, job, err)
}

// routesWithParents finds what a route belongs to beside it.
func routesWithParents(t *testing.T, api *client.Client, route *resource.Route, space *resource.Space) {
	t.Helper()
	is := is.New(t)
	ctx := t.Context()
	organization := space.Relationships.Organization.Data.GUID
	_, inDomain, err := api.Routes.GetIncludeDomain(ctx, route.GUID)
	is.NoErr(err)
	is.Equal(inDomain.Name, "localhost")
	_, inSpace, err := api.Routes.GetIncludeSpace(ctx, route.GUID)
	is.NoErr(err)
	is.Equal(inSpace.GUID, space.GUID)
	_, inSpace, of, err := api.Routes.GetIncludeSpaceAndOrganization(ctx, route.GUID)
	is.NoErr(err)
	is.Equal([]string{inSpace.GUID, of.GUID}, []string{space.GUID, organization})
	_, inDomains, _, err := api.Routes.ListIncludeDomains(ctx, nil)
	is.NoErr(err)
	is.Equal(len(inDomains), 1) // once, although both routes are of it
	_, inDomains, err = api.Routes.ListIncludeDomainsAll(ctx, nil)
	is.NoErr(err)
	is.Equal(len(inDomains), 1)
	_, inSpaces, _, err := api.Routes.ListIncludeSpaces(ctx, nil)
	is.NoErr(err)
	is.Equal(len(inSpaces), 1)
	_, inSpaces, err = api.Routes.ListIncludeSpacesAll(ctx, nil)
	is.NoErr(err)
	is.Equal(len(inSpaces), 1)
	_, inSpaces, ofs, _, err := api.Routes.ListIncludeSpacesAndOrganizations(ctx, nil)
	is.NoErr(err)
	is.Equal([]int{len(inSpaces), len(ofs)}, []int{1, 1})
	_, inSpaces, ofs, err = api.Routes.ListIncludeSpacesAndOrganizationsAll(ctx, nil)
	is.NoErr(err)
	is.Equal([]int{len(inSpaces), len(ofs)}, []int{1, 1})
}

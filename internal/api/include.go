package api

import (
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/resource"
	"slipway/projections"
)

// What can stand beside the resources that were asked for.
const (
	includeOrganization      = "organization"
	includeSpace             = "space"
	includeSpaceOrganization = "space.organization" // and the space
	includeDomain            = "domain"
)

// include reads what shall stand beside the others; nothing where nothing is asked for.
func (q *query) include(valid ...string) []string {
	text, ok := q.given["include"]
	if !ok {
		return nil
	}
	asked := strings.Split(text, ",")
	for _, one := range asked {
		if !slices.Contains(valid, one) {
			q.fault("Invalid included resource: '" + strings.ToValidUTF8(one, "?") + "'. Valid included resources are: '" +
				strings.Join(valid, "', '") + "'")
		}
	}
	return asked
}

// parents are what the resources of an answer belong to.
type parents struct {
	organizations []events.OrganizationID
	spaces        []events.SpaceID
	domains       []events.DomainID
}

// included reads of the parents what was asked for and the caller may see, each once; nil where nothing was asked for.
func (a *API) included(c echo.Context, asked []string, of parents) (*resource.Included, error) {
	if len(asked) == 0 {
		return nil, nil
	}
	seen, err := a.sees(c, auth.Read)
	if err != nil {
		return nil, err
	}
	ctx, base, in := c.Request().Context(), a.base(c), &resource.Included{}
	if slices.Contains(asked, includeSpace) || slices.Contains(asked, includeSpaceOrganization) {
		spaces, err := seen.Spaces(ctx, projections.SpaceFilter{GUIDs: once(of.spaces)}, projections.Order{}, projections.Page{})
		if err != nil {
			return nil, err
		}
		in.Spaces = resource.Each(spaces.Rows, base.Space)
		if slices.Contains(asked, includeSpaceOrganization) {
			of.organizations = resource.Each(spaces.Rows, func(s projections.Space) events.OrganizationID { return s.Organization })
		}
	}
	if slices.Contains(asked, includeOrganization) || slices.Contains(asked, includeSpaceOrganization) {
		f := projections.OrganizationFilter{GUIDs: once(of.organizations)}
		organizations, err := seen.Organizations(ctx, f, projections.Order{}, projections.Page{})
		if err != nil {
			return nil, err
		}
		in.Organizations = resource.Each(organizations.Rows, base.Organization)
	}
	if slices.Contains(asked, includeDomain) {
		domains, err := seen.Domains(ctx, projections.DomainFilter{GUIDs: once(of.domains)}, projections.Order{}, projections.Page{})
		if err != nil {
			return nil, err
		}
		in.Domains = resource.Each(domains.Rows, base.Domain)
	}
	return in, nil
}

// once leaves out what comes again. No ids select nothing: in a filter, none would be all.
func once[ID ~string](ids []ID) []ID {
	if len(ids) == 0 {
		return []ID{""}
	}
	all := slices.Sorted(slices.Values(ids))
	return slices.Compact(all)
}

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

// besides is include for a request for one resource, which takes nothing else.
func besides(c echo.Context, valid ...string) ([]string, error) {
	q := parseQuery(c.Request().URL.RawQuery, "include")
	asked := q.include(valid...)
	return asked, q.err()
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
	in := &resource.Included{}
	deeper := slices.Contains(asked, includeSpaceOrganization)
	if deeper || slices.Contains(asked, includeSpace) {
		f := projections.SpaceFilter{GUIDs: once(of.spaces)}
		spaces, err := all(a, c, auth.Read, projections.Sight.Spaces, f)
		if err != nil {
			return nil, err
		}
		in.Spaces = resource.Each(spaces, a.base(c).Space)
		if deeper {
			of.organizations = resource.Each(spaces, func(s projections.Space) events.OrganizationID { return s.Organization })
		}
	}
	if deeper || slices.Contains(asked, includeOrganization) {
		f := projections.OrganizationFilter{GUIDs: once(of.organizations)}
		organizations, err := all(a, c, auth.ReadOrganization, projections.Sight.Organizations, f)
		if err != nil {
			return nil, err
		}
		in.Organizations = resource.Each(organizations, a.base(c).Organization)
	}
	if slices.Contains(asked, includeDomain) {
		f := projections.DomainFilter{GUIDs: once(of.domains)}
		domains, err := all(a, c, auth.ReadRoutes, projections.Sight.Domains, f)
		if err != nil {
			return nil, err
		}
		in.Domains = resource.Each(domains, a.base(c).Domain)
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

package resource

import (
	"net/url"
	"strconv"

	"slipway/projections"
)

// List is one page of resources.
type List struct {
	Pagination Pagination `json:"pagination"`         // which part of the list this is
	Resources  any        `json:"resources"`          // a slice, never nil
	Included   *Included  `json:"included,omitempty"` // what was asked for of the parents of the rows
}

// Pagination says where the page stands and where the others are.
type Pagination struct {
	TotalResults int   `json:"total_results"` // on all pages
	TotalPages   int   `json:"total_pages"`   // never below 1
	First        Link  `json:"first"`         // the first page
	Last         Link  `json:"last"`          // the last page
	Next         *Link `json:"next"`          // null on the last page
	Previous     *Link `json:"previous"`      // null on the first page
}

// List makes a page. path begins with a slash; query is what selects and sorts the list, without page and per_page, which
// the links add. Keys stand sorted and values escaped in them (Cloud Foundry's form).
func (b Base) List(path string, query url.Values, page projections.Page, total int, resources any) List {
	pages := max(1, (total+page.PerPage-1)/page.PerPage)
	to := func(number int) Link {
		q := url.Values{"page": {strconv.Itoa(number)}, "per_page": {strconv.Itoa(page.PerPage)}}
		for key, values := range query {
			q[key] = values
		}
		return Link{Href: string(b) + path + "?" + q.Encode()}
	}
	p := Pagination{TotalResults: total, TotalPages: pages, First: to(1), Last: to(pages)}
	if page.Number < pages {
		next := to(page.Number + 1)
		p.Next = &next
	}
	if page.Number > 1 {
		previous := to(min(page.Number-1, pages))
		p.Previous = &previous
	}
	return List{Pagination: p, Resources: resources}
}

// Each presents rows; no rows give an empty slice.
func Each[Row, Resource any](rows []Row, present func(Row) Resource) []Resource {
	all := make([]Resource, 0, len(rows))
	for _, row := range rows {
		all = append(all, present(row))
	}
	return all
}

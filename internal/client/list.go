package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
)

// perPage is how many resources are asked for at once: as many as the API gives.
const perPage = "5000"

// All reads all pages of a list. The query selects and sorts it.
func All[T any](ctx context.Context, c *Client, path string, query url.Values) ([]T, error) {
	asked := url.Values{"per_page": {perPage}}
	for key, values := range query {
		asked[key] = values
	}
	var all []T
	for page := 1; ; page++ {
		asked.Set("page", strconv.Itoa(page))
		var l struct {
			Pagination struct {
				Pages int `json:"total_pages"`
			} `json:"pagination"`
			Resources []T `json:"resources"`
		}
		if err := c.Call(ctx, http.MethodGet, path+"?"+asked.Encode(), nil, &l); err != nil {
			return nil, err
		}
		all = append(all, l.Resources...)
		if page >= l.Pagination.Pages {
			return all, nil
		}
	}
}

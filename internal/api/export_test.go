package api

import (
	"context"
	"net/http"
	"sync"

	"github.com/labstack/echo/v4"
)

// What the fuzz tests look at.
var (
	Decode     = decode
	ParseQuery = parseQuery
	ParsePlace = parsePlace
	PlaceID    = placeID
	MomentOf   = momentOf
	Loopback   = loopback
)

// CreateDeploymentBody is the body with the most in it.
type CreateDeploymentBody = createDeployment

// UpdateProcessBody is the body that tells null from absent.
type UpdateProcessBody = updateProcess

// DocumentFault is what keeps the OpenAPI document from being written.
func DocumentFault() error {
	_, err := describe()
	return err
}

// Examples are the guids that the document's examples name, by what they are.
var Examples = map[string]string{"app": exampleApp, "droplet": exampleDroplet, "space": exampleSpace}

// ReadAll reads all that a query can hold.
func (q *query) ReadAll() error {
	q.page.Number, q.page.PerPage = q.number("page", 1), q.perPage()
	q.orderBy()
	q.times("created_ats")
	q.labels()
	q.numbers("versions")
	list[string](q, "guids")
	q.links()
	return q.err()
}

// Routes are all that is answered, as "<method> <path>".
func (a *API) Routes() []string {
	var all []string
	for _, r := range a.echo.Routes() {
		all = append(all, r.Method+" "+r.Path)
	}
	return all
}

// Careless adds an endpoint that answers without asking anybody.
func (a *API) Careless(path string) {
	a.get(path, func(c echo.Context) error { return answer(c, http.StatusOK, "secret") })
}

// StreamMeanwhile adds a stream of deployments at which something happens right after it looked first whether it is over.
func (a *API) StreamMeanwhile(path string, happens func()) {
	var once sync.Once
	a.get(path, a.streamEvents(func(a *API, guid string) told {
		t := deploymentTold(a, guid)
		look := t.over
		t.over = func(ctx context.Context) (bool, error) {
			over, err := look(ctx)
			once.Do(happens)
			return over, err
		}
		return t
	}))
}

package api

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

// ReadAll reads all that a query can hold.
func (q *query) ReadAll() error {
	q.page.Number, q.page.PerPage = q.number("page", 1), q.perPage()
	q.order("created_at", "updated_at")
	q.times("created_ats")
	q.labels()
	q.numbers("versions")
	list[string](q, "guids")
	q.links()
	return q.err()
}

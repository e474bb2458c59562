package api

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/labstack/echo/v4"

	"slipway/internal/cferror"
	"slipway/internal/resource"
	"slipway/projections"
)

// Bounds of a query: what a database takes in one statement, with room to spare.
const (
	defaultPerPage = 50   // Cloud Foundry's
	maxPerPage     = 5000 // Cloud Foundry's
	maxValues      = 1000 // of one key
	maxTimes       = 30   // of one key: each becomes a condition of its own
)

// Keys that lists have in common.
var pageKeys = []string{"page", "per_page"}

// query is the query of a list, read with Cloud Foundry's rules and texts (reference 2.3). Faults are collected and told
// together. Of a key that is given twice the last counts.
type query struct {
	given  map[string]string
	faults []string
	page   projections.Page
	order  projections.Order
}

// listQuery reads the query of a request that takes these keys beside the paging ones. Keys of times take operators.
func listQuery(c echo.Context, keys ...string) *query {
	q := parseQuery(c.Request().URL.RawQuery, paged(keys...)...)
	q.page = projections.Page{Number: q.number("page", 1), PerPage: q.perPage()}
	return q
}

func parseQuery(raw string, keys ...string) *query {
	q := &query{given: map[string]string{}}
	values, err := url.ParseQuery(raw)
	if err != nil {
		q.fault("it is not URL-encoded")
		return q
	}
	var unknown []string
	for key, given := range values {
		base, _, operator := strings.Cut(key, "[")
		if !slices.Contains(keys, key) && (!slices.Contains(keys, base) || operator && !timeKey(base)) {
			unknown = append(unknown, "'"+strings.ToValidUTF8(key, "?")+"'")
		}
		q.given[key] = given[len(given)-1]
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		valid := "There are none here."
		if len(keys) > 0 {
			valid = "Valid parameters are: '" + strings.Join(keys, "', '") + "'"
		}
		q.fault("Unknown query parameter(s): " + strings.Join(unknown, ", ") + ". " + valid)
	}
	return q
}

// noQuery refuses what is asked of one of our own things that takes no parameters. Whoever asks for a group ?at= some time must not be
// shown it as it is now. Cloud Foundry overlooks parameters there, and so do we of its things.
func noQuery(c echo.Context) error { return parseQuery(c.Request().URL.RawQuery).err() }

func badQuery(fault string) error {
	return cferror.BadQueryParameter.With("The query parameter is invalid: %s", fault)
}

func (q *query) fault(text string) { q.faults = append(q.faults, text) }

// err is all that is wrong with the query; ask after everything was read.
func (q *query) err() error {
	if len(q.faults) == 0 {
		return nil
	}
	return badQuery(strings.Join(q.faults, ", "))
}

// links is the query as the links of a page repeat it.
func (q *query) links() url.Values {
	values := url.Values{}
	for key, value := range q.given {
		if !slices.Contains(pageKeys, key) {
			values.Set(key, value)
		}
	}
	if by := values.Get("order_by"); by != "" && !strings.ContainsAny(by[:1], "+-") {
		values.Set("order_by", "+"+strings.TrimSpace(by))
	}
	return values
}

// number reads a whole number from 1.
func (q *query) number(key string, absent int) int {
	text, ok := q.given[key]
	if !ok {
		return absent
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		q.fault(label(key) + " must be a positive integer")
		return absent
	}
	return n
}

func (q *query) perPage() int {
	text, ok := q.given["per_page"]
	if n, err := strconv.Atoi(text); ok && err == nil && (n < 1 || n > maxPerPage) {
		q.fault("Per page must be between 1 and " + strconv.Itoa(maxPerPage))
		return defaultPerPage
	}
	return q.number("per_page", defaultPerPage)
}

// orderBy reads order_by: when something was created or updated, or one of these, with a sign.
func (q *query) orderBy(also ...projections.OrderBy) {
	text, ok := q.given["order_by"]
	if !ok {
		return
	}
	columns := append([]projections.OrderBy{projections.ByCreated, projections.ByUpdated}, also...)
	// An unescaped plus sign arrives as a blank.
	by := projections.OrderBy(strings.TrimLeft(text, "+- "))
	sign := text[:len(text)-len(by)]
	if len(sign) > 1 || !slices.Contains(columns, by) {
		q.fault("Order by " + canOnlyBe(columns))
		return
	}
	q.order = projections.Order{By: by, Descending: sign == "-"}
}

// list reads the comma-separated values of a key; each may be escaped once more. A key without a value has one empty
// value, which is not the same as no key: it selects nothing.
func list[T ~string](q *query, key string) []T {
	text, ok := q.given[key]
	if !ok {
		return nil
	}
	parts := strings.Split(text, ",")
	if len(parts) > maxValues {
		q.fault(label(key) + " has too many values (maximum is " + strconv.Itoa(maxValues) + ")")
		return nil
	}
	values := make([]T, len(parts))
	for i, part := range parts {
		if unescaped, err := url.PathUnescape(part); err == nil {
			part = unescaped
		}
		values[i] = T(part)
	}
	return values
}

// oneOf is list for a key of our own that takes these values and no others: one that is misspelt would wait for nothing. Cloud Foundry's
// own keys take any, which then selects nothing (reference 2.3).
func oneOf[T ~string](q *query, key string, known []T) []T {
	given := list[T](q, key)
	if slices.ContainsFunc(given, func(v T) bool { return !slices.Contains(known, v) }) {
		q.fault(label(key) + " " + canOnlyBe(known))
	}
	return given
}

func canOnlyBe[T ~string](known []T) string {
	var names []string
	for _, v := range known {
		names = append(names, "'"+string(v)+"'")
	}
	return "can only be: " + strings.Join(names, ", ")
}

// numbers is list for whole numbers; what is none matches nothing.
func (q *query) numbers(key string) []int {
	var numbers []int
	for _, text := range list[string](q, key) {
		n, err := strconv.Atoi(text)
		if err != nil {
			n = -1
		}
		numbers = append(numbers, n)
	}
	return numbers
}

// timeKey says whether a key selects by time: its last word is "ats".
func timeKey(key string) bool { return strings.HasSuffix(key, "_ats") }

// times reads a key that selects by time, alone or with operators: created_ats=T1,T2 and created_ats[gt]=T.
func (q *query) times(key string) projections.TimeFilter {
	var f projections.TimeFilter
	for _, full := range slices.Sorted(maps.Keys(q.given)) {
		base, operator, found := strings.Cut(full, "[")
		if base != key {
			continue
		}
		text := q.given[full]
		if !found {
			f.Equal = q.instants(key, text)
			continue
		}
		q.relation(key, strings.TrimSuffix(operator, "]"), text, &f)
	}
	return f
}

// relation reads one key with an operator.
func (q *query) relation(key, operator, text string, f *projections.TimeFilter) {
	field := map[string]**time.Time{"gt": &f.After, "gte": &f.From, "lt": &f.Before, "lte": &f.Through}[operator]
	switch {
	case field == nil:
		q.fault(label(key) + " Invalid relational operator: '" + strings.ToValidUTF8(operator, "?") + "'")
	case text == "":
		q.fault(label(key) + " relational operator and timestamp must be specified")
	case strings.Contains(text, ","):
		q.fault(label(key) + " only accepts one value when using a relational operator")
	default:
		if instants := q.instants(key, text); len(instants) == 1 {
			*field = &instants[0]
		}
	}
}

func (q *query) instants(key, text string) []time.Time {
	parts := strings.Split(text, ",")
	if len(parts) > maxTimes {
		q.fault(label(key) + " has too many values (maximum is " + strconv.Itoa(maxTimes) + ")")
		return nil
	}
	instants := make([]time.Time, len(parts))
	for i, part := range parts {
		t, err := time.Parse(resource.TimeLayout, part)
		if err != nil || len(part) != len(resource.TimeLayout) { // Parse takes fractions that the layout does not name
			q.fault(label(key) + " has an invalid timestamp format. Timestamps should be formatted as 'YYYY-MM-DDThh:mm:ssZ'")
			return nil
		}
		instants[i] = t
	}
	return instants
}

// label is a key as Cloud Foundry's texts begin with it: "created_ats" is "Created ats".
func label(key string) string {
	words := strings.ReplaceAll(key, "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

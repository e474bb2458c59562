package api_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/gorillamux"
	"github.com/matryer/is"

	"slipway/internal/api"
	"slipway/internal/openapi"
)

// documented is the document as the API serves it. Answers are taken at their word: what the document does not name must not
// be in them.
func documented(t testing.TB, w *world) *openapi3.T {
	t.Helper()
	if err := api.DocumentFault(); err != nil {
		t.Fatal(err)
	}
	var served map[string]any
	if err := json.Unmarshal(w.call("GET", "/openapi.json", "").Body.Bytes(), &served); err != nil {
		t.Fatal(err)
	}
	schemas, _ := at(served, "components", "schemas").(map[string]any)
	for name, schema := range schemas {
		if !strings.HasSuffix(name, "Body") { // those of requests say it themselves
			closeObjects(schema)
		}
	}
	data, err := json.Marshal(served)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(data)
	if err != nil || doc.Paths.Len() == 0 {
		t.Fatal(err)
	}
	return doc
}

// closeObjects lets objects have no more than their properties.
func closeObjects(v any) {
	schema, _ := v.(map[string]any)
	if _, object := schema["properties"].(map[string]any); object && schema["type"] == "object" {
		schema["additionalProperties"] = false
	}
	for _, part := range schema {
		closeObjects(part)
	}
}

func TestOpenAPIIsValid(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	doc, err := openapi3.NewLoader().LoadFromData(w.call("GET", "/openapi.json", "").Body.Bytes())
	is.NoErr(err)
	is.NoErr(doc.Validate(t.Context())) // by the specification
	is.Equal(doc.OpenAPI, "3.1.0")
}

// TestOpenAPIIsServed: to strangers, and to who has it already only that it is the same.
func TestOpenAPIIsServed(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	got := w.call("GET", "/openapi.json", "", "Authorization", "bearer nobody's")
	is.Equal(got.Code, 200)
	is.True(got.Header().Get("ETag") != "")
	again := w.call("GET", "/openapi.json", "", "If-None-Match", got.Header().Get("ETag"))
	is.Equal(again.Code, 304)
	is.Equal(again.Body.Len(), 0)
	is.Equal(text(w.must(200, "GET", "/", ""), "links", "openapi", "href"), server+"/openapi.json")
}

// foreign are the routes that another documentation describes.
func foreign(t testing.TB) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/foreign_routes.txt")
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(string(data), "\n"), func(line string) bool { return line == "" || line[0] == '#' })
}

// TestOpenAPIHasEveryRoute: each route is in the document or is somebody else's, and the document has no others.
func TestOpenAPIHasEveryRoute(t *testing.T) {
	w := newWorld(t)
	doc, theirs := documented(t, w), foreign(t)
	served := map[string]bool{}
	for _, route := range w.api.Routes() {
		method, path, _ := strings.Cut(route, " ")
		if method == "HEAD" || method == "echo_route_not_found" {
			continue
		}
		served[method+" "+openapi.PathOf(path)] = true
		item := doc.Paths.Value(openapi.PathOf(path))
		described := item != nil && item.GetOperation(method) != nil
		switch {
		case !described && !slices.Contains(theirs, route):
			t.Errorf("%s is a route that nobody describes. If it is Slipway's own, describe it in a function such as deploymentOperations "+
				"in internal/api/openapi_*.go, which document() in openapi.go lists, with the types that its handler reads and answers "+
				"with. If it is Cloud Foundry's or AWS's, add %q to internal/api/testdata/foreign_routes.txt.", route, route)
		case described && slices.Contains(theirs, route):
			t.Errorf("%s is described: take it out of internal/api/testdata/foreign_routes.txt", route)
		}
	}
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			if !served[method+" "+path] {
				t.Errorf("%s %s is in the document (internal/api/openapi_*.go) and no route", method, path)
			}
		}
	}
}

var constant = regexp.MustCompile(`\bReason[A-Z]\w* += "([A-Z_]+)"`)

// TestOpenAPIHasEveryReason: a reason that a deployment can have and the document does not know would break clients.
func TestOpenAPIHasEveryReason(t *testing.T) {
	is := is.New(t)
	source, err := os.ReadFile("../../projections/deployments.go")
	is.NoErr(err)
	var reasons []any
	for _, m := range constant.FindAllStringSubmatch(string(source), -1) {
		reasons = append(reasons, m[1])
	}
	is.True(len(reasons) > 10) // it is still where they stand
	known := documented(t, newWorld(t)).Components.Schemas["Status"].Value.Properties["reason"].Value.Enum
	for _, r := range reasons {
		if !slices.Contains(known, r) {
			t.Errorf("the reason %v of a deployment's status is not in enums, internal/api/openapi_parameters.go", r)
		}
	}
	is.Equal(len(known), len(reasons)) // and no others
}

// TestOpenAPIExplainsEveryField: a field that nobody explains has no comment where it stands.
func TestOpenAPIExplainsEveryField(t *testing.T) {
	for name, schema := range documented(t, newWorld(t)).Components.Schemas {
		unexplained(t, name, schema)
	}
}

func unexplained(t *testing.T, name string, of *openapi3.SchemaRef) {
	t.Helper()
	if of == nil || of.Value == nil {
		return
	}
	for field, property := range of.Value.Properties {
		if property.Value.Description == "" && property.Extensions["description"] == nil {
			t.Errorf("%s of %s: write a comment at the field, or in usual, internal/api/openapi_fields.go, then: make generate", field, name)
		}
	}
}

var valid = regexp.MustCompile(`Valid parameters are: (.*)$`)

// TestOpenAPIHasEveryParameter: a handler that is asked with a parameter that is none says which it knows.
func TestOpenAPIHasEveryParameter(t *testing.T) {
	w, e := settled(t)
	for path, item := range documented(t, w).Paths.Map() {
		if item.Get == nil {
			continue
		}
		route := strings.ReplaceAll(strings.ReplaceAll(path, "{", ":"), "}", "")
		got := w.call("GET", e.fill(template(route))+"?nonsense=1", "")
		var known []string
		if got.Code == http.StatusBadRequest {
			if item.Get.Responses.Status(http.StatusBadRequest) == nil {
				t.Errorf("GET %s refuses parameters, and is documented without: give its line noParameters as Query", path)
			}
			if m := valid.FindStringSubmatch(text(object(t, got.Body.Bytes()), "errors", 0, "detail")); m != nil { // else it takes none
				known = strings.Split(strings.ReplaceAll(m[1], "'", ""), ", ")
			}
		}
		var named []string
		for _, p := range item.Get.Parameters {
			if p.Value.In == "query" {
				named = append(named, p.Value.Name)
			}
		}
		slices.Sort(known)
		slices.Sort(named)
		if !slices.Equal(known, named) {
			t.Errorf("GET %s takes %v and is documented with %v: give its line in internal/api/openapi_*.go the first as Query", path, known, named)
		}
	}
}

func init() { openapi3filter.RegisterBodyDecoder("text/event-stream", openapi3filter.PlainBodyDecoder) }

// witness checks requests and answers against the document.
type witness struct {
	t      testing.TB
	next   http.Handler
	router routers.Router
	seen   map[string]bool            // the operations that were asked for and not refused
	sent   map[string]map[string]bool // with which bodies, by operation
	missed map[string]map[string]bool // the refusals that were met, by operation: "422 CF-UnprocessableEntity"
}

func (w *world) witnessed() *witness {
	w.t.Helper()
	router, err := gorillamux.NewRouter(documented(w.t, w))
	if err != nil {
		w.t.Fatal(err)
	}
	return &witness{w.t, w.api, router, map[string]bool{}, map[string]map[string]bool{}, map[string]map[string]bool{}}
}

func (x *witness) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	x.t.Helper()
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	got := httptest.NewRecorder()
	x.next.ServeHTTP(got, r)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if route, path, err := x.router.FindRoute(r); err == nil {
		x.compare(route, path, r, got)
	}
	for name, values := range got.Header() {
		rw.Header()[name] = values
	}
	rw.WriteHeader(got.Code)
	_, _ = rw.Write(got.Body.Bytes())
}

// compare reports what the document says otherwise. A request that was refused need not be as documented; its refusal must be.
func (x *witness) compare(route *routers.Route, path map[string]string, r *http.Request, got *httptest.ResponseRecorder) {
	x.t.Helper()
	of := &openapi3filter.RequestValidationInput{
		Request: r, PathParams: path, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true},
	}
	if got.Code < http.StatusBadRequest {
		x.accepted(of)
	} else {
		x.refused(route.Operation, r, got)
	}
	answer := &openapi3filter.ResponseValidationInput{RequestValidationInput: of, Status: got.Code, Header: got.Header(), Options: of.Options}
	if err := openapi3filter.ValidateResponse(context.Background(), answer.SetBodyBytes(got.Body.Bytes())); err != nil {
		x.t.Errorf("%s %s: %d %.600s\nis not what the document says (internal/api/openapi_*.go and the types that it names):\n%v",
			r.Method, r.URL, got.Code, got.Body, err)
	}
}

// accepted notes a request that was not refused, which must be as documented.
func (x *witness) accepted(of *openapi3filter.RequestValidationInput) {
	x.t.Helper()
	id, r := of.Route.Operation.OperationID, of.Request
	x.seen[id] = true
	body, _ := io.ReadAll(r.Body)
	note(x.sent, id, compact(body))
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err := openapi3filter.ValidateRequest(context.Background(), of); err != nil {
		x.t.Errorf("%s %s was not refused, and the document says of the request:\n%v", r.Method, r.URL, err)
	}
}

// refused notes a refusal, which must be one of those that the document names.
func (x *witness) refused(o *openapi3.Operation, r *http.Request, got *httptest.ResponseRecorder) {
	x.t.Helper()
	fault := at(object(x.t, got.Body.Bytes()), "errors", 0)
	title, code := text(fault, "title"), at(fault, "code")
	for _, named := range refusals(o) {
		if named.status == got.Code && named.title == title && named.code == code {
			note(x.missed, o.OperationID, named.String())
			return
		}
	}
	x.t.Errorf("%s %s (%s) is refused with %d %s, which the document does not name: see refused in internal/api/openapi_refusals.go",
		r.Method, r.URL, o.OperationID, got.Code, got.Body)
}

func note(in map[string]map[string]bool, id, what string) {
	if in[id] == nil {
		in[id] = map[string]bool{}
	}
	in[id][what] = true
}

package api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"slipway/internal/api"
	"slipway/internal/auth"
	"slipway/internal/commands"
)

// refusal is one that the document names for an operation.
type refusal struct {
	status int
	title  string
	code   any // a number
}

func (r refusal) String() string { return strconv.Itoa(r.status) + " " + r.title }

// refusals are those that the document names for an operation.
func refusals(o *openapi3.Operation) (all []refusal) {
	for status, response := range o.Responses.Map() {
		n, _ := strconv.Atoi(status)
		if n < 400 {
			continue
		}
		for title, shown := range response.Value.Content["application/json"].Examples {
			all = append(all, refusal{n, title, at(shown.Value.Value, "errors", 0, "code")})
		}
	}
	return all
}

// example is the body that the document shows for an operation, about an estate; empty: it shows none.
func (e estate) example(o *openapi3.Operation) string {
	if o.RequestBody == nil {
		return ""
	}
	shown := o.RequestBody.Value.Content["application/json"].Example
	if shown == nil {
		return ""
	}
	data, err := json.Marshal(shown)
	if err != nil {
		panic(err) // it has been JSON before
	}
	body := string(data)
	for name, id := range api.Examples {
		body = strings.ReplaceAll(body, id, e[name])
	}
	return body
}

// compact is a body without blanks, with keys in order.
func compact(body []byte) string {
	var v any
	if json.Unmarshal(body, &v) != nil {
		return string(body)
	}
	data, _ := json.Marshal(v)
	return string(data)
}

// each calls f for all operations of a document, in order.
func each(doc *openapi3.T, f func(method, path string, o *openapi3.Operation)) {
	for _, path := range doc.Paths.InMatchingOrder() {
		operations := doc.Paths.Value(path).Operations()
		for _, method := range slices.Sorted(maps.Keys(operations)) {
			f(method, template(strings.ReplaceAll(strings.ReplaceAll(path, "{", ":"), "}", "")), operations[method])
		}
	}
}

// faults are refusals that nobody can provoke from outside.
var faults = []string{"CF-UnknownError", "CF-ServiceUnavailable"}

// provoked has each operation refused in each way that the document names, but for faults and what a scenario has met.
func (w *world) provoked(e estate, x *witness, doc *openapi3.T) {
	w.t.Helper()
	w.people.known.Store("powerless", auth.Identity{UserID: "p", UserName: "p", Scopes: auth.Scopes{auth.ScopeOpenID}})
	each(doc, func(method, path string, o *openapi3.Operation) {
		open := o.Security != nil && len(*o.Security) == 0
		for _, r := range refusals(o) {
			if slices.Contains(faults, r.title) || x.missed[o.OperationID][r.String()] {
				continue
			}
			w.provoke(e, r, method, path, e.example(o), open)
			if !x.missed[o.OperationID][r.String()] {
				w.t.Errorf("%s %s (%s) was never refused with %s, as the document says it can be", method, path, o.OperationID, r)
			}
		}
	})
}

// provoke sends a request that is to be refused so.
func (w *world) provoke(e estate, r refusal, method, path, body string, open bool) {
	w.t.Helper()
	var header []string
	switch r.String() {
	case "401 CF-NotAuthenticated":
		header = []string{"Authorization", ""}
	case "401 CF-InvalidAuthToken":
		header = []string{"Authorization", "bearer of nobody"}
	case "403 CF-NotAuthorized":
		header = []string{"Authorization", "bearer powerless"}
		if open {
			header = []string{"Host", "elsewhere.example.com"}
		}
	case "404 CF-ResourceNotFound":
		e = e.twin()
	case "400 CF-BadQueryParameter":
		path += "?nonsense=1"
	case "400 CF-MessageParseError":
		body = "{"
	case "413 CF-BadRequest":
		body = `{"name":"` + string(bytes.Repeat([]byte("x"), commands.MaxBody)) + `"}`
	case "415 CF-BadRequest":
		body, header = "{}", []string{"Content-Type", "text/plain"}
	case "422 CF-UnprocessableEntity":
		header = []string{"Idempotency-Key", "a.b"}
		if strings.HasSuffix(path, "/plan") || strings.HasSuffix(path, "/evaluate") { // those carry nothing out
			body = `{"nonsense":1}`
		}
	}
	w.call(method, e.fill(path), body, header...)
}

// TestOpenAPISaysWhoMay asks for each operation with the least that the document says is enough, and with every role and scope that it
// does not name.
func TestOpenAPISaysWhoMay(t *testing.T) {
	w, e := settled(t)
	each(documented(t, w), func(method, path string, o *openapi3.Operation) {
		if len(*o.Security) == 0 {
			return
		}
		var enough [][]string
		for _, requirement := range *o.Security {
			for _, names := range requirement {
				enough = append(enough, names)
			}
		}
		for _, names := range enough {
			if !w.lets(somebody(names), e, method, path, o) {
				t.Errorf("%s %s (%s) is closed to %v, which is enough by the document", method, path, o.OperationID, names)
			}
		}
		for _, names := range others(enough) {
			if w.lets(somebody(names), e, method, path, o) {
				t.Errorf("%s %s (%s) is open to %v, which is not enough by the document", method, path, o.OperationID, names)
			}
		}
	})
}

// others are scopes that are not enough alone, and roles that are not with the usual scopes; of a list, no role is needed.
func others(enough [][]string) (all [][]string) {
	named := func(name string) bool {
		return slices.ContainsFunc(enough, func(names []string) bool { return slices.Contains(names, name) })
	}
	for _, scope := range auth.GlobalScopes() {
		if !named(scope) {
			all = append(all, []string{scope})
		}
	}
	needsRole := slices.ContainsFunc(auth.Roles(), func(r auth.Role) bool { return named(string(r)) })
	for _, role := range auth.Roles() {
		if needsRole && !named(string(role)) {
			all = append(all, []string{auth.ScopeRead, auth.ScopeWrite, string(role)})
		}
	}
	return append(all, []string{auth.ScopeOpenID})
}

// somebody has scopes, and roles in acme and its space prod.
func somebody(names []string) auth.Identity {
	i := auth.Identity{UserID: "guid-somebody", UserName: "somebody"}
	for _, name := range names {
		switch role := auth.Role(name); {
		case !slices.Contains(auth.Roles(), role):
			i.Scopes = append(i.Scopes, name)
		case role.OfSpace():
			i.Grants = append(i.Grants, inProd(role))
		default:
			i.Grants = append(i.Grants, auth.Grant{Role: role, Organization: "acme"})
		}
	}
	return i
}

// lets says whether somebody is let through: not forbidden to, and not answered as about things that do not exist.
func (w *world) lets(who auth.Identity, e estate, method, path string, o *openapi3.Operation) bool {
	w.t.Helper()
	w.people.known.Store("somebody", who)
	sent := method
	if strings.HasSuffix(path, "/stream") { // one of what goes on would have no end
		sent = "HEAD"
	}
	ask := func(e estate) (int, string) {
		body := e.example(o)
		if body == "" && method != "GET" {
			body = "{}"
		}
		got := w.as("somebody", sent, e.fill(path), body)
		return got.Code, e.hide(got.Body.String())
	}
	if method == "DELETE" { // another one each time
		e = e.with(w, path)
		defer w.call(method, e.fill(path), "")
	}
	code, said := ask(e)
	_, absent := ask(e.twin())
	switch {
	case code == 401 || code == 403 || code == 404 || strings.Contains(said, "You are not authorized"):
		return false
	case method != "GET" && code != 204 && said != "" && said == absent:
		return false
	case code >= 500:
		w.t.Errorf("%s %s: %d %s", method, path, code, said)
	}
	return true
}

// with is an estate with a new thing for a path that deletes it.
func (e estate) with(w *world, path string) estate {
	w.t.Helper()
	collection, name, _ := strings.Cut(path, "/{")
	body := `"name":"none","rule":{"outcome":"allow"}`
	if collection == "/v3/subscriptions" {
		body = `"name":"n","url":"http://hooks.test","types":["*"]`
	}
	fresh := maps.Clone(e)
	fresh[strings.TrimSuffix(name, "}")] = text(w.must(201, "POST", collection, inSpaceOf(e, body)), "guid")
	return fresh
}

func inSpaceOf(e estate, more string) string {
	return fmt.Sprintf(`{%s,"relationships":{"space":{"data":{"guid":"%s"}}}}`, more, e["space"])
}

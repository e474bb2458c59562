package api_test

import (
	"fmt"
	"net/http/httptest"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
)

// careful is the least that AWS AppConfig wants of a strategy.
const careful = `{"Name":"careful","DeploymentDurationInMinutes":15,"GrowthFactor":33.3}`

func (w *world) strategy() string {
	w.t.Helper()
	return text(w.must(201, "POST", "/deploymentstrategies", careful), "Id")
}

// TestAStrategyOnTheWire pins the bodies: clients in all languages read them.
func TestAStrategyOnTheWire(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	made := w.call("POST", "/deploymentstrategies", careful)
	is.Equal(made.Code, 201)
	is.Equal(made.Header().Get("Content-Type"), "application/json")
	is.True(made.Header().Get("X-Amzn-RequestId") != "")
	id := text(object(t, made.Body.Bytes()), "Id")
	is.True(regexp.MustCompile(`^[a-z0-9]{7}$`).MatchString(id))
	is.Equal(made.Body.String(), `{"Id":"`+id+`","Name":"careful","DeploymentDurationInMinutes":15,"GrowthType":"LINEAR","GrowthFactor":33.3,`+
		`"FinalBakeTimeInMinutes":0,"ReplicateTo":"NONE"}`+"\n")
	is.Equal(w.call("GET", "/deploymentstrategies/"+id, "").Body.String(), made.Body.String())
	is.Equal(w.call("HEAD", "/deploymentstrategies/"+id, "").Body.Len(), 0)

	changed := w.must(200, "PATCH", "/deploymentstrategies/"+id, `{"FinalBakeTimeInMinutes":20,"Description":""}`)
	is.Equal(at(changed, "FinalBakeTimeInMinutes"), 20.0)
	is.Equal(at(changed, "Description"), "") // as it was given
	is.Equal(at(w.must(200, "GET", "/deploymentstrategies/"+id, ""), "Description"), nil)

	gone := w.call("DELETE", "/deployementstrategies/"+id, "")
	is.Equal(gone.Code, 204)
	is.Equal(gone.Body.Len(), 0)
	is.True(gone.Header().Get("X-Amzn-RequestId") != "")
	w.must(204, "DELETE", "/deploymentstrategies/"+w.strategy(), "") // the right spelling too
}

// TestMembers: how a body is read.
func TestMembers(t *testing.T) {
	w := newWorld(t)
	id := w.strategy()
	for name, c := range map[string]struct {
		body    string
		status  int
		problem string // exception and part of the text
	}{
		"nothing":                 {"", 200, ""},
		"blanks":                  {" \n", 200, ""},
		"null is absent":          {`{"GrowthFactor":null,"Description":null}`, 200, ""},
		"unknown members":         {`{"Name":"other","ReplicateTo":"SSM_DOCUMENT","Id":"zzzz","X":{"Y":[]}}`, 200, ""},
		"names count":             {`{"growthfactor":"much"}`, 200, ""},
		"garbage":                 {`{"GrowthFactor":`, 400, "SerializationException no JSON object"},
		"something else":          {`[1]`, 400, "SerializationException no JSON object"},
		"something after it":      {`{}{}`, 400, "SerializationException no JSON object"},
		"no UTF-8":                {"{\"Description\":\"\xff\"}", 400, "SerializationException UTF-8"},
		"text for a number":       {`{"FinalBakeTimeInMinutes":"1"}`, 400, "SerializationException FinalBakeTimeInMinutes cannot be converted to an Integer"},
		"a fraction for minutes":  {`{"FinalBakeTimeInMinutes":1.5}`, 400, "SerializationException FinalBakeTimeInMinutes"},
		"a number beyond all":     {`{"FinalBakeTimeInMinutes":1e300}`, 400, "SerializationException FinalBakeTimeInMinutes"},
		"a large number":          {`{"FinalBakeTimeInMinutes":4294967296}`, 400, "BadRequestException Value '4294967296' at 'finalBakeTimeInMinutes'"},
		"a number for text":       {`{"Description":1}`, 400, "SerializationException Description cannot be converted to a String"},
		"an object for a number":  {`{"GrowthFactor":{}}`, 400, "SerializationException GrowthFactor cannot be converted to a Float"},
		"a word for a number":     {`{"GrowthFactor":"many"}`, 400, "SerializationException GrowthFactor"},
		"AWS's word for a number": {`{"GrowthFactor":"-Infinity"}`, 400, "BadRequestException Value '-Inf' at 'growthFactor'"},
		"not even a number":       {`{"GrowthFactor":"NaN"}`, 400, "BadRequestException Value 'NaN' at 'growthFactor'"},
		"a bad one and a good one": {
			`{"GrowthType":"CUBIC","FinalBakeTimeInMinutes":7}`, 400, "BadRequestException 1 validation error detected: Value 'CUBIC' at 'growthType'",
		},
		"too much": {`{"Description":"` + strings.Repeat("x", 600<<10) + `"}`, 413, "PayloadTooLargeException"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			before := w.call("GET", "/deploymentstrategies/"+id, "").Body.String()
			got := w.call("PATCH", "/deploymentstrategies/"+id, c.body, "Content-Type", "") // the aws CLI of 2021 sent none
			is.Equal(got.Code, c.status)
			if c.problem == "" {
				is.Equal(got.Body.String(), before) // nothing was changed
				return
			}
			exception(t, got, c.problem)
			is.Equal(w.call("GET", "/deploymentstrategies/"+id, "").Body.String(), before) // nothing was changed
		})
	}
	t.Run("tags", func(t *testing.T) {
		is := is.New(t)
		made := w.must(201, "POST", "/deploymentstrategies", strings.Replace(careful, "{", `{"Tags":{"team":"pay"},`, 1))
		s, err := w.store.Strategy(t.Context(), events.StrategyID(text(made, "Id")))
		is.NoErr(err)
		is.Equal(s.Tags, map[string]string{"team": "pay"})
		exception(t, w.call("POST", "/deploymentstrategies", strings.Replace(careful, "{", `{"Tags":["team"],`, 1)),
			"SerializationException Tags cannot be converted to a Map of Strings")
	})
}

// exception checks an error as AWS's SDKs read it: "<type> <part of the message>".
func exception(t *testing.T, got *httptest.ResponseRecorder, want string) {
	t.Helper()
	is := is.New(t)
	name, message, _ := strings.Cut(want, " ")
	is.Equal(got.Header().Get("X-Amzn-ErrorType"), name)
	is.Equal(got.Header().Get("Content-Type"), "application/json")
	is.True(got.Header().Get("X-Amzn-RequestId") != "")
	is.True(got.Code >= 400)
	if said := text(object(t, got.Body.Bytes()), "Message"); !strings.Contains(said, message) || said == "" {
		t.Errorf("got %q, want something with %q", said, message)
	}
}

func TestExceptions(t *testing.T) {
	w := newWorld(t)
	for name, c := range map[string]struct {
		method, path, body string
		status             int
		want               string
	}{
		"an unknown id":          {"GET", "/zzzzzzz", "", 404, "ResourceNotFoundException DeploymentStrategy with Id zzzzzzz could not be found."},
		"an unknown predefined":  {"GET", "/AppConfig.NotARealStrategy", "", 404, "ResourceNotFoundException AppConfig.NotARealStrategy could"},
		"no id":                  {"GET", "/ABC", "", 400, "BadRequestException Value 'ABC' at 'deploymentStrategyId'"},
		"an id with a slash":     {"GET", "/ab%2Fcd", "", 400, "BadRequestException deploymentStrategyId"},
		"update an unknown id":   {"PATCH", "/zzzzzzz", "{}", 404, "ResourceNotFoundException zzzzzzz"},
		"delete no id":           {"DELETE", "/A", "", 400, "BadRequestException deploymentStrategyId"},
		"update a predefined":    {"PATCH", "/AppConfig.AllAtOnce", "{}", 400, "BadRequestException Cannot update predefined Deployment Strategy AppConfig.AllAtOnce"},
		"another method":         {"PUT", "/zzzzzzz", "{}", 404, "UnknownOperationException"},
		"a path below":           {"GET", "/zzzzzzz/more", "", 400, "BadRequestException Value 'zzzzzzz/more' at 'deploymentStrategyId'"},
		"a page of none":         {"GET", "?max_results=0", "", 400, "BadRequestException Value '0' at 'maxResults'"},
		"a page of text":         {"GET", "?max_results=many", "", 400, "BadRequestException Value 'many' at 'maxResults'"},
		"no token":               {"GET", "?next_token=", "", 400, "BadRequestException Invalid nextToken parameter ."},
		"a token of another":     {"GET", "?next_token=bogus", "", 400, "BadRequestException Invalid nextToken parameter bogus."},
		"an empty member of all": {"POST", "", "{}", 400, "BadRequestException 3 validation errors detected: Value null at 'name'"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			got := w.call(c.method, "/deploymentstrategies"+c.path, c.body)
			is.Equal(got.Code, c.status)
			exception(t, got, c.want)
		})
	}
	t.Run("a foreign host", func(t *testing.T) {
		exception(t, w.call("GET", "/deploymentstrategies", "", "Host", "example.org"), "AccessDeniedException loopback")
	})
	t.Run("the others keep their form", func(t *testing.T) {
		is := is.New(t)
		is.True(at(w.must(404, "GET", "/deploymentstrategy", ""), "errors") != nil)
	})
}

// TestRetriesOfAnSDK: what an SDK sends again, because an answer got lost, is done once.
func TestRetriesOfAnSDK(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	create := func() string {
		return text(w.must(201, "POST", "/deploymentstrategies", careful, "Amz-Sdk-Invocation-Id", "6f1c6f0e-8f62-4d0e-9a8e-0d4f0c7e5b11"), "Id")
	}
	id := create()
	is.Equal(create(), id)
	for range 2 {
		w.must(204, "DELETE", "/deploymentstrategies/"+id, "", "Amz-Sdk-Invocation-Id", "3a0f5bb2-3b1d-4e8a-8a55-6c0d2c2f9f10")
	}
	w.must(404, "DELETE", "/deploymentstrategies/"+id, "", "Amz-Sdk-Invocation-Id", "another")
	w.strategy() // and without such a header too
}

// TestPagesOfStrategies walks through the list in pages of every size, while strategies come and go.
func TestPagesOfStrategies(t *testing.T) {
	w := newWorld(t)
	var own []string
	for range 4 {
		own = append(own, w.strategy())
	}
	for size := 1; size <= 9; size++ {
		t.Run(fmt.Sprint("pages of ", size), func(t *testing.T) {
			is := is.New(t)
			is.Equal(w.pages(size, func() {}), append(own[:4:4], predefined...))
		})
	}
	t.Run("with changes between them", func(t *testing.T) {
		is := is.New(t)
		change := sync.OnceFunc(func() {
			w.must(204, "DELETE", "/deploymentstrategies/"+own[0], "")
			own = append(own, w.strategy())
		})
		is.Equal(w.pages(2, change), append(own[:5:5], predefined...)) // those there from begin to end once, and the new one
	})
}

var predefined = []string{
	"AppConfig.AllAtOnce", "AppConfig.Linear50PercentEvery30Seconds", "AppConfig.Canary10Percent20Minutes", "AppConfig.Linear20PercentEvery6Minutes",
}

// pages reads the whole list and gives the ids on it. After each page it does something.
func (w *world) pages(size int, between func()) (ids []string) {
	w.t.Helper()
	token := ""
	for range 20 {
		page := w.must(200, "GET", fmt.Sprintf("/deploymentstrategies?max_results=%d%s", size, token), "")
		items, _ := at(page, "Items").([]any)
		if len(items) > size {
			w.t.Fatalf("%d on a page of %d", len(items), size)
		}
		for _, item := range items {
			ids = append(ids, text(item, "Id"))
		}
		next := text(page, "NextToken")
		if next == "" {
			return ids
		}
		token = "&next_token=" + next
		between()
	}
	w.t.Fatal("the pages have no end")
	return nil
}

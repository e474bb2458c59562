package api

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"reflect"
	"sync"
)

//go:generate go run ../openapi/gencomments -root ../.. -out openapi_comments.json aggregates events internal/api internal/cferror internal/commands internal/resource

// comments is what the comments of Go types say of their fields.
//
//go:embed openapi_comments.json
var comments []byte

var commented = sync.OnceValue(func() (of map[string]string) {
	if err := json.Unmarshal(comments, &of); err != nil {
		panic(fmt.Sprintf("api: openapi_comments.json: %v", err)) // it is generated
	}
	return of
})

// forms are types that write the fields of others otherwise: what is said there holds for them too.
var forms = map[string][]string{
	"slipway/internal/commands.optionsForm": {"slipway/events.DeploymentOptions", "slipway/events.Guard"},
	"slipway/internal/commands.checkForm":   {"slipway/events.Check"},
}

// usual says what fields are that many types have and that mean the same in each, by their names in Go.
var usual = map[string]string{
	"Annotations":   "Notes for people and programs; nothing is selected by them.",
	"App":           "The app.",
	"AppGUID":       "The app.",
	"Labels":        "What lists and policies select by.",
	"Links":         "Where to go on from here.",
	"Metadata":      "Labels and annotations.",
	"Name":          "What people call it.",
	"Organization":  "The organization.",
	"Relationships": "What it belongs to.",
	"Space":         "The space.",
}

// explain says what a field is: what is written at it, or else what a field of this name usually is.
func explain(of reflect.Type, field string) string {
	name := of.PkgPath() + "." + of.Name()
	for _, at := range append([]string{name}, forms[name]...) {
		if text := commented()[at+"."+field]; text != "" {
			return text
		}
	}
	return usual[field]
}

package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// TestHalt: what stands still is told with what lifts it, who watches sees it, and lifted it goes on.
func TestHalt(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	one, two := w.deploys(w.app("one"), "rolling", true), w.deploys(w.app("two"), "canary", true)
	w.app("three") // which rolls nothing out
	watched := w.begins("watch", one)

	text, err := w.slipway("halt", "incident 42", "--for", "1h", "--space", "default")
	is.NoErr(err)
	t.Log(text)
	is.True(strings.HasPrefix(text, "Halted in space default until 2"))
	is.True(strings.Contains(text, ": incident 42\n\nStanding still (2):\n\n"))
	is.True(strings.Contains(text, "  one  "+one+"  ░░·    2+0    DEPLOYING\n"))
	is.True(strings.Contains(text, "  two  "+two+"  ░░·    2+0    DEPLOYING, step 1 of 1\n"))
	lift := regexp.MustCompile(`\n  slipway (lift \S+) --api`).FindStringSubmatch(text)
	is.True(lift != nil) // the command that lifts it
	w.shows(watched, ": incident 42: slipway %s", lift[1])

	text, err = w.slipway("lift") // the only one
	is.NoErr(err)
	t.Log(text)
	is.True(strings.HasPrefix(text, "Lifted: incident 42 (of user/admin)\n\nGoing on (2):\n"))
	is.True(strings.Contains(text, one) && strings.Contains(text, two))
	_, err = w.slipway("lift")
	is.True(err != nil)
	is.Equal(err.Error(), "no halt is in force, so there is none to lift")
}

// TestHaltElsewhere holds nothing that is not in its place, and what is on its way back nowhere.
func TestHaltElsewhere(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.deploys(w.app("one"), "rolling", true)
	var organization struct{ GUID string }
	is.NoErr(w.api.Call(t.Context(), http.MethodPost, "/v3/organizations", map[string]any{"name": "acme"}, &organization))
	text, err := w.slipway("halt", "audit", "--organization", "acme")
	is.NoErr(err)
	is.True(strings.HasPrefix(text, "Halted in organization acme until somebody lifts it: audit\n\nNo rollout begins there."))
	text, err = w.slipway("halt", "incident")
	is.NoErr(err)
	is.True(strings.HasPrefix(text, "Halted everywhere until somebody lifts it: incident\n\nStanding still (1):"))

	_, err = w.slipway("lift") // which?
	is.True(err != nil)
	is.True(strings.HasPrefix(err.Error(), "2 halts are in force: name one:\n  slipway lift "))
	is.True(strings.Contains(err.Error(), "   audit, by user/admin"))
	halts := regexp.MustCompile(`lift (\S+) `).FindAllStringSubmatch(err.Error(), -1)
	for _, h := range halts {
		_, err = w.slipway("lift", h[1])
		is.NoErr(err)
	}
	is.Equal(len(halts), 2)
}

func TestCommandsOfOperatorsRefuse(t *testing.T) {
	w := newWorld(t)
	is := is.New(t)
	w.app("hello")
	for _, name := range []string{"acme", "umbrella"} {
		var made struct{ GUID string }
		is.NoErr(w.api.Call(t.Context(), http.MethodPost, "/v3/organizations", map[string]any{"name": name}, &made))
		is.NoErr(w.api.Call(t.Context(), http.MethodPost, "/v3/spaces", map[string]any{"name": "prod", "relationships": map[string]any{"organization": to(made.GUID)}}, nil))
	}
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"a space of several organizations": {[]string{"halt", "x", "--space", "prod"}, "2 spaces are called prod: name one by its guid: "},
		"a space of nobody":                {[]string{"halt", "x", "--space", "nowhere"}, "no space is called nowhere, or none that you may see: " + w.url + "/v3/spaces lists them"},
		"an organization of nobody":        {[]string{"halt", "x", "--organization", "nobody"}, "no organization is called nobody"},
		"two places":                       {[]string{"halt", "x", "--space", "a", "--organization", "b"}, "can't be used together"},
		"no reason":                        {[]string{"halt"}, "expected \"<reason>\""},
		"an empty reason":                  {[]string{"halt", ""}, "422 Unprocessable Entity: Reason must have 1 to 1024 characters"},
		"a moment":                         {[]string{"halt", "x", "--for", "1ms"}, "--for 1ms: want at least a second"},
		"for ever and a day":               {[]string{"halt", "x", "--for", "10000h"}, "Duration in seconds must be between 1 and 31536000"},
		"an unknown halt":                  {[]string{"lift", "nothing"}, "404 Not Found"},
		"nothing to watch":                 {[]string{"watch", "nothing"}, "nothing is no deployment, and no app that has one: " + w.url + "/v3/deployments lists them"},
		"nothing to continue":              {[]string{"continue", "nothing"}, "nothing is no deployment"},
		"over":                             {[]string{"cancel", "hello"}, "422 Unprocessable Entity"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := w.slipway(c.args...)
			is.True(err != nil)
			t.Log(err)
			is.True(strings.Contains(err.Error(), c.want)) // says what to do
		})
	}
	text, err := w.slipway("lift")
	is.True(err != nil) // none of them left a halt behind
	is.Equal(text, "")
}

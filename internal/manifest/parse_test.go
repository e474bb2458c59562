package manifest_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/internal/manifest"
)

// pushed is what the cf CLI sends for a push with -i, -m, -k, -l, -c and -u.
const pushed = `applications:
- name: hello
  disk-quota: 1G
  health-check-type: http
  health-check-http-endpoint: /up
  timeout: 30
  instances: 3
  path: /tmp/hello
  memory: 512M
  default-route: true
  stack: cflinuxfs4
  log-rate-limit-per-second: 1K
  buildpacks: [binary_buildpack]
  command: ./hello
  env:
    VERSION: 1.10
    DEBUG: true
    EMPTY:
  metadata:
    labels: {team: checkout}
`

func TestParse(t *testing.T) {
	is := is.New(t)
	m, err := manifest.Parse([]byte(pushed))
	is.NoErr(err)
	a := m.Apps[0]
	is.Equal(a.Name, "hello")
	is.Equal(a.Environment, map[string]string{"VERSION": "1.10", "DEBUG": "true", "EMPTY": ""}) // as written
	is.Equal(a.Metadata.Labels, map[string]string{"team": "checkout"})
	is.True(a.DefaultRoute && !a.NoRoute)
	is.Equal(len(a.Processes), 1)
	p := a.Processes[0]
	is.Equal(p.Type, "web")
	is.Equal([]int{*p.Instances, *p.MemoryMB, *p.DiskMB, *p.Timeout}, []int{3, 512, 1024, 30})
	is.Equal(*p.LogRate, int64(1024))
	is.Equal([]string{*p.Command, *p.HealthCheck, *p.Endpoint}, []string{"./hello", "http", "/up"})
	is.True(p.Interval == nil) // it is not said
}

func TestParseProcesses(t *testing.T) {
	t.Run("web in the list counts alone", func(t *testing.T) {
		is := is.New(t)
		m, err := manifest.Parse([]byte(`applications: [{name: a, memory: 1G, processes: [{type: worker, disk_quota: 2G}, {type: web, command: null}]}]`))
		is.NoErr(err)
		p := m.Apps[0].Processes
		is.Equal([]string{p[0].Type, p[1].Type}, []string{"web", "worker"}) // web first
		is.True(p[0].MemoryMB == nil)
		is.Equal(*p[0].Command, "") // the droplet's
		is.Equal(*p[1].DiskMB, 2048)
	})
	t.Run("web beside the list", func(t *testing.T) {
		is := is.New(t)
		m, err := manifest.Parse([]byte(`applications: [{name: a, memory: 1G, health-check-type: none, processes: [{type: worker}]}]`))
		is.NoErr(err)
		p := m.Apps[0].Processes
		is.Equal([]string{p[0].Type, p[1].Type, *p[0].HealthCheck}, []string{"web", "worker", "process"})
	})
	t.Run("nothing said", func(t *testing.T) {
		is := is.New(t)
		m, err := manifest.Parse([]byte(`applications: [{name: a, docker: {image: "shop/web:3"}, routes: [{route: a.example.org}], no-route: false}]`))
		is.NoErr(err)
		is.Equal(len(m.Apps[0].Processes), 0)
		is.Equal(m.Apps[0].Image, "shop/web:3")
		is.Equal(m.Apps[0].Routes, []string{"a.example.org"})
	})
}

func TestParseRefuses(t *testing.T) {
	one := func(what string) string { return "applications: [{name: a, " + what + "}]" }
	const at = "For application 'a': "
	for text, want := range map[string]string{
		":":                                     "Request invalid due to parse error: invalid request body",
		"\xff":                                  "Request invalid due to parse error: invalid request body",
		"":                                      "Request invalid due to parse error: invalid request body",
		"a: &x 1\nb: *x":                        "Request invalid due to parse error: Manifest does not support Anchors and Aliases",
		"hello":                                 "Cannot parse manifest with no 'applications' field.",
		"{}":                                    "Cannot parse manifest with no 'applications' field.",
		"applications: []":                      "Cannot parse manifest with no 'applications' field.",
		"applications: {}":                      "Cannot parse manifest with no 'applications' field.",
		"applications: [{}]":                    "For application at index 0: Name must not be empty",
		"applications: [1]":                     "For application at index 0: must be an object",
		"version: 2\napplications: [{name: a}]": "Unsupported manifest schema version. Currently supported versions: [1].",
		"applications: [{name: a}, {name: a}]":  at + "it is there more than once",
		one("memory: 12"):                       at + `Process "web": Memory must use a supported unit: B, K, KB, M, MB, G, GB, T, or TB`,
		one("memory: lots"):                     at + `Process "web": Memory is not a number`,
		one("memory: 0M"):                       at + `Process "web": Memory must be greater than 0MB`,
		one("disk_quota: 1X"):                   at + `Process "web": Disk quota must use a supported unit: B, K, KB, M, MB, G, GB, T, or TB`,
		one("log-rate-limit-per-second: 1"):     at + `Process "web": Log rate limit per second must use a supported unit: B, K, KB, M, MB, G, GB, T, or TB`,
		one("log-rate-limit-per-second: -2B"):   at + `Process "web": Log rate limit per second must be greater than or equal to -1`,
		one("instances: -1"):                    at + `Process "web": Instances must be greater than or equal to 0`,
		one("instances: many"):                  at + `Process "web": Instances is not a number`,
		one("instances: 1.5"):                   at + `Process "web": Instances is not a number`,
		one("timeout: 0"):                       at + `Process "web": Timeout must be greater than or equal to 1`,
		one("health-check-type: foo"):           at + `Process "web": Health check type must be "port", "process", or "http"`,
		one("health-check-type: port, health-check-http-endpoint: /x"): at + `Process "web": Health check type must be "http" to set a health check HTTP endpoint`,
		one("command: [a]"):                                    at + `Process "web": Command must be a string`,
		one("processes: {}"):                                   at + "Processes must be an array of process configurations",
		one("processes: [{}]"):                                 at + "All Processes must specify a type",
		one("processes: [{type: x}, {type: x}]"):               at + `Process "x" may only be present once`,
		one("env: 1"):                                          at + "Env must be an object of keys and values",
		one("env: {A: [1]}"):                                   at + "Env variable 'A' must be a string, a number or a boolean",
		one("env: {PORT: 1}"):                                  at + "Environment variable key 'PORT' is reserved: keys must not be PORT nor start with VCAP_ or VMC",
		one("metadata: {labels: {-: x}}"):                      at + "Metadata label key error: '-' starts or ends with invalid characters",
		one("metadata: {labels: 1}"):                           at + "Metadata 'labels' is not an object",
		one("services: [db]"):                                  at + "services are not supported: remove them from the manifest",
		one("sidecars: [{name: s}]"):                           at + "sidecars are not supported: remove them from the manifest",
		one("docker: {image: a, username: b}"):                 at + "Docker username is not supported: credentials would stand in the history for good",
		one("docker: {image: a}, buildpack: b"):                at + "Cannot specify both buildpack(s) and docker keys",
		one("buildpack: a, buildpacks: [b]"):                   at + "Buildpack and Buildpacks fields cannot be used together.",
		one("default-route: 1"):                                at + "Default-route must be a boolean",
		one("default-route: true, random-route: true"):         at + "Random-route and default-route may not be used together",
		one("routes: [1]"):                                     at + "Routes must be a list of route objects",
		one("lifecycle: cnb"):                                  at + "Lifecycle type must be 'buildpack' or 'docker': staging takes the files as they are",
		one("memory: x, env: 1"):                               at + "Env must be an object of keys and values, " + at + `Process "web": Memory is not a number`,
		"applications:" + strings.Repeat("\n- {name: a}", 101): "Applications: at most 100 are allowed in one manifest",
	} {
		t.Run(text[:min(40, len(text))], func(t *testing.T) {
			is := is.New(t)
			_, err := manifest.Parse([]byte(text))
			var rejected *aggregates.RejectedError
			is.True(errors.As(err, &rejected))
			is.Equal(rejected.Message, want)
		})
	}
}

func TestSizes(t *testing.T) {
	for text, want := range map[string]int{"512M": 512, "1G": 1024, "1.5 gb": 1536, "1048576B": 1, "2048KB": 2, "1T": 1 << 20} {
		t.Run(text, func(t *testing.T) {
			is := is.New(t)
			m, err := manifest.Parse([]byte("applications: [{name: a, memory: '" + text + "'}]"))
			is.NoErr(err)
			is.Equal(*m.Apps[0].Processes[0].MemoryMB, want)
		})
	}
	for text, want := range map[string]int64{"-1": -1, "0": 0, "1K": 1024, "16B": 16} {
		t.Run("rate "+text, func(t *testing.T) {
			is := is.New(t)
			m, err := manifest.Parse([]byte("applications: [{name: a, log-rate-limit-per-second: " + text + "}]"))
			is.NoErr(err)
			is.Equal(*m.Apps[0].Processes[0].LogRate, want)
		})
	}
}

// FuzzParse holds that any text is read or refused with a text that can be sent, and nothing panics; and that what was read
// can be compared.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		pushed, "", "a: &x [*x]", "applications: [{name: a, processes: [{type: web, memory: 1e9G}], <<: {b: 1}}]",
		"applications: [{name: ~, env: {~: ~}, routes: ~, metadata: ~, docker: ~}]", "applications:\n- !!foo bar", "{{{{",
		"applications: [{name: a, instances: 99999999999999999999, timeout: 0x10}]", "--- a\n--- b", "? [a]\n: b",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := manifest.Parse(text)
		var rejected *aggregates.RejectedError
		if err != nil && (!errors.As(err, &rejected) || !utf8.ValidString(rejected.Message)) {
			t.Fatalf("%q: %#v", text, err)
		}
		for _, c := range manifest.Diff(m, nil) {
			if c.Op != "add" {
				t.Fatalf("%q: %v of what is not there", text, c)
			}
		}
	})
}

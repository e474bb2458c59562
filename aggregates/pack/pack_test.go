package pack_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates"
	"slipway/aggregates/pack"
	"slipway/events"
)

var (
	bits     = events.PackageCreated{Package: "k1", App: "a1", PackageType: "bits"}
	image    = events.PackageCreated{Package: "k1", App: "a1", PackageType: "docker", Image: "shop/web:3"}
	uploaded = events.PackageUploaded{Package: "k1", App: "a1", Bits: "o1", SHA256: "abc", SizeBytes: 7}
	begun    = events.BuildCreated{Build: "b1", Package: "k1", App: "a1", Droplet: "d1", Bits: "o1"}
	staged   = events.BuildStaged{Build: "b1", Package: "k1", App: "a1", Droplet: "d1"}
	failed   = events.BuildFailed{Build: "b1", Package: "k1", App: "a1", Error: "no"}
)

func fold[S any](evolve func(S, events.Event) S, given []events.Event) S {
	var s S
	for _, e := range given {
		s = evolve(s, e)
	}
	return s
}

// outcome compares what was decided, or why it was refused.
func outcome(t *testing.T, got []events.Event, err error, want []events.Event, refused string) {
	t.Helper()
	is := is.New(t)
	if refused == "" {
		is.NoErr(err)
		is.Equal(got, want)
		return
	}
	var rejected *aggregates.RejectedError
	is.True(errors.As(err, &rejected)) // a refusal with a reason
	is.Equal(rejected.Message, refused)
	is.Equal(len(got), 0) // it leaves nothing behind
}

func TestPackage(t *testing.T) {
	create := func(kind, image string) func(pack.State) ([]events.Event, error) {
		return func(s pack.State) ([]events.Event, error) {
			return pack.CreatePackage(s, pack.Create{ID: "k1", App: "a1", Type: kind, Image: image})
		}
	}
	store := func(object string) func(pack.State) ([]events.Event, error) {
		return func(s pack.State) ([]events.Event, error) {
			return pack.Store(s, pack.Upload{Bits: object, SHA256: "abc", SizeBytes: 7})
		}
	}
	const badImage = "Image must be the name of an image: at most 640 bytes, no blanks"
	type given = []events.Event
	for name, c := range map[string]struct {
		given   given
		when    func(pack.State) ([]events.Event, error)
		then    []events.Event
		refused string
	}{
		"bits":              {nil, create("bits", ""), given{bits}, ""},
		"docker":            {nil, create("docker", "shop/web:3"), given{image}, ""},
		"again":             {given{bits}, create("bits", ""), nil, ""},
		"no type":           {nil, create("", ""), nil, "Type must be one of 'bits, docker'"},
		"other type":        {nil, create("buildpack", ""), nil, "Type must be one of 'bits, docker'"},
		"bits with image":   {nil, create("bits", "x"), nil, "Data must be empty if provided for bits packages"},
		"docker without":    {nil, create("docker", ""), nil, "Image required"},
		"blank in image":    {nil, create("docker", "a b"), nil, badImage},
		"line in image":     {nil, create("docker", "a\nb"), nil, badImage},
		"endless image":     {nil, create("docker", strings.Repeat("a", 641)), nil, badImage},
		"upload":            {given{bits}, store("o1"), given{uploaded}, ""},
		"same upload again": {given{bits, uploaded}, store("o1"), nil, ""},
		"second upload":     {given{bits, uploaded}, store("o2"), nil, "Bits may be uploaded only once. Create a new package to upload different bits."},
		"upload to docker":  {given{image}, store("o1"), nil, "Package type must be bits."},
		"upload to nobody":  {nil, store("o1"), nil, "Package not found"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.when(fold(pack.Evolve, c.given))
			outcome(t, got, err, c.then, c.refused)
		})
	}
}

func TestBuild(t *testing.T) {
	create := func(of ...events.Event) func(pack.Build) ([]events.Event, error) {
		return func(b pack.Build) ([]events.Event, error) {
			return pack.BuildPackage(b, pack.CreateBuild{ID: "b1", Droplet: "d1", Package: fold(pack.Evolve, of)})
		}
	}
	finish := func(b pack.Build) ([]events.Event, error) { return pack.FinishBuild(b), nil }
	fail := func(b pack.Build) ([]events.Event, error) { return pack.FailBuild(b, "no"), nil }
	type given = []events.Event
	ofImage := events.BuildCreated{Build: "b1", Package: "k1", App: "a1", Droplet: "d1", Image: "shop/web:3"}
	for name, c := range map[string]struct {
		given   given
		when    func(pack.Build) ([]events.Event, error)
		then    []events.Event
		refused string
	}{
		"of bits":            {nil, create(bits, uploaded), given{begun}, ""},
		"of an image":        {nil, create(image), given{ofImage}, ""},
		"again":              {given{begun}, create(bits, uploaded), nil, ""},
		"of nothing":         {nil, create(), nil, "Unable to use package. Ensure that the package exists and you have access to it."},
		"before the upload":  {nil, create(bits), nil, "Cannot stage package whose state is not ready."},
		"finish":             {given{begun}, finish, given{staged}, ""},
		"finish twice":       {given{begun, staged}, finish, nil, ""},
		"finish what failed": {given{begun, failed}, finish, nil, ""},
		"fail":               {given{begun}, fail, given{failed}, ""},
		"fail what is done":  {given{begun, staged}, fail, nil, ""},
		"fail nothing":       {nil, fail, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := c.when(fold(pack.EvolveBuild, c.given))
			outcome(t, got, err, c.then, c.refused)
		})
	}
}

func TestABuildEndsOnce(t *testing.T) {
	is := is.New(t)
	is.Equal(fold(pack.EvolveBuild, []events.Event{begun, staged, failed}).Phase, pack.Staged)
	is.Equal(fold(pack.EvolveBuild, []events.Event{begun, failed, staged}).Phase, pack.Failed)
	is.Equal(fold(pack.EvolveBuild, []events.Event{staged}), pack.Build{}) // without a beginning there is none
}

func TestAReasonIsBounded(t *testing.T) {
	is := is.New(t)
	got := pack.FailBuild(fold(pack.EvolveBuild, []events.Event{begun}), strings.Repeat("x", 5000))
	is.Equal(len(got[0].(events.BuildFailed).Error), 1003)
}

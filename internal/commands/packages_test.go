package commands_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/commands"
)

func zipOf(t testing.TB, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	f, err := w.Create(name)
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (r *rig) uploadPackage(id string, to string, data []byte) (commands.Result, error) {
	return r.handler.UploadPackage(context.Background(), events.PackageID(to), bytes.NewReader(data),
		commands.Caller{CommandID: events.CommandID(id), Actor: "tester", Door: "test"})
}

func TestPackagesAndBuildsAreMadeOnce(t *testing.T) {
	is := is.New(t)
	r := newRig()
	owner := r.must(t, "create", commands.CreateApp{AppName: "hello"})
	var made []string
	for range 2 {
		p := r.must(t, "package", commands.CreatePackage{App: owner.App, Type: "bits"})
		up, err := r.uploadPackage("up", p.ID, zipOf(t, "a", "b"))
		is.NoErr(err)
		is.Equal(up.ID, p.ID)
		b := r.must(t, "build", commands.CreateBuild{Package: events.PackageID(p.ID)})
		made = append(made, p.ID+b.ID)
	}
	is.Equal(made[0], made[1])
	is.Equal(r.types(t)[5:], []events.Type{"package.created", "package.uploaded", "build.created"}) // each once
	is.Equal(len(r.bits.Objects), 1)
}

func TestRefusedPackagesLeaveNothingBehind(t *testing.T) {
	r := newRig()
	owner := r.must(t, "create", commands.CreateApp{AppName: "hello"})
	bits := r.must(t, "bits", commands.CreatePackage{App: owner.App, Type: "bits"})
	image := r.must(t, "image", commands.CreatePackage{App: owner.App, Type: "docker", Image: "shop/web:3"})
	before := len(r.types(t))
	for name, test := range map[string]struct {
		command commands.Command
		want    string
	}{
		"no app":      {commands.CreatePackage{App: "nobody", Type: "bits"}, "App is invalid. Ensure it exists and you have access to it."},
		"no type":     {commands.CreatePackage{App: owner.App}, "Type must be one of 'bits, docker'"},
		"no package":  {commands.CreateBuild{Package: "*"}, "Unable to use package. Ensure that the package exists and you have access to it."},
		"not ready":   {commands.CreateBuild{Package: events.PackageID(bits.ID)}, "Cannot stage package whose state is not ready."},
		"bad label":   {commands.CreateBuild{Metadata: events.Metadata{Labels: map[string]string{"": "x"}}}, "Metadata label key error: key cannot be empty string"},
		"other label": {commands.CreatePackage{Metadata: events.Metadata{Labels: map[string]string{"": "x"}}}, "Metadata label key error: key cannot be empty string"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := r.do("refused-"+strings.ReplaceAll(name, " ", "-"), test.command)
			is.Equal(refusal(err), test.want)
			is.Equal(len(r.types(t)), before)
		})
	}
	for name, test := range map[string]struct {
		to   string
		data []byte
		want string
	}{
		"to nobody":   {"nobody", nil, "Package not found"},
		"to an image": {image.ID, nil, "Package type must be bits."},
		"no zip":      {bits.ID, []byte("no zip"), "The zip cannot be used: package refused: no zip: zip: not a valid zip file"},
		"unsafe": {bits.ID, zipOf(t, "../a", "x"),
			`The zip cannot be used: package refused: the name "../a" leads out of the package`},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := r.uploadPackage("refused", test.to, test.data)
			is.Equal(refusal(err), test.want)
			is.Equal(len(r.types(t)), before)
			is.Equal(len(r.bits.Objects), 0)
		})
	}
}

func TestASecondUploadOfAPackage(t *testing.T) {
	is := is.New(t)
	r := newRig()
	owner := r.must(t, "create", commands.CreateApp{AppName: "hello"})
	p := r.must(t, "bits", commands.CreatePackage{App: owner.App, Type: "bits"})
	_, err := r.uploadPackage("one", p.ID, zipOf(t, "a", "b"))
	is.NoErr(err)
	_, err = r.uploadPackage("two", p.ID, zipOf(t, "a", "c"))
	is.Equal(refusal(err), "Bits may be uploaded only once. Create a new package to upload different bits.")
	is.Equal(len(r.bits.Objects), 1)
}

func TestAnUploadThatIsNotRecordedIsDiscarded(t *testing.T) {
	is := is.New(t)
	r := newRig()
	owner := r.must(t, "create", commands.CreateApp{AppName: "hello"})
	p := r.must(t, "bits", commands.CreatePackage{App: owner.App, Type: "bits"})
	r.log.failOn(events.AggregatePackage)
	_, err := r.uploadPackage("one", p.ID, zipOf(t, "a", "b"))
	is.True(err != nil)
	is.Equal(len(r.bits.Objects), 0)
}

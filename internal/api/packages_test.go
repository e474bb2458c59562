package api_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"mime/multipart"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/internal/commands"
	"slipway/internal/droplets"
	"slipway/internal/staging"
)

// stagers lets builds be staged.
func (w *world) stagers() {
	w.runs(staging.New(w.log, commands.Apps(w.log, nil), stagedBits{w.bits}, quiet, nil).Run)
}

// stagedBits are the bits of the world as a stager needs them.
type stagedBits struct{ *bits }

func (b stagedBits) Get(_ context.Context, name string) (io.ReadCloser, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	text, ok := b.stored[name]
	if !ok {
		return nil, droplets.ErrNotFound
	}
	return io.NopCloser(strings.NewReader(text)), nil
}

// Inspect reads the one line of a Procfile.
func (b stagedBits) Inspect(ctx context.Context, name string) (map[string]string, error) {
	r, err := b.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	gz, err := gzip.NewReader(r)
	if err != nil {
		return nil, err
	}
	for archive := tar.NewReader(gz); ; {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		if h.Name == "Procfile" {
			text, err := io.ReadAll(archive)
			kind, command, _ := strings.Cut(string(text), ": ")
			return map[string]string{kind: command}, err
		}
	}
}

// zipped is a zip of these files: name, text, ...
func zipped(t testing.TB, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		f, err := w.Create(files[i])
		if err == nil {
			_, err = f.Write([]byte(files[i+1]))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// multiform is a body as the cf CLI sends a package: what it takes to be there already, then the zip.
func multiform(resources, bits string) (body, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	_ = w.WriteField("resources", resources) // a buffer does not fail
	if bits != "" {
		part, _ := w.CreateFormFile("bits", "package.zip")
		_, _ = part.Write([]byte(bits))
	}
	_ = w.Close()
	return b.String(), w.FormDataContentType()
}

func ofApp(app string) string { return `"relationships":{"app":{"data":{"guid":"` + app + `"}}}` }

// pack makes a package of bits and uploads them.
func (w *world) pack(app, bits string) string {
	w.t.Helper()
	id := text(w.must(201, "POST", "/v3/packages", `{"type":"bits",`+ofApp(app)+`}`), "guid")
	body, contentType := multiform("[]", bits)
	w.must(200, "POST", "/v3/packages/"+id+"/upload", body, "Content-Type", contentType)
	return id
}

func TestPackageHasTheKeysOfTheReference(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	app := w.app("hello")
	v := w.must(201, "POST", "/v3/packages", `{"type":"bits",`+ofApp(app)+`,"metadata":{"labels":{"a":"b"}}}`)
	id := text(v, "guid")
	is.Equal(keys(v), []string{"created_at", "data", "guid", "links", "metadata", "relationships", "state", "type", "updated_at"})
	is.Equal(at(v, "data"), map[string]any{"error": nil, "checksum": map[string]any{"type": "sha256", "value": nil}})
	is.Equal(text(v, "state"), "AWAITING_UPLOAD")
	is.Equal(text(v, "relationships", "app", "data", "guid"), app)
	is.Equal(text(v, "links", "upload", "method"), "POST")
	zip := zipped(t, "a", "b")
	body, contentType := multiform("[]", zip)
	v = w.must(200, "POST", "/v3/packages/"+id+"/upload", body, "Content-Type", contentType)
	is.Equal(text(v, "state"), "READY")
	is.Equal(text(v, "data", "checksum", "value"), sumOf(zip))
	is.Equal(at(v, "links", "upload"), nil)

	v = w.must(201, "POST", "/v3/packages", `{"type":"docker","data":{"image":"shop/web:3","username":null},`+ofApp(app)+`}`)
	is.Equal(text(v, "state"), "READY")
	is.Equal(at(v, "data"), map[string]any{"image": "shop/web:3", "username": nil, "password": nil})

	newest := w.must(200, "GET", "/v3/packages?app_guids="+app+"&order_by=-created_at&page=1&per_page=1", "")
	is.Equal(text(newest, "resources", 0, "guid"), text(v, "guid"))
	for path, want := range map[string]float64{
		"/v3/packages?states=READY": 2, "/v3/packages?types=docker": 1, "/v3/packages?states=FAILED": 0,
		"/v3/packages?label_selector=a=b": 1, "/v3/apps/" + app + "/packages": 2, "/v3/apps/" + app + "/packages?guids=" + id: 1,
		"/v3/packages?space_guids=default": 2, "/v3/packages?space_guids=moon": 0,
	} {
		is.Equal(at(w.must(200, "GET", path, ""), "pagination", "total_results"), want) // path
	}
	is.Equal(w.call("GET", "/v3/packages/nobody", "").Code, 404)
	is.Equal(w.call("GET", "/v3/packages/nobody/droplets", "").Code, 404)
}

func TestBuild(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.stagers()
	app := w.app("hello")
	pkg := w.pack(app, zipped(t, "Procfile", "web: ./start", "start", "#!/bin/sh"))
	v := w.must(201, "POST", "/v3/builds", `{"package":{"guid":"`+pkg+`"},"lifecycle":{"type":"buildpack","data":{"buildpacks":[]}}}`)
	is.Equal(keys(v), []string{
		"created_at", "created_by", "droplet", "error", "guid", "lifecycle", "links", "metadata", "package", "relationships",
		"staging_disk_in_mb", "staging_log_rate_limit_bytes_per_second", "staging_memory_in_mb", "state", "updated_at",
	})
	is.Equal(text(v, "state"), "STAGED") // it was quick
	droplet := text(v, "droplet", "guid")
	d := w.must(200, "GET", "/v3/droplets/"+droplet, "")
	is.Equal([]string{text(d, "state"), text(d, "process_types", "web")}, []string{"STAGED", "./start"})
	is.Equal(text(d, "links", "package", "href"), server+"/v3/packages/"+pkg)
	for path, want := range map[string]float64{
		"/v3/packages/" + pkg + "/droplets?page=1&per_page=1&states=STAGED": 1, "/v3/packages/" + pkg + "/droplets?states=FAILED": 0,
		"/v3/builds?states=STAGED": 1, "/v3/builds?package_guids=" + pkg + "&app_guids=" + app: 1, "/v3/apps/" + app + "/builds": 1,
		"/v3/builds?states=STAGING": 0,
	} {
		is.Equal(at(w.must(200, "GET", path, ""), "pagination", "total_results"), want) // path
	}
	w.deploy(app, droplet, `{}`)

	pkg = w.pack(app, zipped(t, "start", "#!/bin/sh"))
	v = w.must(201, "POST", "/v3/builds", `{"package":{"guid":"`+pkg+`"}}`)
	is.Equal(text(v, "state"), "FAILED")
	is.True(strings.HasPrefix(text(v, "error"), "There is no Procfile among the files"))
	is.Equal(at(v, "droplet"), nil)
	is.Equal(text(w.must(200, "GET", "/v3/builds/"+text(v, "guid"), ""), "state"), "FAILED")
}

// TestABuildThatNobodyStages is answered as it is, after a moment.
func TestABuildThatNobodyStagesIsShownAsItIs(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	pkg := w.pack(w.app("hello"), zipped(t, "Procfile", "web: ./start"))
	v := w.must(201, "POST", "/v3/builds", `{"package":{"guid":"`+pkg+`"}}`)
	is.Equal([]any{text(v, "state"), at(v, "droplet"), at(v, "error")}, []any{"STAGING", nil, nil})
	w.stagers() // it is staged by whoever comes
	w.until("the build is STAGED", func() bool {
		return text(w.must(200, "GET", "/v3/builds/"+text(v, "guid"), ""), "state") == "STAGED"
	})
}

func TestDockerBuild(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	w.stagers()
	app := w.app("hello")
	pkg := text(w.must(201, "POST", "/v3/packages", `{"type":"docker","data":{"image":"shop/web:3"},`+ofApp(app)+`}`), "guid")
	b := w.must(201, "POST", "/v3/builds", `{"package":{"guid":"`+pkg+`"}}`)
	is.Equal(at(b, "lifecycle"), map[string]any{"type": "docker", "data": map[string]any{}})
	d := w.must(200, "GET", "/v3/droplets/"+text(b, "droplet", "guid"), "")
	is.Equal([]string{text(d, "image"), text(d, "lifecycle", "type"), text(d, "state")}, []string{"shop/web:3", "docker", "STAGED"})
	is.Equal(at(d, "checksum"), nil)
}

func TestRefusedPackages(t *testing.T) {
	w := newWorld(t)
	app := w.app("hello")
	docker := text(w.must(201, "POST", "/v3/packages", `{"type":"docker","data":{"image":"shop/web:3"},`+ofApp(app)+`}`), "guid")
	waiting := text(w.must(201, "POST", "/v3/packages", `{"type":"bits",`+ofApp(app)+`}`), "guid")
	for _, tt := range []struct {
		path, body string
		detail     string
	}{
		{"/v3/packages", `{"type":"bits"}`, "Relationships App can't be blank"},
		{"/v3/packages", `{"type":"bits",` + ofApp("nobody") + `}`, "App is invalid. Ensure it exists and you have access to it."},
		{"/v3/packages", `{"type":"docker",` + ofApp(app) + `}`, "Image required"},
		{"/v3/packages", `{"type":"docker","data":{"image":"a","username":"u","password":"p"},` + ofApp(app) + `}`,
			"Credentials of an image are not supported: they would stand in the history for good"},
		{"/v3/packages", `{"kind":"bits"}`, "Unknown field(s): 'kind'"},
		{"/v3/builds", `{}`, "Package guid must be a string"},
		{"/v3/builds", `{"package":{"guid":"nobody"}}`, "Unable to use package. Ensure that the package exists and you have access to it."},
		{"/v3/builds", `{"package":{"guid":"` + waiting + `"}}`, "Cannot stage package whose state is not ready."},
		{"/v3/builds", `{"package":{"guid":"` + docker + `"},"lifecycle":{"type":"buildpack","data":{"buildpacks":["ruby"]}}}`,
			"Lifecycle buildpacks must be empty: staging takes the files as they are"},
	} {
		t.Run(tt.path+tt.detail, func(t *testing.T) {
			refused(t, w.call("POST", tt.path, tt.body), 422, 10008, unprocessable, tt.detail)
		})
	}
	zip := zipped(t, "a", "b")
	for name, tt := range map[string]struct {
		to, resources, bits string
		detail              string
	}{
		"image":        {docker, "[]", zip, "Package type must be bits."},
		"no bits":      {waiting, "[]", "", "Upload must include bits"},
		"known files":  {waiting, `[{"path":"a"}]`, zip, "Resources must be empty: no files are kept here, so upload all of them as 'bits'"},
		"no JSON":      {waiting, `{`, zip, "Resources is not valid JSON"},
		"no zip":       {waiting, ``, "garbage", "The zip cannot be used: package refused: no zip: zip: not a valid zip file"},
		"leads abroad": {waiting, `[]`, zipped(t, "../a", "b"), `The zip cannot be used: package refused: the name "../a" leads out of the package`},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			body, contentType := multiform(tt.resources, tt.bits)
			refused(t, w.call("POST", "/v3/packages/"+tt.to+"/upload", body, "Content-Type", contentType), 422, 10008, unprocessable, tt.detail)
			is.Equal(w.bits.count(), 0) // nothing was left behind
		})
	}
	got := w.call("POST", "/v3/packages/"+waiting+"/upload", "{}", "Content-Type", "application/json")
	is.New(t).Equal(got.Code, 415)
	body, contentType := multiform("[]", zip)
	got = w.call("POST", "/v3/packages/"+waiting+"/upload", body[:len(body)-100], "Content-Type", contentType)
	refused(t, got, 400, 1001, "CF-MessageParseError", "Request invalid due to parse error: the upload broke off")
}

func TestResourceMatches(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	v := w.must(201, "POST", "/v3/resource_matches", `{"resources":[{"checksum":{"value":"abc"},"size_in_bytes":3,"path":"a","mode":"644"}]}`)
	is.Equal(at(v, "resources"), []any{}) // none is known
}

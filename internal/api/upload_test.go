package api_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/api"
	"slipway/internal/commands"
)

// form is a multipart body with these fields, in order: name, content, ...
func form(fields ...string) (body, contentType string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for i := 0; i < len(fields); i += 2 {
		part, _ := w.CreateFormFile(fields[i], "droplet.tgz") // a buffer does not fail
		_, _ = part.Write([]byte(fields[i+1]))
	}
	_ = w.Close()
	return b.String(), w.FormDataContentType()
}

func (w *world) emptyDroplet() string {
	app := w.app("hello" + events.NewID())
	return text(w.must(201, "POST", "/v3/droplets", `{"relationships":{"app":{"data":{"guid":"`+app+`"}}}}`), "guid")
}

func TestUpload(t *testing.T) {
	for name, send := range map[string]func() (body, contentType string){
		"form":         func() (string, string) { return form("bits", "the bits") },
		"second field": func() (string, string) { return form("resources", "[]", "bits", "the bits") },
		"raw":          func() (string, string) { return "the bits", "application/gzip" },
		"octets":       func() (string, string) { return "the bits", "application/octet-stream" },
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			w := newWorld(t)
			id := w.emptyDroplet()
			body, contentType := send()
			got := w.call("POST", "/v3/droplets/"+id+"/upload", body, "Content-Type", contentType)
			is.Equal(got.Code, 202)
			v := object(t, got.Body.Bytes())
			is.Equal(text(v, "state"), "STAGED")
			is.Equal(at(v, "checksum"), map[string]any{"type": "sha256", "value": sumOf("the bits")})
			is.Equal(at(v, "size_in_bytes"), 8.0)
			job := got.Header().Get("Location")
			is.Equal(job, server+"/v3/jobs/droplet.upload."+id)
			v = w.must(200, "GET", strings.TrimPrefix(job, server), "")
			is.Equal(text(v, "state"), "COMPLETE")
			is.Equal(text(v, "operation"), "droplet.upload")
		})
	}
}

func TestUploadIsRepeatable(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	id := w.emptyDroplet()
	for range 2 {
		w.must(202, "POST", "/v3/droplets/"+id+"/upload", "bits", "Content-Type", "application/gzip", "Idempotency-Key", "up-1")
	}
	got := w.call("POST", "/v3/droplets/"+id+"/upload", "bits", "Content-Type", "application/gzip", "Idempotency-Key", "up-2")
	refused(t, got, 422, 10008, unprocessable, "Droplet may be uploaded only once. Create a new droplet to upload bits.")
	is.Equal(w.bits.count(), 1)
}

func TestBadUploads(t *testing.T) {
	const brokeOff = "Request invalid due to parse error: the upload broke off"
	whole, contentType := form("bits", strings.Repeat("x", 100_000))
	wrong, wrongType := form("bytes", "x")
	for name, tt := range map[string]struct {
		body        string
		contentType string
		status      int
		detail      string
	}{
		"no bits":       {wrong, wrongType, 422, "A droplet tgz file must be uploaded as 'bits'"},
		"cut in a file": {whole[:50_000], contentType, 400, brokeOff},
		"cut in a head": {whole[:20], contentType, 422, "A droplet tgz file must be uploaded as 'bits'"},
		"no form":       {"garbage", contentType, 422, "A droplet tgz file must be uploaded as 'bits'"},
		"no boundary":   {"x", "multipart/form-data", 400, parseError},
		"JSON":          {"{}", "application/json", 415, "Send the bits as file 'bits' of multipart/form-data, or as application/gzip"},
		"no type":       {"x", ";;", 415, "Send the bits as file 'bits' of multipart/form-data, or as application/gzip"},
		"unsafe bits":   {"../../etc/passwd", "application/gzip", 422, "The bits cannot be unpacked safely"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			w := newWorld(t)
			id := w.emptyDroplet()
			got := w.call("POST", "/v3/droplets/"+id+"/upload", tt.body, "Content-Type", tt.contentType)
			is.Equal(got.Code, tt.status)
			is.Equal(text(object(t, got.Body.Bytes()), "errors", 0, "detail"), tt.detail)
			is.Equal(w.bits.count(), 0) // nothing was left behind
			is.Equal(text(w.must(200, "GET", "/v3/droplets/"+id, ""), "state"), "AWAITING_UPLOAD")
		})
	}
}

func TestUploadToNobody(t *testing.T) {
	w := newWorld(t)
	for _, id := range []string{"nobody", "*", "events.%3E"} {
		got := w.call("POST", "/v3/droplets/"+id+"/upload", "bits", "Content-Type", "application/gzip")
		refused(t, got, 404, 10010, "CF-ResourceNotFound", "Droplet not found")
	}
}

// endless is a body that goes on past every limit.
type endless struct{ given int64 }

func (e *endless) Read(p []byte) (int, error) {
	e.given += int64(len(p))
	return len(p), nil
}

// TestUploadIsLimitedAndNotHeld sends more than may be sent; the store that takes it keeps nothing, and so does the API.
func TestUploadIsLimitedAndNotHeld(t *testing.T) {
	is := is.New(t)
	w := newWorld(t)
	body := &endless{}
	a := api.New(api.Config{Auth: admin{}, Commands: draining{}, Store: w.store, Logger: quiet})
	r := httptest.NewRequest("POST", server+"/v3/droplets/x/upload", body)
	r.Header.Set("Content-Type", "application/gzip")
	got := httptest.NewRecorder()
	a.ServeHTTP(got, r)
	is.Equal(got.Code, http.StatusRequestEntityTooLarge)
	is.True(strings.Contains(got.Body.String(), fmt.Sprintf("larger than %d bytes", api.MaxUpload+64<<10)))
	is.True(body.given < api.MaxUpload+1<<20) // it stopped reading
}

func TestUploadThatBreaksOff(t *testing.T) {
	w := newWorld(t)
	r := httptest.NewRequest("POST", server+"/v3/droplets/"+w.emptyDroplet()+"/upload",
		io.MultiReader(strings.NewReader("some"), broken{}))
	r.Header.Set("Content-Type", "application/gzip")
	got := httptest.NewRecorder()
	w.api.ServeHTTP(got, r)
	refused(t, got, 400, 1001, "CF-MessageParseError", "Request invalid due to parse error: the upload broke off")
}

// draining reads what is uploaded and keeps nothing of it.
type draining struct{ failing }

func (draining) UploadDroplet(_ context.Context, _ events.DropletID, r io.Reader, _ commands.Caller) (commands.Result, error) {
	_, err := io.Copy(io.Discard, r)
	return commands.Result{}, err
}

func sumOf(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

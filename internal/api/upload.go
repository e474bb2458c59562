package api

import (
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/access"
	"slipway/internal/cferror"
	"slipway/internal/commands"
	"slipway/internal/resource"
)

const (
	// MaxUpload bounds the bits of a droplet or a package, in bytes: Cloud Foundry's usual limit.
	MaxUpload = 1 << 30
	// multipartExtra is room for the boundaries and headers of a multipart body.
	multipartExtra = 64 << 10
	// uploadStall is how long an upload may stand still.
	uploadStall = time.Minute
)

// uploadDroplet takes the bits of a droplet: as the file `bits` of a multipart form (Cloud Foundry's way), or as the body
// itself.
func (a *API) uploadDroplet(c echo.Context) error {
	id := events.DropletID(c.Param("guid"))
	result, err := uploaded(a, c, access.UploadDroplet(id), (*upload).bits, a.Commands.UploadDroplet, id)
	if err != nil {
		return err
	}
	a.accepted(c, resource.OperationDropletUpload, string(id))
	return a.result(c, http.StatusAccepted, result)
}

// uploaded lets bits that are found in the body flow through into the store; nothing holds them here.
func uploaded[ID ~string](
	a *API, c echo.Context, demand access.Demand, find func(*upload, *http.Request) (io.Reader, error),
	store func(context.Context, ID, io.Reader, commands.Caller) (commands.Result, error), id ID,
) (none commands.Result, err error) {
	by, err := a.callerOf(c)
	if err != nil {
		return none, err
	}
	if err := a.may(c, demand); err != nil {
		return none, err
	}
	in := newUpload(c)
	defer in.done()
	bits, err := find(in, c.Request())
	if err != nil {
		return none, err
	}
	result, err := store(c.Request().Context(), id, bits, by)
	if err != nil && in.err != nil {
		return none, in.fault() // what the store says of a body that broke off is not the cause
	}
	if err != nil {
		return none, err
	}
	standsAt(c, result.Sequence)
	return result, nil
}

// upload is a body on its way in. It remembers why it broke off, and breaks off where nothing comes any more.
type upload struct {
	r          io.Reader
	connection *http.ResponseController
	err        error
}

func newUpload(c echo.Context) *upload {
	return &upload{
		r:          http.MaxBytesReader(c.Response(), c.Request().Body, MaxUpload+multipartExtra),
		connection: http.NewResponseController(c.Response()),
	}
}

func (u *upload) Read(p []byte) (int, error) {
	_ = u.connection.SetReadDeadline(time.Now().Add(uploadStall)) // tests' connections have none
	n, err := u.r.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		u.err = err
	}
	return n, err
}

func (u *upload) done() { _ = u.connection.SetReadDeadline(time.Time{}) }

func (u *upload) fault() error {
	var tooLarge *http.MaxBytesError
	if errors.As(u.err, &tooLarge) {
		return u.err
	}
	return cferror.MessageParseError.With("Request invalid due to parse error: the upload broke off")
}

// bits finds the bits in the body.
func (u *upload) bits(r *http.Request) (io.Reader, error) {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err == nil && media == "multipart/form-data" && params["boundary"] == "":
		return nil, commands.Malformed()
	case err == nil && media == "multipart/form-data":
		others := func(*multipart.Part) error { return nil }
		return u.file(multipart.NewReader(u, params["boundary"]), "A droplet tgz file must be uploaded as 'bits'", others)
	case err == nil && (media == "application/gzip" || media == "application/x-gzip" || media == "application/octet-stream"):
		return u, nil
	}
	return nil, cferror.UnsupportedMediaType.With("Send the bits as file 'bits' of multipart/form-data, or as application/gzip")
}

// file finds the file `bits` among the parts of a form. Others before it are looked at and passed over.
func (u *upload) file(form *multipart.Reader, absent string, look func(*multipart.Part) error) (io.Reader, error) {
	for {
		part, err := form.NextRawPart()
		switch {
		case errors.Is(err, io.EOF):
			return nil, aggregates.Reject("%s", absent)
		case u.err != nil:
			return nil, u.fault()
		case err != nil:
			return nil, commands.Malformed()
		case part.FormName() == "bits":
			return &bitsPart{part, u}, nil
		}
		if err := look(part); err != nil {
			return nil, err
		}
	}
}

// bitsPart is the file in a form. A form that ends before the file does broke off, although its connection did not.
type bitsPart struct {
	part *multipart.Part
	in   *upload
}

func (b *bitsPart) Read(p []byte) (int, error) {
	n, err := b.part.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && b.in.err == nil {
		b.in.err = err
	}
	return n, err
}

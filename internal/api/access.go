package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/access"
	"slipway/internal/auth"
	"slipway/internal/auth/sigv4"
	"slipway/internal/commands"
	"slipway/internal/resource"
	"slipway/projections"
)

// loginPath is where the token server answers.
const loginPath = "/uaa"

// nobody is the verifier of an API that was given none: it lets nobody in.
type nobody struct{}

func (nobody) Verify(context.Context, []string) (auth.Identity, error) {
	return auth.Identity{}, auth.ErrNoToken
}

// open says whether a path tells strangers what they need in order to log in, or to see that the server lives.
func open(path string) bool {
	switch path {
	case "/", "/v3", "/v3/info", "/healthz", "/readyz", pathOpenAPI:
		return true
	}
	return strings.HasPrefix(path, loginPath+"/")
}

// authenticated lets a request through whose token is good for its method, and remembers whose it is. What they may do is for
// the handlers to ask; a handler that answers without having asked is a fault, and its answer becomes one.
func (a *API) authenticated(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if open(r.URL.Path) {
			return next(c)
		}
		if err := a.identify(c, r); err != nil {
			return err
		}
		c.Response().Before(func() {
			if c.Response().Status < http.StatusBadRequest && c.Get(judged) == nil {
				panic(c.Path() + " answers without asking whether the caller may")
			}
		})
		return next(c)
	}
}

// identify says whose token a request shows, if it is good for its method, and remembers it.
func (a *API) identify(c echo.Context, r *http.Request) error {
	i, err := a.whose(c, r)
	if err != nil {
		return err
	}
	if err := i.Permits(r.Method); err != nil {
		return err
	}
	c.SetRequest(r.WithContext(auth.NewContext(r.Context(), i)))
	return nil
}

// whose says whose token a request shows, or on AppConfig's paths who signed it, or on those of integrations which client.
func (a *API) whose(c echo.Context, r *http.Request) (auth.Identity, error) {
	if i, ok, err := a.clientOf(r); ok {
		return i, err
	}
	if a.Keys == nil || !ofAppConfig(r.URL.Path) || !sigv4.Signed(r) {
		return a.Auth.Verify(r.Context(), r.Header.Values("Authorization"))
	}
	body, err := readText(c)
	if err != nil {
		return auth.Identity{}, err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return a.Keys.VerifySigned(r.Context(), r, body)
}

// judged is the key under which a request notes that its caller was judged.
const judged = "judged"

// anybody notes that a request needs no more than a good token.
func anybody(c echo.Context) { c.Set(judged, true) }

// may answers for what the caller may not do: see [access.Gate.Check].
func (a *API) may(c echo.Context, demands ...access.Demand) error {
	c.Set(judged, true)
	ctx := c.Request().Context()
	return a.gate.Check(ctx, auth.FromContext(ctx), demands...)
}

// see is may for reading something of a thing. Who may not know of the thing hears that one of this kind is not found.
func (a *API) see(c echo.Context, action auth.Action, on access.Thing, kind commands.Kind) error {
	return a.may(c, reading(action, on, kind))
}

func reading(action auth.Action, on access.Thing, kind commands.Kind) access.Demand {
	return access.Demand{
		Action: action, On: on, Hidden: aggregates.NotFound(string(kind)),
		Discreet: action != auth.ReadEnvironment && action != auth.ReadSecrets, // those are parts of what can be seen
	}
}

// named reads what has an id, for a caller who may do the action with it. To others it is not found, as if there were none.
func named[ID ~string, Row any](
	a *API, c echo.Context, action auth.Action, kind commands.Kind, read func(context.Context, ID) (Row, error), id ID,
) (Row, error) {
	row, err := read(c.Request().Context(), id)
	if err != nil {
		return row, missing(kind, err)
	}
	return row, a.see(c, action, thing(kind, id), kind)
}

// thing is what a demand is about.
func thing[ID ~string](kind commands.Kind, id ID) access.Thing {
	return access.Thing{Kind: kind, ID: string(id)}
}

// sees is the lists as far as the caller may do the action where their rows are.
func (a *API) sees(c echo.Context, action auth.Action) (projections.Sight, error) {
	c.Set(judged, true)
	ctx := c.Request().Context()
	i := auth.FromContext(ctx)
	if i.Everywhere(action) {
		return a.Store.All(), nil
	}
	known, err := a.reader.Places(ctx)
	if err != nil {
		return projections.Sight{}, err
	}
	var organizations []events.OrganizationID
	for _, p := range known {
		o := events.OrganizationID(p.Organization)
		if alone := p; action == auth.Read || action == auth.ReadAuditEvents { // what is an organization's own, not its spaces'
			alone.Space, alone.SpaceName = "", ""
			p = alone
		}
		if !slices.Contains(organizations, o) && i.Can(action, p) {
			organizations = append(organizations, o)
		}
	}
	return a.Store.Only(i.Filter(action, known).Spaces, organizations), nil
}

// discreet leaves out of a resource what the caller may not read of it.
func (a *API) discreet(c echo.Context, on access.Thing, v any) (any, error) {
	secretive, ok := v.(resource.Secretive)
	if !ok {
		return v, nil
	}
	secrets, err := a.secrets(c, on)
	if err != nil || secrets {
		return v, err
	}
	return secretive.WithoutSecrets(), nil
}

// showing shows rows with or without their secrets.
func showing[Row any, Shown resource.Secretive](secrets bool, show func(Row) Shown) func(Row) any {
	return func(r Row) any {
		if shown := show(r); !secrets {
			return shown.WithoutSecrets()
		} else {
			return shown
		}
	}
}

// secrets says whether the caller may read start commands and the like of a thing.
func (a *API) secrets(c echo.Context, on access.Thing) (bool, error) {
	ctx := c.Request().Context()
	v, err := a.gate.Judge(ctx, auth.FromContext(ctx), access.Demand{Action: auth.ReadSecrets, On: on})
	return v == auth.Allowed, err
}

// mountLogin lets the token server answer below [loginPath].
func (a *API) mountLogin() {
	if a.Login != nil {
		a.echo.Any(loginPath+"/*", echo.WrapHandler(http.StripPrefix(loginPath, a.Login)))
	}
}

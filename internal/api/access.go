package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"slipway/internal/auth"
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
	case "/", "/v3", "/v3/info", "/healthz", "/readyz":
		return true
	}
	return strings.HasPrefix(path, loginPath+"/")
}

// authenticated lets a request through whose token is good and may do what is asked, and remembers whose it is.
func (a *API) authenticated(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if open(r.URL.Path) {
			return next(c)
		}
		i, err := a.Auth.Verify(r.Context(), r.Header.Values("Authorization"))
		if err != nil {
			return err
		}
		if !i.Everywhere(actionOf(r.Method, c.Path())) {
			return auth.ErrScope
		}
		c.SetRequest(r.WithContext(auth.NewContext(r.Context(), i)))
		return next(c)
	}
}

// actionOf is what a request does. Roles in single spaces do not count yet, so it has to be allowed everywhere.
func actionOf(method, route string) auth.Action {
	switch {
	case method != http.MethodGet && method != http.MethodHead:
		return auth.Administer
	case strings.HasSuffix(route, "/env"), strings.HasSuffix(route, "/environment_variables"), strings.HasSuffix(route, "/manifest"):
		return auth.ReadSecrets
	}
	return auth.Read
}

// mountLogin lets the token server answer below [loginPath].
func (a *API) mountLogin() {
	if a.Login != nil {
		a.echo.Any(loginPath+"/*", echo.WrapHandler(http.StripPrefix(loginPath, a.Login)))
	}
}

package api

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"slipway/internal/cferror"
)

// crossOrigin refuses writes that a web page of another origin makes a browser send.
var crossOrigin http.CrossOriginProtection

// guarded stands before every request. The browser of a developer reaches the server, and so do
// the pages in it. So it answers only under a loopback name: a page whose own name was made to resolve to
// 127.0.0.1 (DNS rebinding) has the wrong Host. And it takes no writes from other origins.
func (a *API) guarded(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			if p := recover(); p != nil {
				if p == http.ErrAbortHandler {
					panic(p) // net/http's own way to break a connection off
				}
				err = &panicError{value: p, stack: debug.Stack()}
			}
		}()
		setHeaders(c.Response().Header())
		r := c.Request()
		if !loopback(r.Host) {
			return cferror.NotAuthorized.With("This server answers to loopback names only, not to host '%.100s'",
				strings.ToValidUTF8(r.Host, "?"))
		}
		if err := crossOrigin.Check(r); err != nil {
			return cferror.NotAuthorized.With("Requests from web pages of another origin are refused")
		}
		return next(c)
	}
}

// setHeaders forbids what no answer of an API needs: guessing its type, caching, and being shown inside another page.
func setHeaders(h http.Header) {
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	h.Set("Referrer-Policy", "no-referrer")
}

// loopback says whether a Host header names this machine, with or without a port.
func loopback(host string) bool {
	name, port, err := net.SplitHostPort(host)
	if err != nil {
		name, port, err = net.SplitHostPort(host + ":80")
	}
	if n, noPort := strconv.ParseUint(port, 10, 16); err != nil || noPort != nil || n == 0 {
		return false
	}
	if name == "localhost" {
		return true
	}
	ip, err := netip.ParseAddr(name)
	return err == nil && ip.IsLoopback() && ip.Zone() == ""
}

// panicError is a panic on its way to the log.
type panicError struct {
	value any
	stack []byte
}

func (e *panicError) Error() string { return fmt.Sprintf("panic: %v", e.value) }

// withoutTrailingSlash lets "/v3/deployments/" mean "/v3/deployments", as Cloud Foundry does.
func withoutTrailingSlash(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		u := c.Request().URL
		if len(u.Path) > 1 && strings.HasSuffix(u.Path, "/") {
			u.Path, u.RawPath = strings.TrimSuffix(u.Path, "/"), strings.TrimSuffix(u.RawPath, "/")
		}
		return next(c)
	}
}

// withFullPath refuses paths such as "/v3/deployments//events", which name nothing. Behind it no id of a path is empty:
// an empty id would select everything in a query.
func withFullPath(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if slices.Contains(c.ParamValues(), "") {
			return echo.ErrNotFound
		}
		return next(c)
	}
}

package auth

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
)

// refusal is an answer that gives no token, in the form of OAuth 2 (RFC 6749, 5.2) with UAA's words where the cf CLI knows
// them.
type refusal struct {
	status int
	Code   string `json:"error"`
	Text   string `json:"error_description"`
}

func (r *refusal) Error() string { return r.Code + ": " + r.Text }

func invalid(text string) *refusal { return &refusal{http.StatusBadRequest, "invalid_request", text} }

var (
	badCredentials = &refusal{http.StatusUnauthorized, "unauthorized", "Bad credentials"}
	badClient      = &refusal{http.StatusUnauthorized, "invalid_client", "Bad credentials"}
	// locked has the text that the cf CLI knows from UAA.
	locked = &refusal{http.StatusUnauthorized, "unauthorized",
		"Your account has been locked because of too many failed attempts to login."}
	busy = &refusal{http.StatusServiceUnavailable, "temporarily_unavailable", "Too many logins at once. Try again."}
	// badRefresh is UAA's answer rather than OAuth's invalid_grant: to this one the cf CLI says "log in again".
	badRefresh   = &refusal{http.StatusUnauthorized, "invalid_token", "The refresh token expired, was revoked, or is not valid"}
	badGrantType = &refusal{http.StatusBadRequest, "unsupported_grant_type",
		"Unsupported grant type: want password, client_credentials or refresh_token"}
	badClientGrant = &refusal{http.StatusUnauthorized, "unauthorized_client", "Unauthorized grant type for this client"}
	badScope       = &refusal{http.StatusBadRequest, "invalid_scope", "A scope is asked for that there is no right to"}
	badOrigin      = &refusal{http.StatusBadRequest, "invalid_request", "The origin in login_hint is unknown: there is uaa only"}
	serverError    = &refusal{http.StatusInternalServerError, "server_error", "Internal error"}
)

// shownAs is the one place where errors become answers of the token server.
func shownAs(err error) *refusal {
	var shown *refusal
	switch {
	case errors.As(err, &shown):
		return shown
	case errors.Is(err, errCredentials):
		return badCredentials
	case errors.Is(err, errLocked):
		return locked
	case errors.Is(err, errBusy):
		return busy
	case errors.Is(err, ErrBadToken):
		return badRefresh
	}
	return serverError
}

// logRefusal tells of what a person should see: guessing, and faults of ours. Names are not logged: a password typed into
// the wrong field would be one.
func (a *Authority) logRefusal(ctx context.Context, shown *refusal, err error) {
	level := slog.LevelDebug
	switch shown {
	case locked, busy:
		level = slog.LevelWarn
	case serverError:
		level = slog.LevelError
	}
	a.logger.LogAttrs(ctx, level, "login refused", slog.Int("status", shown.status), slog.Any("err", err))
}

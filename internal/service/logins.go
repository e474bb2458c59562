package service

import (
	"fmt"
	"io"
	"log/slog"
	"os"

	"slipway/internal/auth"
)

// Logins opens who may log in. On the first start it makes the user admin and tells the password on w, once. The variable with
// the admin's password is taken out of the environment: what is started from here must not inherit it.
func Logins(dir string, w io.Writer, logger *slog.Logger) (*auth.Authority, error) {
	shown, err := auth.Bootstrap(dir, os.Getenv)
	if err != nil {
		return nil, err
	}
	if err := os.Unsetenv(auth.AdminPasswordEnv); err != nil {
		return nil, err
	}
	if shown != "" {
		fmt.Fprintf(w, "\nThe password of the user %s, shown this once:  %s\n  log in:  go run ./cmd/slipway auth token\n\n", auth.AdminUser, shown)
	}
	return auth.Open(dir, nil, logger)
}

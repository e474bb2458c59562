package service

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"slipway/internal/auth"
)

// Logins opens who may log in. On the first start it makes the user admin and tells the password and an access key on w, once.
// The variables with the admin's secrets are taken out of the environment: what is started from here must not inherit them.
func Logins(dir string, w io.Writer, logger *slog.Logger) (*auth.Authority, error) {
	shown, err := auth.Bootstrap(dir, os.Getenv)
	if err != nil {
		return nil, err
	}
	key, err := auth.BootstrapAccessKey(dir, time.Now(), os.Getenv)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(os.Unsetenv(auth.AdminPasswordEnv), os.Unsetenv(auth.AdminAccessKeyEnv)); err != nil {
		return nil, err
	}
	if shown != "" {
		fmt.Fprintf(w, "\nThe password of the user %s, shown this once:  %s\n  log in:  go run ./cmd/slipway auth token\n\n", auth.AdminUser, shown)
	}
	if key != (auth.Credentials{}) {
		fmt.Fprintf(w, "An access key of the user %s, for AWS's SDKs, shown this once:\n  AWS_ACCESS_KEY_ID=%s\n  AWS_SECRET_ACCESS_KEY=%s\n\n",
			auth.AdminUser, key.ID, key.Secret)
	}
	return auth.Open(dir, nil, logger)
}

package natsboot

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// TestServersErrors: a person sees faults of the server's and failed logins, without the name that somebody typed.
func TestServersErrors(t *testing.T) {
	is := is.New(t)
	var out bytes.Buffer
	l := slogger{log: slog.New(slog.NewTextHandler(&out, nil))}
	l.Errorf("%s - authentication error - User %q", "127.0.0.1:58702 - cid:69", "my password")
	l.Errorf("Publish Violation - Subject %q", "x")
	l.Errorf("disk full")
	is.Equal(strings.Count(out.String(), "\n"), 2)
	is.True(strings.Contains(out.String(), `msg="login refused" client="127.0.0.1:58702 - cid:69"`))
	is.True(strings.Contains(out.String(), `level=ERROR msg="disk full"`))
	is.True(!strings.Contains(out.String(), "my password"))
}

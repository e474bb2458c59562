package clients

import (
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/appconfig"
	"github.com/aws/smithy-go"
	"github.com/matryer/is"

	"slipway/test/installation"
)

var strategyID = regexp.MustCompile(`^[a-z0-9]{4,7}$`)

// rawAnswer is what a request without an SDK is answered.
type rawAnswer struct {
	status             int
	exception, message string
}

// raw sends a request that no SDK would, with a token in place of a signature.
func (w *sdk) raw(method, path, body string) (got rawAnswer) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.s.API+path, strings.NewReader(body))
	w.NoErr(err)
	r.Header.Set("Authorization", "bearer "+strings.TrimSpace(installation.Must(w.t, "slipway", "auth", "token", "--api", w.s.API)))
	response, err := http.DefaultClient.Do(r)
	w.NoErr(err)
	defer response.Body.Close()
	var said struct{ Message string }
	w.NoErr(json.NewDecoder(response.Body).Decode(&said))
	return rawAnswer{response.StatusCode, response.Header.Get("X-Amzn-ErrorType"), said.Message}
}

// TestAccessKeys: who an SDK gets in as, and with which keys.
func TestAccessKeys(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	data := t.TempDir()
	s := installation.Serve(t, data)
	id, secret := printedKey(t, s)
	list := func(id, secret string) error {
		_, err := newSDK(t, s, id, secret).ListDeploymentStrategies(t.Context(), &appconfig.ListDeploymentStrategiesInput{})
		return err
	}
	is.NoErr(list(id, secret))
	refusedAs(t, list(id, secret+"x"), "InvalidSignatureException")
	refusedAs(t, list("AKIDEXAMPLE", secret), "UnrecognizedClientException")

	dir := []string{"--dir", data + "/auth"}
	installation.Must(t, "slipway", append([]string{"auth", "add-user", "ann", "--random", "--role", "space_auditor:default/default"}, dir...)...)
	lines := strings.Fields(installation.Must(t, "slipway", append([]string{"auth", "add-key", "ann"}, dir...)...))
	is.Equal(len(lines), 2)
	annID, annSecret := strings.TrimPrefix(lines[0], "AWS_ACCESS_KEY_ID="), strings.TrimPrefix(lines[1], "AWS_SECRET_ACCESS_KEY=")
	is.NoErr(list(annID, annSecret)) // at once: nothing was started again
	_, err := newSDK(t, s, annID, annSecret).CreateDeploymentStrategy(t.Context(), creation(nil))
	refusedAs(t, err, "AccessDeniedException") // an auditor reads
	installation.Must(t, "slipway", append([]string{"auth", "remove-key", annID}, dir...)...)
	refusedAs(t, list(annID, annSecret), "UnrecognizedClientException")
}

// refusedAs checks the exception that an SDK sees, also of those that are of no operation.
func refusedAs(t *testing.T, err error, exception string) {
	t.Helper()
	is := is.New(t)
	var api smithy.APIError
	is.True(errors.As(err, &api))
	is.Equal(api.ErrorCode(), exception)
}

// TestStrategiesOutlive a kill and a start anew: they are events.
func TestStrategiesOutlive(t *testing.T) {
	t.Parallel()
	is := is.New(t)
	data := t.TempDir()
	s := installation.Serve(t, data)
	id, secret := printedKey(t, s)
	before := newSDK(t, s, id, secret)
	made := before.creates(func(in *create) { in.GrowthFactor = new(float32(33.3)) })
	s.Kill()
	s = installation.Serve(t, data)
	after := newSDK(t, s, id, secret)
	got := after.gets(*made.Id)
	is.Equal(*got.GrowthFactor, float32(33.3))
	is.Equal(*got.Name, "careful")
	s.Sound(t.Context(), t)
}

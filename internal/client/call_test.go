package client_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/internal/client"
)

// mute takes every request and answers none.
type mute struct{}

func (mute) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	return nil, r.Context().Err()
}

// TestAnAPIThatDoesNotAnswer: who calls it is told so, by and by.
func TestAnAPIThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		is := is.New(t)
		c := client.WithToken("http://127.0.0.1:8080", "token")
		c.HTTP = &http.Client{Transport: mute{}}
		ctx, cancel := context.WithTimeout(t.Context(), 24*time.Hour)
		defer cancel()
		err := c.Call(ctx, http.MethodGet, "/v3/apps", nil, nil)
		is.NoErr(ctx.Err()) // before anybody has lost their patience
		is.True(strings.Contains(err.Error(), "the API did not answer in time"))
	})
}

package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"slipway/internal/auth"
)

// renewAfter is when a token is given up for a new one: well before it ends.
const renewAfter = auth.AccessLifetime / 2

// ErrSecret: the API does not know the secret of Slipway's parts that the client has.
var ErrSecret = errors.New("the secret of Slipway's own parts is not accepted")

// do sends a request with a token.
func (c *Client) do(request *http.Request) (*http.Response, error) {
	token, err := c.login(request.Context())
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "bearer "+token)
	return c.HTTP.Do(request)
}

// login gives a token that is good for some minutes.
func (c *Client) login(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != "" && (c.secret == "" || time.Since(c.since) < renewAfter) {
		return c.token, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Base+"/uaa/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.SetBasicAuth(auth.ServiceUser, c.secret)
	response, err := c.HTTP.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusUnauthorized {
		return "", fmt.Errorf("%w at %s: is the data directory that of the Slipway that runs there?", ErrSecret, c.Base)
	}
	if response.StatusCode != http.StatusOK {
		return "", fmt.Errorf("log in: %s", response.Status)
	}
	var answer struct {
		Token string `json:"access_token"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	c.token, c.since = answer.Token, time.Now()
	return c.token, nil
}

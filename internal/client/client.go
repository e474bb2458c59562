// Package client speaks Slipway's public HTTP API, as far as the operator's commands, the demo and the tests that start real
// processes need it.
//
// What it guarantees:
//
//  1. An answer that is no success is a [*RefusedError], with what the API says in words.
//  2. A [Stream] hands each event on once and in order, over however many connections, and none is silent for ever.
//  3. A call ends: an API that has taken it and does not answer is given up.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Limits of a call.
const (
	// callTimeout bounds one with its answer: several times what the API gives a command.
	callTimeout = 2 * time.Minute
	// uploadTimeout bounds an upload: a gigabyte over a slow line, and the look into it.
	uploadTimeout = time.Hour
)

// errMuteAPI: nothing came of a call.
var errMuteAPI = errors.New("the API did not answer in time")

// Client speaks to one API.
type Client struct {
	Base string // URL, e.g. http://127.0.0.1:8080
	HTTP *http.Client

	secret string
	mu     sync.Mutex
	token  string
	since  time.Time // when token was given
}

// New makes a client for the API at a URL. It logs in as Slipway's own client, whose secret stands in the data directory.
func New(base, secret string) *Client {
	return &Client{Base: base, HTTP: &http.Client{}, secret: secret}
}

// WithToken makes a client that logs in with a token, as long as that is good.
func WithToken(base, token string) *Client {
	return &Client{Base: base, HTTP: &http.Client{}, token: strings.TrimPrefix(token, "bearer ")}
}

type resource struct {
	GUID string `json:"guid"`
}

// Call sends a JSON body, if any, and reads a JSON answer, if wanted. An error names the request and what was answered.
func (c *Client) Call(ctx context.Context, method, path string, body, answer any) error {
	return c.Once(ctx, "", method, path, body, answer)
}

// Once is Call for what is done once, however often it is asked for with the same key; an empty one is none.
func (c *Client) Once(ctx context.Context, key, method, path string, body, answer any) error {
	var r io.Reader
	header := http.Header{}
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r = bytes.NewReader(data)
		header.Set("Content-Type", "application/json")
	}
	if key != "" {
		header.Set("Idempotency-Key", key)
	}
	return c.send(ctx, callTimeout, method, path, header, r, answer)
}

func (c *Client) send(ctx context.Context, limit time.Duration, method, path string, header http.Header, body io.Reader, answer any) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("%w: %v", errMuteAPI, limit))
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.Base+path, body)
	if err != nil {
		return err
	}
	request.Header = header
	response, err := c.do(request)
	if errors.Is(err, ErrSecret) {
		return fmt.Errorf("%s %s: %w", method, path, err)
	}
	if late := context.Cause(ctx); err != nil && errors.Is(late, errMuteAPI) {
		return fmt.Errorf("%s %s: %w", method, path, late)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w (is Slipway running? start it with: make run)", method, path, err)
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		return refusal(response)
	}
	if answer == nil {
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

// App finds the app by name or creates it.
func (c *Client) App(ctx context.Context, name string) (guid string, err error) {
	var found struct {
		Resources []resource `json:"resources"`
	}
	if err := c.Call(ctx, http.MethodGet, "/v3/apps?names="+name, nil, &found); err != nil {
		return "", err
	}
	if len(found.Resources) > 0 {
		return found.Resources[0].GUID, nil
	}
	var created resource
	err = c.Call(ctx, http.MethodPost, "/v3/apps", map[string]any{
		"name": name, "relationships": relationship("space", "default"),
	}, &created)
	return created.GUID, err
}

// Droplet creates a droplet and uploads its bits.
func (c *Client) Droplet(ctx context.Context, app string, bits []byte) (guid string, err error) {
	var created resource
	if err := c.Call(ctx, http.MethodPost, "/v3/droplets", map[string]any{"relationships": relationship("app", app)}, &created); err != nil {
		return "", err
	}
	return created.GUID, c.Upload(ctx, created.GUID, bits)
}

// Upload gives a droplet its bits, a .tgz.
func (c *Client) Upload(ctx context.Context, droplet string, bits []byte) error {
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	part, err := writer.CreateFormFile("bits", "droplet.tgz")
	if err != nil {
		return err
	}
	if _, err := part.Write(bits); err != nil {
		return err
	}
	if err := writer.Close(); err != nil {
		return err
	}
	header := http.Header{"Content-Type": {writer.FormDataContentType()}}
	return c.send(ctx, uploadTimeout, http.MethodPost, "/v3/droplets/"+droplet+"/upload", header, &form, nil)
}

// Deploy begins a rolling rollout.
func (c *Client) Deploy(ctx context.Context, app, droplet string, options map[string]any) (guid string, err error) {
	return c.DeployAs(ctx, "rolling", app, droplet, options)
}

// DeployAs begins a rollout by a strategy.
func (c *Client) DeployAs(ctx context.Context, strategy, app, droplet string, options map[string]any) (guid string, err error) {
	var created resource
	err = c.Call(ctx, http.MethodPost, "/v3/deployments", map[string]any{
		"relationships": relationship("app", app), "droplet": resource{droplet}, "strategy": strategy, "options": options,
	}, &created)
	return created.GUID, err
}

// SetEnvironment merges variables into the app's environment.
func (c *Client) SetEnvironment(ctx context.Context, app string, variables map[string]string) error {
	return c.Call(ctx, http.MethodPatch, "/v3/apps/"+app+"/environment_variables", map[string]any{"var": variables}, nil)
}

// Cancel asks a deployment to go back.
func (c *Client) Cancel(ctx context.Context, deployment string) error {
	return c.Call(ctx, http.MethodPost, "/v3/deployments/"+deployment+"/actions/cancel", nil, nil)
}

// Routable counts the instances of the app's newest web process that run and get traffic.
func (c *Client) Routable(ctx context.Context, app string) (int, error) {
	var stats struct {
		Resources []struct {
			State    string `json:"state"`
			Routable bool   `json:"routable"`
		} `json:"resources"`
	}
	err := c.Call(ctx, http.MethodGet, "/v3/apps/"+app+"/processes/web/stats", nil, &stats)
	up := 0
	for _, instance := range stats.Resources {
		if instance.State == "RUNNING" && instance.Routable {
			up++
		}
	}
	return up, err
}

func relationship(name, guid string) map[string]any {
	return map[string]any{name: map[string]any{"data": resource{guid}}}
}

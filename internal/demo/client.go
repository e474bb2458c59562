package demo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
)

// client speaks Slipway's public HTTP API.
type client struct {
	base string
	http *http.Client
}

type resource struct {
	GUID string `json:"guid"`
}

// call sends a JSON body, if any, and reads a JSON answer, if wanted. An error names the request and what was answered.
func (c *client) call(ctx context.Context, method, path string, body, answer any) error {
	var r io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		r = bytes.NewReader(data)
	}
	return c.send(ctx, method, path, "application/json", r, answer)
}

func (c *client) send(ctx context.Context, method, path, contentType string, body io.Reader, answer any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return err
	}
	if body != nil {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("%s %s: %w (is Slipway running? start it with: make run)", method, path, err)
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		text, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
		return fmt.Errorf("%s %s: %s: %s", method, path, response.Status, text)
	}
	if answer == nil {
		_, err = io.Copy(io.Discard, response.Body)
		return err
	}
	return json.NewDecoder(response.Body).Decode(answer)
}

// app finds the app by name or creates it.
func (c *client) app(ctx context.Context, name string) (guid string, err error) {
	var found struct {
		Resources []resource `json:"resources"`
	}
	if err := c.call(ctx, http.MethodGet, "/v3/apps?names="+name, nil, &found); err != nil {
		return "", err
	}
	if len(found.Resources) > 0 {
		return found.Resources[0].GUID, nil
	}
	var created resource
	err = c.call(ctx, http.MethodPost, "/v3/apps", map[string]any{
		"name": name, "relationships": relationship("space", "default"),
	}, &created)
	return created.GUID, err
}

// droplet creates a droplet and uploads its bits.
func (c *client) droplet(ctx context.Context, app string, bits []byte) (guid string, err error) {
	var created resource
	if err := c.call(ctx, http.MethodPost, "/v3/droplets", map[string]any{"relationships": relationship("app", app)}, &created); err != nil {
		return "", err
	}
	var form bytes.Buffer
	writer := multipart.NewWriter(&form)
	part, err := writer.CreateFormFile("bits", "droplet.tgz")
	if err != nil {
		return "", err
	}
	if _, err := part.Write(bits); err != nil {
		return "", err
	}
	if err := writer.Close(); err != nil {
		return "", err
	}
	return created.GUID, c.send(ctx, http.MethodPost, "/v3/droplets/"+created.GUID+"/upload", writer.FormDataContentType(), &form, nil)
}

// deploy begins a rollout.
func (c *client) deploy(ctx context.Context, app, droplet string, options map[string]any) (guid string, err error) {
	var created resource
	err = c.call(ctx, http.MethodPost, "/v3/deployments", map[string]any{
		"relationships": relationship("app", app), "droplet": resource{droplet}, "options": options,
	}, &created)
	return created.GUID, err
}

func (c *client) cancel(ctx context.Context, deployment string) error {
	return c.call(ctx, http.MethodPost, "/v3/deployments/"+deployment+"/actions/cancel", nil, nil)
}

func relationship(name, guid string) map[string]any {
	return map[string]any{name: map[string]any{"data": resource{guid}}}
}

// event is one event of a deployment's history.
type event struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Subject string          `json:"subject"`
	Time    string          `json:"time"`
	Data    json.RawMessage `json:"data"`
}

// watch follows a deployment's live stream until one event satisfies done, handing each to seen.
func (c *client) watch(ctx context.Context, deployment string, seen func(event) (done bool)) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/v3/deployments/"+deployment+"/stream", nil)
	if err != nil {
		return err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return fmt.Errorf("watch deployment %s: %w", deployment, err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("watch deployment %s: %s", deployment, response.Status)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var e event
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return fmt.Errorf("watch deployment %s: %w", deployment, err)
		}
		if seen(e) {
			return nil
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("watch deployment %s: %w", deployment, err)
	}
	return fmt.Errorf("watch deployment %s: %w", deployment, io.ErrUnexpectedEOF)
}

// over says that an event ends its deployment.
func over(e event) bool {
	return slices.Contains([]string{"deployment.deployed", "deployment.canceled", "deployment.superseded"}, e.Type)
}

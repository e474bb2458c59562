package client

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Event is one event of a deployment's history.
type Event struct {
	ID      string          `json:"id"`
	Type    string          `json:"type"`
	Subject string          `json:"subject"`
	Time    string          `json:"time"`
	Data    json.RawMessage `json:"data"`
}

// Over says that an event ends its deployment.
func Over(e Event) bool {
	return slices.Contains([]string{
		"deployment.deployed", "deployment.canceled", "deployment.rolled-back", "deployment.superseded", "deployment.denied", "deployment.withdrawn",
	}, e.Type)
}

const (
	// maxSilence is how long a connection may be silent before it is given up: three of the signs of life that the API gives
	// every 15 s.
	maxSilence = 45 * time.Second
	// maxLine bounds a line of a stream, in bytes: an event is one line, and no larger than a message of the log.
	maxLine = 1 << 20
)

var (
	// ErrOver: it is over, and all of its events have been read.
	ErrOver = errors.New("it is over")
	errMute = fmt.Errorf("no sign of life for %v", maxSilence)
)

// Stream is the history of a deployment, or of a group of them, from its first event on, as it happens.
type Stream struct {
	client *Client
	about  string // in words: "deployment <guid>"
	path   string // of what it is about
	last   string // id, in the stream, of the last event that was handed on
}

// Stream is the history of a deployment. Nothing is read yet.
func (c *Client) Stream(deployment string) *Stream {
	return &Stream{client: c, about: "deployment " + deployment, path: "/v3/deployments/" + deployment}
}

// GroupStream is the history of a group and of its members. Nothing is read yet.
func (c *Client) GroupStream(group string) *Stream {
	return &Stream{client: c, about: "group " + group, path: "/v3/deployment_groups/" + group}
}

// Watch follows a deployment from its first event on, over one connection: see [Stream.Read].
func (c *Client) Watch(ctx context.Context, deployment string, seen func(Event) (done bool)) error {
	return c.Stream(deployment).Read(ctx, seen)
}

// Read hands events to seen until that says that it is done, over one connection. When it is called again it goes on behind the
// last event, so a connection that was cut loses nothing and repeats nothing. At its end it gives [ErrOver].
func (s *Stream) Read(ctx context.Context, seen func(Event) (done bool)) error {
	if err := s.read(ctx, seen); err != nil {
		return fmt.Errorf("watch %s: %w", s.about, err)
	}
	return nil
}

func (s *Stream) read(ctx context.Context, seen func(Event) bool) (err error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	alive := time.AfterFunc(maxSilence, func() { cancel(errMute) })
	defer alive.Stop()
	defer func() {
		if err != nil && errors.Is(context.Cause(ctx), errMute) {
			err = errMute
		}
	}()
	response, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, maxLine)
	var m message
	for lines.Scan() {
		alive.Reset(maxSilence)
		if !m.add(lines.Text()) {
			continue
		}
		if done, err := s.take(m, seen); done || err != nil {
			return err
		}
		m = message{}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return io.ErrUnexpectedEOF
}

// open asks for what follows the last event.
func (s *Stream) open(ctx context.Context) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.client.Base+s.path+"/stream", nil)
	if err != nil {
		return nil, err
	}
	if s.last != "" {
		request.Header.Set("Last-Event-ID", s.last)
	}
	response, err := s.client.do(request)
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode == http.StatusOK:
		return response, nil
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusNoContent {
		return nil, ErrOver
	}
	return nil, refusal(response)
}

// message is one server-sent event.
type message struct{ id, name, data string }

// add adds a line, and says whether the message is whole. One that is cut is never whole, so it is sent again.
func (m *message) add(line string) (whole bool) {
	key, value, _ := strings.Cut(line, ": ")
	switch key {
	case "id":
		m.id = value
	case "event":
		m.name = value
	case "data":
		m.data = value
	case "": // an empty line, or a comment
		return line == "" && m.name != ""
	}
	return false
}

// take hands an event on.
func (s *Stream) take(m message, seen func(Event) bool) (done bool, err error) {
	if m.name == "end" {
		return false, ErrOver
	}
	var e Event
	if err := json.Unmarshal([]byte(m.data), &e); err != nil {
		return false, err
	}
	s.last = m.id
	return seen(e), nil
}

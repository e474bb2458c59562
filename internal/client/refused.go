package client

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// maxRefusal bounds what is read of an answer that is no success, in bytes.
const maxRefusal = 1 << 16

// RefusedError is an answer that is no success.
type RefusedError struct {
	Request string // method and path
	Status  int    // HTTP's
	Text    string // what the API says, in words
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("%s: %d %s: %s", e.Request, e.Status, http.StatusText(e.Status), e.Text)
}

// Final says whether the same request would be refused again: it is not that the API is busy or away.
func (e *RefusedError) Final() bool {
	return e.Status < http.StatusInternalServerError && e.Status != http.StatusTooManyRequests
}

// refusal reads an answer that is no success. What has not the form of the API's errors is told as it is.
func refusal(response *http.Response) *RefusedError {
	text, _ := io.ReadAll(io.LimitReader(response.Body, maxRefusal)) // as much as there is
	e := &RefusedError{Request: response.Request.Method + " " + response.Request.URL.RequestURI(), Status: response.StatusCode}
	var told struct {
		Errors []struct {
			Detail string `json:"detail"`
		} `json:"errors"`
	}
	if json.Unmarshal(text, &told) != nil || len(told.Errors) == 0 {
		e.Text = strings.TrimSpace(string(text))
		return e
	}
	for i, fault := range told.Errors {
		if i > 0 {
			e.Text += "; "
		}
		e.Text += fault.Detail
	}
	return e
}

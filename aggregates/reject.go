// Package aggregates holds what all rule books share: how a command is refused. The rules themselves are in its
// sub-packages; they are pure: no I/O, clock, context or randomness, so the same history gives the same decision.
package aggregates

import "fmt"

// Code says in which way a command is refused. Each becomes one HTTP status and one NATS error in one place.
type Code string

// The codes, named after Cloud Foundry's error titles.
const (
	CodeUnprocessable Code = "UnprocessableEntity" // the request makes no sense as things stand
	CodeNotFound      Code = "ResourceNotFound"    // what it names is not there
	CodeUniqueness    Code = "UniquenessError"     // what it names is there already
	CodeConflict      Code = "Conflict"            // somebody else was first
	CodeForbidden     Code = "NotAuthorized"       // the caller may not, whatever roles say elsewhere
)

// RejectedError refuses a command with a reason a person understands. Nothing was decided.
type RejectedError struct {
	Code    Code
	Message string
}

func (e *RejectedError) Error() string { return e.Message }

// Reject refuses a command as unprocessable, the usual case.
func Reject(format string, args ...any) *RejectedError {
	return &RejectedError{Code: CodeUnprocessable, Message: fmt.Sprintf(format, args...)}
}

// Forbid refuses a command because of who sends it.
func Forbid(format string, args ...any) *RejectedError {
	return &RejectedError{Code: CodeForbidden, Message: fmt.Sprintf(format, args...)}
}

// NotFound refuses a command because a thing of this kind ("App", "Deployment") is not there.
func NotFound(kind string) *RejectedError {
	return &RejectedError{Code: CodeNotFound, Message: kind + " not found"}
}

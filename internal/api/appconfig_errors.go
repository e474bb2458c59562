package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/labstack/echo/v4"

	"slipway/aggregates"
	"slipway/aggregates/strategy"
	"slipway/internal/auth"
	"slipway/internal/auth/sigv4"
	"slipway/internal/commands"
)

// headerErrorType is where AWS's SDKs read what went wrong.
const headerErrorType = "X-Amzn-ErrorType"

// exception is an error as AppConfig shows it.
type exception struct {
	status int
	name   string
	text   string
}

// refusedAsAWS says what each code of a refused command becomes.
var refusedAsAWS = map[aggregates.Code]exception{
	aggregates.CodeNotFound: {status: http.StatusNotFound, name: "ResourceNotFoundException"},
	aggregates.CodeConflict: {status: http.StatusConflict, name: "ConflictException"},
	strategy.CodeQuota:      {status: http.StatusPaymentRequired, name: "ServiceQuotaExceededException"}, // 402 is AWS's
	commands.CodeMalformed:  {status: http.StatusBadRequest, name: "SerializationException"},
}

// asException is the one place where errors become AWS's.
func asException(err error) exception {
	var rejected *aggregates.RejectedError
	var signature *sigv4.Fault
	var routing *echo.HTTPError
	switch {
	case errors.As(err, &rejected):
		e, ok := refusedAsAWS[rejected.Code]
		if !ok {
			e = exception{status: http.StatusBadRequest, name: "BadRequestException"}
		}
		e.text = rejected.Message
		return e
	case errors.As(err, &signature):
		return exception{http.StatusForbidden, signatureException(signature.Kind), signature.Text}
	case errors.Is(err, auth.ErrNoToken):
		return exception{http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token"}
	case errors.Is(err, auth.ErrBadToken):
		return exception{http.StatusForbidden, "UnrecognizedClientException", "The security token included in the request is invalid."}
	case errors.As(err, &routing):
		return exception{http.StatusNotFound, "UnknownOperationException", "There is no such operation"}
	}
	shown := shownAs(err)
	e := exception{shown.Status, "InternalServerException", shown.Detail}
	switch shown.Status {
	case http.StatusUnprocessableEntity, http.StatusBadRequest:
		e.status, e.name = http.StatusBadRequest, "BadRequestException"
	case http.StatusForbidden:
		e.name = "AccessDeniedException"
	case http.StatusRequestEntityTooLarge:
		e.name = "PayloadTooLargeException"
	case http.StatusServiceUnavailable:
		e.name = "ServiceUnavailableException"
	}
	return e
}

func signatureException(kind error) string {
	switch kind {
	case sigv4.ErrIncomplete:
		return "IncompleteSignatureException"
	case sigv4.ErrUnknownKey:
		return "UnrecognizedClientException"
	}
	return "InvalidSignatureException"
}

// failedAsAWS answers a request to one of AppConfig's paths that went wrong.
func (a *API) failedAsAWS(c echo.Context, err error) {
	e := asException(err)
	a.log(c, e.status, err)
	if c.Response().Committed {
		return
	}
	body, err := json.Marshal(struct{ Message string }{e.text})
	if err != nil {
		panic(fmt.Sprintf("api: %v", err)) // a string always encodes
	}
	c.Response().Header().Set(headerErrorType, e.name)
	if e.status == http.StatusServiceUnavailable {
		c.Response().Header().Set("Retry-After", "1")
	}
	sendAppConfig(c, e.status, body)
}

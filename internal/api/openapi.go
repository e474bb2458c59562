package api

import (
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"reflect"
	"slices"
	"sync"

	"github.com/invopop/jsonschema"
	"github.com/labstack/echo/v4"

	"slipway/internal/cferror"
	"slipway/internal/commands"
	"slipway/internal/openapi"
	"slipway/internal/resource"
)

const pathOpenAPI = "/openapi.json"

// described is the document as it is sent, and its name in caches.
type described struct {
	body []byte
	tag  string
}

// describe writes the document, once: it is the same for every server of this version.
var describe = sync.OnceValues(func() (described, error) {
	d, err := document()
	if err != nil {
		return described{}, err
	}
	body, err := d.JSON()
	sum := sha256.Sum256(body)
	return described{body, `"` + hex.EncodeToString(sum[:8]) + `"`}, err
})

// openAPI answers with the OpenAPI document of Slipway's own paths. It holds nothing secret, and may be kept as long as it is
// asked for anew each time.
func (a *API) openAPI(c echo.Context) error {
	d, err := describe()
	if err != nil {
		return err
	}
	h := c.Response().Header()
	h.Set("ETag", d.tag)
	h.Set("Cache-Control", "no-cache")
	if slices.Contains(c.Request().Header.Values("If-None-Match"), d.tag) {
		return c.NoContent(http.StatusNotModified)
	}
	send(c, http.StatusOK, d.body)
	return nil
}

// document says what stands in the table of operations: a route of Slipway's own has its line in one of these.
func document() (openapi.Document, error) {
	operations := slices.Concat(
		deploymentOperations(), historyOperations(), groupOperations(), approvalOperations(), haltOperations(), policyOperations(), signalOperations(),
		subscriptionOperations(), serverOperations(),
	)
	for i, o := range operations {
		known, err := who(refused(o))
		if err != nil {
			return openapi.Document{}, err
		}
		known.Example = examples[o.ID]
		operations[i] = known
	}
	return openapi.Document{
		Title: "Slipway", Version: apiVersion, Description: description,
		Operations: operations, Parameters: parameters, Errors: refusals{}, Security: securitySchemes,
		Headers: map[string]string{
			headerSequence: "Where in the event log the answer stands; as ?at= it asks for this moment again.",
			headerCommand:  "The id of the command that was carried out.",
		},
		Types: openapi.Types{
			As: map[reflect.Type]*jsonschema.Schema{
				reflect.TypeFor[resource.Time]():     {Type: "string", Format: "date-time"},
				reflect.TypeFor[resource.Seconds]():  {Type: "number"},
				reflect.TypeFor[commands.Measured](): {AnyOf: []*jsonschema.Schema{{Type: "string"}, {Type: "number"}}},
			},
			Lists: map[reflect.Type]string{reflect.TypeFor[resource.List](): "resources"},
			Enums: enums, Comment: explain,
		},
	}, nil
}

// The names of ways to say who one is.
const (
	byToken  = "token"
	byClient = "client"
)

var securitySchemes = map[string]any{
	byToken: map[string]string{
		"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "A token of the server that `/` links to as `login`.",
	},
	byClient: map[string]string{"type": "http", "scheme": "basic", "description": "The id and secret of a client."},
}

// refusals is the body that cferror writes.
type refusals struct {
	Errors []cferror.Error `json:"errors"` // one, or all that is wrong
}

const description = `Slipway rolls out new versions of apps without downtime and keeps every decision as an event.

Here stands what is Slipway's own, and all of deployments and audit events: they are Cloud Foundry's, with fields and filters of Slipway's.
The other paths below ` + "`/v3`" + ` are those of Cloud Foundry's API, version ` + apiVersion + `, whose documentation holds for them
(https://v3-apidocs.cloudfoundry.org). Deployment strategies are at ` + "`/deploymentstrategies`" + `, as AWS AppConfig's documentation has them
(https://docs.aws.amazon.com/appconfig/2019-10-09/APIReference).

What security requirements name of an operation are scopes of a token and roles where the thing is: all of an entry are needed, and any entry
is enough. A path that answers GET answers HEAD with the same headers. Who may not know of a thing hears that it is not there (404). A request
that was answered with 503 may be sent again with the same Idempotency-Key: it is carried out once.`

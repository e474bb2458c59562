// Package openapi writes an OpenAPI 3.1 document from a table of operations and the Go types that their bodies are read into and
// written from.
//
// What it guarantees:
//
//  1. A schema says what encoding/json does with its type: names, types, and which fields are always there. A field that is a
//     pointer and is not left out when empty may be null.
//  2. Objects of requests are closed, as package api reads them: what the schema does not name is refused. Objects of answers are
//     open: a field may be added to them.
//  3. The same table gives the same bytes.
//  4. The responses of an operation are its answers and the refusals that it names: there is no "default" that could be anything. The
//     refusals of a status are one response with an example of each.
//  5. A table that contradicts itself (two operations of one name, an enumeration of a field that is not there, a security
//     scheme that nobody explains) is an error.
//
// It knows nothing of Slipway; package api has the table.
package openapi

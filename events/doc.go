// Package events holds the facts of Slipway: one struct per event, the names and versions they have on the wire, and the
// envelope they travel in. It imports the standard library and ulid only, so that anything may read history.
//
// What it guarantees:
//
//  1. One decision is one [Commit]: its events in order, encoded as one CloudEvents 1.0 JSON batch in one message.
//  2. A commit decodes to what was encoded, whatever version wrote it: old data passes through its upcasters.
//  3. Event ids are derived from the command's id and the event's index, so a retried command makes the same ids.
//  4. The hash of a commit covers its bytes, its place and its author; each versioned commit names the hash of the one
//     before it, so that a hole or a change anywhere in an aggregate's history shows.
//
// A wire name, once written, is never reused; a shipped golden under testdata never changes. To change an event see
// CONTRIBUTING.md.
package events

//go:generate go run ./internal/gendoc -events . -out ../docs/events.md

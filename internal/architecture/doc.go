// Package architecture holds no code. Its tests keep the shape of the project:
//
//  1. Imports point one way: cmd, then internal, then aggregates and projections, then events.
//  2. Each foreign library is imported where it belongs and nowhere else, so that it can be replaced there.
//  3. Decisions are pure: aggregates reach no clock, no randomness and no I/O.
//  4. Nothing waits by sleeping, no test is skipped without a word, and functions and files stay readable.
//  5. Decisions on record (docs/adr) are listed and numbered, and those that comments refer to are there.
//
// Each failure says why its rule exists. Who needs to break one changes it here, with an ADR in docs/adr that says why.
package architecture

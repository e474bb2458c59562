// Package docs runs what the documentation tells people to type: every block of shell in README.md and docs/*.md, in
// order, in one shell per file, against a Slipway that runs.
//
// What it guarantees:
//
//  1. A command is run as it stands, but that default ports become those of the Slipway under test, `go run ./cmd/NAME` runs the
//     program that was built from it, and `make TARGET` runs what the Makefile would.
//  2. A command that fails, or that is not known to be run here, fails the test; so does a variable that stays empty.
//  3. A block is left out for a reason only, and the reason is printed: its info string is "sh no-test: why", or it is
//     "sh nats" and the nats CLI is not there. Commands in blocks of another kind fail the test.
package docs

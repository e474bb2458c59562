// Package commands is the catalogue of what can be asked of Slipway and the one handler that does it: load, decide, append.
// HTTP and both NATS doors call it, so a command means the same through each.
//
// What it guarantees:
//
//  1. A command is decided once: the same id again, through any door, changes nothing and has the same result.
//  2. A refused command leaves nothing behind: what can be refused is refused before anything is written.
//  3. After a crash between two appends the next attempt, by anybody, ends in the same state.
//  4. Nothing stays in a place that is gone, whoever makes it while the place is being deleted (docs/adr/0030). What a crash leaves
//     there goes at the next start of [Handler.KeepTidy].
package commands

// Package eventlog is the only package that talks to the EVENTS stream. It appends commits, reads aggregates back,
// feeds consumers, and keeps folded aggregates at hand.
//
// What it guarantees:
//
//  1. Append writes a whole commit or nothing, and only if the aggregate still stands where the caller read it.
//  2. Appending the same commit at the same position again succeeds with the same result, however often and however
//     late: a lost acknowledgement is settled by reading what stands there, not by a duplicates window.
//  3. Versions of an aggregate are contiguous and each commit names the hash of the one before it. Both are asserted
//     when writing and when folding; a break is [ErrCorrupt], never silently skipped.
//  4. Consumers see every commit at least once and in stream order; [Log.Work] acknowledges only what was handled.
//
// What it does not guarantee: that a direct read sees a write another node has just acknowledged. Decisions made on
// stale state lose their race in Append and are made again.
package eventlog

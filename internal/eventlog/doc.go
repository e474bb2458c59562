// Package eventlog is the only package that talks to the EVENTS stream and to the alarm clock beside it, TIMERS. It appends
// commits, reads aggregates back, feeds consumers, keeps folded aggregates at hand, and wakes who waits for a time.
//
// What it guarantees:
//
//  1. Append writes a whole commit or nothing, and only if the aggregate still stands where the caller read it.
//  2. Appending the same commit at the same position again succeeds with the same result, however often and however
//     late: a lost acknowledgement is settled by reading what stands there, not by a duplicates window.
//  3. Versions of an aggregate are contiguous and each commit names the hash of the one before it. Both are asserted
//     when writing and when folding; a break is a [CorruptError], never silently skipped.
//  4. Consumers see every commit at least once and in stream order; [Log.Follow] sees each once per call, through
//     reconnections and restarts of the server. [Log.Work] acknowledges only what was handled.
//  5. What cannot be decoded stops a reader with an error, and stays with a worker until it can be: it is never lost.
//  6. Every call ends when its context does, also while no server answers.
//  7. An alarm ([Timers]) never rings before its time by the clock of whoever hears it, rings within about a quarter of a
//     second after it while a server and a listener are up, and soon after they come back where they were not. It rings
//     until it has been attended to. What is set by several processes in any order rings at the earliest time of all.
//
// What it does not guarantee: that a direct read sees a write another node has just acknowledged. Decisions made on
// stale state lose their race in Append and are made again. But that there is nothing is only said after asking the
// leader.
//
// How it reads:
//
//   - one aggregate: direct gets, in batches where its commits stand close together, one by one from the newest back
//     where they stand far apart (walk.go);
//   - a selection: a consumer of its own, replaced wherever it cannot be trusted any more (cursor.go, session.go).
//
// The server takes a Nats-Msg-Id for a repetition whatever its subject. A command that writes to two aggregates under one
// id therefore waits up to a quarter of a second before its second commit: derive an id for each.
package eventlog

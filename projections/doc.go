// Package projections holds the read models: what the log's events amount to, as rows that can be listed, filtered and
// counted. Everything here can be deleted and comes back the same from the log.
//
// What it guarantees:
//
//  1. [Store.Apply] writes a batch of commits and the checkpoint in one transaction: after a crash at any line either both
//     are there or neither.
//  2. A commit at or below the checkpoint changes nothing, so each commit takes effect once, whoever delivers it how often.
//  3. Rebuilt equals incremental: the rows depend on the log's order alone, not on how it was cut into batches, on
//     restarts, or on the clock. [Store.Digest] shows it.
//  4. No event stops a projection. One that fits nothing is in the history like all others, and in the anomalies.
//  5. Every answer is read in one snapshot and says with which checkpoint.
//
// What it does not guarantee: that a read sees the newest commit. Who needs that waits with [Store.Wait].
//
// SQLite is the database. PostgreSQL follows with an issue of its own: migrations and queries keep to SQL that both
// take, and what is SQLite's own stands in store.go and switch.go.
package projections

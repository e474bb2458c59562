// Package app is the rule book of an app with its processes, revisions and the deployment going on. The app is the
// consistency boundary: one fold, one commit, so "at most one active deployment", superseding, and scaling old and new
// together need no transaction.
//
// Decisions are functions from [State] and a command to events, or to a refusal; [Next] is the updater's: what follows by
// itself from the state and the instances seen. [Evolve] folds events. All are pure.
//
// Invariants, each with a law in laws_test.go:
//
//  1. At most one deployment is active.
//  2. No decision of the updater takes the capacity of a rollout below its floor: see [Capacity].
//  3. New instances never exceed the target; old and new together never exceed target + max_in_flight, but for the old
//     ones brought back when new ones fail.
//  4. The same command decides nothing the second time.
//  5. A finished deployment never changes again.
//  6. Every live deployment can end: with healthy instances Next leads to DEPLOYED or, once it is on its way back, to
//     ROLLED_BACK; a cancel leads to CANCELED.
//  7. Between two events time decides nothing before [Deadline], and what depends on time is decided then: never early.
//  8. A deployment that waits for approval, or that was denied, changes no process.
//  9. A halted rollout does not go on; only its capacity is looked after.
//  10. Where nothing new is seen the updater comes to rest.
//  11. A requested deployment does not begin while the window of a policy holds it, and no process is touched by that.
package app

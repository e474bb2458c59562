// Package audit walks the whole event log and says whether it is what Slipway would have written: `slipway audit verify`.
//
// What a clean report proves, for every message of the stream:
//
//  1. No message is missing between the first and the newest ([LawSequence]), and each is a commit that decodes, with the
//     event ids, source and time of its envelope right ([LawDecodes]).
//  2. The commits of an aggregate have the versions 1, 2, 3..., and each names the hash of the one before it; reports of
//     agents stand outside any chain and say so ([LawChain]). Every event stands where its kind belongs ([LawPlace]).
//  3. The events of an app fit its state, one after the other: nothing happens to an app or process that is not there or to
//     a deployment that is over, and a scaling starts from what was desired ([LawFold]). At most one deployment of an app
//     is active, and none begins twice ([LawRollout]).
//  4. No commit, but the deletion of an app, took the capacity of a rollout below its floor, or lower than failing
//     instances had already taken it ([LawCapacity]).
//
// # What can be proved about capacity
//
// A decision was made on the instances as its author had read them, and agents may have reported more before it was
// written. To judge it by what stands in the log at its own place would accuse honest decisions. What is certain:
//
//   - It was made on the app's state as it stands in the log right before it: the expected sequence sees to that.
//   - Whoever read that state read the instances after it, so what was reported before the app's previous commit was seen.
//   - Whoever was woken by a report (Slipway-Cause) saw that report.
//   - The reports of one process were read in order, those of another at another moment.
//
// So a decision is lawful if for each process there is a moment, not before these bounds and not after the decision, such
// that the law of aggregates/app holds with the instances as they were then. The moments can be chosen for each process
// alone, because the law asks for the sum of routable instances or for its change: the best moment is the one that
// maximizes the process's own share in the one or the other. No honest decision is accused; a decision that no reading
// of the reports excuses, like an old instance taken away without a routable new one, is found.
//
// # What it cannot prove
//
// Nothing vouches for the newest commit of an aggregate until another follows it; nothing but the sequence vouches for the
// reports of agents; a log that was rewritten from some point on, with all its hashes, is consistent. Compare with a mirror
// for that. Of an app whose chain is broken or unreadable no law is judged from there on, since its state is not known; its
// rollouts say so.
//
// Memory grows with aggregates, rollouts and live instances, a few hundred bytes each, not with commits or reports.
package audit

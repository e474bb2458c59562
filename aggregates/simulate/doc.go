// Package simulate runs a rollout before it happens, or once more in another way: the rules of aggregates/app on a virtual
// clock, with virtual instances that start, crash and hang as they are told.
//
// What it guarantees:
//
//  1. The decisions are made by the very functions that the updater and the doors call: [app.DeployApp], [app.Proceed],
//     [app.Explain], [app.Deadline], [app.Record]. There is no second rule book that could differ.
//  2. The same [Input] gives the same [Forecast]. What is random in it comes from a seed.
//  3. It ends, within [MaxWork], or with a [*LimitError].
//  4. It asserts the capacity law on each decision, as the updater does.
//
// What it takes for granted: that what the app wants to run now does run; that reports are written and decisions made at
// once; that an instance no longer wanted is gone at once. A real rollout is later by what these take.
package simulate

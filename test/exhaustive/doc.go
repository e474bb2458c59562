// Package exhaustive walks through everything that can happen to a rollout within a small scope: every interleaving of commands,
// ticks of the updater, reports of agents, crashes, verdicts, answers, halts, windows and deadlines, for up to three instances and three
// overlapping deployments. On each edge it holds the laws of the rule book, and from each world it follows the fair continuation to an end.
//
// What it shows, for each of its scopes:
//
//  1. No decision takes away what really serves. The law is held on the truth of a model agent, not on what the updater
//     sees: the agent follows what is desired when it gets to it, an instance on its way out may still be reported RUNNING,
//     and a report may be late. Deaths that the updater could not know of are excepted, and so are crashed instances of
//     the old version, which count as if they served (docs/adr/0007).
//
//  2. The capacity law that the updater asserts holds as well; phases and steps follow one another only as they may; what
//     has ended stays ended; the new version never exceeds its target and never shrinks but on the way back.
//
//  3. Between now and the deadline time alone decides nothing; what was decided is not decided again.
//
//  4. From every world, however it came about, a rollout with agents that work ends, with one web process left, of the
//     version that is current.
//
//  5. What people and policies say holds: nothing begins or acts on a process that is not agreed to by those who may and in time, that was
//     denied, taken back or superseded, in a halt or a freeze, or with a version that is rejected. A halted rollout takes no step, and goes
//     on where it stood. A stop ends what serves, where it may.
//
//  6. Nothing waits silently: while nobody does anything, what happens leads to a world in which whatever waits names somebody.
//
//  7. Two updaters whose clocks differ come to rest, and none begins what the other holds.
//
//  8. Of a group (TestReleases): whatever the process manager, the updater, agents and people do in whatever order, on whatever the manager saw
//     before it acts, though it dies between a deed and its record or cannot do one: a wave begins after all earlier ones are deployed, as
//     their apps say; a member is told nothing before there is one; what is on record of a member is so; the group's status is the same
//     wherever its members stand the same; directives are refused where docs/groups.md says so; and 6 holds of its members.
//
// Laws 5, 6 and 8 go by a ledger of events and of what people did, not by what the rules say of themselves (docs/adr/0032).
//
// Worlds are told apart by everything a rule reads, with moments relative to the present, so what differs only in history
// is visited once. What bounds a scope are budgets: so many crashes, verdicts and commands of each kind.
package exhaustive

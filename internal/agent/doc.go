// Package agent turns desired instances into running ones: it starts, probes, restarts and stops them, sends HTTP to them and
// reports to the event log what became of them.
//
// What it guarantees:
//
//  1. Of each process the indexes 0 to n-1 run, one instance each, and no others. Two instances of one index never run side
//     by side: a stopped one has gone before its successor starts.
//  2. An instance gets traffic only while it is healthy. It is reported as running after the router has it, and it leaves
//     the router before anything else is done to stop it; then it is given time to finish its requests.
//  3. Whatever kills the agent, no instance is left running unwatched after it starts again on the same directory: those still
//     wanted are adopted, the others are ended, those that vanished are reported as crashed.
//  4. The event log being slow or away never delays control of instances. Reports wait, in order, and are written later.
//  5. Ending the agent in an orderly way stops its instances; the next start starts them again.
//
// One goroutine, the supervisor's, owns all that is known; each instance has a runner, straight-line code from start to
// end, that tells the supervisor what happens. What to do next is decided by a pure function, reconcile.
//
// What it does not guarantee: isolation (see package exec), and sharing of work between agents. One agent runs everything.
package agent

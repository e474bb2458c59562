// Package checks asks the checks of rollouts, and puts what they find on record: the value of a Prometheus query, or the
// status of an HTTP answer.
//
// What it guarantees:
//
//  1. A check is asked at whole intervals after its deployment's start, from the first one on, never before such a moment. A
//     moment that was missed, because nobody ran or the answer before took so long, is left out.
//  2. However many runners ask, crash or start anew, one verdict of each check and moment counts: the moment stands in it, and
//     the rule book ([app.Record]) takes each moment once.
//  3. A rollout is asked about while [app.State.Asked] says so. Once it does not, a question on its way is given up.
//  4. Only what was found fails. Where nobody could be asked (no such host, nobody there, no answer in time, an answer that is
//     none, a query that is refused) the verdict is inconclusive, with the reason in words: that the monitor is down does not
//     say that the version is bad. A rollout that waits for a check to pass waits on, until its progress deadline.
//  5. An HTTP probe asks the version itself, or what stands before it. So a refused connection, a broken one, and no answer in
//     time after the connection was made are failures. A name that is not known, a host that is not reached and a certificate
//     that is not believed are not: they are about the way.
//  6. A question ends by its timeout. Of an answer at most [maxAnswer] bytes are read, and no redirect to another host is
//     followed. At most [concurrency] questions are under way.
//
// Whoever may deploy can make this program ask any URL that it reaches: of the answer they see a status, the values of a
// query, or Prometheus's error. Addresses of the link itself, where clouds keep machines' credentials, are not asked.
package checks

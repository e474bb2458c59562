// Package api is the HTTP face of Slipway: Cloud Foundry's v3 API, with history, time travel and live streams beside it,
// and AWS AppConfig's deployment strategies.
//
// What it guarantees:
//
//  1. Read what you wrote: a command is answered only once the read models show it, or with 503 and the word that it was
//     carried out. Every answer names the sequence it stands at.
//  2. A command's id is the caller's `Idempotency-Key`: the same request sent again does the thing once and gets the same
//     answer.
//  3. Every refusal has Cloud Foundry's form, or AppConfig's on its paths, and a reason for a person; no error tells of the
//     inside.
//  4. A refused request leaves nothing behind. Bodies, queries and streams are bounded.
//  5. A stream has no gap and no event twice, however often its reader is cut off and comes back with the last id it saw.
//  6. A web page of another origin can neither write nor read here: see guard.go.
//  7. Nobody is let in without a token that [auth] vouches for, but for what one needs in order to log in; an API without a
//     verifier lets nobody in. The actor of a commit is that user.
//  8. What somebody's roles do not let them know of is answered as if it did not exist, in lists and their totals too. Start
//     commands and old environment variables are for those who may read them, wherever they stand. An endpoint that does not ask
//     whether its caller may answers with 500 (docs/adr/0012).
//  9. AWS's SDKs work unmodified with strategies (docs/adr/0015). What they sign is verified, body and all.
package api

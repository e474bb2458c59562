// Package api is the HTTP face of Slipway: Cloud Foundry's v3 API, with history, time travel and live streams beside it.
//
// What it guarantees:
//
//  1. Read what you wrote: a command is answered only once the read models show it, or with 503 and the word that it was
//     carried out. Every answer names the sequence it stands at.
//  2. A command's id is the caller's `Idempotency-Key`: the same request sent again does the thing once and gets the same
//     answer.
//  3. Every refusal has Cloud Foundry's form and a reason for a person; no error tells of the inside.
//  4. A refused request leaves nothing behind. Bodies, queries and streams are bounded.
//  5. A stream has no gap and no event twice, however often its reader is cut off and comes back with the last id it saw.
//  6. A web page of another origin can neither write nor read here: see guard.go.
//  7. Nobody is let in without a token that [auth] vouches for, but for what one needs in order to log in; an API without a
//     verifier lets nobody in. The actor of a commit is that user.
//
// What it does not guarantee: roles in single spaces. Until they count here, only who may do a thing everywhere may do it:
// admins, and for reading read-only admins and global auditors.
package api

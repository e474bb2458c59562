// Package auth says who a caller is and what they may do: users and clients from a file, tokens that are signed, roles per
// space. It speaks UAA's dialect of OAuth 2, as far as the cf CLI and go-cfclient use it.
//
// What it guarantees:
//
//  1. Nothing is open. Who shows no token, or one that is not ours, not for this use, or not for this moment, gets an error
//     and no identity.
//  2. The configuration holds no secret that could be used: passwords and clients' secrets are bcrypt hashes, secrets of access
//     keys are encrypted. What opens them, the signing keys and the secret of Slipway's own parts are files beside it, readable
//     by their owner alone. None of them is ever logged.
//  3. A change of the file counts from the next call on. A user who is removed is out at once; one whose password changed
//     cannot renew a session; a role or scope that is taken away is gone, whatever an older token says. A file with faults
//     changes nothing: the last good one stays in force, and the log says why.
//  4. A crash at any moment leaves the old file or the new one, whole. Several processes may start, edit and read at once.
//  5. A key may be changed while sessions go on: the old one signs nothing more, and is believed until the last token that
//     it signed has ended.
//  6. Guessing is slow: a few failures lock a name for the address they came from, an unknown name costs the same time as a
//     wrong password, and hashing never takes more than half of the processors. Memory for all that is bounded.
//  7. A request signed by AWS's SDKs is its user's only if an access key of that user's signed it: see package sigv4.
//
// What it does not guarantee: that a token ends before its ten minutes are over when a password changes (the cf CLI cannot
// renew a token that is refused early); that a lock holds against guesses from many addresses.
package auth

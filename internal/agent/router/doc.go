// Package router sends HTTP requests to the instances of apps, by host name.
//
// What it guarantees:
//
//  1. A request goes to an instance that is in the table at the moment it is chosen, never to one that has been removed.
//  2. Remove closes an instance to new requests at once, and tells when the last one on it has ended. So who stops an
//     instance only after that loses no request.
//  3. A request whose connection could not be made is sent to another instance, at most [maxAttempts] times: nothing of it has
//     been seen by anybody. Once a byte was sent it is not sent again, but for what RFC 9110 9.2.2 allows and net/http does:
//     an idempotent request without body, on a kept connection that the instance had just closed.
//  4. Readers of the table never wait: it is a snapshot that is replaced, not changed.
//
// What it does not guarantee: that a request on an instance that crashes is answered. It gets 502.
package router

// Package notify sends events to those who subscribed to them, over HTTP: CloudEvents, signed as Standard Webhooks
// (www.standardwebhooks.com) says. Programs that subscribe over NATS need nothing of it.
//
// What it guarantees:
//
//  1. An event is sent until its receiver has taken it (an answer of 2xx), has said that it is gone (410), or the event is given up:
//     a day after it happened. Then it is kept as a dead letter, with the reason, and those behind it go on.
//  2. At least once, and in order: a receiver hears of nothing before it has taken, or was spared, what came before. It may hear
//     twice of an event, under the same webhook-id.
//  3. What is not taken, since when, why, and when it is sent again is a fact in the log before anybody waits for it: whoever starts
//     anew goes on where the one before it ended.
//  4. Receivers do not wait for each other. One that is slow, or dead, costs a connection and a goroutine.
//  5. Where events lead is what the subscription says: redirects are not followed, addresses of the link itself not called,
//     and no more than a little of an answer is read.
package notify

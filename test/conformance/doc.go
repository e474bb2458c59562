// Package conformance holds Slipway to Cloud Foundry's behaviour: a row per case of the reference, each driven through the
// HTTP API with an agent whose instances are the sim driver's.
//
// What the suite guarantees:
//
//  1. Every core case of the list is a row, or stands among those left out with the reason. A case that is neither fails.
//  2. A row looks at answers of the API, at which instances run, and at how often the updater decided; never into an aggregate.
//  3. A row waits for nothing but that all parts are at rest: each runs in a bubble of virtual time (testing/synctest), so
//     that a picture such as "2 RUNNING, 2 STARTING" stays for as long as a row looks at it.
//
// Cloud Foundry's updater makes a step each five seconds, Slipway's answers events. A "tick" of the reference is therefore: the
// instances are brought into the picture of the case while the updater rests, it is let go, and what it has done when all is
// at rest again is compared.
package conformance

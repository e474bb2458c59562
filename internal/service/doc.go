// Package service puts the parts of Slipway together: each cmd runs some of them as a process of its own, cmd/slipway all
// of them over an embedded NATS server.
//
// What it guarantees:
//
//  1. A part has its listener before it is said to be ready.
//  2. Parts are stopped in the order in which they are given, each one waited for before the next is told: those that take work
//     in come first, what they write to comes last.
//  3. If one part fails all are stopped, and the failure is what the process reports.
package service

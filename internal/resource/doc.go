// Package resource turns rows of the read models into what clients see: Cloud Foundry v3 resources. HTTP and the NATS
// doors both use it, so a resource looks the same through each.
//
// What it guarantees:
//
//  1. Presenting is pure: the same row, base and time give the same bytes. No list is null, no time has a fraction of a
//     second but an event's.
//  2. A link is only given where this server answers it with that method.
//  3. [Reader.Load] gives a resource that shows the command it follows, or says that it cannot yet.
//
// Shapes: reference cloud-foundry.md 2.2 and 2.4. Where Cloud Foundry has fields for what Slipway does not do (buildpacks,
// stacks, sidecars), they are there and empty, because clients decode them.
package resource

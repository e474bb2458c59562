// Package demo shows the main job on a running Slipway: it deploys a real HTTP server, puts load on it through the router,
// rolls out a second version, cancels a third half way, and counts what failed. [RunRollback] rolls out a version that
// fails, which Prometheus notices. Everything goes through the public API, as any user's program would.
package demo

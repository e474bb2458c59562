// Package health rolls bad versions out on a Slipway that a real Prometheus and a real Alertmanager watch: scripts/prometheus
// fetches them, and `make test-health` does so first. Without them the tests are skipped, and say so.
package health

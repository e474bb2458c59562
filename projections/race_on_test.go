//go:build race

package projections_test

// slowdown is by how much fewer rounds the laws run: the race detector makes the database, which is translated C, fifteen
// times slower, and finds nothing in what one goroutine does.
const slowdown = 8

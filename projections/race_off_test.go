//go:build !race

package projections_test

const slowdown = 1

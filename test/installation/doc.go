// Package installation starts Slipway as users do, as real processes on free ports, and looks at it from outside: through its
// API, its programs and the machine's list of processes. Tests of several packages and modules share it.
//
// What it guarantees to a test:
//
//  1. What it hands out is ready, and has ended when the test has, whatever became of the test.
//  2. No instance of an app outlives the test either.
//  3. Every wait is bounded, and a failure shows what the parts have printed.
package installation

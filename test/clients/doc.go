// Package clients holds no code. Its tests use Slipway with other people's programs, unchanged and at exact versions, as its users
// do. scripts/client builds the programs, each from a module of its own below this directory.
package clients

// Package chaos holds no code. Its tests start Slipway as users do, as real processes, and kill them.
package chaos

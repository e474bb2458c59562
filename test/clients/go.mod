// Tests with other people's clients against a real Slipway. They are a module of their own so that the clients do not weigh
// on the product's go.mod; each client that is a program is one too, so that none changes another's dependencies.
module slipway/test/clients

go 1.26.0

replace slipway => ../..

require (
	github.com/creack/pty v1.1.24
	github.com/matryer/is v1.4.1
	slipway v0.0.0-00010101000000-000000000000
)

package streams

import "github.com/nats-io/nats.go"

// Conn is a connection to NATS, for those who pass one on without speaking to it themselves.
type Conn = nats.Conn

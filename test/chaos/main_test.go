package chaos

import (
	"testing"

	"slipway/test/installation"
)

func TestMain(m *testing.M) { installation.Main(m) }

package staging_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"

	"slipway/aggregates"
	"slipway/internal/agent/tree"
)

// inspect unpacks bits and reads the Procfile.
func inspect(ctx context.Context, s *store, name string) (map[string]string, error) {
	r, err := s.Memory.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "inspect-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := tree.Unpack(ctx, r, root, tree.DefaultLimits); err != nil {
		return nil, aggregates.Reject("Droplet bits cannot be unpacked: %v", err)
	}
	text, err := root.ReadFile("Procfile")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	types := map[string]string{}
	for line := range strings.Lines(string(text)) {
		kind, command, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok {
			return nil, aggregates.Reject("Procfile line 1 is not 'type: command'")
		}
		types[kind] = command
	}
	return types, err
}

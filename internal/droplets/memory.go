package droplets

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"sync"
)

// Memory is a Store in this process's memory, for tests.
type Memory struct {
	limit int64

	mu   sync.Mutex
	bits map[string][]byte
}

// NewMemory makes an empty store that takes droplets up to limit bytes.
func NewMemory(limit int64) *Memory { return &Memory{limit: limit, bits: map[string][]byte{}} }

// Put implements [Store].
func (m *Memory) Put(ctx context.Context, id string, r io.Reader) (string, int64, error) {
	data, err := io.ReadAll(io.LimitReader(r, m.limit+1))
	switch {
	case err != nil:
		return "", 0, err
	case ctx.Err() != nil:
		return "", 0, ctx.Err()
	case int64(len(data)) > m.limit:
		return "", 0, tooLarge(m.limit)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.bits[id] = data
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), int64(len(data)), nil
}

// Get implements [Store].
func (m *Memory) Get(_ context.Context, id string) (io.ReadCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.bits[id]
	if !ok {
		return nil, ErrNotFound
	}
	return io.NopCloser(bytes.NewReader(data)), nil
}

// Delete implements [Store].
func (m *Memory) Delete(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.bits, id)
	return nil
}

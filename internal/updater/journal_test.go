package updater_test

import (
	"context"
	"log/slog"
	"sync"
)

// journal keeps what is logged.
type journal struct {
	mu      sync.Mutex
	records []slog.Record
}

func (j *journal) Handle(_ context.Context, r slog.Record) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.records = append(j.records, r)
	return nil
}

// at gives the messages of a level.
func (j *journal) at(l slog.Level) (messages []string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range j.records {
		if r.Level == l {
			messages = append(messages, r.Message)
		}
	}
	return messages
}

func (j *journal) Enabled(context.Context, slog.Level) bool { return true }
func (j *journal) WithAttrs([]slog.Attr) slog.Handler       { return j }
func (j *journal) WithGroup(string) slog.Handler            { return j }

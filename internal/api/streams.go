package api

import (
	"context"
	"sync"

	"slipway/internal/cferror"
)

// maxStreams bounds the streams that are open at once: each looks at the history after every commit.
const maxStreams = 1000

// streams are those that are open, so that they can be ended.
type streams struct {
	mu     sync.Mutex
	closed bool
	next   int
	open   map[int]context.CancelFunc
	wg     sync.WaitGroup
}

// enter opens a stream, whose context ends with ctx or with the server. leave must be called.
func (s *streams) enter(ctx context.Context) (streamed context.Context, leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || len(s.open) >= maxStreams {
		return nil, nil, cferror.ServiceUnavailable.With("No further stream can be opened now")
	}
	if s.open == nil {
		s.open = map[int]context.CancelFunc{}
	}
	streamed, cancel := context.WithCancel(ctx)
	s.next++
	id := s.next
	s.open[id] = cancel
	s.wg.Add(1)
	return streamed, func() {
		cancel()
		s.mu.Lock()
		delete(s.open, id)
		s.mu.Unlock()
		s.wg.Done()
	}, nil
}

// end ends all streams, lets none begin any more, and waits.
func (s *streams) end() {
	s.mu.Lock()
	s.closed = true
	for _, cancel := range s.open {
		cancel()
	}
	s.mu.Unlock()
	s.wg.Wait()
}

package simulate

import (
	"container/heap"
	"time"

	"slipway/events"
)

// happening is something that will happen.
type happening struct {
	at    time.Time
	order int // of those at one moment
	do    func(*world)
}

// queue is what will happen, the next first. It implements [heap.Interface].
type queue []happening

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at.Before(q[j].at) || q[i].at.Equal(q[j].at) && q[i].order < q[j].order
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface; use [queue.add].
func (q *queue) Push(x any) { *q = append(*q, x.(happening)) }

// Pop implements heap.Interface; use [queue.take].
func (q *queue) Pop() any {
	last := len(*q) - 1
	h := (*q)[last]
	*q = (*q)[:last]
	return h
}

func (q *queue) add(h happening) { heap.Push(q, h) }

// take removes the next happening if it happens at t.
func (q *queue) take(t time.Time) (happening, bool) {
	if len(*q) == 0 || (*q)[0].at.After(t) {
		return happening{}, false
	}
	return heap.Pop(q).(happening), true
}

// slot is a place for an instance.
type slot struct {
	process events.ProcessID
	index   int
}

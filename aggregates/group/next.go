package group

import (
	"fmt"
	"time"

	"slipway/events"
)

// Next decides what follows from what is seen of the members: which of them have ended, which begin, which never will, and that
// the group is over. It is asked again until it decides nothing.
func Next(s State, seen Seen, now time.Time) []events.Event {
	if !s.Exists() || s.Ended {
		return nil
	}
	d := &decision{State: s}
	for _, m := range s.Members {
		if status := m.stands(seen); m.End == "" && status.Over() {
			d.end(m, status, "", now)
		}
	}
	d.waves(now)
	if d.over(nil) {
		d.add(events.GroupEnded{Group: s.ID, Status: string(d.Status(nil)), At: now})
	}
	return d.events
}

// decision collects events and the state they lead to.
type decision struct {
	State
	events []events.Event
}

func (d *decision) add(e events.Event) {
	d.events = append(d.events, e)
	d.State = Evolve(d.State, e)
}

func (d *decision) end(m Entry, status Member, reason string, now time.Time) {
	d.add(events.GroupMemberEnded{Group: d.ID, Deployment: m.Deployment, Status: string(status), Reason: reason, At: now})
}

// waves begins the first wave that is not over, if those before it ended well. As soon as one member has ended otherwise, those
// that have not begun never do.
func (d *decision) waves(now time.Time) {
	for _, wave := range d.Waves() {
		done := true
		for _, m := range d.Members {
			switch {
			case m.Wave != wave || m.End == Deployed:
			case m.End != "":
				d.skip(m, now)
				return
			default:
				done = false
			}
		}
		if !done {
			d.begin(wave, now)
			return
		}
	}
}

// begin starts the members of a wave that have not begun.
func (d *decision) begin(wave int, now time.Time) {
	for _, m := range d.Members {
		if m.Wave == wave && !m.Started && m.End == "" {
			d.add(events.GroupMemberStarted{Group: d.ID, Deployment: m.Deployment, At: now})
		}
	}
}

// skip ends all that have not begun, because of one that did not end well.
func (d *decision) skip(because Entry, now time.Time) {
	for _, m := range d.Members {
		if !m.Started && m.End == "" {
			d.end(m, Skipped, fmt.Sprintf("wave %d did not end well: %s", because.Wave, describe(because, because.End)), now)
		}
	}
}

package exhaustive

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"slipway/aggregates/app"
	"slipway/aggregates/group"
	"slipway/events"
)

// see is how the members stand now that have begun and not ended on record: what commands.Members gives.
func (r *release) see() group.Seen {
	seen := group.Seen{}
	for i, m := range r.group.Members {
		if p := r.parts[i]; m.Started && m.End == "" && p.known {
			seen[m.Deployment] = p.last
		}
	}
	return seen
}

// looks: what the process manager goes by until it looks again is what it sees now.
func (r *release) looks() bool {
	now := r.see()
	if r.group.Ended || r.look != nil && reflect.DeepEqual(now, r.look) {
		return false
	}
	r.look = now
	return true
}

// settle records what follows from what was seen, though the members may have moved since. Then it looks again.
func (r *release) settle() (bool, error) {
	if r.look == nil {
		return false, nil
	}
	decided := group.Next(r.group, r.look, present)
	if len(decided) == 0 {
		return false, nil
	}
	r.record(decided)
	if again := group.Next(r.group, r.look, present); len(again) > 0 {
		return false, fmt.Errorf("the same decides %s the second time", text(again))
	}
	r.look = nil
	return true, nil
}

func (r *release) record(decided []events.Event) {
	for _, e := range decided {
		r.group = group.Evolve(r.group, e)
	}
}

// act does one of the deeds that are due by what was seen.
func (t *team) act(r *release, m move) (bool, error) {
	if r.look == nil || len(group.Next(r.group, r.look, present)) > 0 {
		return false, nil
	}
	of := func(d group.Deed) int {
		return slices.IndexFunc(r.group.Members, func(e group.Entry) bool { return e.Deployment == d.Member.Deployment })
	}
	due := slices.DeleteFunc(group.Due(r.group, r.look), func(d group.Deed) bool { // one after the other
		return d.Directive == "" && slices.Contains(r.parts[of(d)].handled, d.Command)
	})
	if m.deed == falters && len(due) > 0 {
		due = due[1:]
	}
	if len(due) == 0 {
		return false, nil
	}
	d := due[0]
	i := of(d)
	if d.Directive != "" && !r.parts[i].known {
		return false, fmt.Errorf("member %d is told of %s before there is one", i, d.Directive)
	}
	carried, refused := t.send(r, i, d)
	if m.deed == killed {
		return carried, nil
	}
	decided := group.Done(r.group, d, refused, present)
	r.record(decided)
	return carried || len(decided) > 0, nil
}

// send carries out the command of a deed, once.
func (t *team) send(r *release, i int, d group.Deed) (carried bool, refused error) {
	p := &r.parts[i]
	if slices.Contains(p.handled, d.Command) {
		return false, nil
	}
	steer := app.Steer{Deployment: d.Member.Deployment, By: d.By, Now: present, ExpectedStep: d.Step}
	var decided []events.Event
	switch d.Directive {
	case "":
		c := t.first[i]
		c.ID, c.Droplet, c.Now, c.By, c.Group, c.Await = d.Command, droplet(2), present, d.By, r.group.ID, r.halt()
		decided, refused = app.DeployApp(p.state, c)
	case events.DirectiveContinue:
		decided, refused = app.ContinueDeployment(p.state, steer)
	case events.DirectiveCancel:
		decided, refused = app.CancelDeployment(p.state, steer)
	case events.DirectiveRollback:
		decided, refused = app.RollBackDeployment(p.state, steer)
	}
	if refused != nil || len(decided) == 0 {
		return false, refused
	}
	p.handled = append(slices.Clip(p.handled), d.Command)
	r.fold(i, decided)
	return true, nil
}

// directives are what may be asked of the whole.
var directives = map[deed]string{
	continueAll: events.DirectiveContinue, finalizeAll: events.DirectiveFinalize, cancelAll: events.DirectiveCancel,
	rollBackAll: events.DirectiveRollback,
}

// direct asks something of the whole group, as its members stand now.
func (r *release) direct(d deed) (bool, error) {
	seen := r.see()
	status := r.group.Status(seen)
	c := group.Direction{Directive: directives[d], Command: events.CommandID(fmt.Sprint(directives[d], r.left[d])), By: people[2], Now: present}
	decided, refused := group.Direct(r.group, seen, c)
	if refused != nil || len(decided) == 0 {
		return false, nil
	}
	stands := r.stand()
	switch {
	case r.group.Ended, !slices.ContainsFunc(stands, func(m group.Member) bool { return !m.Over() }):
		return false, errors.New("a group that is over is directed")
	case d == cancelAll && slices.ContainsFunc(stands, func(m group.Member) bool { return !m.Running() }):
		return false, fmt.Errorf("canceled while its members are %v", stands)
	case status == group.StatusFinalizing && d != finalizeAll:
		return false, fmt.Errorf("%s while it is finalizing", c.Directive)
	}
	if d == rollBackAll {
		for i := range r.parts {
			r.parts[i].sum = key{}
			r.parts[i].never = r.parts[i].never || stands[i] == group.Pending
		}
	}
	r.record(decided)
	return true, nil
}

// stand is how the members stand, by what is on record of them and by their apps.
func (r *release) stand() []group.Member {
	all := make([]group.Member, len(r.parts))
	for i, m := range r.group.Members {
		switch p := r.parts[i]; {
		case m.End != "":
			all[i] = m.End
		case p.known:
			all[i] = p.last.Status
		case m.Started:
			all[i] = group.Creating
		default:
			all[i] = group.Pending
		}
	}
	return all
}

// holds are the laws of groups, from one moment to the next.
func (r *release) holds(before *release) error {
	if before.group.Ended && !reflect.DeepEqual(before.group, r.group) {
		return errors.New("a group that has ended changes")
	}
	for i, m := range r.group.Members {
		was, p := before.group.Members[i], r.parts[i]
		if was.End != "" && m.End != was.End {
			return fmt.Errorf("member %d ended %s and then %s", i, was.End, m.End)
		}
		if m.End != "" && was.End == "" && m.End != group.Skipped && m.End != group.Failed && m.End != p.last.Status {
			return fmt.Errorf("member %d ends %s on record, and is %s", i, m.End, p.last.Status)
		}
		if begins := m.Started && !was.Started || p.known && !before.parts[i].known; begins {
			if err := r.inTurn(i); err != nil {
				return err
			}
		}
		if d := p.state.Deployment; d != nil && r.halt().ID != "" && before.parts[i].state.Deployment == nil {
			return fmt.Errorf("deployment %s begins in a halt", d.ID())
		}
		if m.End == group.Skipped && p.known {
			return fmt.Errorf("member %d never begins on record, and has", i)
		}
	}
	return nil
}

// inTurn is the law of waves: a member begins when all of the earlier waves are deployed, as their apps say.
func (r *release) inTurn(i int) error {
	m, p := r.group.Members[i], r.parts[i]
	if p.never {
		return fmt.Errorf("member %d begins after the group was rolled back", i)
	}
	if p.known && !m.Started {
		return fmt.Errorf("member %d is created and has not begun on record", i)
	}
	for j, earlier := range r.group.Members {
		if earlier.Wave < m.Wave && r.parts[j].last.Status != group.Deployed {
			return fmt.Errorf("member %d of wave %d begins, and %d of wave %d is %q", i, m.Wave, j, earlier.Wave, r.parts[j].last.Status)
		}
	}
	return nil
}

// over says whether nothing is left to do.
func (r *release) over() bool {
	return r.group.Ended && !slices.ContainsFunc(r.parts, func(p part) bool { return p.state.Deployment != nil || len(p.state.Requests) > 0 })
}

// tells is the law that nothing waits silently, once neither agents nor updater nor process manager have anything left to do.
func (r *release) tells() error {
	stands := r.stand()
	if len(r.group.Orders) > 0 {
		return fmt.Errorf("orders are left: %v", r.group.Orders)
	}
	for i, status := range stands {
		p := r.parts[i]
		named := status.Over() || r.halt().ID != ""
		switch status {
		case group.Pending: // of an earlier wave one waits
			named = slices.ContainsFunc(stands, func(m group.Member) bool { return !m.Over() && m != group.Pending })
		case group.Approval:
			named = named || slices.ContainsFunc(p.state.Requests, func(q app.Request) bool { return !q.Granted })
		case group.Paused:
			named = named || r.group.Course != events.DirectiveFinalize || !p.last.AtPause
		}
		if !named {
			return fmt.Errorf("member %d is %s, and waits for nobody", i, status)
		}
	}
	if !r.group.Ended && !slices.ContainsFunc(stands, func(m group.Member) bool { return !m.Over() }) {
		return errors.New("all members are over, and the group is not")
	}
	return nil
}

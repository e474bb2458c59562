package commands

import (
	"context"
	"fmt"

	"slipway/events"
)

// JudgedGroup is what the policies say of a group that nobody has asked for yet.
type JudgedGroup struct {
	Outcome  string          // the strictest of the members'
	Members  []Judged        // in the order of the request
	Sequence events.Sequence // of the newest commit of the apps that it was made from
}

// JudgeGroup says which policies would match each member of a group if its wave came now, and what would come out. It is refused as
// the command would be, as far as that can be seen without the apps, and writes nothing.
func (h *Handler) JudgeGroup(ctx context.Context, c CreateGroup, by Caller) (JudgedGroup, error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	j, err := h.judgedGroup(ctx, c, by)
	if err != nil {
		return JudgedGroup{}, fmt.Errorf("group.evaluate: %w", err)
	}
	return j, nil
}

func (h *Handler) judgedGroup(ctx context.Context, c CreateGroup, by Caller) (j JudgedGroup, err error) {
	if err := c.Check(); err != nil {
		return j, err
	}
	faults := make([]error, len(c.Members))
	for i, m := range c.Members {
		of, err := h.judged(ctx, m.CreateDeployment, by)
		faults[i] = OfMember(i, err)
		j.Members, j.Sequence = append(j.Members, of), max(j.Sequence, of.Sequence)
	}
	j.Outcome = strictest(j.Members)
	return j, Together(faults...)
}

func strictest(all []Judged) (outcome string) {
	for _, outcome = range []string{events.OutcomeDeny, events.OutcomeApproval, events.OutcomeHold} {
		for _, j := range all {
			if j.Outcome == outcome {
				return outcome
			}
		}
	}
	return events.OutcomeAllow
}

package access

import (
	"context"
	"errors"
	"net/http"

	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/commands"
)

// Finder looks up where things are; resource.Finder does.
type Finder interface {
	// PlacesOf gives the places of a thing: a role in any of them counts, but of a group, which needs one in each. commands.ErrUnknown where there is no such thing.
	PlacesOf(ctx context.Context, kind commands.Kind, id string) ([]auth.Place, error)
	// OrganizationOfQuota is the organization to whose spaces a quota can be given; empty for a quota of organizations.
	OrganizationOfQuota(ctx context.Context, id events.QuotaID) (events.OrganizationID, error)
}

// Thing is what a demand is about. The zero Thing is the installation itself, which is in no place.
type Thing struct {
	Kind commands.Kind
	ID   string
}

// Demand is one thing that must be allowed.
type Demand struct {
	Action auth.Action
	On     Thing
	Hidden error // the answer to whoever may not know of the thing: that it is not there
	// Discreet: whoever may know of the thing, but not do this, is answered the same; otherwise [auth.ErrScope].
	Discreet bool
	// Anywhere: the thing is everybody's, in no place. Who may do this somewhere may do it with the thing.
	Anywhere bool
}

// Gate judges demands.
type Gate struct{ finder Finder }

// New makes a gate.
func New(f Finder) *Gate { return &Gate{finder: f} }

// Allow says whether i may send the command: nil, or what to answer. That is [auth.ErrScope] for what is forbidden, an
// *aggregates.RejectedError for what is hidden; other errors are of the look-up, and asking again is right.
func (g *Gate) Allow(ctx context.Context, i auth.Identity, c commands.Command) error {
	if err := i.Permits(http.MethodPost); err != nil {
		return err
	}
	demands, err := g.Demands(ctx, c)
	if err != nil {
		return err
	}
	return g.Check(ctx, i, demands...)
}

// Check answers for the first demand that is not allowed, as [Gate.Allow] does.
func (g *Gate) Check(ctx context.Context, i auth.Identity, demands ...Demand) error {
	for _, d := range demands {
		v, err := g.Judge(ctx, i, d)
		switch {
		case err != nil:
			return err
		case v == auth.Allowed:
		case v == auth.Forbidden && !d.Discreet:
			return auth.ErrScope
		default:
			return d.Hidden
		}
	}
	return nil
}

// Judge says whether a demand of i is allowed: somewhere where the thing is, or everywhere. What is not there is hidden.
func (g *Gate) Judge(ctx context.Context, i auth.Identity, d Demand) (auth.Verdict, error) {
	if i.Everywhere(d.Action) || d.Anywhere && i.Anywhere(d.Action) {
		return auth.Allowed, nil
	}
	if d.On == (Thing{}) {
		return auth.Hidden, nil
	}
	places, err := g.finder.PlacesOf(ctx, d.On.Kind, d.On.ID)
	if errors.Is(err, commands.ErrUnknown) {
		return auth.Hidden, nil
	}
	verdict := auth.Hidden
	for n, p := range places {
		here := i.Judge(d.Action, p)
		if here == auth.Forbidden && governs(d.On.Kind) && !i.Can(auth.Read, p) {
			here = auth.Hidden
		}
		if d.On.Kind == commands.KindGroup && n > 0 { // it shows and moves what is in each of its places
			verdict = min(verdict, here)
			continue
		}
		verdict = max(verdict, here)
	}
	return verdict, err
}

// governs says whether things of a kind hold for what is in a place, rather than being it: who may know of an organization need not
// know of its halts.
func governs(k commands.Kind) bool {
	return k == commands.KindHalt || k == commands.KindPolicy || k == commands.KindSubscription
}

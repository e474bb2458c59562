package commands

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"slipway/events"
	"slipway/internal/eventlog"
)

// Home is a space in its organization, or an organization as a whole.
type Home struct {
	Organization events.OrganizationID
	Space        events.SpaceID // empty: the organization
}

// settle looks at a place once more when something new in it stands in the log. A deletion that comes from now on finds that; one that
// came before may have looked for it too early. Then it goes too, with whatever else is left there, and the command is refused as if it
// had come later.
func (h *Handler) settle(ctx context.Context, p Home, made Result, m eventlog.Meta) (Result, error) {
	there, err := h.stands(ctx, p)
	if err != nil {
		h.strand()
		return Result{}, err
	}
	if there {
		return made, nil
	}
	if _, err := h.clear(ctx, p, derived(m, "stranded")); err != nil {
		return Result{}, err
	}
	if p.Space == "" {
		return Result{}, InvalidOrganization()
	}
	return Result{}, InvalidSpace()
}

// stands says whether a place is there. The default one counts as there until it has been made: a command may come before
// [Handler.Bootstrap].
func (h *Handler) stands(ctx context.Context, p Home) (bool, error) {
	if p.Organization == "" { // everywhere
		return true, nil
	}
	agg, err := h.places.organizations.LoadNewest(ctx, string(p.Organization))
	if err != nil || !agg.Exists() {
		return p.Organization == events.DefaultOrganization, err
	}
	_, there := agg.State.Space(p.Space)
	return agg.State.Exists() && (there || p.Space == ""), nil
}

// clear deletes what is left in a place that is gone, and says whether there was anything.
func (h *Handler) clear(ctx context.Context, p Home, m eventlog.Meta) (found bool, err error) {
	if p.Space != "" {
		p.Organization = "" // it alone
	}
	last, err := h.deleteContents(ctx, p.Organization, p.Space, m)
	if err != nil {
		h.strand()
	}
	return last > 0, err
}

// strand notes that something may be left in a place that is gone: see [Handler.KeepTidy].
func (h *Handler) strand() {
	select {
	case h.stranded <- struct{}{}:
	default: // it is noted already
	}
}

// tidyAgain is the wait after the log or the read models could not be reached: long enough not to be a burden to what is in trouble.
const tidyAgain = 10 * time.Second

// KeepTidy deletes what crashes and faults have left in places that are gone: once at the start, since the crash may have been this
// process's, and whenever a command of this process could not finish that. It returns when ctx ends.
func (h *Handler) KeepTidy(ctx context.Context) {
	for {
		var again <-chan time.Time
		tidied, err := h.Tidy(ctx)
		if ctx.Err() != nil {
			return
		}
		if tidied > 0 {
			h.logger.LogAttrs(ctx, slog.LevelInfo, "tidied up in places that are gone", slog.Int("places", tidied))
		}
		if err != nil {
			h.logger.LogAttrs(ctx, slog.LevelWarn, "not tidied up in places that are gone, will try again", slog.Any("err", err))
			again = time.After(tidyAgain)
		}
		select {
		case <-ctx.Done():
			return
		case <-h.stranded:
		case <-again:
		}
	}
}

// Tidy deletes what is left in places that are gone, and says in how many such places there was something. The log decides which are:
// the read models only say where to look.
func (h *Handler) Tidy(ctx context.Context) (tidied int, err error) {
	homes, err := h.finder.Forsaken(ctx)
	if err != nil {
		return 0, fmt.Errorf("tidy: %w", err)
	}
	var faults []error
	for _, p := range homes {
		found, err := h.tidy(ctx, p)
		if found {
			tidied++
		}
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return tidied, fmt.Errorf("tidy: %w", err)
	}
	return tidied, nil
}

func (h *Handler) tidy(ctx context.Context, p Home) (found bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	if there, err := h.stands(ctx, p); there || err != nil {
		return false, err
	}
	return h.clear(ctx, p, h.meta(Caller{CommandID: events.CommandID(events.NewID()), Actor: bootstrapActor, Door: "tidy"}))
}

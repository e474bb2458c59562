package natsboot

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"slipway/internal/auth"
	"slipway/internal/natsboot/streams"
)

// watch ends connections of those who may not have them any more, until ctx ends. They may come back as who they are now.
func (c *checker) watch(ctx context.Context) {
	tick := time.NewTicker(recheckEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			c.recheck(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (c *checker) recheck(ctx context.Context) {
	for _, h := range c.people.connected() {
		now, err := c.logins.RecheckNATS(h.login.Caller, func() ([]auth.Place, error) { return c.known(ctx) })
		if err == nil && covers(now, h.login) || err != nil && !errors.Is(err, auth.ErrBadToken) {
			continue // nothing is taken away, or it cannot be told
		}
		c.logger.LogAttrs(ctx, slog.LevelInfo, "rights over NATS are gone, connections are ended", slog.String("account", h.Name))
		if err := c.people.disconnect(h.Account); err != nil {
			c.logger.LogAttrs(ctx, slog.LevelError, "connections not ended", slog.String("account", h.Name), slog.Any("err", err))
		}
	}
}

// covers says whether a login may do all that an earlier one might.
func covers(now, before auth.NATSLogin) bool {
	if now.Version != before.Version || before.Admin && !now.Admin {
		return false
	}
	return slices.Contains(now.Feeds, streams.FeedSubjects) || !slices.ContainsFunc(before.Feeds, func(feed string) bool {
		return !slices.Contains(now.Feeds, feed)
	})
}

// connected are the accounts that somebody is connected to.
func (p *people) connected() (homes []home) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, h := range p.homes {
		if h.NumLocalConnections() > 0 {
			homes = append(homes, h)
		}
	}
	return homes
}

func (p *people) disconnect(account *server.Account) error {
	found, err := p.server.Connz(&server.ConnzOptions{Username: true, Account: account.Name, Limit: max(account.NumLocalConnections(), 1)})
	if err != nil {
		return err
	}
	for _, connection := range found.Conns {
		_ = p.server.DisconnectClientByID(connection.Cid) // it fails where the client has gone by itself
	}
	return nil
}

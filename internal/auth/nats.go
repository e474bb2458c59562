package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"slices"

	"slipway/events"
)

// ServiceUser is who Slipway's own parts are to NATS. Their secret is made by [Bootstrap] and read by [ServiceSecret].
// ServiceFeedUser is the same for the few things to be done where people read: keeping their copy of the feed.
const (
	ServiceUser     = "slipway"
	ServiceFeedUser = "slipway.feed"
)

// NATSLogin is who has logged in to NATS, and what they may hear there. What they may do is judged at each command.
type NATSLogin struct {
	Part   string   // [ServiceUser] or [ServiceFeedUser]; empty for users and clients
	Caller string   // stands for a user or client in subjects; [Authority.Vouched] says who it is
	Admin  bool     // may read every stream
	Feeds  []string // the subjects of the feed they may hear
	// Version changes with the password or secret, and tells nothing of it.
	Version string
}

// CheckNATS says who has these credentials. Users and clients log in as they do over HTTP; known gives all spaces, so that each
// hears of those it may read. The error is for a log: what was wrong is not for whoever logs in.
func (a *Authority) CheckNATS(ctx context.Context, name, secret, address string, known func() ([]Place, error)) (NATSLogin, error) {
	d := a.source.directory()
	if name == ServiceUser || name == ServiceFeedUser {
		return NATSLogin{Part: name}, d.checkService(secret)
	}
	err := a.proofs.check(name, d.hashOf(name), secret, address, func() error {
		return a.natsSecret(ctx, d, name, secret, address)
	})
	if err != nil {
		return NATSLogin{}, err
	}
	return a.RecheckNATS(events.FeedToken(name), known)
}

// RecheckNATS says what a login of a caller who is connected would be now. [ErrBadToken] where there is no such user or client
// any more; another error where that cannot be told.
func (a *Authority) RecheckNATS(caller string, known func() ([]Place, error)) (NATSLogin, error) {
	d := a.source.directory()
	i, err := d.vouched(caller)
	if err != nil {
		return NATSLogin{}, err
	}
	hash := d.hashOf(i.ClientID)
	if i.UserID != "" {
		hash = d.hashOf(i.UserName)
	}
	feeds, err := i.feeds(known)
	return NATSLogin{Caller: caller, Admin: i.Scopes.Has(ScopeAdmin), Feeds: feeds, Version: passwordVersion(hash)}, err
}

// natsSecret compares a secret with that of a user or client. Behind a public client is nobody.
func (a *Authority) natsSecret(ctx context.Context, d *directory, name, secret, address string) error {
	if _, isClient := d.clients[name]; !isClient {
		_, err := a.user(ctx, name, secret, address)
		return err
	}
	c, err := a.client(ctx, name, secret, address)
	if err == nil && c.public() {
		return errCredentials
	}
	return err
}

// checkService compares a secret with that of Slipway's own parts. It needs no slow hash: the secret is random and long.
func (d *directory) checkService(secret string) error {
	given := sha256.Sum256([]byte(secret))
	if subtle.ConstantTimeCompare(given[:], d.service[:]) != 1 {
		return errCredentials
	}
	return nil
}

// hashOf is the hash of the secret that belongs to a name; empty where there is none.
func (d *directory) hashOf(name string) string {
	if u, ok := d.users[name]; ok {
		return u.Password
	}
	return d.clients[name].Secret
}

// Vouched says who a caller is that the NATS server has let in, by what the configuration says of them now. It must be asked only
// of what stood in the subject of a message that nobody but the server can have put there. [ErrBadToken] where there is no
// such user or client any more.
func (a *Authority) Vouched(caller string) (Identity, error) {
	return a.source.directory().vouched(caller)
}

func (d *directory) vouched(caller string) (Identity, error) {
	i, ok := d.callers[caller]
	if !ok {
		return Identity{}, fmt.Errorf("%w: no user or client %.40q", ErrBadToken, caller)
	}
	return i, nil
}

// callersOf lists who can log in to NATS, by the tokens that stand for them. Names of users and clients are different.
func callersOf(c Config) map[string]Identity {
	callers := map[string]Identity{}
	for _, u := range c.Users {
		callers[events.FeedToken(u.Name)] = Identity{UserID: u.GUID, UserName: u.Name, Scopes: u.scopes(), Grants: u.Roles, Automation: u.Automation}
	}
	for _, client := range c.Clients {
		if !client.public() {
			callers[events.FeedToken(client.ID)] = Identity{
				ClientID: client.ID, Scopes: client.scopes(), Grants: client.Roles, Automation: client.Automation,
			}
		}
	}
	return callers
}

// plainFeed is what the feed tells of rollouts without environment variables and start commands, after the name of an app: for
// those who may read a space, but not its secrets.
var plainFeed = []string{"deployment.>", "group.>", "instance.>", "process.scaled", "command.rejected"}

// feeds are the subjects of the feed that i may hear.
func (i Identity) feeds(known func() ([]Place, error)) (feeds []string, err error) {
	switch {
	case i.Everywhere(ReadSecrets):
		return []string{"rollouts.>"}, nil
	case i.Everywhere(Read):
		return feedOf("*", "*", false), nil
	}
	places, err := known()
	if err != nil {
		return nil, fmt.Errorf("spaces: %w", err)
	}
	for _, p := range places {
		if p.Space != "" && i.Can(Read, p) {
			feeds = append(feeds, feedOf(events.FeedToken(p.OrganizationName), events.FeedToken(p.SpaceName), i.Can(ReadSecrets, p))...)
		}
	}
	slices.Sort(feeds)
	return slices.Compact(feeds), nil
}

// feedOf are the subjects of a space's feed, by the tokens of its names.
func feedOf(organization, space string, secrets bool) (feeds []string) {
	prefix := "rollouts." + organization + "." + space + "."
	if secrets {
		return []string{prefix + ">"}
	}
	for _, what := range plainFeed {
		feeds = append(feeds, prefix+"*."+what)
	}
	return feeds
}

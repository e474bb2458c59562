package auth

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	_ "embed"
	"slices"

	"slipway/events"
)

// ServiceUser is who Slipway's own parts are to NATS. Their secret is made by [Bootstrap] and read by [ServiceSecret].
// ServiceFeedUser is the same for the few things to be done in the users' account: keeping their copy of the feed.
const (
	ServiceUser     = "slipway"
	ServiceFeedUser = "slipway.feed"
)

// The accounts of the NATS server. What is in one cannot be reached from another but through what [NATSAccounts] exports.
//
// Permissions alone would not do: a NATS server and every responder answer on whatever reply subject a request names. Whoever
// may ask for anything at all in an account could so have an answer written into any stream of that account, EVENTS too.
const (
	AccountSlipway = "SLIPWAY" // the streams, Slipway's parts, admins
	AccountUsers   = "USERS"   // everybody else, and a copy of the feed
)

// NATSAccounts is the configuration of the accounts, for a server's configuration to include.
//
//go:embed accounts.conf
var NATSAccounts string

// The copy of the feed in [AccountUsers]: a mirror of the stream FEED, by the prefixes that [NATSAccounts] gives.
const (
	MirrorAPIPrefix     = "SLIPWAY.JS.API"
	MirrorDeliverPrefix = "SLIPWAY.mirror"
)

// NATSAccess is what a connection may do: in its account, on these subjects, and on no others.
type NATSAccess struct {
	Account            string
	Publish, Subscribe []string
}

// all is every subject.
const all = ">"

// Subjects that everybody may use. Answers of the doors and of JetStream come on the connection's own inbox.
var doors = []string{"rpc.>", "commands.>", "$SRV.>"}

// CheckNATS says what a connection with these credentials may do. Users and clients log in as they do over HTTP; known are
// all spaces, so that each gets the feed of those it may read. The error says nothing of what was wrong.
func (a *Authority) CheckNATS(ctx context.Context, name, secret, address string, known []Place) (NATSAccess, error) {
	d := a.source.directory()
	if name == ServiceUser || name == ServiceFeedUser {
		return a.checkService(d, name, secret)
	}
	i, err := a.natsIdentity(ctx, d, name, secret, address)
	if err != nil {
		return NATSAccess{}, err
	}
	return i.natsAccess(name, known), nil
}

func (a *Authority) natsIdentity(ctx context.Context, d *directory, name, secret, address string) (Identity, error) {
	if _, isClient := d.clients[name]; !isClient {
		u, err := a.user(ctx, name, secret, address)
		return Identity{UserID: u.GUID, UserName: u.Name, Scopes: u.scopes(), Grants: u.Roles}, err
	}
	c, err := a.client(ctx, name, secret, address)
	if err == nil && c.public() {
		err = errCredentials // nobody is behind it
	}
	return Identity{ClientID: c.ID, Scopes: c.scopes(), Grants: c.Roles}, err
}

// checkService compares a secret with that of Slipway's own parts. It needs no slow hash: the secret is random and long.
func (d *directory) checkService(secret string) error {
	given := sha256.Sum256([]byte(secret))
	if subtle.ConstantTimeCompare(given[:], d.service[:]) != 1 {
		return errCredentials
	}
	return nil
}

func (a *Authority) checkService(d *directory, name, secret string) (NATSAccess, error) {
	if err := d.checkService(secret); err != nil {
		return NATSAccess{}, err
	}
	account := AccountSlipway
	if name == ServiceFeedUser {
		account = AccountUsers
	}
	return NATSAccess{Account: account, Publish: []string{all}, Subscribe: []string{all}}, nil
}

// natsAccess is what i may do over NATS. An admin may read every stream, too. Commands need a token of their own, whoever
// sends them: see [Authority.Verify].
func (i Identity) natsAccess(name string, known []Place) NATSAccess {
	if i.Scopes.Has(ScopeAdmin) {
		return NATSAccess{
			Account: AccountSlipway, Subscribe: []string{"rollouts.>", "_INBOX.>"},
			Publish: slices.Concat(doors, reading("*", nil)),
		}
	}
	feeds := i.feeds(known)
	access := NATSAccess{Account: AccountUsers, Publish: slices.Clone(doors), Subscribe: append(feeds, InboxPrefix(name)+".>")}
	if len(feeds) > 0 {
		access.Publish = append(access.Publish, reading("FEED", feeds)...)
	}
	return access
}

// InboxPrefix is the inbox that a user's or client's connection must use (nats --inbox-prefix). Each has its own: who may
// listen on everybody's would see their answers.
func InboxPrefix(name string) string { return "_INBOX." + events.FeedToken(name) }

// feeds are the subjects of the feed that i may read.
func (i Identity) feeds(known []Place) []string {
	if i.Everywhere(Read) {
		return []string{"rollouts.>"}
	}
	var feeds []string
	for _, p := range known {
		if p.Space != "" && i.Can(Read, p) {
			feeds = append(feeds, "rollouts."+events.FeedToken(p.OrganizationName)+"."+events.FeedToken(p.SpaceName)+".>")
		}
	}
	return feeds
}

// reading is what JetStream's clients publish to read a stream: all of it, or what filters let through. A consumer is created
// on a subject that ends with its filter, so a permission can bound what it sees.
func reading(stream string, filters []string) []string {
	subjects := []string{
		"$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.INFO." + stream,
		"$JS.API.CONSUMER.INFO." + stream + ".*", "$JS.API.CONSUMER.MSG.NEXT." + stream + ".*",
		"$JS.API.CONSUMER.DELETE." + stream + ".*", "$JS.ACK." + stream + ".>", "$JS.FC." + stream + ".>",
	}
	if filters == nil {
		return append(subjects, "$JS.API.STREAM.LIST", "$JS.API.CONSUMER.CREATE."+stream+".>", "$JS.API.DIRECT.GET."+stream,
			"$JS.API.DIRECT.GET."+stream+".>", "$JS.API.STREAM.MSG.GET."+stream)
	}
	for _, f := range filters {
		subjects = append(subjects, "$JS.API.CONSUMER.CREATE."+stream+".*."+f, "$JS.API.DIRECT.GET."+stream+"."+f)
	}
	return subjects
}

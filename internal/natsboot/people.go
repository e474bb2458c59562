package natsboot

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/nats-io/nats-server/v2/server"

	"slipway/internal/auth"
	"slipway/internal/natsboot/streams"
)

// The accounts that are always there. What is in one cannot be reached from another but through what accounts.conf exports.
//
// Permissions alone would not do: a NATS server and every responder answer on whatever reply subject a request names. Whoever
// may ask for anything at all in an account could so have an answer written into any stream of that account, EVENTS too.
const (
	accountSlipway = "SLIPWAY"
	accountReaders = "READERS"
)

//go:embed accounts.conf
var accountsConf string

// Subjects that a caller's account has from SLIPWAY, and what they are there.
const (
	rpcSubjects      = "rpc.>"
	commandsSubjects = "commands.>"
	signalsSubjects  = "signals.>" // signals.<app guid>: a command of the durable door, for programs that know nothing of commands
	microSubjects    = "$SRV.>"
)

// people makes the accounts of users and clients: for each caller one, in which nobody else is. What it publishes for the
// doors arrives under subjects with its name, which it cannot choose; what it hears of the feed is what it may read; and nobody
// hears its answers.
type people struct {
	server *server.Server

	mu    sync.Mutex
	homes map[string]home // by name of the account
}

// home is a caller's account, and what they may do in it.
type home struct {
	*server.Account
	login auth.NATSLogin
}

// imported is a subject of another account, under a subject of a caller's own.
type imported struct{ from, as string }

// account gives the account of a caller with these rights, which no other rights share: an import is for good.
func (p *people) account(l auth.NATSLogin) (*server.Account, error) {
	rights := sha256.Sum256([]byte(fmt.Sprint(l.Admin, l.Feeds, l.Version)))
	name := "caller." + l.Caller + "." + hex.EncodeToString(rights[:8])
	p.mu.Lock()
	defer p.mu.Unlock()
	if h, ok := p.homes[name]; ok {
		return h.Account, nil
	}
	account, _ := p.server.LookupOrRegisterAccount(name)
	if err := p.furnish(account, l); err != nil {
		return nil, fmt.Errorf("account %s: %w", name, err)
	}
	p.homes[name] = home{account, l}
	return account, nil
}

// furnish gives an account what it may reach.
func (p *people) furnish(account *server.Account, l auth.NATSLogin) error {
	slipway, err := p.server.LookupAccount(accountSlipway)
	if err != nil {
		return err
	}
	readers, err := p.server.LookupAccount(accountReaders)
	if err != nil {
		return err
	}
	source, reads := readers, reading(streams.Feed)
	if l.Admin {
		source, reads = slipway, slices.Concat(reading("*"), listing)
	}
	for _, subject := range reads {
		if err := account.AddServiceImport(source, subject, subject); err != nil {
			return fmt.Errorf("import %s: %w", subject, err)
		}
	}
	for _, i := range doors(l.Caller) {
		if err := account.AddServiceImport(slipway, i.as, i.from); err != nil {
			return fmt.Errorf("import %s: %w", i.from, err)
		}
	}
	for _, subject := range l.Feeds {
		if err := account.AddStreamImport(slipway, subject, ""); err != nil {
			return fmt.Errorf("import %s: %w", subject, err)
		}
	}
	return nil
}

// doors are what every caller may ask.
func doors(caller string) []imported {
	return []imported{
		{"rpc.by." + caller + ".>", rpcSubjects}, {"commands.by." + caller + ".>", commandsSubjects},
		{"commands.by." + caller + "." + signalsSubjects, signalsSubjects}, {microSubjects, microSubjects},
	}
}

// reading is what JetStream's clients ask in order to read a stream; a name of "*" means each.
func reading(stream string) []string {
	return []string{
		"$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST", "$JS.API.STREAM.INFO." + stream, "$JS.API.STREAM.MSG.GET." + stream,
		"$JS.API.DIRECT.GET." + stream, "$JS.API.DIRECT.GET." + stream + ".>", "$JS.API.CONSUMER.CREATE." + stream + ".>",
		"$JS.API.CONSUMER.INFO." + stream + ".*", "$JS.API.CONSUMER.DELETE." + stream + ".*", "$JS.API.CONSUMER.MSG.NEXT." + stream + ".*",
		"$JS.ACK." + stream + ".>",
	}
}

// listing shows admins who else reads.
var listing = []string{"$JS.API.CONSUMER.NAMES.*", "$JS.API.CONSUMER.LIST.*"}

// permissions bound what a caller does in its account. Most of it leads nowhere there anyway; an error is clearer than silence.
func permissions(l auth.NATSLogin) *server.Permissions {
	publish := []string{rpcSubjects, commandsSubjects, signalsSubjects, microSubjects}
	switch {
	case l.Admin:
		publish = slices.Concat(publish, reading("*"), listing)
	case slices.Contains(l.Feeds, streams.FeedSubjects):
		publish = append(publish, reading(streams.Feed)...)
	default:
		publish = append(publish, filtered(streams.Feed, l.Feeds)...)
	}
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: publish},
		Subscribe: &server.SubjectPermission{Allow: []string{streams.FeedSubjects, "_INBOX.>"}},
	}
}

// filtered is what is left of reading for somebody who may see only what some filters let through. A consumer is created on a
// subject that ends with its filter, which the server holds against what the request says.
func filtered(stream string, filters []string) []string {
	subjects := slices.DeleteFunc(reading(stream), func(s string) bool {
		return strings.HasPrefix(s, "$JS.API.STREAM.MSG.GET.") || strings.HasPrefix(s, "$JS.API.DIRECT.GET.") ||
			strings.HasPrefix(s, "$JS.API.CONSUMER.CREATE.")
	})
	for _, f := range filters {
		subjects = append(subjects, "$JS.API.CONSUMER.CREATE."+stream+".*."+f, "$JS.API.DIRECT.GET."+stream+"."+f)
	}
	return subjects
}

package events

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// Subject is the NATS subject of one aggregate in the EVENTS stream: "events.<aggregate>.<id>". One literal subject per
// aggregate is what makes loading one out of a million take 0.3 ms (docs/adr/0001).
type Subject string

// The aggregates: second token of a subject.
const (
	AggregateApp      = "app"
	AggregateInstance = "instance"
	AggregateDroplet  = "droplet"
	AggregatePackage  = "package"
	AggregateManifest = "manifest"
	AggregateBuild    = "build"
	AggregateName     = "name"
	AggregateCommand  = "command"

	AggregateOrganization = "organization" // with its spaces and their quotas
	AggregateQuota        = "quota"        // of organizations
	AggregateDomain       = "domain"
	AggregateRoute        = "route"
	AggregateStrategy     = "strategy"
	AggregateHalt         = "halt"  // all halts together
	AggregateGroup        = "group" // of deployments
	AggregateSubscription = "subscription"
	AggregatePolicy       = "policy" // all policies together
)

const subjectPrefix = "events."

// Subject filters for subscriptions.
const (
	AllSubjects         = "events.>"
	AllAppSubjects      = "events.app.*"
	AllInstanceSubjects = "events.instance.*"
	AllBuildSubjects    = "events.build.*"
	AllRouteSubjects    = "events.route.*"
	AllGroupSubjects    = "events.group.*"

	AllSubscriptionSubjects = "events.subscription.*"
)

// AppSubject is where an app's commits stand.
func AppSubject(id AppID) Subject { return subject(AggregateApp, string(id)) }

// InstanceSubject is where the agents' reports on a process's instances stand.
func InstanceSubject(id ProcessID) Subject { return subject(AggregateInstance, string(id)) }

// DropletSubject is where a droplet's commits stand.
func DropletSubject(id DropletID) Subject { return subject(AggregateDroplet, string(id)) }

// PackageSubject is where a package's commits stand.
func PackageSubject(id PackageID) Subject { return subject(AggregatePackage, string(id)) }

// BuildSubject is where a build's commits stand.
func BuildSubject(id BuildID) Subject { return subject(AggregateBuild, string(id)) }

// OrganizationSubject is where the commits of an organization stand, with its spaces and their quotas.
func OrganizationSubject(id OrganizationID) Subject {
	return subject(AggregateOrganization, string(id))
}

// QuotaSubject is where the commits of a quota of organizations stand.
func QuotaSubject(id QuotaID) Subject { return subject(AggregateQuota, string(id)) }

// DomainSubject is where a domain's commits stand.
func DomainSubject(id DomainID) Subject { return subject(AggregateDomain, string(id)) }

// RouteSubject is where a route's commits stand.
func RouteSubject(id RouteID) Subject { return subject(AggregateRoute, string(id)) }

// HaltSubject is where all halts stand together: whoever decides sees with one look that none was missed.
const HaltSubject Subject = "events." + AggregateHalt + ".all"

// StrategySubject is where a deployment strategy's commits stand.
func StrategySubject(id StrategyID) Subject { return subject(AggregateStrategy, string(id)) }

// GroupSubject is where the commits of a group of deployments stand.
func GroupSubject(id GroupID) Subject { return subject(AggregateGroup, string(id)) }

// SubscriptionSubject is where a subscription's commits stand, with what became of its deliveries.
func SubscriptionSubject(id SubscriptionID) Subject {
	return subject(AggregateSubscription, string(id))
}

// ManifestSubject is where it stands how the applying of a manifest ended.
func ManifestSubject(id CommandID) Subject { return subject(AggregateManifest, string(id)) }

// CommandSubject is where the rejection of a command from the durable door stands.
func CommandSubject(id CommandID) Subject { return subject(AggregateCommand, string(id)) }

// NameSubject is where the claims on an app's name in a space stand. The name is hashed: it may hold what no token may.
func NameSubject(space SpaceID, name string) Subject {
	sum := sha256.Sum256([]byte(string(space) + "\x00" + name))
	return subject(AggregateName, hex.EncodeToString(sum[:16]))
}

func subject(aggregate, id string) Subject { return Subject(subjectPrefix + aggregate + "." + id) }

// Split takes a subject apart. ok is false where s is no subject of an aggregate.
func (s Subject) Split() (aggregate, id string, ok bool) {
	rest, found := strings.CutPrefix(string(s), subjectPrefix)
	if !found {
		return "", "", false
	}
	aggregate, id, found = strings.Cut(rest, ".")
	if !found || !ValidID(aggregate) || !ValidID(id) {
		return "", "", false
	}
	return aggregate, id, true
}

// FeedToken makes any name a single valid subject token of the feed: bytes other than A-Z a-z 0-9 _ and - become =XX
// (hex), an empty name becomes "=". Different names give different tokens.
func FeedToken(name string) string {
	if name == "" {
		return "="
	}
	var b strings.Builder
	for i := range len(name) {
		if c := name[i]; ValidID(name[i : i+1]) {
			b.WriteByte(c)
		} else {
			b.WriteByte('=')
			b.WriteString(strings.ToUpper(hex.EncodeToString([]byte{c})))
		}
	}
	return b.String()
}

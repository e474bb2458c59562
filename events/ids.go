package events

import (
	"crypto/sha256"
	"fmt"
	"strings"

	"github.com/oklog/ulid/v2"
)

// A type per kind of id, so that the compiler catches a process id given for an app's. All are URL-safe and valid NATS
// subject tokens; see [ValidID].
type (
	AppID        string // id of an app
	ProcessID    string // id of a process
	DeploymentID string // id of a deployment
	DropletID    string // id of a droplet
	RevisionID   string // id of a revision
	InstanceID   string // id of one start of an instance
	AgentID      string // id of an agent
	SpaceID      string // id of a space
	PackageID    string // id of a package
	BuildID      string // id of a build

	OrganizationID string // id of an organization
	QuotaID        string // id of a quota, of organizations or of spaces
	DomainID       string // id of a domain
	RouteID        string // id of a route
	PolicyID       string // id of a policy
	GroupID        string // id of a group of deployments
	HaltID         string // id of a halt
	StrategyID     string // id of a deployment strategy, in the form of AWS AppConfig's ids
	SubscriptionID string // id of a subscription

	// CommandID names one request to decide something. Sent again, it is the same request.
	CommandID string
	// Actor is who asked: a user, or a part of Slipway such as "updater" or "agent/<id>".
	Actor string
	// Sequence is a position in the EVENTS stream, from 1. 0 means "before everything".
	Sequence uint64
	// Version counts the commits of one aggregate from 1. 0 marks a fact that is not versioned (an agent's report).
	Version uint64
	// Hash is the lower-case hex SHA-256 of a commit; empty before the first one.
	Hash string
)

// DefaultSpace and DefaultOrganization are there from the first start; an app lives there where no space was named. Each is
// called by its id until somebody gives it another name.
const (
	DefaultSpace        SpaceID        = "default"
	DefaultOrganization OrganizationID = "default"
)

// MaxIDLength bounds every id: subjects stay short and a hostile id cannot fill a log line.
const MaxIDLength = 64

// ValidID says whether s can be an id: 1 to [MaxIDLength] of A-Z a-z 0-9 _ and -. So an id is a single subject token: no
// dot, wildcard or blank can reach a NATS subject through it.
func ValidID(s string) bool {
	if s == "" || len(s) > MaxIDLength {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '_', c == '-':
		default:
			return false
		}
	}
	return true
}

// NewID makes a new ULID. Only the edges of the system call it; decisions are given their ids.
func NewID() string { return ulid.Make().String() }

// DeriveID makes the id of the n-th thing of a kind that a command brings forth. The same command always gives the same
// id, so a command sent twice cannot create two things.
func DeriveID(command CommandID, kind string, n int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%d", command, kind, n))
	var id ulid.ULID
	copy(id[:], sum[:])
	if parsed, err := ulid.ParseStrict(string(command)); err == nil {
		_ = id.SetTime(parsed.Time()) // in range: it was read from a ULID
	}
	return id.String()
}

// Parts of Slipway that write history beside agents: "agent/<id>".
const (
	ActorUpdater Actor = "updater" // of what the updater decides
	ActorChecks  Actor = "checks"  // of what the checks of rollouts found
	ActorPolicy  Actor = "policy"  // who denies a request where a policy does
	ActorGroups  Actor = "groups"  // of what follows for a group from its members
	ActorNotify  Actor = "notify"  // of what became of deliveries to subscribers
)

// System says whether a part of Slipway acted, rather than a person or program at a door.
func (a Actor) System() bool {
	return a == ActorUpdater || a == ActorChecks || a == ActorPolicy || a == ActorGroups || a == ActorNotify ||
		strings.HasPrefix(string(a), "agent/")
}

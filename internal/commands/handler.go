package commands

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/aggregates/droplet"
	"slipway/aggregates/group"
	"slipway/aggregates/name"
	"slipway/aggregates/pack"
	"slipway/aggregates/plan"
	"slipway/aggregates/subscription"
	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/internal/halts"
	"slipway/internal/policy"
)

// Schemas of the snapshots; see eventlog.NewRepository.
const (
	appSchema          = 12
	organizationSchema = 1
)

// deadline bounds one command. It stays below name.Grace, so that a command that hangs between its claim on a name and
// its app has given up before anybody may take the name over (docs/adr/0002).
const deadline = name.Grace * 2 / 3

// ErrUnknown is what a [Finder] answers for an id that its read model does not have.
var ErrUnknown = errors.New("no such resource")

// Finder looks up which app a thing belongs to: ids on the wire do not say. It answers from a read model that has caught up
// with every command already acknowledged, so that what was just created is found.
type Finder interface {
	AppOfDeployment(ctx context.Context, id events.DeploymentID) (events.AppID, error)
	AppOfProcess(ctx context.Context, id events.ProcessID) (events.AppID, error)
	AppOfRevision(ctx context.Context, id events.RevisionID) (events.AppID, error)
	// MetadataOfDeployment is what labels and annotations a deployment has, over or not.
	MetadataOfDeployment(ctx context.Context, id events.DeploymentID) (events.Metadata, error)
	// LastDeployments gives the app's newest deployments, at most so many, newest first.
	LastDeployments(ctx context.Context, id events.AppID, most int) ([]policy.Past, error)
	// CountStrategies says how many deployment strategies are stored.
	CountStrategies(ctx context.Context) (int, error)
	CountsSubscriptions
	Places
}

// Bits stores the bits of droplets.
type Bits interface {
	// Put stores what r gives under a name, whole or not at all, and returns its SHA-256 (hex) and size in bytes.
	Put(ctx context.Context, name string, r io.Reader) (sha256 string, size int64, err error)
	// Inspect reads stored bits through: a gzipped tar that can be unpacked safely. It returns the process types of its
	// Procfile, if there is one. What cannot be unpacked is a *aggregates.RejectedError.
	Inspect(ctx context.Context, name string) (processTypes map[string]string, err error)
	Delete(ctx context.Context, name string) error
}

// Handler carries out commands.
type Handler struct {
	log        eventlog.Log
	apps       *eventlog.Repository[app.State]
	droplets   *eventlog.Repository[droplet.State]
	packages   *eventlog.Repository[pack.State]
	builds     *eventlog.Repository[pack.Build]
	groups     *eventlog.Repository[group.State]
	names      *eventlog.Repository[name.State]
	places     places
	strategies *Strategies
	halts      *halts.Halts
	policies   *policy.Policies

	subscriptions *eventlog.Repository[subscription.State]

	schedule plan.Schedule
	creating creation
	keyed    creation      // deployments of ids that their callers chose
	stranded chan struct{} // something may be left in a place that is gone
	finder   Finder
	bits     Bits
	logger   *slog.Logger
	now      func() time.Time
}

// NewHandler makes a handler. snapshots may be nil.
func NewHandler(log eventlog.Log, snapshots eventlog.Snapshots, finder Finder, bits Bits, logger *slog.Logger) *Handler {
	return &Handler{
		log:  log,
		apps: Apps(log, snapshots), droplets: Droplets(log),
		packages: Packages(log), builds: Builds(log), groups: Groups(log),
		names:  eventlog.NewRepository(log, events.AggregateName, name.Evolve, nil, 0),
		places: newPlaces(log, snapshots), strategies: NewStrategies(log), halts: halts.New(log), policies: policy.New(log),
		subscriptions: Subscriptions(log), creating: make(creation, 1), keyed: make(creation, 1), stranded: make(chan struct{}, 1),
		finder: finder, bits: bits, logger: logger, now: time.Now,
	}
}

// Grow says when the steps of growth curves begin, of deployments created from now on. It is called before the first command.
func (h *Handler) Grow(s plan.Schedule) { h.schedule = s }

// Apps is the repository of apps, for whoever decides about them or follows them.
func Apps(log eventlog.Log, snapshots eventlog.Snapshots) *eventlog.Repository[app.State] {
	return eventlog.NewRepository(log, events.AggregateApp, app.Evolve, snapshots, appSchema)
}

// Droplets is the repository of droplets.
func Droplets(log eventlog.Log) *eventlog.Repository[droplet.State] {
	return eventlog.NewRepository(log, events.AggregateDroplet, droplet.Evolve, nil, 0)
}

// Caller says who sends a command, through which door, and under which id.
type Caller struct {
	CommandID events.CommandID // must be a valid id; the same id again is the same command
	Chosen    bool             // who sends it chose the id: a word, maybe, that they or others have used before
	Actor     events.Actor
	Door      string // "http", "rpc" or "commands"
	Trace     string // W3C traceparent, may be empty

	Automation bool  // no person decides what it does
	Roles      Roles // of whoever sends it; nil: none
}

// Handle carries out a command: once, however often it comes. Errors: *aggregates.RejectedError for a refusal,
// eventlog.ErrConflict and eventlog.ErrUnavailable for "try again", *eventlog.CorruptError for "call somebody".
func (h *Handler) Handle(ctx context.Context, c Command, by Caller) (Result, error) {
	if !events.ValidID(string(by.CommandID)) {
		return Result{}, aggregates.Reject("The command id must be 1 to %d letters, digits, '_' or '-'", events.MaxIDLength)
	}
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	result, err := h.carryOut(ctx, c, by, h.meta(by))
	if err != nil {
		return Result{}, fmt.Errorf("%s: %w", c.Name(), err)
	}
	h.logger.LogAttrs(ctx, slog.LevelInfo, "command carried out", slog.String("command", c.Name()), slog.String("id", string(by.CommandID)),
		slog.String("app", string(result.App)), slog.Uint64("seq", uint64(result.Sequence)), slog.Bool("duplicate", result.Duplicate))
	return result, nil
}

func (h *Handler) meta(by Caller) eventlog.Meta {
	return eventlog.Meta{CommandID: by.CommandID, Actor: by.Actor, Cause: by.Door, Trace: by.Trace, Time: h.now().UTC()}
}

// onApp decides about one app.
func (h *Handler) onApp(ctx context.Context, id events.AppID, m eventlog.Meta, decide func(app.State) ([]events.Event, error)) (Result, error) {
	out, err := h.apps.Decide(ctx, string(id), m, decide)
	if err != nil {
		return Result{}, err
	}
	return Result{
		Kind: KindApp, ID: string(id), App: id, Sequence: out.Position.Sequence, Duplicate: out.Duplicate,
		Recorded: out.Commit.Sequence > 0,
	}, nil
}

// within decides about one app with what its quotas have left.
func (h *Handler) within(ctx context.Context, id events.AppID, m eventlog.Meta, decide func(app.State, app.Quota) ([]events.Event, error)) (Result, error) {
	return h.onApp(ctx, id, m, func(s app.State) ([]events.Event, error) {
		quota, err := h.quota(ctx, s.Organization, s.Space)
		if err != nil {
			return nil, err
		}
		return decide(s, quota)
	})
}

// Package streams is what every process does first with NATS: connect, and make sure that the streams are there. It
// names all of them in one place.
//
// What it guarantees:
//
//  1. Setup may be called by any number of processes at once and again at every start; what is there already is kept.
//  2. What a Config does not say stays as it was set up once: a process that does not know of replicas cannot take them away.
//  3. EVENTS is never made in a way that could lose history: nothing deletes or purges it, nothing ages out, and a full
//     disk refuses new commits rather than dropping old ones.
package streams

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// The streams and buckets, and the subjects they take.
const (
	// Events holds the truth: one message per commit, kept for ever.
	Events         = "EVENTS"
	EventsSubjects = "events.>" // events.<aggregate>.<id>

	// Feed holds what subscribers see: one event per message under names people know, kept for [Config.FeedMaxAge].
	Feed         = "FEED"
	FeedSubjects = "rollouts.>" // rollouts.<organization>.<space>.<app>.<thing>.<type>

	// Commands is the durable door: commands wait in it until a handler has carried them out.
	Commands         = "COMMANDS"
	CommandsSubjects = "commands.>" // commands.<aggregate>.<verb>

	// Timers holds alarms: messages that the server moves from timers.set.<key> to timers.due.<key> at their time.
	Timers          = "TIMERS"
	TimersSetPrefix = "timers.set." // and the key
	TimersDuePrefix = "timers.due." // and the key

	// DeadLetters holds what could not be carried out, or not be delivered, with the reason. The doors set it up.
	DeadLetters         = "DEADLETTER"
	DeadLettersSubjects = "deadletter.>" // deadletter.<the subject it came on>, or deadletter.webhook.<subscription>

	// Snapshots is the key-value bucket of folded aggregates: a cache.
	Snapshots = "SNAPSHOTS"
	// Checkpoints is the key-value bucket of how far consumers are that keep their place themselves.
	Checkpoints = "CHECKPOINTS"
	// Droplets is the object store of droplet bits.
	Droplets = "DROPLETS"
)

// Limits.
const (
	// DefaultFeedMaxAge is how long the feed can be replayed. EVENTS has it all, so this is comfort, not history.
	DefaultFeedMaxAge = 30 * 24 * time.Hour

	// eventsDuplicates is the shortest window the server takes. Nothing relies on it: eventlog settles a lost
	// acknowledgement by reading. But each id in it costs memory, and within it a command that writes to two aggregates
	// has to wait before its second commit.
	eventsDuplicates = 100 * time.Millisecond
	// feedDuplicates covers a projector that dies between publishing and its checkpoint and starts again.
	feedDuplicates = 2 * time.Minute
	// commandsDuplicates covers a client that sends again because it saw no answer. Beyond it the handler recognises
	// the command's id by itself.
	commandsDuplicates = 2 * time.Minute

	// maxCommandBytes bounds one command, and maxCommandsBytes all that wait: a flood is refused at the door instead
	// of filling the disk that EVENTS needs.
	maxCommandBytes  = 512 << 10
	maxCommandsBytes = 256 << 20

	// maxTimerBytes bounds one alarm, which is a few headers.
	maxTimerBytes = 4 << 10

	// setupRetry is the wait before set-up is tried again while a cluster has no leader yet.
	setupRetry = 200 * time.Millisecond
)

// Config is what differs between installations.
type Config struct {
	Replicas   int           // 1, 3 or 5; 0 means as they are, at first 1
	FeedMaxAge time.Duration // 0 means as it is, at first DefaultFeedMaxAge
}

// Validate reports all faults of c together.
func (c Config) Validate() error {
	var faults []error
	if c.Replicas != 0 && c.Replicas != 1 && c.Replicas != 3 && c.Replicas != 5 {
		faults = append(faults, fmt.Errorf("replicas %d: want 1, 3 or 5; an even number survives no more than one less", c.Replicas))
	}
	if c.FeedMaxAge < 0 || c.FeedMaxAge > 0 && c.FeedMaxAge < feedDuplicates {
		faults = append(faults, fmt.Errorf("feed max age %s: want at least %s", c.FeedMaxAge, feedDuplicates))
	}
	return errors.Join(faults...)
}

// Setup creates all streams and buckets, or brings their settings up to date. While the server is not ready for it, it
// tries again until ctx ends.
func Setup(ctx context.Context, nc *nats.Conn, cfg Config) error {
	if err := cfg.Validate(); err != nil {
		return fmt.Errorf("set up streams: %w", err)
	}
	js, err := jetstream.New(nc)
	if err != nil {
		return fmt.Errorf("set up streams: %w", err)
	}
	if cfg, err = standing(ctx, js, cfg); err != nil {
		return fmt.Errorf("set up streams: %w", err)
	}
	for _, stream := range []jetstream.StreamConfig{eventsConfig(cfg), feedConfig(cfg), commandsConfig(cfg), timersConfig(cfg)} {
		err := persist(ctx, func(ctx context.Context) error {
			_, err := js.CreateOrUpdateStream(ctx, stream)
			return err
		})
		if err != nil {
			return fmt.Errorf("set up stream %s: %w", stream.Name, err)
		}
	}
	return setupBuckets(ctx, js, cfg)
}

// standing fills in what c does not say from the feed that is there, or with the defaults where there is none. The feed
// stands for all of them: they are made with the same settings.
func standing(ctx context.Context, js jetstream.JetStream, c Config) (Config, error) {
	var set jetstream.StreamConfig
	err := persist(ctx, func(ctx context.Context) error {
		stream, err := js.Stream(ctx, Feed)
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			return nil
		}
		if err == nil {
			set = stream.CachedInfo().Config
		}
		return err
	})
	if c.Replicas == 0 {
		c.Replicas = max(set.Replicas, 1)
	}
	if c.FeedMaxAge == 0 {
		c.FeedMaxAge = cmp.Or(set.MaxAge, DefaultFeedMaxAge)
	}
	return c, err
}

func setupBuckets(ctx context.Context, js jetstream.JetStream, cfg Config) error {
	for bucket, description := range map[string]string{
		Snapshots:   "Folded aggregates. A cache: deleting it costs time only.",
		Checkpoints: "How far the feed is, for when all of it has aged out.",
	} {
		err := persist(ctx, func(ctx context.Context) error {
			_, err := js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{
				Bucket: bucket, Description: description, Replicas: cfg.Replicas, Compression: true,
			})
			return err
		})
		if err != nil {
			return fmt.Errorf("set up bucket %s: %w", bucket, err)
		}
	}
	err := persist(ctx, func(ctx context.Context) error {
		_, err := js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{
			// Not compressed: droplets are.
			Bucket: Droplets, Description: "Droplet bits.", Replicas: cfg.Replicas,
		})
		return err
	})
	if err != nil {
		return fmt.Errorf("set up object store %s: %w", Droplets, err)
	}
	return nil
}

func eventsConfig(cfg Config) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: Events, Description: "Every decision, for ever. The only truth.", Subjects: []string{EventsSubjects},
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Replicas: cfg.Replicas,
		Discard: jetstream.DiscardNew, DenyDelete: true, DenyPurge: true,
		AllowDirect: true, Compression: jetstream.S2Compression, Duplicates: eventsDuplicates,
	}
}

func feedConfig(cfg Config) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: Feed, Description: "Events for subscribers, under names people know.", Subjects: []string{FeedSubjects},
		Storage: jetstream.FileStorage, Retention: jetstream.LimitsPolicy, Replicas: cfg.Replicas,
		Discard: jetstream.DiscardOld, MaxAge: cfg.FeedMaxAge,
		AllowDirect: true, Compression: jetstream.S2Compression, Duplicates: feedDuplicates,
	}
}

func commandsConfig(cfg Config) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: Commands, Description: "Commands that wait to be carried out.", Subjects: []string{CommandsSubjects},
		Storage: jetstream.FileStorage, Retention: jetstream.WorkQueuePolicy, Replicas: cfg.Replicas,
		Discard: jetstream.DiscardNew, MaxMsgSize: maxCommandBytes, MaxBytes: maxCommandsBytes,
		AllowDirect: true, Compression: jetstream.S2Compression, Duplicates: commandsDuplicates,
	}
}

func timersConfig(cfg Config) jetstream.StreamConfig {
	return jetstream.StreamConfig{
		Name: Timers, Description: "Alarms for deadlines. Deleting it costs time only.",
		Subjects: []string{TimersSetPrefix + ">", TimersDuePrefix + ">"},
		// An alarm that rang goes once it was attended to. Those that stand have no consumer, so they stay.
		Storage: jetstream.FileStorage, Retention: jetstream.WorkQueuePolicy, Replicas: cfg.Replicas,
		// Schedules need roll-ups and cannot go with DiscardNew; so there is no limit but one alarm per key.
		AllowMsgSchedules: true, AllowRollup: true, Discard: jetstream.DiscardOld,
		MaxMsgsPerSubject: 1, MaxMsgSize: maxTimerBytes,
	}
}

// persist tries again what failed because the server was not ready: a cluster that has just started has no leader to ask.
func persist(ctx context.Context, try func(context.Context) error) error {
	for {
		once, cancel := context.WithTimeout(ctx, 5*time.Second)
		err := try(once)
		cancel()
		if err == nil || ctx.Err() != nil || !transient(err) {
			return err
		}
		t := time.NewTimer(setupRetry)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		}
	}
}

// transient says whether the server may give another answer soon: it gave none, or it is a cluster without a leader,
// without enough peers yet, or another process is making the same stream.
func transient(err error) bool {
	var api *jetstream.APIError
	if errors.As(err, &api) {
		return api.Code >= 500 || api.ErrorCode == jetstream.JSErrCodeStreamNameInUse
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrTimeout) ||
		errors.Is(err, jetstream.ErrNoStreamResponse) || errors.Is(err, jetstream.ErrStreamNotFound)
}

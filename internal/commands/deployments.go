package commands

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"slipway/aggregates"
	"slipway/aggregates/app"
	"slipway/events"
	"slipway/internal/eventlog"
)

func (h *Handler) createDeployment(ctx context.Context, c CreateDeployment, by Caller, m eventlog.Meta) (Result, error) {
	create, err := h.asked(ctx, c, by, m)
	if err != nil {
		return Result{}, err
	}
	if by.Chosen {
		end, err := h.keyed.begin(ctx)
		if err != nil {
			return Result{}, err
		}
		defer end()
		if err := h.unused(ctx, c, create.DeploymentID(), by); err != nil {
			return Result{}, err
		}
	}
	result, err := h.within(ctx, c.App, m, func(s app.State, q app.Quota) ([]events.Event, error) {
		if err := h.facts(ctx, c, s, q, &create); err != nil {
			return nil, err
		}
		if s.Exists() {
			var err error
			if create.Judgement, err = h.judge(ctx, c, s, create, by); err != nil {
				return nil, err
			}
		}
		return app.DeployApp(s, create)
	})
	result.Kind, result.ID = KindDeployment, string(create.DeploymentID())
	return result, err
}

// unused refuses an id that the caller chose and that has made a deployment of another app. People choose words such as "release-42", and
// use one for each of their apps: the second deployment would have the guid of the first, and be shown as that one. One at a time, so
// what a read model says of the id is exact within this process.
func (h *Handler) unused(ctx context.Context, c CreateDeployment, id events.DeploymentID, by Caller) error {
	of, err := h.finder.AppOfDeployment(ctx, id)
	if errors.Is(err, ErrUnknown) || err == nil && of == c.App {
		return nil
	}
	if err != nil {
		return fmt.Errorf("what the id has made: %w", err)
	}
	return aggregates.Reject("The id %s has made a deployment of another app already: give this one an id of its own (Idempotency-Key, or Nats-Msg-Id)",
		by.CommandID)
}

// asked is the decision that a request asks for, with the facts that never change.
func (h *Handler) asked(ctx context.Context, c CreateDeployment, by Caller, m eventlog.Meta) (app.CreateDeployment, error) {
	create := app.CreateDeployment{
		ID: m.CommandID, Strategy: c.Strategy, Options: c.Options.DeploymentOptions, Metadata: c.Metadata, Schedule: h.schedule, Now: m.Time,
		Group: c.Group, By: m.Actor, Automation: by.Automation,
	}
	if c.Schedule != "" {
		create.Schedule = c.Schedule
	}
	if err := c.Check(); err != nil {
		return create, err
	}
	return create, h.version(ctx, c, &create)
}

// facts adds those that are as of now. A halt refuses what somebody asks for now; a member of a group was let in before, so when
// its wave comes it waits.
func (h *Handler) facts(ctx context.Context, c CreateDeployment, s app.State, q app.Quota, create *app.CreateDeployment) error {
	create.Quota = q
	halted, err := h.halts.For(ctx, s.Organization, s.Space, create.Now)
	if err != nil {
		return err
	}
	create.Halt, create.Await = "", app.Halt{}
	switch {
	case halted.ID == "":
	case c.Group != "":
		create.Await = halted
	default:
		create.Halt = "Cannot deploy: " + halted.Text()
	}
	create.Stored, err = h.stored(ctx, c.DeploymentStrategy)
	return err
}

// Check tells what is wrong with the request by itself, whatever it is about: all of it together.
func (c CreateDeployment) Check() error {
	var both error
	if c.Droplet != "" && c.Revision != "" {
		both = aggregates.Reject("Droplet Cannot set both fields 'droplet' and 'revision'")
	}
	return Together(c.checkStrategy(), both, c.Options.checkStrategy(c.Strategy), app.CheckOptions(c.Options.DeploymentOptions), app.CheckMetadata(c.Metadata))
}

// checkStrategy refuses a name that no strategy has. Whether it goes with a stored one is for the rule book to say, which sees
// that one.
func (c CreateDeployment) checkStrategy() error {
	if c.DeploymentStrategy != "" {
		return nil
	}
	return app.CheckStrategy(c.Strategy)
}

// stored copies the numbers of a deployment strategy as they are now; nil where none is asked for.
func (h *Handler) stored(ctx context.Context, id events.StrategyID) (*app.StoredStrategy, error) {
	if id == "" {
		return nil, nil
	}
	growth, err := h.strategies.Growth(ctx, id)
	var rejected *aggregates.RejectedError
	if errors.As(err, &rejected) {
		return nil, aggregates.Reject("Unable to use deployment strategy. Ensure that the deployment strategy exists and you have access to it.")
	}
	return &app.StoredStrategy{ID: id, Growth: growth}, err
}

// Together makes one refusal of several, as Cloud Foundry tells the faults of a request. An error that is none comes alone.
func Together(errs ...error) error {
	var faults []string
	for _, err := range errs {
		var rejected *aggregates.RejectedError
		switch {
		case err == nil:
		case errors.As(err, &rejected) && rejected.Code == aggregates.CodeUnprocessable:
			faults = append(faults, rejected.Message)
		default:
			return err
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return aggregates.Reject("%s", strings.Join(faults, ", "))
}

// version loads the facts about what is to be rolled out: a droplet, or a revision and its droplet.
func (h *Handler) version(ctx context.Context, c CreateDeployment, create *app.CreateDeployment) error {
	wanted := c.Droplet
	if c.Revision != "" {
		revision, err := h.revision(ctx, c.App, c.Revision)
		if err != nil {
			return err
		}
		create.Revision, wanted = &revision, revision.Droplet
	}
	if wanted == "" {
		return nil
	}
	d, err := h.droplet(ctx, wanted)
	create.Droplet = &d
	return err
}

// revision reads a revision out of its app's history, which has all of them; the app's state keeps only the latest. One
// that does not exist is zero: whether that is what is wrong first is for the rule book to say.
func (h *Handler) revision(ctx context.Context, owner events.AppID, id events.RevisionID) (found events.RevisionCreated, err error) {
	err = h.log.Read(ctx, events.AppSubject(owner), 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			if r, ok := e.(events.RevisionCreated); ok && r.Revision == id {
				found = r
			}
		}
		return nil
	})
	return found, err
}

// steer does something about a deployment going on.
func (h *Handler) steer(ctx context.Context, decide func(app.State, app.Steer) ([]events.Event, error), c app.Steer, m eventlog.Meta) (Result, error) {
	return h.onDeployment(ctx, c.Deployment, m, func(s app.State) ([]events.Event, error) { return decide(s, c) })
}

// continueDeployment lets a deployment go on; one that had failed, with the crashes forgiven that there were until now.
func (h *Handler) continueDeployment(ctx context.Context, c ContinueDeployment, m eventlog.Meta) (Result, error) {
	how := steering(c.Deployment, c.ExpectedStep, m)
	return h.onDeployment(ctx, c.Deployment, m, func(s app.State) (_ []events.Event, err error) {
		if s.Deployment != nil && s.Deployment.Held {
			if how.Crashes, err = h.crashes(ctx, s.Deployment.Process); err != nil {
				return nil, err
			}
		}
		return app.ContinueDeployment(s, how)
	})
}

func (h *Handler) cancelDeployment(ctx context.Context, c CancelDeployment, m eventlog.Meta) (Result, error) {
	return h.steer(ctx, app.CancelDeployment, steering(c.Deployment, c.ExpectedStep, m), m)
}

// rollBackDeployment keeps automation from deploying again, where a person goes back.
func (h *Handler) rollBackDeployment(ctx context.Context, c RollBackDeployment, by Caller, m eventlog.Meta) (Result, error) {
	how := steering(c.Deployment, c.ExpectedStep, m)
	how.Automation = by.Automation
	return h.steer(ctx, app.RollBackDeployment, how, m)
}

func steering(id events.DeploymentID, step int, m eventlog.Meta) app.Steer {
	return app.Steer{Deployment: id, ExpectedStep: step, By: m.Actor, Now: m.Time}
}

// crashes counts the crashes of a process's instances that agents have reported.
func (h *Handler) crashes(ctx context.Context, id events.ProcessID) (int, error) {
	var seen app.ProcessInstances
	err := h.log.Read(ctx, events.InstanceSubject(id), 0, 0, func(c events.Recorded) error {
		for _, e := range c.Events {
			if report, ok := e.(events.InstanceEvent); ok {
				seen = app.Observe(seen, report, c.Time)
			}
		}
		return nil
	})
	return app.Crashes(seen), err
}

func (h *Handler) updateDeployment(ctx context.Context, c UpdateDeployment, m eventlog.Meta) (Result, error) {
	return h.onDeployment(ctx, c.Deployment, m, func(s app.State) ([]events.Event, error) {
		present, err := h.finder.MetadataOfDeployment(ctx, c.Deployment)
		if err != nil {
			return nil, notFound(err, KindDeployment)
		}
		return app.SetDeploymentMetadata(s, c.Deployment, present, c.Metadata.On(present))
	})
}

// onDeployment decides about the app that a deployment belongs to.
func (h *Handler) onDeployment(ctx context.Context, id events.DeploymentID, m eventlog.Meta, decide func(app.State) ([]events.Event, error)) (Result, error) {
	owner, err := h.finder.AppOfDeployment(ctx, id)
	if err != nil {
		return Result{}, notFound(err, KindDeployment)
	}
	result, err := h.onApp(ctx, owner, m, decide)
	result.Kind, result.ID = KindDeployment, string(id)
	return result, err
}

func (h *Handler) scaleProcess(ctx context.Context, c ScaleProcess, m eventlog.Meta) (Result, error) {
	scale := app.Scale{Instances: c.Instances, MemoryMB: c.MemoryMB, DiskMB: c.DiskMB, LogRate: c.LogRate}
	return h.onProcess(ctx, c.Process, c.App, c.Type, m, func(s app.State, p events.ProcessID) (_ []events.Event, err error) {
		scale.Process = p
		if scale.Quota, err = h.quota(ctx, s.Organization, s.Space); err != nil {
			return nil, err
		}
		return app.ScaleProcess(s, scale)
	})
}

func (h *Handler) updateProcess(ctx context.Context, c UpdateProcess, m eventlog.Meta) (Result, error) {
	return h.onProcess(ctx, c.Process, "", "", m, func(s app.State, p events.ProcessID) ([]events.Event, error) {
		return app.UpdateProcess(s, app.Update{Process: p, Command: c.Command, HealthCheck: c.HealthCheck})
	})
}

// onProcess decides about a process that is named by its id, or by its app and type: the newest of the type then.
func (h *Handler) onProcess(ctx context.Context, id events.ProcessID, owner events.AppID, processType string, m eventlog.Meta,
	decide func(app.State, events.ProcessID) ([]events.Event, error),
) (Result, error) {
	if id != "" {
		found, err := h.finder.AppOfProcess(ctx, id)
		if err != nil {
			return Result{}, notFound(err, KindProcess)
		}
		owner = found
	}
	out, err := h.apps.Decide(ctx, string(owner), m, func(s app.State) ([]events.Event, error) {
		if id == "" && !s.Exists() {
			return nil, aggregates.NotFound(string(KindApp))
		}
		return decide(s, target(s, id, processType))
	})
	if err != nil {
		return Result{}, err
	}
	return Result{
		Kind: KindProcess, ID: string(target(out.State, id, processType)), App: owner,
		Sequence: out.Position.Sequence, Duplicate: out.Duplicate,
	}, nil
}

// target is the process meant: the one named, or the newest of the type; empty where there is none.
func target(s app.State, id events.ProcessID, processType string) events.ProcessID {
	if id != "" {
		return id
	}
	newest, _ := s.ProcessOfType(processType)
	return newest.ID
}

// notFound turns a Finder's answer into a refusal.
func notFound(err error, kind Kind) error {
	if errors.Is(err, ErrUnknown) {
		return aggregates.NotFound(string(kind))
	}
	return err
}

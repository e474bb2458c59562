package doors

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/auth"
	"slipway/internal/cferror"
	"slipway/internal/commands"
)

// Service is the name of the micro service; RPCSubjects are its endpoints.
const (
	Service     = "slipway"
	RPCSubjects = "rpc." // + <aggregate>.<verb>, before which the server puts "by.<caller>."
)

// Headers of an answer.
const (
	HeaderCommand  = "Slipway-Command"  // id of the command, given or made
	HeaderSequence = "Slipway-Sequence" // in EVENTS: a read model at or past it shows the result
)

// Limits of the door.
const (
	// RequestDeadline bounds the work on one request. It lies above what an append takes to settle in doubt in practice and
	// above the wait for the read model.
	RequestDeadline = 10 * time.Second
	// instances of the service in one process. Each carries out one request per command at a time, which is how a micro
	// service works; its statistics are right only so. Several keep one slow request from holding up the next.
	instances = 4
	// maxWaiting and maxWaitingBytes bound the requests that wait for an endpoint's turn. Beyond them a client would have
	// given up before its answer came.
	maxWaiting      = 256
	maxWaitingBytes = 4 << 20
	// closeTimeout bounds the goodbye to the server at shutdown.
	closeTimeout = 2 * time.Second

	// serviceVersion is of the door's contract, not of the program.
	serviceVersion = "1.0.0"
	queueGroup     = "slipway"
)

// rpc is the request and reply door.
type rpc struct {
	Config
	services []micro.Service
	gate     gate
}

// openRPC adds the services. Requests are served under ctx, which should outlive the intake.
func openRPC(ctx context.Context, cfg Config) (*rpc, error) {
	r := &rpc{Config: cfg}
	for range instances {
		service, err := r.add(ctx)
		if err != nil {
			return nil, errors.Join(err, r.close())
		}
		r.services = append(r.services, service)
	}
	return r, nil
}

func (r *rpc) add(ctx context.Context) (micro.Service, error) {
	service, err := micro.AddService(r.NC, micro.Config{
		Name: Service, Version: serviceVersion, QueueGroup: queueGroup,
		Description: "Commands and questions to Slipway. The answer is the resource; the header Nats-Msg-Id makes a request repeatable.",
		ErrorHandler: func(_ micro.Service, err *micro.NATSError) {
			r.Logger.Warn("rpc door", "subject", err.Subject, "err", err)
		},
	})
	if err != nil {
		return nil, err
	}
	for _, name := range endpoints() {
		err := service.AddEndpoint(strings.ReplaceAll(name, ".", "-"),
			micro.ContextHandler(ctx, func(ctx context.Context, req micro.Request) { r.serve(ctx, name, req) }),
			micro.WithEndpointSubject(RPCSubjects+vouched+"*."+name),
			micro.WithEndpointMetadata(map[string]string{"request": RPCSubjects + name}), micro.WithEndpointPendingLimits(maxWaiting, maxWaitingBytes))
		if err != nil {
			return nil, errors.Join(fmt.Errorf("endpoint %s: %w", name, err), service.Stop())
		}
	}
	return service, nil
}

// endpoints are what can be asked for: the commands, and the questions.
func endpoints() []string {
	return slices.Sorted(slices.Values(slices.Concat(commands.Names(), commands.Questions())))
}

// close lets no further request in, waits for those that run, and answers those that wait with 503.
func (r *rpc) close() error {
	var faults []error
	for _, service := range r.services {
		faults = append(faults, service.Stop())
	}
	// Once the server has answered it sends nothing more to these endpoints: what else comes has arrived already.
	if !r.NC.IsClosed() {
		faults = append(faults, r.NC.FlushTimeout(closeTimeout))
	}
	r.gate.close()
	return errors.Join(faults...)
}

// serve answers one request.
func (r *rpc) serve(ctx context.Context, name string, req micro.Request) {
	by := commands.Caller{
		CommandID: events.CommandID(nats.Header(req.Headers()).Get(events.HeaderMsgID)),
		Door:      doorRPC, Trace: trace(nats.Header(req.Headers())),
	}
	if by.Chosen = by.CommandID != ""; !by.Chosen {
		by.CommandID = events.CommandID(events.NewID())
	}
	by.CommandID = by.CommandID[:min(len(by.CommandID), events.MaxIDLength+1)] // longer is refused; the log need not have it all
	if !r.gate.enter() {
		r.fail(ctx, req, name, by, cferror.ServiceUnavailable.With("This server is shutting down. Send the request again."))
		return
	}
	defer r.gate.leave()
	ctx, cancel := context.WithTimeout(ctx, RequestDeadline)
	defer cancel()
	caller, _ := splitCaller(strings.TrimPrefix(req.Subject(), RPCSubjects))
	i, err := r.identify(ctx, caller, nats.Header(req.Headers()), time.Now())
	by.Actor = actorOf(i, err)
	if err != nil {
		r.fail(ctx, req, name, by, err)
		return
	}
	if slices.Contains(commands.Questions(), name) {
		r.answer(ctx, req, name, i, by)
		return
	}
	result, err := r.carryOut(ctx, i, name, req.Data(), by)
	if err != nil {
		r.fail(ctx, req, name, by, err)
		return
	}
	r.succeed(ctx, req, name, i, by, result)
}

// answer answers a question.
func (r *rpc) answer(ctx context.Context, req micro.Request, name string, i auth.Identity, by commands.Caller) {
	shown, at, err := r.ask(ctx, i, name, req.Data(), by)
	if err != nil {
		r.fail(ctx, req, name, by, err)
		return
	}
	r.show(ctx, req, name, by, shown, at)
}

// succeed answers with the resource. A resource that is gone, because the command deleted it, is answered by its guid.
func (r *rpc) succeed(ctx context.Context, req micro.Request, name string, i auth.Identity, by commands.Caller, result commands.Result) {
	shown, err := r.Present(ctx, i, result)
	var rejected *aggregates.RejectedError
	switch {
	case err == nil && shown == nil:
		shown = map[string]string{"guid": result.ID} // what was deleted has nothing more to show
	case errors.As(err, &rejected):
		r.fail(ctx, req, name, by, err) // it is somebody else's, who used the same id before
		return
	case err != nil:
		r.Logger.LogAttrs(ctx, slog.LevelWarn, "result not shown", slog.String("command", name),
			slog.String("id", string(by.CommandID)), slog.Any("err", err))
		r.fail(ctx, req, name, by, cferror.ServiceUnavailable.With(
			"The command was carried out (sequence %d), but its result cannot be shown yet. Send it again with %s: %s to see it.",
			result.Sequence, events.HeaderMsgID, by.CommandID))
		return
	}
	r.show(ctx, req, name, by, shown, result.Sequence)
}

// show answers with what JSON shows of something, and where in the log that stands.
func (r *rpc) show(ctx context.Context, req micro.Request, name string, by commands.Caller, shown any, at events.Sequence) {
	body, err := json.Marshal(shown)
	if err != nil {
		r.fail(ctx, req, name, by, fmt.Errorf("encode the answer: %w", err))
		return
	}
	headers := answerHeaders(by)
	headers[HeaderSequence] = []string{strconv.FormatUint(uint64(at), 10)}
	r.sent(ctx, name, by, req.Respond(body, micro.WithHeaders(headers)))
}

// fail is the one place where an error becomes an answer over NATS.
func (r *rpc) fail(ctx context.Context, req micro.Request, name string, by commands.Caller, err error) {
	shown := cferror.From(err)
	if shown.Status == cferror.UnknownError.Status {
		r.Logger.LogAttrs(ctx, slog.LevelError, "command failed", slog.String("command", name),
			slog.String("id", string(by.CommandID)), slog.Any("err", err))
	}
	r.sent(ctx, name, by, req.Error(strconv.Itoa(shown.Status), line(shown.Error()), cferror.Body(shown),
		micro.WithHeaders(answerHeaders(by))))
}

// sent tells of an answer that could not be given: the client has to ask again, or did not want one.
func (r *rpc) sent(ctx context.Context, name string, by commands.Caller, err error) {
	if err != nil {
		r.Logger.LogAttrs(ctx, slog.LevelWarn, "request not answered", slog.String("command", name),
			slog.String("id", string(by.CommandID)), slog.Any("err", err))
	}
}

func answerHeaders(by commands.Caller) micro.Headers {
	return micro.Headers{HeaderCommand: {line(string(by.CommandID))}}
}

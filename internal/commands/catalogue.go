package commands

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"slipway/aggregates"
	"slipway/internal/eventlog"
)

// entry is what the handler and the doors know of a command.
type entry struct {
	decode   func(body []byte) (Command, error)
	carryOut func(context.Context, *Handler, Command, Caller, eventlog.Meta) (Result, error)
}

// catalogue has all commands by their names.
var catalogue = map[string]entry{}

// A command that is not entered can neither be decoded nor carried out; who may send it stands in package access. Here are those about
// apps and rollouts.
func init() {
	catalogued((*Handler).createApp)
	catalogued((*Handler).startApp)
	catalogued((*Handler).stopApp)
	catalogued((*Handler).restartApp)
	catalogued((*Handler).deleteApp)
	catalogued((*Handler).setEnvironment)
	cataloguedBy((*Handler).assignDroplet)
	catalogued((*Handler).createDroplet)
	catalogued((*Handler).signalApp)
	catalogued((*Handler).setFeature)
	catalogued((*Handler).updateApp)
	catalogued((*Handler).createProcess)
	catalogued((*Handler).createPackage)
	catalogued((*Handler).createBuild)
	catalogued((*Handler).scaleProcess)
	catalogued((*Handler).updateProcess)

	cataloguedBy((*Handler).createDeployment)
	catalogued((*Handler).continueDeployment)
	catalogued((*Handler).cancelDeployment)
	cataloguedBy((*Handler).rollBackDeployment)
	catalogued((*Handler).updateDeployment)
	cataloguedBy((*Handler).approveDeployment)
	cataloguedBy((*Handler).denyDeployment)
	catalogued((*Handler).startDeployment)

	catalogued((*Handler).declareHalt)
	catalogued((*Handler).updateHalt)
	catalogued((*Handler).liftHalt)
	catalogued((*Handler).rejectVersion)
	catalogued((*Handler).acceptVersion)
	cataloguedBy((*Handler).releaseAutomation)
	catalogued((*Handler).createPolicy)
	catalogued((*Handler).updatePolicy)
	catalogued((*Handler).deletePolicy)

	cataloguedBy((*Handler).createGroup)
	catalogued((*Handler).updateGroup)
	cataloguedBy((*Handler).continueGroup)
	cataloguedBy((*Handler).finalizeGroup)
	cataloguedBy((*Handler).cancelGroup)
	cataloguedBy((*Handler).rollBackGroup)
}

// And here those about what is around them.
func init() {
	catalogued((*Handler).createOrganization)
	catalogued((*Handler).updateOrganization)
	catalogued((*Handler).deleteOrganization)
	catalogued((*Handler).createSpace)
	catalogued((*Handler).updateSpace)
	catalogued((*Handler).deleteSpace)
	catalogued((*Handler).createQuota)
	catalogued((*Handler).updateQuota)
	catalogued((*Handler).applyQuota)
	catalogued((*Handler).removeQuota)
	catalogued((*Handler).deleteQuota)

	catalogued((*Handler).createDomain)
	catalogued((*Handler).createRoute)
	catalogued((*Handler).updateRoute)
	catalogued((*Handler).setDestinations)
	catalogued((*Handler).addDestinations)
	catalogued((*Handler).removeDestination)
	catalogued((*Handler).deleteRoute)

	catalogued((*Handler).createStrategy)
	catalogued((*Handler).updateStrategy)
	catalogued((*Handler).deleteStrategy)

	catalogued((*Handler).createSubscription)
	catalogued((*Handler).updateSubscription)
	catalogued((*Handler).rotateSubscription)
	catalogued((*Handler).testSubscription)
	catalogued((*Handler).deleteSubscription)
}

// catalogued enters a command with the method that carries it out.
func catalogued[C Command](carryOut func(*Handler, context.Context, C, eventlog.Meta) (Result, error)) {
	cataloguedBy(func(h *Handler, ctx context.Context, c C, _ Caller, m eventlog.Meta) (Result, error) {
		return carryOut(h, ctx, c, m)
	})
}

// cataloguedBy is catalogued for commands of which it matters who sends them.
func cataloguedBy[C Command](carryOut func(*Handler, context.Context, C, Caller, eventlog.Meta) (Result, error)) {
	var zero C
	catalogue[zero.Name()] = entry{
		decode: func(body []byte) (Command, error) {
			var c C
			err := DecodeStrict(body, &c)
			return c, err
		},
		carryOut: func(ctx context.Context, h *Handler, c Command, by Caller, m eventlog.Meta) (Result, error) {
			asked, ok := c.(C)
			if !ok {
				return Result{}, fmt.Errorf("%s is not for %T", c.Name(), c)
			}
			return carryOut(h, ctx, asked, by, m)
		},
	}
}

func (h *Handler) carryOut(ctx context.Context, c Command, by Caller, m eventlog.Meta) (Result, error) {
	known, ok := catalogue[c.Name()]
	if !ok {
		return Result{}, fmt.Errorf("no handler for %T", c)
	}
	return known.carryOut(ctx, h, c, by, m)
}

// Names lists the commands of the catalogue, sorted.
func Names() []string { return slices.Sorted(maps.Keys(catalogue)) }

// Decode reads a command's JSON body. It refuses what DecodeStrict does, and an unknown name with ResourceNotFound.
func Decode(name string, body []byte) (Command, error) {
	known, ok := catalogue[name]
	if !ok {
		return nil, &aggregates.RejectedError{
			Code:    aggregates.CodeNotFound,
			Message: fmt.Sprintf("Unknown command '%.64s'. Known are: %s", strings.ToValidUTF8(name, "?"), strings.Join(Names(), ", ")),
		}
	}
	return known.decode(body)
}

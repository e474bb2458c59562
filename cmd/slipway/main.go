// Command slipway is everything in one process (`slipway serve`) and the operator's tool.
package main

import (
	"context"
	"io"

	"slipway/internal/cli"
)

// Commands are what the program can do.
type Commands struct {
	Serve    Serve  `cmd:"" help:"Run everything in this process: NATS JetStream, api, updater, projector and agent."`
	Demo     Demo   `cmd:"" help:"Roll out an example app under load on a Slipway that runs, and count failed requests."`
	Plan     Plan   `cmd:"" help:"Say how a deployment would go, and what a failure would do, without making it."`
	Deploy   Deploy `cmd:"" help:"Roll a version of an app out."`
	Watch    Watch  `cmd:"" help:"Follow a rollout, or a group of them, until it is over, and say what it waits for."`
	Continue Steer  `cmd:"" help:"Let a rollout that pauses go on."`
	Rollback Steer  `cmd:"" help:"Take a rollout back to the version before, which is at full strength before the new one leaves."`
	Cancel   Steer  `cmd:"" help:"Take a rollout back to the version before at once, whatever that costs."`
	Start    Start  `cmd:"" help:"Begin a rollout that is approved."`
	Approve  Answer `cmd:"" help:"Agree to a rollout that policies want people to agree to."`
	Deny     Answer `cmd:"" help:"Refuse one, for good."`
	Halt     Halt   `cmd:"" help:"Let all rollouts stand still at once, everywhere or in a place, and none begin."`
	Lift     Lift   `cmd:"" help:"Lift a halt: they go on where they were."`
	Replay   Replay `cmd:"" help:"Let a past rollout happen once more, under other options too: what would they have done?"`
	NATS     NATS   `cmd:"" name:"nats" help:"Run the NATS server alone, where the other parts are processes of their own."`
	Auth     Auth   `cmd:"" help:"Users, secrets, keys and tokens."`
	Audit    Audit  `cmd:"" help:"Prove from the event log that history is whole and that no rollout lost capacity."`
}

func main() { cli.Main(run) }

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var c Commands
	return cli.Parse(ctx, &c, "slipway", "Rolls new versions of applications out without downtime.", args, stdout, stderr, nil)
}

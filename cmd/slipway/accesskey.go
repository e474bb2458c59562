package main

import (
	"context"
	"fmt"
	"time"

	"slipway/internal/auth"
	"slipway/internal/cli"
)

// AuthAddKey makes an access key.
type AuthAddKey struct {
	AuthDir
	User    string `arg:"" help:"Whose it is. The key may do all that its user may."`
	Replace bool   `help:"Forget all access keys that the user had before."`
}

// Run prints the key in the form that a shell and AWS's tools take.
func (a AuthAddKey) Run(_ context.Context, streams cli.Streams) error {
	key, err := auth.AddAccessKey(a.Dir, a.User, time.Now(), a.Replace)
	if err != nil {
		return err
	}
	fmt.Fprintf(streams.Out, "AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s\n", key.ID, key.Secret)
	return nil
}

// AuthRemoveKey forgets an access key.
type AuthRemoveKey struct {
	AuthDir
	ID string `arg:"" help:"Id of the key."`
}

// Run removes it.
func (r AuthRemoveKey) Run(context.Context, cli.Streams) error {
	return auth.RemoveAccessKey(r.Dir, r.ID)
}

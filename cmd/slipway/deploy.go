package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"slipway/internal/cli"
)

// Deploy rolls a version out.
type Deploy struct {
	Remote
	Request
	Key   string `help:"The deployment is made once, however often it is asked for with the same key." placeholder:"WORD"`
	Watch bool   `help:"Follow it until it is over."`
}

// Run asks for it, and follows it where it is to.
func (d Deploy) Run(ctx context.Context, streams cli.Streams) error {
	c, err := d.client()
	if err != nil {
		return err
	}
	body, err := d.body(ctx, c)
	if err != nil {
		return err
	}
	var made struct{ GUID string }
	if err := c.Once(ctx, d.Key, http.MethodPost, "/v3/deployments", body, &made); err != nil {
		return err
	}
	if d.Watch {
		return Watch{d.Remote, made.GUID}.Run(ctx, streams)
	}
	_, err = fmt.Fprintf(streams.Out, "deployment %s. To see what follows:\n\n  %s\n", made.GUID, d.typed("watch "+made.GUID))
	return err
}

// flags are what a person types to ask for the same, the options as one object.
func (r Request) flags() (string, error) {
	text := "--app " + quoted(r.App)
	for _, f := range []struct{ name, value string }{
		{"droplet", r.Droplet}, {"revision", r.Revision}, {"strategy", r.Strategy}, {"deployment-strategy", r.Stored},
	} {
		if f.value != "" {
			text += " --" + f.name + " " + quoted(f.value)
		}
	}
	options, err := r.options()
	if err != nil || len(options) == 0 {
		return text, err
	}
	object, err := json.Marshal(options)
	return text + " --options " + quoted(string(object)), err
}

package main

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"slipway/internal/auth"
	"slipway/internal/client"
)

// Remote says where Slipway is and how to log in: with a token, or with the secret of Slipway's own parts.
type Remote struct {
	API   string `default:"http://127.0.0.1:8080" env:"SLIPWAY_API" help:"URL of the API."`
	Token string `env:"SLIPWAY_TOKEN" help:"Token to log in with: see slipway auth token. Without one, the secret in the data directory."`
	Data  string `default:"data" env:"SLIPWAY_DATA" help:"Data directory of the Slipway that runs: its own secret is there." type:"path"`
}

func (r Remote) client() (*client.Client, error) {
	if r.Token != "" {
		return client.WithToken(r.API, r.Token), nil
	}
	secret, err := auth.ServiceSecret(filepath.Join(r.Data, "auth"))
	if err != nil {
		return nil, fmt.Errorf("%w (or log in with --token)", err)
	}
	return client.New(r.API, secret), nil
}

// typed is what a person is to type for a command, with the flags that this one was given to get here.
func (r Remote) typed(arguments string) string {
	text := "slipway " + arguments
	if r.API != defaultAPI && os.Getenv("SLIPWAY_API") != r.API {
		text += " --api " + r.API
	}
	if standard, err := filepath.Abs("data"); err != nil || r.Token == "" && r.Data != standard && os.Getenv("SLIPWAY_DATA") == "" {
		text += " --data " + r.Data
	}
	return text
}

// place finds the guid of a space or an organization by name or guid. Where nothing or several are called so it says what to do.
func place(ctx context.Context, c *client.Client, kind, name string) (guid string, err error) {
	type named struct{ GUID, Name string }
	path := "/v3/" + kind + "s"
	for _, key := range []string{"guids", "names"} {
		found, err := client.All[named](ctx, c, path, url.Values{key: {name}})
		switch {
		case err != nil:
			return "", err
		case len(found) == 1:
			return found[0].GUID, nil
		case len(found) > 1:
			guids := make([]string, len(found))
			for i, f := range found {
				guids[i] = f.GUID
			}
			return "", fmt.Errorf("%d %ss are called %s: name one by its guid: %s", len(found), kind, name, strings.Join(guids, ", "))
		}
	}
	return "", fmt.Errorf("no %s is called %s, or none that you may see: %s%s lists them", kind, name, c.Base, path)
}

// quoted is a text as a shell takes it for one word.
func quoted(s string) string {
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.:/") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

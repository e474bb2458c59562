package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"slipway/events"
)

// exampleCommit is a commit as the nats CLI shows it: the last one of a rollout, made of two goldens by the codec itself.
func exampleCommit(dir string) (string, error) {
	r := events.NewRegistry()
	c := events.Commit{
		CommandID: "01K9M5T7V9X1Z3B5D7F9H1K3M5", Version: 17, Actor: events.ActorUpdater, Cause: "01K9M5T7S8Q0N2M4K6J8H0G2F4.0",
		Previous: "c0a5b1d35e8f3c7d0a4e9b6f1c2d8e7a5b4f3e2d1c0b9a8f7e6d5c4b3a291807",
		Time:     time.Date(2025, 11, 9, 14, 6, 2, 918_273_645, time.UTC),
	}
	for _, typ := range []events.Type{events.TypeProcessDeleted, events.TypeDeploymentDeployed} {
		data, err := golden(dir, typ, r.Version(typ))
		if err != nil {
			return "", err
		}
		e, err := r.Decode(typ, r.Version(typ), json.RawMessage(data))
		if err != nil {
			return "", err
		}
		if deleted, ok := e.(events.ProcessDeleted); ok {
			c.Subject = events.AppSubject(deleted.App)
		}
		c.Events = append(c.Events, e)
	}
	m, err := r.Encode(c)
	if err != nil {
		return "", err
	}
	return show(m, c.Time)
}

// show prints a message as `nats stream view` does, with the JSON indented.
func show(m events.Message, received time.Time) (string, error) {
	var lines []string
	for key, values := range m.Header {
		lines = append(lines, "  "+key+": "+values[0])
	}
	slices.Sort(lines)
	var data bytes.Buffer
	if err := json.Indent(&data, m.Data, "", "  "); err != nil {
		return "", err
	}
	head := fmt.Sprintf("[4711] Subject: %s Received: %s", m.Subject, received.Format(time.DateTime))
	return strings.Join([]string{head, "", strings.Join(lines, "\n"), "", data.String()}, "\n"), nil
}

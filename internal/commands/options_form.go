package commands

import (
	"encoding/json"

	"slipway/events"
)

// optionsForm is the JSON form of options.
type optionsForm struct {
	MaxInFlight      int          `json:"max_in_flight,omitempty"`
	WebInstances     *int         `json:"web_instances,omitempty"`
	MemoryMB         *int         `json:"memory_in_mb,omitempty"`
	DiskMB           *int         `json:"disk_in_mb,omitempty"`
	LogRate          *int64       `json:"log_rate_limit_in_bytes_per_second,omitempty"`
	Canary           *canaryForm  `json:"canary,omitempty"` // the steps of a canary deployment
	Bake             int          `json:"bake_in_seconds,omitempty"`
	OnFailure        string       `json:"on_failure,omitempty"`
	Fast             bool         `json:"fast,omitempty"`
	ProgressDeadline int          `json:"progress_deadline_in_seconds,omitempty"`
	StartupTimeout   int          `json:"startup_timeout_in_seconds,omitempty"`
	Breaker          *breakerForm `json:"breaker,omitempty"` // how many crashes of new instances fail it
	IgnoreAlarms     bool         `json:"ignore_alarms,omitempty"`
	Checks           []checkForm  `json:"checks,omitempty"`
}

type canaryForm struct {
	Steps []stepForm `json:"steps" jsonschema:"required"` // in order; none is one step of one instance
}

type stepForm struct {
	Weight int           `json:"instance_weight" jsonschema:"required"` // percent of instances that are new; ascending
	Pause  *events.Pause `json:"pause,omitempty"`                       // how long it waits there; absent: for ever
}

type breakerForm struct {
	Crashes int `json:"crashes,omitempty"` // so many in all
	Percent int `json:"percent,omitempty"` // so many percent of the new instances down at once
}

type checkForm struct {
	Name         string `json:"name"`
	Kind         string `json:"type"`
	URL          string `json:"url"`
	Query        string `json:"query,omitempty"`
	PassWhen     string `json:"pass_when,omitempty"`
	FailWhen     string `json:"fail_when,omitempty"`
	OnEmpty      string `json:"on_empty,omitempty"`
	OnNaN        string `json:"on_nan,omitempty"`
	Interval     int    `json:"interval_in_seconds,omitempty"`
	Timeout      int    `json:"timeout_in_seconds,omitempty"`
	FailureLimit int    `json:"failure_limit,omitempty"`
	DryRun       bool   `json:"dry_run,omitempty"`
}

// JSONSchemaAlias is what the schema of options is made of, for package openapi.
func (Options) JSONSchemaAlias() any { return optionsForm{} }

// MarshalJSON writes the options as they are read.
func (o Options) MarshalJSON() ([]byte, error) {
	form := optionsForm{
		MaxInFlight: o.MaxInFlight, WebInstances: o.WebInstances, MemoryMB: o.MemoryMB, DiskMB: o.DiskMB, LogRate: o.LogRate,
		Bake: o.Bake, OnFailure: o.OnFailure, Fast: o.Fast, ProgressDeadline: o.ProgressDeadline, StartupTimeout: o.StartupTimeout,
		IgnoreAlarms: o.IgnoreAlarms,
	}
	if o.canary {
		form.Canary = o.canaryForm()
	}
	if o.CrashLimit > 0 || o.CrashPercent > 0 {
		form.Breaker = &breakerForm{o.CrashLimit, o.CrashPercent}
	}
	for _, c := range o.Checks {
		form.Checks = append(form.Checks, checkForm(c))
	}
	return json.Marshal(form)
}

func (o Options) canaryForm() *canaryForm {
	steps := make([]stepForm, len(o.CanaryWeights))
	for i, weight := range o.CanaryWeights {
		steps[i].Weight = weight
		if i < len(o.CanaryPauses) && o.CanaryPauses[i] != (events.Pause{}) {
			steps[i].Pause = &o.CanaryPauses[i]
		}
	}
	return &canaryForm{steps}
}

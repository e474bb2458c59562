package resource

import (
	"slipway/events"
	"slipway/projections"
)

// Feature is a switch of an app. It has no guid, times or links (Cloud Foundry).
type Feature struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Enabled     bool   `json:"enabled"`
}

// Features presents the switches of an app, by name. Nothing leads into an instance, so ssh is off.
func Features(a projections.App) map[string]Feature {
	return map[string]Feature{
		events.FeatureSSH:       {Name: events.FeatureSSH, Description: "Enable SSHing into the app."},
		events.FeatureRevisions: {Name: events.FeatureRevisions, Description: "Enable versioning of an application", Enabled: !a.NoRevisions},
	}
}

// SSHEnabled says whether one can get into an instance, and why not.
type SSHEnabled struct {
	Enabled bool   `json:"enabled"`
	Reason  string `json:"reason"`
}

// SSH presents that nobody can get into an instance of an app.
func SSH(projections.App) SSHEnabled { return SSHEnabled{Reason: "Disabled globally"} }

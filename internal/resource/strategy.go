package resource

import (
	"slipway/events"
	"slipway/projections"
)

// Strategy is a stored deployment strategy as the NATS doors show it. Over HTTP it has AWS AppConfig's form.
type Strategy struct {
	Stamp
	Name        string            `json:"name"`
	Description string            `json:"description"`
	Growth      events.Growth     `json:"growth"`
	ReplicateTo string            `json:"replicate_to"`
	Tags        map[string]string `json:"tags"`
	Links       Links             `json:"links"`
}

// Strategy presents a deployment strategy.
func (b Base) Strategy(s projections.Strategy) Strategy {
	return Strategy{
		Stamp: stamp(s.GUID, s.Stamp), Name: s.Name, Description: s.Description, Growth: s.Growth, ReplicateTo: s.ReplicateTo,
		Tags: filled(s.Tags), Links: Links{"self": b.link("deploymentstrategies", string(s.GUID))},
	}
}

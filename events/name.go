package events

import (
	"crypto/sha256"
	"encoding/hex"
	"time"
)

// NameScope says among which things a name is unique.
type NameScope string

// The scopes of names, beside apps in their space; see [NameClaimed].
const (
	ScopeOrganizations      NameScope = "organizations"
	ScopeOrganizationQuotas NameScope = "organization-quotas"
)

// NameTaken: among these things the name belongs to this one from now on: to one that is created right after, or renamed.
// A claim that was not followed by that within the claim's grace time may be taken over (docs/adr/0002).
type NameTaken struct {
	Scope  NameScope `json:"scope"`  // organizations or organization-quotas
	Name   string    `json:"name"`   // unique in its scope
	Holder string    `json:"holder"` // id of the thing
	At     time.Time `json:"at"`     // when it was taken
}

// NameFreed: the name belongs to nobody again.
type NameFreed struct {
	Scope  NameScope `json:"scope"`  // organizations or organization-quotas
	Name   string    `json:"name"`   // unique in its scope
	Holder string    `json:"holder"` // id of the thing that had it
}

func (NameTaken) Type() Type { return TypeNameTaken }
func (NameFreed) Type() Type { return TypeNameFreed }

func (e NameTaken) Subject() string { return e.Name }
func (e NameFreed) Subject() string { return e.Name }

// ScopedNameSubject is where the claims on a name in a scope stand.
func ScopedNameSubject(scope NameScope, name string) Subject {
	sum := sha256.Sum256([]byte("scope\x00" + string(scope) + "\x00" + name))
	return subject(AggregateName, hex.EncodeToString(sum[:16]))
}

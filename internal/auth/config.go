package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"slipway/events"
)

// Config is who may log in: the content of auth.json. Secrets are in it as hashes; signing keys are files beside it.
type Config struct {
	// Issuer names this installation in its tokens: a token of another one is refused, even if the keys were the same.
	Issuer  string   `json:"issuer"`
	Keys    []Key    `json:"keys"`
	Users   []User   `json:"users"`
	Clients []Client `json:"clients"`
}

// Key is a key that tokens are signed with, or were. Exactly one is active.
type Key struct {
	ID      string    `json:"kid"`
	File    string    `json:"file"` // of the private key (PEM, PKCS #8, RSA), beside the configuration
	Active  bool      `json:"active,omitempty"`
	Retired time.Time `json:"retired,omitzero"` // when it ceased to be active; it is forgotten when its last token has ended
}

// User is a person.
type User struct {
	Name     string `json:"name"`
	GUID     string `json:"guid"`
	Password string `json:"password"` // bcrypt hash
	Rights
	AccessKeys []AccessKey `json:"access_keys,omitempty"`
}

// Client is a program. With a secret it acts for itself. Without one it is public, such as the cf CLI: users log in through
// it, and by itself it may do nothing.
type Client struct {
	ID     string `json:"id"`
	Secret string `json:"secret,omitempty"` // bcrypt hash
	Rights
}

func (c Client) public() bool { return c.Secret == "" }

// Rights is what a user or client may do.
type Rights struct {
	Admin         bool    `json:"admin,omitempty"`           // everything, everywhere
	AdminReadOnly bool    `json:"admin_read_only,omitempty"` // read everything
	GlobalAuditor bool    `json:"global_auditor,omitempty"`  // read everything but secrets
	Scopes        Scopes  `json:"scopes,omitempty"`          // instead of reading and writing; roles still bound them
	Roles         []Grant `json:"roles,omitempty"`
	// Automation: no person decides what it does. After somebody has gone back by hand it may not deploy until it is let again.
	Automation bool `json:"automation,omitempty"`
}

// Grant gives a role in a space or an organization. They are named by guid or by name; "*" means all of them. A space's name
// is unique only within its organization, so a grant by name should say both.
type Grant struct {
	Role         Role   `json:"role"`
	Organization string `json:"organization,omitempty"`
	Space        string `json:"space,omitempty"`
}

// Limits of the configuration.
const (
	maxConfigBytes = 1 << 20 // some thousands of users; a larger file is not one of ours
	maxNameLength  = 128     // of users and clients, in bytes: an actor's name fits any header and log line
)

// DecodeConfig reads a configuration and validates it. Unknown fields are faults: a misspelt right must not go unnoticed.
func DecodeConfig(data []byte) (Config, error) {
	var c Config
	if len(data) > maxConfigBytes {
		return c, fmt.Errorf("the file is larger than %d bytes", maxConfigBytes)
	}
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&c); err != nil {
		return c, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return c, errors.New("there is something after the configuration")
	}
	return c, c.Validate()
}

// Validate reports all faults together.
func (c Config) Validate() error {
	v := faults{}
	if strings.TrimSpace(c.Issuer) == "" {
		v.add("issuer: missing")
	}
	v.keys(c.Keys)
	names := map[string]string{ServiceUser: "Slipway's own parts", ServiceFeedUser: "Slipway's own parts"}
	guids, accessKeys := map[string]string{}, map[string]string{}
	for i, u := range c.Users {
		at := fmt.Sprintf("users[%d] (%.40q)", i, u.Name)
		v.name(at, "name", u.Name, names)
		v.guid(at, u.GUID, guids)
		v.hash(at, "password", u.Password)
		v.rights(at, u.Rights)
		v.accessKeys(at, u.AccessKeys, accessKeys)
	}
	for i, client := range c.Clients {
		v.client(fmt.Sprintf("clients[%d] (%.40q)", i, client.ID), client, names)
	}
	return errors.Join(v.found...)
}

// faults collects what is wrong.
type faults struct{ found []error }

func (v *faults) add(format string, args ...any) {
	v.found = append(v.found, fmt.Errorf(format, args...))
}

func (v *faults) keys(keys []Key) {
	active, seen := 0, map[string]bool{}
	for i, k := range keys {
		at := fmt.Sprintf("keys[%d] (%.40q)", i, k.ID)
		if !events.ValidID(k.ID) {
			v.add("%s: kid: want 1 to %d letters, digits, '_' or '-'", at, events.MaxIDLength)
		}
		if seen[k.ID] {
			v.add("%s: kid: used twice", at)
		}
		seen[k.ID] = true
		if !filepath.IsLocal(k.File) {
			v.add("%s: file: want the name of a file beside the configuration", at)
		}
		if k.Active {
			active++
		}
		if k.Active != k.Retired.IsZero() {
			v.add("%s: want either active or the moment since when it is retired", at)
		}
	}
	if active != 1 {
		v.add("keys: %d are active, want exactly one", active)
	}
}

func (v *faults) name(at, field, name string, taken map[string]string) {
	switch {
	case name == "" || len(name) > maxNameLength:
		v.add("%s: %s: want 1 to %d bytes", at, field, maxNameLength)
	case !utf8.ValidString(name) || strings.TrimSpace(name) != name || strings.ContainsFunc(name, unprintable):
		v.add("%s: %s: want printable characters, without blanks at its ends", at, field)
	case taken[name] != "":
		v.add("%s: %s: taken by %s", at, field, taken[name])
	default:
		taken[name] = at
	}
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

func (v *faults) guid(at, guid string, taken map[string]string) {
	if !events.ValidID(guid) {
		v.add("%s: guid: want 1 to %d letters, digits, '_' or '-'", at, events.MaxIDLength)
		return
	}
	if taken[guid] != "" {
		v.add("%s: guid: taken by %s", at, taken[guid])
	}
	taken[guid] = at
}

func (v *faults) hash(at, field, hash string) {
	if err := validHash(hash); err != nil {
		v.add("%s: %s: %w; make one with: slipway auth hash", at, field, err)
	}
}

func (v *faults) client(at string, c Client, names map[string]string) {
	v.name(at, "id", c.ID, names)
	if !c.public() {
		v.hash(at, "secret", c.Secret)
		v.rights(at, c.Rights)
		return
	}
	if r := c.Rights; r.Admin || r.AdminReadOnly || r.GlobalAuditor || r.Automation || len(r.Scopes) > 0 || len(r.Roles) > 0 {
		v.add("%s: a client without a secret can have no rights: anybody could claim to be it", at)
	}
}

func (v *faults) rights(at string, r Rights) {
	for _, scope := range r.Scopes {
		if !slices.Contains(ordinaryScopes, scope) {
			v.add("%s: scopes: %.40q is none of %s (for more say admin, admin_read_only or global_auditor)", at, scope,
				strings.Join(ordinaryScopes, ", "))
		}
	}
	for i, g := range r.Roles {
		if err := g.validate(); err != nil {
			v.add("%s: roles[%d]: %w", at, i, err)
		}
	}
}

func (g Grant) validate() error {
	switch {
	case slices.Contains(spaceRoles, g.Role):
		if g.Space == "" {
			return fmt.Errorf("%s needs a space", g.Role)
		}
	case slices.Contains(organizationRoles, g.Role):
		if g.Organization == "" || g.Space != "" {
			return fmt.Errorf("%s needs an organization and no space", g.Role)
		}
	default:
		return fmt.Errorf("role: %.40q is none of %s", g.Role, allRoles())
	}
	return nil
}

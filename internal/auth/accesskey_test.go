package auth

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/matryer/is"

	"slipway/internal/auth/sigv4"
)

// sign makes a request that is signed with an access key.
func (r *rig) sign(t testing.TB, c Credentials, service string) *http.Request {
	t.Helper()
	request := httptest.NewRequest(http.MethodGet, "/deploymentstrategies", nil)
	empty := sha256.Sum256(nil)
	err := v4.NewSigner().SignHTTP(t.Context(), aws.Credentials{AccessKeyID: c.ID, SecretAccessKey: c.Secret}, request,
		hex.EncodeToString(empty[:]), service, "eu-central-1", r.now())
	if err != nil {
		t.Fatal(err)
	}
	return request
}

func (r *rig) addKey(t testing.TB, user string, replace bool) Credentials {
	t.Helper()
	c, err := AddAccessKey(r.dir, user, r.now(), replace)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnAccessKeyIsItsUser(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	key := r.addKey(t, "ann", false)
	i, err := r.VerifySigned(t.Context(), r.sign(t, key, "appconfig"), nil)
	is.NoErr(err)
	is.Equal(i, Identity{
		UserID: "guid-ann", UserName: "ann", Scopes: Scopes{ScopeRead, ScopeWrite, ScopeOpenID},
		Grants: []Grant{{Role: SpaceDeveloper, Organization: "acme", Space: "prod"}},
	})
	is.Equal(string(i.Actor()), "user/ann")
	_, err = r.VerifySigned(t.Context(), r.sign(t, key, "s3"), nil)
	is.True(errors.Is(err, sigv4.ErrSignature)) // for another service
	signed := r.sign(t, key, "appconfig")
	r.pass(sigv4.Skew + time.Second)
	_, err = r.VerifySigned(t.Context(), signed, nil)
	is.True(errors.Is(err, sigv4.ErrSignature)) // too late

	r.edit(t, func(c *Config) { c.Users[1].Roles = nil })
	i, err = r.VerifySigned(t.Context(), r.sign(t, key, "appconfig"), nil)
	is.NoErr(err)
	is.Equal(len(i.Grants), 0) // a role that is taken away is gone
	r.edit(t, func(c *Config) { c.Users = c.Users[:1] })
	_, err = r.VerifySigned(t.Context(), r.sign(t, key, "appconfig"), nil)
	is.True(errors.Is(err, sigv4.ErrUnknownKey)) // and a user who is removed is out
}

func TestKeysAreReplacedAndRemoved(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	works := func(c Credentials) bool {
		_, err := r.VerifySigned(t.Context(), r.sign(t, c, "appconfig"), nil)
		return err == nil
	}
	first, second := r.addKey(t, "ann", false), r.addKey(t, "ann", false)
	is.True(works(first) && works(second))
	third := r.addKey(t, "ann", true)
	is.True(works(third) && !works(first) && !works(second))
	is.NoErr(RemoveAccessKey(r.dir, third.ID))
	is.True(!works(third))
	is.True(RemoveAccessKey(r.dir, third.ID) != nil) // nobody has it
	_, err := AddAccessKey(r.dir, "nobody", r.now(), false)
	is.True(errors.Is(err, errNoUser))
	for range maxAccessKeys {
		r.addKey(t, "ann", false)
	}
	_, err = AddAccessKey(r.dir, "ann", r.now(), false)
	is.True(err != nil) // one too many
}

// TestTheConfigurationHasNoSecret that could be used, and neither has the log.
func TestTheConfigurationHasNoSecret(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	key := r.addKey(t, "ann", false)
	_, err := r.VerifySigned(t.Context(), r.sign(t, Credentials{key.ID, "another secret"}, "appconfig"), nil)
	is.True(errors.Is(err, sigv4.ErrSignature))
	is.True(!strings.Contains(string(r.read(t, FileName))+r.log.String(), key.Secret))
	info, err := os.Stat(filepath.Join(r.dir, accessFile))
	is.NoErr(err)
	is.Equal(info.Mode().Perm(), os.FileMode(fileMode)) // its owner's alone
}

// TestASecretCannotBeMoved: neither to another id nor to another installation.
func TestASecretCannotBeMoved(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	key, admins := r.addKey(t, "ann", false), r.addKey(t, AdminUser, false)
	_, err := r.VerifySigned(t.Context(), r.sign(t, admins, "appconfig"), nil)
	is.NoErr(err)
	r.edit(t, func(c *Config) { c.Users[0].AccessKeys[0].Secret = c.Users[1].AccessKeys[0].Secret })
	_, err = r.VerifySigned(t.Context(), r.sign(t, Credentials{admins.ID, key.Secret}, "appconfig"), nil)
	is.True(errors.Is(err, sigv4.ErrSignature)) // the last good configuration stays in force
	is.True(strings.Contains(r.log.String(), "was not encrypted with access.key"))
	is.True(!strings.Contains(r.log.String(), key.Secret))
	_, err = Open(r.dir, nil, slog.New(slog.DiscardHandler))
	is.True(err != nil) // and nothing starts with it
}

func TestTheAdminGetsAnAccessKey(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	none := func(string) string { return "" }
	key, err := BootstrapAccessKey(r.dir, r.now(), none)
	is.NoErr(err)
	i, err := r.VerifySigned(t.Context(), r.sign(t, key, "appconfig"), nil)
	is.NoErr(err)
	is.Equal(i.UserName, AdminUser)
	is.NoErr(RemoveAccessKey(r.dir, key.ID))
	again, err := BootstrapAccessKey(r.dir, r.now(), none)
	is.NoErr(err)
	is.Equal(again, Credentials{}) // at the first start only: what somebody removed stays removed

	r.edit(t, func(c *Config) { c.Users = c.Users[1:] })
	is.NoErr(os.Remove(filepath.Join(r.dir, accessFile)))
	again, err = BootstrapAccessKey(r.dir, r.now(), none)
	is.NoErr(err)
	is.Equal(again, Credentials{}) // without an admin there is nobody to give one to
}

func TestAGivenAccessKey(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	start := func(given string) error {
		shown, err := BootstrapAccessKey(r.dir, r.now(), func(name string) string {
			if name == AdminAccessKeyEnv {
				return given
			}
			return ""
		})
		is.Equal(shown, Credentials{}) // nothing that was given is shown
		return err
	}
	works := func(id, secret string) bool {
		_, err := r.VerifySigned(t.Context(), r.sign(t, Credentials{id, secret}, "appconfig"), nil)
		return err == nil
	}
	own := r.addKey(t, AdminUser, false)
	is.NoErr(start("AKIDEXAMPLE:first/secret"))
	is.True(works("AKIDEXAMPLE", "first/secret"))
	is.NoErr(start("AKIDEXAMPLE:second/secret+="))
	is.True(works("AKIDEXAMPLE", "second/secret+=") && !works("AKIDEXAMPLE", "first/secret"))
	is.NoErr(start("AKIDOTHER:third/secret"))
	is.True(works("AKIDOTHER", "third/secret") && !works("AKIDEXAMPLE", "second/secret+=")) // the new one in place of the old one
	is.True(works(own.ID, own.Secret))                                                      // one that was made here stays
	for _, bad := range []string{"AKIDEXAMPLE", "AKIDEXAMPLE:short", "A/B:long enough", ":long enough", "A:long enough\n", own.ID} {
		err := start(bad)
		is.True(err != nil)
		is.True(!strings.Contains(err.Error(), "long enough")) // what may be a secret is not repeated
	}
	annsKey := r.addKey(t, "ann", false)
	is.True(start(annsKey.ID+":long-enough") != nil) // it is another user's
}

func TestAccessKeyFaults(t *testing.T) {
	is := is.New(t)
	r := newRig(t)
	c, err := readConfig(r.dir)
	is.NoErr(err)
	c.Users[0].AccessKeys = []AccessKey{{ID: "A B", Secret: "x"}, {ID: "ONE", Secret: "x"}}
	c.Users[1].AccessKeys = []AccessKey{{ID: "ONE", Secret: "x"}}
	err = c.Validate()
	is.True(err != nil)
	is.True(strings.Contains(err.Error(), "access_keys[0]: id: want"))
	is.True(strings.Contains(err.Error(), `access_keys[0]: id: taken by users[0] ("admin")`))
}

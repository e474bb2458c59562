// Package sigv4 verifies requests that are signed with AWS's Signature Version 4, in the header Authorization.
//
// What it guarantees:
//
//  1. A request passes only if the holder of the key signed this method, path, query, host, body and moment, for this service.
//  2. Every X-Amz-* header that is sent was signed: none of them can be put in on the way.
//  3. A signature is good for [Skew] before and after its moment.
//  4. What is compared is compared in constant time; no error tells of the secret or of the right signature.
//
// How a request is written down before it is signed is AWS's own code: the request is signed again by package
// aws/signer/v4, and the results are compared (docs/adr/0015).
package sigv4

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/textproto"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// Skew is how far the clock of who signs may be from ours: AWS's five minutes.
const Skew = 5 * time.Minute

// Algorithm is what the header Authorization of a signed request begins with.
const Algorithm = "AWS4-HMAC-SHA256"

// What is wrong with a request, in AWS's words: each is an exception of its own.
var (
	ErrIncomplete = errors.New("incomplete signature")
	ErrUnknownKey = errors.New("unknown access key")
	ErrSignature  = errors.New("invalid signature")
)

// A Fault is one of the errors above with a text for whoever sent the request.
type Fault struct {
	Kind error
	Text string
}

func (f *Fault) Error() string { return f.Text }
func (f *Fault) Unwrap() error { return f.Kind }

func fault(kind error, format string, args ...any) error {
	return &Fault{kind, fmt.Sprintf(format, args...)}
}

// Signed says whether a request claims to be signed.
func Signed(r *http.Request) bool {
	return strings.HasPrefix(r.Header.Get("Authorization"), Algorithm)
}

// Check verifies a request with this body for a service, at a moment. secret gives the secret of an access key, or false. It
// returns the id of the key that signed it; errors are *Fault, but for those of secret.
func Check(r *http.Request, body []byte, service string, now time.Time, secret func(id string) (string, bool)) (id string, err error) {
	c, err := parse(r.Header.Values("Authorization"))
	if err != nil {
		return "", err
	}
	if err := c.checkScope(r, service, now); err != nil {
		return "", err
	}
	hash, err := payloadHash(r, body)
	if err != nil {
		return "", err
	}
	key, known := secret(c.key)
	if !known {
		return "", fault(ErrUnknownKey, "The security token included in the request is invalid.")
	}
	want, err := c.resign(r, hash, key)
	if err != nil {
		return "", err
	}
	if subtle.ConstantTimeCompare([]byte(want), []byte(c.signature)) != 1 {
		return "", fault(ErrSignature, "The request signature we calculated does not match the signature you provided. "+
			"Check your AWS Secret Access Key and signing method. Consult the service documentation for details.")
	}
	return c.key, nil
}

// claim is what the header Authorization says.
type claim struct {
	key, date, region, service string
	headers                    []string // that were signed, in lower case
	signature                  string
	moment                     time.Time // of X-Amz-Date
}

// parse takes the header Authorization apart.
func parse(authorization []string) (claim, error) {
	if len(authorization) != 1 {
		return claim{}, fault(ErrIncomplete, "The request must have one Authorization header.")
	}
	parts := map[string]string{}
	for part := range strings.SplitSeq(strings.TrimPrefix(authorization[0], Algorithm), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		parts[name] = value
	}
	for _, name := range []string{"Credential", "SignedHeaders", "Signature"} {
		if parts[name] == "" {
			return claim{}, fault(ErrIncomplete, "Authorization header requires '%s' parameter.", name)
		}
	}
	scope := strings.Split(parts["Credential"], "/")
	if len(scope) != 5 || slices.Contains(scope, "") || scope[4] != "aws4_request" {
		return claim{}, fault(ErrIncomplete, "Credential must have exactly 5 slash-delimited elements: keyid/date/region/service/aws4_request.")
	}
	return claim{
		key: scope[0], date: scope[1], region: scope[2], service: scope[3],
		headers: strings.Split(parts["SignedHeaders"], ";"), signature: parts["Signature"],
	}, nil
}

const (
	dateHeader = "X-Amz-Date"
	hashHeader = "X-Amz-Content-Sha256"
	timeFormat = "20060102T150405Z"
)

// checkScope says whether the request was signed for this service, now, and with all that must be signed.
func (c *claim) checkScope(r *http.Request, service string, now time.Time) (err error) {
	given := r.Header.Values(dateHeader)
	if len(given) != 1 {
		return fault(ErrIncomplete, "Authorization header requires existence of one 'X-Amz-Date' header.")
	}
	if c.moment, err = time.Parse(timeFormat, given[0]); err != nil {
		return fault(ErrIncomplete, "X-Amz-Date must be in ISO-8601 'basic format'.")
	}
	switch {
	case c.date != given[0][:len("20060102")]:
		return fault(ErrSignature, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP.")
	case c.service != service:
		return fault(ErrSignature, "Credential should be scoped to correct service: '%s'.", service)
	case c.moment.Before(now.Add(-Skew)):
		return fault(ErrSignature, "Signature expired: %s is now earlier than %s (%s - 5 min.)", given[0],
			now.Add(-Skew).UTC().Format(timeFormat), now.UTC().Format(timeFormat))
	case c.moment.After(now.Add(Skew)):
		return fault(ErrSignature, "Signature not yet current: %s is still later than %s (%s + 5 min.)", given[0],
			now.Add(Skew).UTC().Format(timeFormat), now.UTC().Format(timeFormat))
	}
	return c.checkHeaders(r)
}

// checkHeaders says whether the host and all of AWS's headers were signed.
func (c *claim) checkHeaders(r *http.Request) error {
	missing := []string{}
	if !slices.Contains(c.headers, "host") {
		missing = append(missing, "host")
	}
	for name := range r.Header {
		if name = strings.ToLower(name); strings.HasPrefix(name, "x-amz-") && !slices.Contains(c.headers, name) {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return fault(ErrSignature, "'%s' must be a 'SignedHeader' in the AWS Authorization.", strings.Join(missing, "', '"))
	}
	return nil
}

// payloadHash is the hash of the body. What the request says of it must agree.
func payloadHash(r *http.Request, body []byte) (string, error) {
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	if said := r.Header.Values(hashHeader); len(said) > 1 || len(said) == 1 && said[0] != hash {
		return "", fault(ErrSignature, "The value of X-Amz-Content-Sha256 is not the SHA-256 of the body that came.")
	}
	return hash, nil
}

// resign signs a copy of the request that has the headers which were signed and no others, and gives the signature.
func (c claim) resign(r *http.Request, hash, secret string) (string, error) {
	target, err := url.ParseRequestURI(r.RequestURI) // as it came: nobody has tidied it up
	if err != nil {
		return "", fault(ErrIncomplete, "The request's path cannot be read.")
	}
	again := &http.Request{Method: r.Method, URL: target, Host: r.Host, Header: http.Header{}}
	target.Host = r.Host
	for _, name := range c.headers {
		switch name = textproto.CanonicalMIMEHeaderKey(name); name {
		case "Host":
		case "Content-Length":
			again.ContentLength = r.ContentLength
		default:
			if values, sent := r.Header[name]; sent {
				again.Header[name] = slices.Clone(values)
			}
		}
	}
	key := aws.Credentials{AccessKeyID: c.key, SecretAccessKey: secret}
	if err := v4.NewSigner().SignHTTP(r.Context(), key, again, hash, c.service, c.region, c.moment); err != nil {
		return "", fmt.Errorf("sign again: %w", err)
	}
	made, err := parse(again.Header.Values("Authorization"))
	if err != nil {
		return "", err
	}
	if !slices.Equal(made.headers, c.headers) {
		return "", fault(ErrSignature, "The signed headers must be sorted, be there, and be headers that AWS's signer signs.")
	}
	return made.signature, nil
}

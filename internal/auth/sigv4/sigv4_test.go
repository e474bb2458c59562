package sigv4_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/matryer/is"

	"slipway/internal/auth/sigv4"
)

const (
	keyID  = "AKIDEXAMPLE"
	secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

// moment is when all requests of these tests are signed: that of AWS's published test suite.
var moment = time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC)

func secretOf(id string) (string, bool) { return secret, id == keyID }

// TestPublishedVectors holds requests of AWS's published test suite (aws-sig-v4-test-suite), which no code of ours signed.
func TestPublishedVectors(t *testing.T) {
	for name, c := range map[string]struct{ method, target, headers, signature string }{
		"get-vanilla":                      {"GET", "/", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		"get-vanilla-query-order-key-case": {"GET", "/?Param2=value2&Param1=value1", "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		"post-vanilla":                     {"POST", "/", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			r := httptest.NewRequest(c.method, c.target, nil)
			r.Host = "example.amazonaws.com"
			r.Header.Set("X-Amz-Date", "20150830T123600Z")
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential="+keyID+"/20150830/us-east-1/service/aws4_request, SignedHeaders="+
				c.headers+", Signature="+c.signature)
			id, err := sigv4.Check(r, nil, "service", moment, secretOf)
			is.NoErr(err)
			is.Equal(id, keyID)
		})
	}
}

// signed is a request as an SDK makes it, signed.
func signed(t *testing.T, method, target, body string, change func(*http.Request)) *http.Request {
	t.Helper()
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Host = "127.0.0.1:8080"
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if change != nil {
		change(r)
	}
	sum := sha256.Sum256([]byte(body))
	toSign := r.Clone(t.Context())
	key := aws.Credentials{AccessKeyID: keyID, SecretAccessKey: secret}
	if err := v4.NewSigner().SignHTTP(t.Context(), key, toSign, hex.EncodeToString(sum[:]), "appconfig", "eu-central-1", moment); err != nil {
		t.Fatal(err)
	}
	r.Header = toSign.Header
	r.Header.Set("User-Agent", "aws-sdk") // which is put in afterwards
	return r
}

func TestWhatAnSDKSigns(t *testing.T) {
	for name, c := range map[string]struct {
		method, target, body string
		change               func(*http.Request)
	}{
		"a GET":           {"GET", "/deploymentstrategies", "", nil},
		"a query":         {"GET", "/deploymentstrategies?next_token=a%2Fb%3D%3D&max_results=5", "", nil},
		"a body":          {"POST", "/deploymentstrategies", `{"Name":"ä"}`, nil},
		"an escaped path": {"GET", "/deploymentstrategies/a%20b%2Fc", "", nil},
		"several values": {"GET", "/deploymentstrategies", "", func(r *http.Request) {
			r.Header["X-Amz-Meta"] = []string{" one  two ", "three"}
		}},
		"a hash": {"PATCH", "/deploymentstrategies/1225qzk", `{}`, func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
		}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := sigv4.Check(signed(t, c.method, c.target, c.body, c.change), []byte(c.body), "appconfig", moment, secretOf)
			is.NoErr(err)
		})
	}
}

// TestWhatIsRefused changes one thing of a good request each time.
func TestWhatIsRefused(t *testing.T) {
	replace := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		}
	}
	const body = `{"Name":"careful"}`
	for name, c := range map[string]struct {
		change func(*http.Request)
		want   error
		text   string
	}{
		"another method":                   {func(r *http.Request) { r.Method = "PUT" }, sigv4.ErrSignature, "does not match"},
		"another path":                     {func(r *http.Request) { r.RequestURI = "/deploymentstrategies/b?a=1" }, sigv4.ErrSignature, "does not match"},
		"another query":                    {func(r *http.Request) { r.RequestURI = "/deploymentstrategies/a?a=2" }, sigv4.ErrSignature, "does not match"},
		"more query":                       {func(r *http.Request) { r.RequestURI += "&b=1" }, sigv4.ErrSignature, "does not match"},
		"another host":                     {func(r *http.Request) { r.Host = "localhost:8080" }, sigv4.ErrSignature, "does not match"},
		"another header":                   {func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, sigv4.ErrSignature, "does not match"},
		"a second value":                   {func(r *http.Request) { r.Header.Add("Content-Type", "text/plain") }, sigv4.ErrSignature, "does not match"},
		"a header that was signed is gone": {func(r *http.Request) { r.Header.Del("Content-Type") }, sigv4.ErrSignature, "be there"},
		"a header of AWS's put in":         {func(r *http.Request) { r.Header.Set("X-Amz-Target", "x") }, sigv4.ErrSignature, "'x-amz-target' must be a 'SignedHeader'"},
		"another length":                   {func(r *http.Request) { r.ContentLength++ }, sigv4.ErrSignature, "does not match"},
		"another signature":                {replace("Signature=", "Signature=0"), sigv4.ErrSignature, "does not match"},
		"another region":                   {replace("eu-central-1", "us-east-1"), sigv4.ErrSignature, "does not match"},
		"another service":                  {replace("/appconfig/", "/s3/"), sigv4.ErrSignature, "correct service: 'appconfig'"},
		"another day":                      {replace("/20150830/", "/20150831/"), sigv4.ErrSignature, "Date in Credential scope"},
		"another key":                      {replace(keyID, "AKIDOTHER"), sigv4.ErrUnknownKey, "security token"},
		"a host that is not signed":        {replace(";host;", ";"), sigv4.ErrSignature, "'host' must be"},
		"a date that is not signed":        {replace(";x-amz-date", ""), sigv4.ErrSignature, "'x-amz-date' must be"},
		"headers in another order":         {replace("content-length;content-type", "content-type;content-length"), sigv4.ErrSignature, "sorted"},
		"no date":                          {func(r *http.Request) { r.Header.Del("X-Amz-Date") }, sigv4.ErrIncomplete, "X-Amz-Date"},
		"no such date":                     {func(r *http.Request) { r.Header.Set("X-Amz-Date", "yesterday") }, sigv4.ErrIncomplete, "X-Amz-Date"},
		"another moment":                   {func(r *http.Request) { r.Header.Set("X-Amz-Date", "20150830T123601Z") }, sigv4.ErrSignature, "does not match"},
		"no signature":                     {replace("Signature=", "Sign="), sigv4.ErrIncomplete, "'Signature'"},
		"no credential":                    {replace("Credential=", "C="), sigv4.ErrIncomplete, "'Credential'"},
		"a short credential":               {replace("/aws4_request", ""), sigv4.ErrIncomplete, "5 slash-delimited"},
		"two headers":                      {func(r *http.Request) { r.Header.Add("Authorization", r.Header.Get("Authorization")) }, sigv4.ErrIncomplete, "one Authorization"},
		"a hash of something else": {func(r *http.Request) {
			r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
			replace(";x-amz-date", ";x-amz-content-sha256;x-amz-date")(r)
		}, sigv4.ErrSignature, "X-Amz-Content-Sha256"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			r := signed(t, "POST", "/deploymentstrategies/a?a=1", body, nil)
			c.change(r)
			_, err := sigv4.Check(r, []byte(body), "appconfig", moment, secretOf)
			is.True(errors.Is(err, c.want)) // the right exception
			if err == nil || !strings.Contains(err.Error(), c.text) {
				t.Errorf("got %v, want something with %q", err, c.text)
			}
			is.True(!strings.Contains(err.Error(), secret))
		})
	}
	t.Run("another body", func(t *testing.T) {
		is := is.New(t)
		r := signed(t, "POST", "/deploymentstrategies", body, nil)
		_, err := sigv4.Check(r, []byte(`{"Name":"hasty!!"}`), "appconfig", moment, secretOf)
		is.True(errors.Is(err, sigv4.ErrSignature))
	})
	t.Run("another secret", func(t *testing.T) {
		is := is.New(t)
		r := signed(t, "GET", "/deploymentstrategies", "", nil)
		_, err := sigv4.Check(r, nil, "appconfig", moment, func(string) (string, bool) { return "another", true })
		is.True(errors.Is(err, sigv4.ErrSignature))
	})
}

func TestClocksMayDiffer(t *testing.T) {
	for name, c := range map[string]struct {
		now  time.Time
		text string
	}{
		"early enough": {moment.Add(-sigv4.Skew), ""},
		"late enough":  {moment.Add(sigv4.Skew), ""},
		"too early":    {moment.Add(-sigv4.Skew - time.Second), "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z"},
		"too late":     {moment.Add(sigv4.Skew + time.Second), "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, err := sigv4.Check(signed(t, "GET", "/", "", nil), nil, "appconfig", c.now, secretOf)
			if c.text == "" {
				is.NoErr(err)
				return
			}
			is.True(errors.Is(err, sigv4.ErrSignature))
			is.True(strings.Contains(err.Error(), c.text))
		})
	}
}

// FuzzCheck looks for a header that panics, or that passes.
func FuzzCheck(f *testing.F) {
	f.Add("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/r/appconfig/aws4_request, SignedHeaders=host;x-amz-date, Signature=0", "/", "20150830T123600Z")
	f.Add("AWS4-HMAC-SHA256", "//a?%zz;=", "")
	f.Fuzz(func(t *testing.T, authorization, target, date string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RequestURI = target
		r.Header["Authorization"], r.Header["X-Amz-Date"] = []string{authorization}, []string{date}
		if _, err := sigv4.Check(r, nil, "appconfig", moment, secretOf); err == nil {
			t.Fatalf("%q passed", authorization)
		}
	})
}

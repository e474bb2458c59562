package check_test

import (
	"math"
	"strings"
	"testing"

	"github.com/matryer/is"

	"slipway/aggregates/check"
	"slipway/events"
)

const (
	pass         = events.VerdictPass
	fail         = events.VerdictFail
	inconclusive = events.VerdictInconclusive
)

func TestJudge(t *testing.T) {
	nan := math.NaN()
	oneLimit := events.Check{PassWhen: "<= 0.01"}
	band := events.Check{PassWhen: " < 1 ", FailWhen: "> 5"}
	for name, tt := range map[string]struct {
		check  events.Check
		values []float64
		want   check.Finding
	}{
		"passes":              {oneLimit, []float64{0.01}, check.Finding{pass, "0.01", "<= 0.01", "0.01 is <= 0.01"}},
		"fails":               {oneLimit, []float64{0.0123456789}, check.Finding{fail, "0.0123457", "<= 0.01", "0.0123457 is not <= 0.01"}},
		"zero":                {oneLimit, []float64{0}, check.Finding{pass, "0", "<= 0.01", "0 is <= 0.01"}},
		"infinite":            {oneLimit, []float64{math.Inf(1)}, check.Finding{fail, "+Inf", "<= 0.01", "+Inf is not <= 0.01"}},
		"less than all":       {oneLimit, []float64{math.Inf(-1)}, check.Finding{pass, "-Inf", "<= 0.01", "-Inf is <= 0.01"}},
		"band passes":         {band, []float64{0.5}, check.Finding{pass, "0.5", "< 1", "0.5 is < 1"}},
		"band edge":           {band, []float64{1}, check.Finding{inconclusive, "1", "< 1", "1 is neither < 1 nor > 5"}},
		"in the band":         {band, []float64{5}, check.Finding{inconclusive, "5", "< 1", "5 is neither < 1 nor > 5"}},
		"band fails":          {band, []float64{5.5}, check.Finding{fail, "5.5", "> 5", "5.5 is > 5"}},
		"NaN":                 {oneLimit, []float64{nan}, check.Finding{inconclusive, "NaN", "<= 0.01", "the value is NaN"}},
		"NaN passes":          {events.Check{PassWhen: "< 1", OnNaN: pass}, []float64{nan}, check.Finding{pass, "NaN", "< 1", "the value is NaN"}},
		"NaN fails":           {events.Check{PassWhen: "< 1", OnNaN: fail}, []float64{nan}, check.Finding{fail, "NaN", "< 1", "the value is NaN"}},
		"NaN is not unequal":  {events.Check{PassWhen: "!= 1"}, []float64{nan}, check.Finding{inconclusive, "NaN", "!= 1", "the value is NaN"}},
		"empty":               {oneLimit, nil, check.Finding{inconclusive, "", "<= 0.01", "the query has no value"}},
		"empty passes":        {events.Check{PassWhen: "< 1", OnEmpty: pass}, nil, check.Finding{pass, "", "< 1", "the query has no value"}},
		"empty fails":         {events.Check{PassWhen: "< 1", OnEmpty: fail}, nil, check.Finding{fail, "", "< 1", "the query has no value"}},
		"all pass":            {oneLimit, []float64{0, 0.01}, check.Finding{pass, "0", "<= 0.01", "0 is <= 0.01 (2 of 2 values, the first of a)"}},
		"one fails":           {oneLimit, []float64{0, 1, 0}, check.Finding{fail, "1", "<= 0.01", "1 is not <= 0.01 (1 of 3 values, the first of b)"}},
		"two fail":            {oneLimit, []float64{0, 2, 3}, check.Finding{fail, "2", "<= 0.01", "2 is not <= 0.01 (2 of 3 values, the first of b)"}},
		"one in the band":     {band, []float64{0, 3}, check.Finding{inconclusive, "3", "< 1", "3 is neither < 1 nor > 5 (1 of 2 values, the first of b)"}},
		"failing beats band":  {band, []float64{3, 0, 9}, check.Finding{fail, "9", "> 5", "9 is > 5 (1 of 3 values, the first of c)"}},
		"NaN among passing":   {oneLimit, []float64{0, nan}, check.Finding{inconclusive, "NaN", "<= 0.01", "the value is NaN (1 of 2 values, the first of b)"}},
		"failing beats NaN":   {oneLimit, []float64{nan, 1}, check.Finding{fail, "1", "<= 0.01", "1 is not <= 0.01 (1 of 2 values, the first of b)"}},
		"unreadable is no":    {events.Check{PassWhen: "good"}, []float64{1}, check.Finding{fail, "1", "good", "1 is not good"}},
		"equal":               {events.Check{PassWhen: "== 1"}, []float64{1}, check.Finding{pass, "1", "== 1", "1 is == 1"}},
		"at least, with sign": {events.Check{PassWhen: ">= -1.5e1"}, []float64{-15}, check.Finding{pass, "-15", ">= -1.5e1", "-15 is >= -1.5e1"}},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			var samples []check.Sample
			for i, v := range tt.values {
				samples = append(samples, check.Sample{Series: string(rune('a' + i)), Value: v})
			}
			is.Equal(check.Judge(tt.check, samples), tt.want)
		})
	}
}

func TestJudgeStatus(t *testing.T) {
	for status, want := range map[int]string{199: fail, 200: pass, 204: pass, 299: pass, 302: fail, 404: fail, 500: fail} {
		is := is.New(t)
		is.Equal(check.JudgeStatus(status).Verdict, want)
	}
}

func TestComplete(t *testing.T) {
	is := is.New(t)
	is.Equal(check.Complete(events.Check{Kind: events.CheckPrometheus}),
		events.Check{Kind: events.CheckPrometheus, Interval: 10, Timeout: 5, OnEmpty: inconclusive, OnNaN: inconclusive})
	is.Equal(check.Complete(events.Check{Kind: events.CheckHTTP, Interval: 3}), events.Check{Kind: events.CheckHTTP, Interval: 3, Timeout: 3})
	given := events.Check{Kind: events.CheckPrometheus, Interval: 7, Timeout: 2, OnEmpty: fail, OnNaN: pass}
	is.Equal(check.Complete(given), given) // what is said stays
}

// valid are checks as requests have them, completed.
func valid() (prometheus, http events.Check) {
	prometheus = check.Complete(events.Check{
		Name: "error-rate", Kind: events.CheckPrometheus, URL: "http://127.0.0.1:9090/prometheus", Query: "up", PassWhen: "<= 0.01", FailWhen: "> 0.05",
	})
	return prometheus, check.Complete(events.Check{Name: "front", Kind: events.CheckHTTP, URL: "https://hello.example.com/healthz?deep=1"})
}

func TestValidate(t *testing.T) {
	is := is.New(t)
	prometheus, http := valid()
	is.NoErr(check.Validate([]events.Check{prometheus, http}))
	is.NoErr(check.Validate(nil))
	for name, tt := range map[string]struct {
		edit func(*events.Check)
		want string
	}{
		"no name":            {func(c *events.Check) { c.Name = "" }, "Options checks name must be 1 to 63 letters, digits, '_', '.' or '-'"},
		"long name":          {func(c *events.Check) { c.Name = strings.Repeat("n", 64) }, "Options checks name must be 1 to 63"},
		"blank in name":      {func(c *events.Check) { c.Name = "a b" }, "Options checks name must be"},
		"no type":            {func(c *events.Check) { c.Kind = "" }, "Options check 'error-rate' type must be 'prometheus' or 'http'"},
		"no url":             {func(c *events.Check) { c.URL = "" }, "url must be an http or https URL without a user"},
		"another scheme":     {func(c *events.Check) { c.URL = "file:///etc/passwd" }, "url must be"},
		"a password in url":  {func(c *events.Check) { c.URL = "http://user:secret@host/" }, "url must be an http or https URL without a user"},
		"a user in url":      {func(c *events.Check) { c.URL = "http://user@host/" }, "url must be"},
		"a blank in url":     {func(c *events.Check) { c.URL = "http://host/a b" }, "url must be"},
		"a line in url":      {func(c *events.Check) { c.URL = "http://host/a\r\nX: y" }, "url must be"},
		"a control in url":   {func(c *events.Check) { c.URL = "http://host/\x01" }, "url must be"},
		"a word for a port":  {func(c *events.Check) { c.URL = "http://host:http/" }, "url must be"},
		"long url":           {func(c *events.Check) { c.URL = "http://h/" + strings.Repeat("a", 2048) }, "url must be"},
		"interval too long":  {func(c *events.Check) { c.Interval = 3601 }, "interval_in_seconds must be between 1 and 3600"},
		"negative interval":  {func(c *events.Check) { c.Interval = -1 }, "interval_in_seconds must be between"},
		"timeout > interval": {func(c *events.Check) { c.Timeout = 11 }, "timeout_in_seconds must be between 1 and the interval"},
		"negative timeout":   {func(c *events.Check) { c.Timeout = -1 }, "timeout_in_seconds must be"},
		"negative limit":     {func(c *events.Check) { c.FailureLimit = -1 }, "failure_limit must be greater than or equal to 0"},
		"no query":           {func(c *events.Check) { c.Query = " " }, "query must have 1 to 4096 characters"},
		"long query":         {func(c *events.Check) { c.Query = strings.Repeat("q", 4097) }, "query must have"},
		"no condition":       {func(c *events.Check) { c.PassWhen = "" }, `pass_when must be a comparison like "<= 0.01"`},
		"a bad condition":    {func(c *events.Check) { c.PassWhen = "0.01" }, "pass_when must be a comparison"},
		"two numbers":        {func(c *events.Check) { c.PassWhen = "< 1 2" }, "pass_when must be a comparison"},
		"no number":          {func(c *events.Check) { c.PassWhen = "< 1.2.3" }, `pass_when must compare with a number, not "1.2.3"`},
		"too large":          {func(c *events.Check) { c.PassWhen = "< 1e999" }, `pass_when must compare with a number, not "1e999"`},
		"NaN":                {func(c *events.Check) { c.PassWhen = "== NaN" }, "pass_when must be a comparison"},
		"a bad fail_when":    {func(c *events.Check) { c.FailWhen = "=> 1" }, "fail_when must be a comparison"},
		"a bad on_empty":     {func(c *events.Check) { c.OnEmpty = "ignore" }, "on_empty and on_nan must be 'pass', 'fail' or 'inconclusive'"},
		"a bad on_nan":       {func(c *events.Check) { c.OnNaN = "x" }, "on_empty and on_nan must be"},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			broken, _ := valid()
			tt.edit(&broken)
			err := check.Validate([]events.Check{http, broken})
			is.True(err != nil)                             // refused
			is.True(strings.Contains(err.Error(), tt.want)) // in these words
			t.Log(err)
		})
	}
}

func TestValidateHTTP(t *testing.T) {
	for name, edit := range map[string]func(*events.Check){
		"a query": func(c *events.Check) { c.Query = "up" }, "pass_when": func(c *events.Check) { c.PassWhen = "< 1" },
		"fail_when": func(c *events.Check) { c.FailWhen = "< 1" }, "on_empty": func(c *events.Check) { c.OnEmpty = fail },
		"on_nan": func(c *events.Check) { c.OnNaN = fail },
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			_, c := valid()
			edit(&c)
			is.True(check.Validate([]events.Check{c}) != nil) // an HTTP probe has none
		})
	}
}

func TestValidateTogether(t *testing.T) {
	is := is.New(t)
	prometheus, _ := valid()
	is.Equal(check.Validate([]events.Check{prometheus, prometheus}).Error(), "Options checks name 'error-rate' is there twice")
	is.True(check.Validate(make([]events.Check, check.MaxChecks+1)) != nil) // too many
}

func TestURLs(t *testing.T) {
	for _, url := range []string{"http://h", "https://h:443", "http://[::1]:9090/p", "http://h?x=@", "http://$app_guid.example.com/", "http://h/a#b"} {
		is := is.New(t)
		_, c := valid()
		c.URL = url
		is.NoErr(check.Validate([]events.Check{c}))
	}
}

// FuzzParse: whatever is read as a condition holds or does not, and says so of its own threshold.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"<= 0.01", ">1", "== -1e-3", "!=.5", "< 1e400", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := check.Parse(text)
		if err != nil {
			return
		}
		if got, want := c.Holds(c.Threshold), strings.Contains(c.Op, "=") && c.Op != "!="; got != want {
			t.Errorf("%q holds for its own threshold: %v", text, got)
		}
	})
}

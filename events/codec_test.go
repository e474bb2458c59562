package events

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/matryer/is"
)

// exampleCommit is a step of a rollout: the app's second commit.
func exampleCommit() Commit {
	return Commit{
		Subject: AppSubject(exampleApp), CommandID: exampleCommand, Version: 2,
		Previous: "31ad9e0d8a2d4ba54e2c6c1b7b5d9f1d4cbb0b2c1c6d6a5c3f1f2a0d9e8c7b6a",
		Actor:    ActorUpdater, Cause: "01K9M5P0S3V5X7Z9B1D3F5H7K9.0",
		Trace: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", Time: exampleTime,
		Events: []Event{
			ProcessScaled{
				App: exampleApp, Process: exampleNewWeb, ProcessType: ProcessTypeWeb, From: 1, Instances: 2, MemoryMB: 256,
				DiskMB: 1024, LogRate: -1, Deployment: exampleDeployment, Reason: "grow",
			},
			AppStarted{App: exampleApp},
		},
	}
}

func encode(t testing.TB, c Commit) Message {
	t.Helper()
	m, err := NewRegistry().Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestWireForm pins what a commit is on the wire: others read it with their own programs.
func TestWireForm(t *testing.T) {
	is := is.New(t)
	m := encode(t, exampleCommit())
	is.Equal(m.Subject, Subject("events.app.01K9M2D4R6T8V0X2Z4B6D8F0H2"))
	is.Equal(m.Header, map[string][]string{
		"Content-Type":     {"application/cloudevents-batch+json"},
		"Nats-Msg-Id":      {"01K9M5N8Q0A1B2C3D4E5F6G7H8"},
		"Slipway-Version":  {"2"},
		"Slipway-Previous": {"31ad9e0d8a2d4ba54e2c6c1b7b5d9f1d4cbb0b2c1c6d6a5c3f1f2a0d9e8c7b6a"},
		"Slipway-Actor":    {"updater"},
		"Slipway-Cause":    {"01K9M5P0S3V5X7Z9B1D3F5H7K9.0"},
		"traceparent":      {"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"},
	})
	is.Equal(string(m.Data), `[{"specversion":"1.0","id":"01K9M5N8Q0A1B2C3D4E5F6G7H8.0","type":"process.scaled",`+
		`"source":"/slipway/app/01K9M2D4R6T8V0X2Z4B6D8F0H2","subject":"01K9M5N8Q0S2T4V6X8Z0A2C4E6",`+
		`"time":"2025-11-09T14:03:27.120456789Z","dataversion":1,"data":{"app":"01K9M2D4R6T8V0X2Z4B6D8F0H2",`+
		`"process":"01K9M5N8Q0S2T4V6X8Z0A2C4E6","process_type":"web","from":1,"instances":2,"memory_in_mb":256,`+
		`"disk_in_mb":1024,"log_rate_limit_in_bytes_per_second":-1,"deployment":"01K9M5N8Q2V4X6Z8B0D2F4H6J8",`+
		`"reason":"grow"}},{"specversion":"1.0","id":"01K9M5N8Q0A1B2C3D4E5F6G7H8.1","type":"app.started",`+
		`"source":"/slipway/app/01K9M2D4R6T8V0X2Z4B6D8F0H2","subject":"01K9M2D4R6T8V0X2Z4B6D8F0H2",`+
		`"time":"2025-11-09T14:03:27.120456789Z","dataversion":1,"data":{"app":"01K9M2D4R6T8V0X2Z4B6D8F0H2"}}]`)
}

// TestEncodeRefuses holds that what could not be read back, or would forge a header or a subject, is never written.
func TestEncodeRefuses(t *testing.T) {
	hash := strings.Repeat("a", 64)
	for name, spoil := range map[string]func(*Commit){
		"no event":                   func(c *Commit) { c.Events = nil },
		"a nil event":                func(c *Commit) { c.Events = []Event{nil} },
		"too many events":            func(c *Commit) { c.Events = make([]Event, MaxEventsPerCommit+1) },
		"too many bytes":             func(c *Commit) { c.Events = []Event{AppStarted{App: AppID(strings.Repeat("x", MaxCommitBytes))}} },
		"a number that is none":      func(c *Commit) { c.Events = []Event{StrategyCreated{Growth: Growth{GrowthFactor: math.NaN()}}} },
		"text that is no UTF-8":      func(c *Commit) { c.Events = []Event{NameClaimed{Name: "caf\xe9"}} },
		"a map key that is no UTF-8": func(c *Commit) { c.Events = []Event{AppEnvironmentSet{Environment: map[string]string{"\xff": ""}}} },
		"no subject":                 func(c *Commit) { c.Subject = "" },
		"a wildcard for an id":       func(c *Commit) { c.Subject = "events.app.*" },
		"a wildcard for everything":  func(c *Commit) { c.Subject = "events.>" },
		"a wildcard for a kind":      func(c *Commit) { c.Subject = "events.*.a" },
		"an id with a dot":           func(c *Commit) { c.Subject = AppSubject("a.b") },
		"an id with a blank":         func(c *Commit) { c.Subject = AppSubject("a b") },
		"an id with a line break":    func(c *Commit) { c.Subject = AppSubject("a\r\nPUB x") },
		"an id that is too long":     func(c *Commit) { c.Subject = AppSubject(AppID(strings.Repeat("a", MaxIDLength+1))) },
		"another stream":             func(c *Commit) { c.Subject = "rollouts.app.a" },
		"no command id":              func(c *Commit) { c.CommandID = "" },
		"a command id with a break":  func(c *Commit) { c.CommandID = "a\r\nSlipway-Actor: root" },
		"a command id with a dot":    func(c *Commit) { c.CommandID = "a.0" },
		"no actor":                   func(c *Commit) { c.Actor = "" },
		"an actor with a break":      func(c *Commit) { c.Actor = "eve\r\nSlipway-Version: 9" },
		"an actor with a tab":        func(c *Commit) { c.Actor = "eve\t" },
		"an actor with a blank end":  func(c *Commit) { c.Actor = "eve " },
		"an actor that is too long":  func(c *Commit) { c.Actor = Actor(strings.Repeat("a", MaxHeaderBytes+1)) },
		"a cause with a break":       func(c *Commit) { c.Cause = "http\nx" },
		"a cause that is no UTF-8":   func(c *Commit) { c.Cause = "\xff" },
		"a trace with a DEL":         func(c *Commit) { c.Trace = "00-\x7f" },
		"a previous with a break":    func(c *Commit) { c.Previous = "a\r\nSlipway-Actor: root" },
		"a previous in capitals":     func(c *Commit) { c.Previous = Hash(strings.ToUpper(hash)) },
		"half a previous":            func(c *Commit) { c.Previous = Hash(hash[:32]) },
		"no time":                    func(c *Commit) { c.Time = time.Time{} },
		"a time past RFC 3339":       func(c *Commit) { c.Time = time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC) },
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			c := exampleCommit()
			spoil(&c)
			m, err := NewRegistry().Encode(c)
			is.True(errors.Is(err, ErrMalformed)) // refused as malformed
			is.Equal(m, Message{})                // and nothing to write
		})
	}
}

// TestEncodeAtTheLimits holds that the limits themselves are allowed.
func TestEncodeAtTheLimits(t *testing.T) {
	is := is.New(t)
	c := exampleCommit()
	c.Events = nil
	for range MaxEventsPerCommit {
		c.Events = append(c.Events, AppStarted{App: exampleApp})
	}
	c.CommandID = CommandID(strings.Repeat("c", MaxIDLength))
	c.Actor = Actor(strings.Repeat("é", MaxHeaderBytes/2))
	back, err := NewRegistry().DecodeCommit(encode(t, c))
	is.NoErr(err)
	is.Equal(back, c)

	c = exampleCommit()
	c.Events = []Event{CommandRejected{Command: exampleCommand}}
	room := MaxCommitBytes - len(encode(t, c).Data)
	c.Events[0] = CommandRejected{Command: exampleCommand, Message: strings.Repeat("x", room)}
	m := encode(t, c)
	is.Equal(len(m.Data), MaxCommitBytes) // the largest commit there can be
	back, err = NewRegistry().DecodeCommit(m)
	is.NoErr(err)
	is.Equal(back, c)
}

// TestTextSurvives holds that odd but valid text comes back as it was, and reads well in the log.
func TestTextSurvives(t *testing.T) {
	for _, text := range []string{
		"", "\ufffd", `\ufffd`, `\\ufffd`, "\x00\x1f\x7f", "<a href='x'>&amp;</a>", "\u2028\u2029", "日本語", "👩‍🚀", `"`, `\`,
	} {
		t.Run(fmt.Sprintf("%q", text), func(t *testing.T) {
			is := is.New(t)
			c := exampleCommit()
			c.Events = []Event{AppEnvironmentSet{App: exampleApp, Environment: map[string]string{text: text}}}
			back, err := NewRegistry().DecodeCommit(encode(t, c))
			is.NoErr(err)
			is.Equal(back.Events, c.Events)
		})
	}
	t.Run("shell operators stay readable", func(t *testing.T) {
		is := is.New(t)
		c := exampleCommit()
		c.Events = []Event{ProcessUpdated{App: exampleApp, Command: "a && b > c < d"}}
		is.True(strings.Contains(string(encode(t, c).Data), "a && b > c < d"))
	})
}

// TestTimeSurvives holds that the moment of a decision comes back to the nanosecond and in UTC, wherever it was made.
func TestTimeSurvives(t *testing.T) {
	is := is.New(t)
	for _, at := range []time.Time{
		time.Now(), exampleTime, exampleTime.In(time.FixedZone("Kathmandu", 5*3600+45*60)), time.Unix(0, 1),
		time.Date(9999, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
	} {
		c := exampleCommit()
		c.Time = at
		back, err := NewRegistry().DecodeCommit(encode(t, c))
		is.NoErr(err)
		is.True(back.Time.Equal(at))             // the same nanosecond
		is.Equal(back.Time.Location(), time.UTC) // in UTC
	}
}

// TestDecodeRefuses spoils the wire form of a good commit: whatever Encode cannot have written is malformed.
func TestDecodeRefuses(t *testing.T) {
	head := func(key, value string) func(*Message) {
		return func(m *Message) { m.Header[key] = []string{value} }
	}
	swap := func(old, replacement string) func(*Message) {
		return func(m *Message) { m.Data = []byte(strings.Replace(string(m.Data), old, replacement, 1)) }
	}
	data := func(s string) func(*Message) { return func(m *Message) { m.Data = []byte(s) } }
	for name, spoil := range map[string]func(*Message){
		"no header":               func(m *Message) { m.Header = nil },
		"another command id":      head(HeaderMsgID, "another"),
		"version 0":               head(HeaderVersion, "0"),
		"version -1":              head(HeaderVersion, "-1"),
		"version in words":        head(HeaderVersion, "two"),
		"a huge version":          head(HeaderVersion, "18446744073709551616"),
		"a previous of nothing":   head(HeaderPrevious, "x"),
		"no actor":                head(HeaderActor, ""),
		"another subject":         func(m *Message) { m.Subject = AppSubject("another") },
		"a subject of the feed":   func(m *Message) { m.Subject = "rollouts.app.a" },
		"no data":                 data(""),
		"null":                    data("null"),
		"an object":               data("{}"),
		"an empty batch":          data("[]"),
		"a batch of null":         data("[null]"),
		"a batch of numbers":      data("[1]"),
		"a second document":       func(m *Message) { m.Data = append(m.Data, "[]"...) },
		"half a document":         func(m *Message) { m.Data = m.Data[:len(m.Data)/2] },
		"too many bytes":          func(m *Message) { m.Data = append(m.Data, strings.Repeat(" ", MaxCommitBytes)...) },
		"too many events":         data("[" + strings.Repeat("{},", MaxEventsPerCommit) + "{}]"),
		"bytes that are no UTF-8": swap("grow", "gr\xf6w"),
		"another specversion":     swap(`"1.0"`, `"0.3"`),
		"another event id":        swap(`.0","type"`, `.7","type"`),
		"another source":          swap(`/slipway/app/`, `/elsewhere/app/`),
		"a time of its own":       swap(`.120456789Z`, `.120456788Z`),
		"no time":                 swap(`"time"`, `"when"`),
		"a time in words":         swap(`2025-11-09T14:03:27`, `yesterday`),
		"a version in words":      swap(`"dataversion":1`, `"dataversion":"one"`),
		"data that is null":       swap(`"data":{`, `"data":null,"x":{`),
		"data that is a list":     swap(`"data":{`, `"data":[],"x":{`),
		"a wrong type of field":   swap(`"instances":2`, `"instances":"two"`),
		"half an instance":        swap(`"instances":2`, `"instances":2.5`),
		"a huge number":           swap(`"instances":2`, `"instances":1e400`),
		"one past int64":          swap(`"instances":2`, `"instances":9223372036854775808`),
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			m := encode(t, exampleCommit())
			spoil(&m)
			c, err := NewRegistry().DecodeCommit(m)
			is.True(errors.Is(err, ErrMalformed)) // a damaged commit says that it is
			is.Equal(c, Commit{})                 // and gives no half of it
		})
	}
	for name, spoil := range map[string]func(*Message){
		"an unknown type": swap(`"process.scaled"`, `"process.teleported"`),
		"a newer version": swap(`"dataversion":1`, `"dataversion":2`),
		"version 0 of it": swap(`"dataversion":1`, `"dataversion":0`),
		"no type":         swap(`"type"`, `"tape"`),
		"no data version": swap(`"dataversion"`, `"dataversions"`),
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			m := encode(t, exampleCommit())
			spoil(&m)
			_, err := NewRegistry().DecodeCommit(m)
			is.True(errors.Is(err, ErrUnknownType)) // this program is too old for it
		})
	}
}

// TestDecodeIgnoresUnknownFields holds that an older program reads what a newer one wrote with a further optional field.
func TestDecodeIgnoresUnknownFields(t *testing.T) {
	is := is.New(t)
	m := encode(t, exampleCommit())
	m.Data = []byte(strings.NewReplacer(`"instances":2`, `"instances":2,"colour":{"a":[1]}`,
		`"specversion"`, `"datacontenttype":"application/json","specversion"`).Replace(string(m.Data)))
	c, err := NewRegistry().DecodeCommit(m)
	is.NoErr(err)
	is.Equal(c, exampleCommit())
}

func TestEncodeRefusesUnknownTypes(t *testing.T) {
	is := is.New(t)
	c := exampleCommit()
	c.Events = []Event{stranger{}}
	_, err := NewRegistry().Encode(c)
	is.True(errors.Is(err, ErrUnknownType)) // nothing is written that could not be read
}

type stranger struct{}

func (stranger) Type() Type      { return "stranger.arrived" }
func (stranger) Subject() string { return "x" }

// TestHash pins the hash of a commit and holds that every part of it counts: change one and the chain breaks.
func TestHash(t *testing.T) {
	whole := HashMessage(encode(t, exampleCommit()))
	t.Run("golden", func(t *testing.T) {
		is := is.New(t)
		is.Equal(whole, Hash("1c69fbbbef8af05a06b39bba3b465aa3781946d7f3aa1218d340df291ab9052a")) // logs out there are chained by it
		is.True(whole.valid())
	})
	for name, change := range map[string]func(*Message){
		"subject":     func(m *Message) { m.Subject += "x" },
		"version":     func(m *Message) { m.Header[HeaderVersion] = []string{"3"} },
		"no version":  func(m *Message) { delete(m.Header, HeaderVersion) },
		"previous":    func(m *Message) { m.Header[HeaderPrevious] = []string{strings.Repeat("0", 64)} },
		"no previous": func(m *Message) { delete(m.Header, HeaderPrevious) },
		"command id":  func(m *Message) { m.Header[HeaderMsgID] = []string{"another"} },
		"actor":       func(m *Message) { m.Header[HeaderActor] = []string{"eve"} },
		"cause":       func(m *Message) { m.Header[HeaderCause] = []string{"http"} },
		"first byte":  func(m *Message) { m.Data[0] ^= 1 },
		"last byte":   func(m *Message) { m.Data[len(m.Data)-1] ^= 1 },
		"shorter":     func(m *Message) { m.Data = m.Data[:len(m.Data)-1] },
		"actor slides into cause": func(m *Message) {
			m.Header[HeaderActor] = []string{"updater01K9"}
			m.Header[HeaderCause] = []string{strings.TrimPrefix(m.Header[HeaderCause][0], "01K9")}
		},
	} {
		t.Run(name, func(t *testing.T) {
			is := is.New(t)
			m := encode(t, exampleCommit())
			change(&m)
			is.True(HashMessage(m) != whole) // the change shows
		})
	}
	t.Run("trace does not count", func(t *testing.T) {
		is := is.New(t)
		m := encode(t, exampleCommit())
		delete(m.Header, HeaderTraceparent)
		is.Equal(HashMessage(m), whole) // it serves tools, not history
	})
}

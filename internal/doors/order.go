package doors

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/oklog/ulid/v2"

	"slipway/aggregates"
	"slipway/events"
	"slipway/internal/commands"
)

// order is a message of COMMANDS read as a command: what is asked for, by whom, under which id.
type order struct {
	name   string // as its subject says; may be no command's
	caller string // by the server's word; empty: it says nothing
	body   []byte
	app    events.AppID    // it is about, as far as its body says so
	by     commands.Caller // without the actor
	at     place
	fault  error // why it cannot be a command; nil where it can
}

// place is where a message stands in COMMANDS.
type place struct {
	seq    uint64
	stored time.Time
}

// readOrder never fails: what is wrong with the message stands in the order's fault, and every order has an id.
func readOrder(subject string, header nats.Header, body []byte, at place) order {
	o := order{body: body, app: appIn(body), at: at}
	o.caller, o.name = splitCaller(strings.TrimPrefix(subject, commandsPrefix))
	if id, ok := strings.CutPrefix(o.name, signalsPrefix); ok {
		o.readSignal(events.AppID(id))
	}
	given := header.Get(events.HeaderMsgID)
	o.by = commands.Caller{CommandID: events.CommandID(given), Chosen: given != "", Actor: unknown, Door: doorCommands, Trace: trace(header)}
	switch {
	case o.fault != nil || slices.Contains(commands.Names(), o.name):
	case slices.Contains(commands.Questions(), o.name):
		o.fault = aggregates.Reject("%s only has an answer, and nobody waits for one here: ask %s%s", o.name, RPCSubjects, o.name)
	default:
		_, o.fault = commands.Decode(o.name, nil)
	}
	if !events.ValidID(given) {
		o.by.CommandID = at.commandID()
	}
	if given != "" && !events.ValidID(given) {
		o.fault = aggregates.Reject("The header %s is %.80q: a command id must be 1 to %d letters, digits, '_' or '-'",
			events.HeaderMsgID, given, events.MaxIDLength)
	}
	return o
}

// signalsPrefix begins what follows the caller where somebody published to signals.<app guid>.
const signalsPrefix = "signals."

// readSignal makes a command of a message that says what an alarm does: its subject names the app.
func (o *order) readSignal(id events.AppID) {
	o.name = commands.SignalApp{}.Name()
	var body map[string]json.RawMessage
	if len(o.body) > commands.MaxBody || json.Unmarshal(o.body, &body) != nil || body == nil {
		return // what is no object is refused as any command's body is
	}
	if named, ok := body["app"]; ok && o.app != id {
		o.fault = aggregates.Reject("App %.80s is another one than that of the subject", named)
		return
	}
	body["app"], _ = json.Marshal(id) // a string always encodes
	o.body, _ = json.Marshal(body)    // and so does what was just read
	o.app = appIn(o.body)
}

// commandID is the id of a command that came without one: the same whenever the message is delivered.
func (p place) commandID() events.CommandID {
	var seed ulid.ULID
	_ = seed.SetTime(ulid.Timestamp(p.stored)) // in range until the year 10889
	binary.BigEndian.PutUint64(seed[8:], p.seq)
	return events.CommandID(events.DeriveID(events.CommandID(seed.String()), "command", 0))
}

// appIn finds the app that a body names. It is there for the record of a refusal, so a body with other faults will do.
func appIn(body []byte) events.AppID {
	if len(body) > commands.MaxBody {
		return ""
	}
	var named struct {
		App events.AppID `json:"app"`
	}
	_ = json.Unmarshal(body, &named) // what can be read is read
	if !events.ValidID(string(named.App)) {
		return ""
	}
	return named.App
}

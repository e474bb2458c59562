package projector

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"slipway/events"
	"slipway/internal/eventlog"
	"slipway/projections"
)

// feedPrefix is the first token of the feed's subjects: rollouts.<organization>.<space>.<app>.<thing>.<type>.
const feedPrefix = "rollouts"

// feedSubject is where an event of a named app stands in the feed.
func feedSubject(n name, t events.Type) string {
	thing, what, _ := strings.Cut(string(t), ".")
	return strings.Join([]string{
		feedPrefix, events.FeedToken(n.organization), events.FeedToken(n.space), events.FeedToken(n.app),
		events.FeedToken(thing), events.FeedToken(what),
	}, ".")
}

// message is one event as a CloudEvent in NATS binary mode: its attributes in headers, its data as the body.
func message(c events.Recorded, index int, e events.CloudEvent, n name) eventlog.FeedMessage {
	about := projections.RefsOf(c.Events[index])
	m := eventlog.FeedMessage{Subject: feedSubject(n, e.Type), Data: e.Data, Header: map[string][]string{}}
	for key, value := range map[string]string{
		events.HeaderMsgID:       e.ID,
		events.HeaderContentType: "application/json",
		events.HeaderTraceparent: c.Trace,

		"ce-specversion": e.SpecVersion,
		"ce-id":          e.ID,
		"ce-type":        string(e.Type),
		"ce-source":      e.Source,
		"ce-subject":     e.Subject,
		"ce-time":        e.Time.Format(time.RFC3339Nano),
		"ce-dataversion": strconv.Itoa(e.DataVersion),

		eventlog.FeedHeaderSequence: strconv.FormatUint(uint64(c.Sequence), 10),
		eventlog.FeedHeaderIndex:    strconv.Itoa(index),

		"ce-app":        string(about.App),
		"ce-deployment": string(about.Deployment),
		"ce-process":    string(about.Process),
		"ce-droplet":    string(about.Droplet),
		"ce-revision":   string(about.Revision),
		"ce-instance":   string(about.Instance),

		"ce-organization": string(cmp.Or(about.Organization, n.home.organization)),
		"ce-space":        string(cmp.Or(about.Space, n.home.space)),
		"ce-quota":        string(about.Quota),
		"ce-domain":       string(about.Domain),
		"ce-route":        string(about.Route),
		"ce-strategy":     string(about.Strategy),
		"ce-subscription": string(about.Subscription),
		"ce-group":        string(about.Group),
	} {
		if value != "" {
			m.Header[key] = []string{value}
		}
	}
	return m
}

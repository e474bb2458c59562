package subscription

import (
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"slipway/aggregates"
	"slipway/events"
)

// Limits of a subscription.
const (
	// MaxInScope is how many subscriptions a space can have, an organization of its own, and the installation: each is a reader
	// of everything that happens.
	MaxInScope = 20
	maxName    = 255  // bytes
	maxURL     = 2048 // bytes: what receivers take
	maxTypes   = 50
)

// Everything is the type that stands for all.
const Everything = "*"

// untold are the things whose events are not sent: how names are kept unique is nobody's business, and who hears of deliveries
// by deliveries hears no end of it. NATS subscribers find the latter in the feed.
var untold = []string{"name", "subscription"}

// things are the types of events that can be subscribed to, by what they are about: "deployment" has "deployment.created".
var things = byThing()

func byThing() map[string][]string {
	found := map[string][]string{}
	for _, t := range events.NewRegistry().Types() {
		thing, _, _ := strings.Cut(string(t), ".")
		if !slices.Contains(untold, thing) {
			found[thing] = append(found[thing], string(t))
		}
	}
	return found
}

// faults tells all that is wrong with the settings at once.
func (s Settings) faults() error {
	var faults []string
	if err := aggregates.CheckText("Name", s.Name, 1, maxName); err != nil {
		faults = append(faults, err.Error())
	}
	if fault := urlFault(s.URL); fault != "" {
		faults = append(faults, fault)
	}
	if len(s.Types) == 0 || len(s.Types) > maxTypes {
		faults = append(faults, fmt.Sprintf("Types must name 1 to %d types of events", maxTypes))
	}
	for _, t := range s.Types {
		if !known(t) {
			faults = append(faults, fmt.Sprintf("Types: %.64q is no type of event that can be sent: name one (deployment.deployed), "+
				"all about a thing (deployment.*), or all (*)", strings.ToValidUTF8(t, "?")))
		}
	}
	if s.ContentMode != events.ContentStructured && s.ContentMode != events.ContentBinary {
		faults = append(faults, "Content mode must be 'structured' or 'binary'")
	}
	if len(faults) > 0 {
		return aggregates.Reject("%s", strings.Join(faults, ", "))
	}
	return nil
}

// known says whether a type, or a pattern of types, is of events that are sent.
func known(t string) bool {
	thing, what, _ := strings.Cut(t, ".")
	return t == Everything || len(things[thing]) > 0 && (what == "*" || slices.Contains(things[thing], t))
}

// urlForm is an http or https URL without a user and without a fragment.
var urlForm = regexp.MustCompile(`^https?://(\[[0-9A-Fa-f:.]+\]|[^\s[:cntrl:]/?#@:\[\]]+)(:[0-9]{1,5})?([/?][^\s[:cntrl:]#]*)?$`)

// urlFault says what is wrong with a URL; nothing if it is right.
func urlFault(text string) string {
	switch {
	case len(text) > maxURL:
		return fmt.Sprintf("Url must have at most %d characters", maxURL)
	case !urlForm.MatchString(text):
		return "Url must be an http or https URL with a host, without a user, password or fragment"
	case linkLocal(text):
		return "Url must not name an address of the link itself: such are not called"
	}
	return ""
}

// linkLocal says whether a URL names an address where machines of a cloud keep their secrets. Names that lead there are found out by
// who calls them.
func linkLocal(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(u.Hostname())
	return err == nil && address.Unmap().IsLinkLocalUnicast()
}

// Wants says whether events of a type are sent to the subscription.
func (s State) Wants(t events.Type) bool {
	thing, _, _ := strings.Cut(string(t), ".")
	if slices.Contains(untold, thing) {
		return false
	}
	return slices.ContainsFunc(s.Types, func(w string) bool { return w == Everything || w == string(t) || w == thing+".*" })
}

package watch

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"slipway/aggregates/group"
	"slipway/internal/client"
	"slipway/internal/resource"
)

// Group is how several deployments stand that are one.
type Group struct {
	GUID     string                 `json:"guid"`
	Name     string                 `json:"name"`
	Status   resource.GroupStatus   `json:"status"`
	Members  []resource.GroupMember `json:"members"`
	Rollouts map[string]Rollout     `json:"-"` // of the members that have begun, by deployment
}

// Over says that nothing follows any more.
func (g Group) Over() bool {
	return !slices.ContainsFunc(g.Members, func(m resource.GroupMember) bool { return !m.Status.Over() })
}

// Deployed says that every member is.
func (g Group) Deployed() bool {
	return !slices.ContainsFunc(g.Members, func(m resource.GroupMember) bool { return m.Status != group.Deployed })
}

// Words are its status and each member that is not deployed, with why.
func (g Group) Words() string {
	text := string(g.Status.Value)
	for _, m := range g.Members {
		if m.Status != group.Deployed {
			text += fmt.Sprintf("; %s: %s", m.App.Name, because(string(m.Status), m.Reason))
		}
	}
	return plain(text)
}

// head is its status and how many members stand how.
func (g Group) head() string {
	var counts []string
	for _, m := range g.Members { // in the order of the request, each status once
		count := fmt.Sprintf("%d %s", g.Status.Counts[m.Status], m.Status)
		if !slices.Contains(counts, count) {
			counts = append(counts, count)
		}
	}
	return fmt.Sprintf("%s: %s", g.Status.Value, strings.Join(counts, ", "))
}

// called is its name for people.
func (g Group) called() string {
	if g.Name == "" {
		return "group " + g.GUID
	}
	return g.Name
}

// GroupView shows how a group stands, again and again.
type GroupView interface {
	// ShowGroup is [View.Show] for a group.
	ShowGroup(g Group, trouble string) error
}

// FollowGroup shows a group until all of its members are over, and gives how they ended. It fails as [Follow] does.
func FollowGroup(ctx context.Context, c *client.Client, guid string, view GroupView) (Group, error) {
	all := &several{reader: Reader{API: c}, guid: guid}
	f := &follower[Group]{read: all.read, over: Group.Over, show: view.ShowGroup, heard: all.histories.hear}
	return f.follow(ctx, c.GroupStream(guid))
}

// several is a group as it is read.
type several struct {
	histories
	reader Reader
	guid   string
}

func (s *several) read(ctx context.Context) (next Group, err error) {
	if err := s.reader.API.Call(ctx, http.MethodGet, "/v3/deployment_groups/"+s.guid, nil, &next); err != nil {
		return next, err
	}
	begun, err := s.reader.Read(ctx, url.Values{"group_guids": {s.guid}}, nil)
	if err != nil {
		return next, err
	}
	next.Rollouts = map[string]Rollout{}
	for _, r := range begun {
		if err := s.complete(&r); err != nil {
			return next, err
		}
		if r.Over() {
			r.Level = resource.Level{} // what runs later may not be of it
		}
		next.Rollouts[r.GUID] = r
	}
	return next, nil
}

// rollout is the member's, if it has begun and its app is still there.
func (g Group) rollout(m resource.GroupMember) (Rollout, bool) {
	r, found := g.Rollouts[text(m.Deployment)]
	return r, found
}

// words says of a member without a rollout how it stands, and why.
func words(m resource.GroupMember) string {
	switch {
	case m.Status == group.Pending && m.Wave > 1:
		return because(string(m.Status), fmt.Sprintf("begins when wave %d is deployed", m.Wave-1))
	case m.Stuck != "":
		return because(string(m.Status), m.Stuck)
	}
	return because(string(m.Status), m.Reason)
}

func because(status, reason string) string { return strings.TrimSuffix(status+": "+reason, ": ") }

// ShowGroup implements [GroupView]: a line for each change of a member, and of the whole.
func (l *Lines) ShowGroup(g Group, trouble string) error {
	if trouble != "" {
		return l.write("", plain(trouble))
	}
	for _, m := range g.Members {
		line := words(m)
		if r, found := g.rollout(m); found {
			line = l.rollout(r)
		}
		if err := l.write(m.App.GUID, plain(m.App.Name)+"  "+plain(line)); err != nil {
			return err
		}
	}
	return l.write("", plain(g.called()+"  "+g.head()))
}

// ShowGroup implements [GroupView].
func (s *Screen) ShowGroup(g Group, trouble string) error {
	if g.GUID == "" {
		return s.draw(nil, trouble)
	}
	lines, longest := []string{g.called() + "  " + g.head()}, 0
	for _, m := range g.Members {
		longest = max(longest, utf8.RuneCountInString(m.App.Name))
		if r, found := g.rollout(m); found {
			s.widest = max(s.widest, r.Level.Desired, r.Created.Target)
		}
	}
	for _, m := range g.Members {
		lines = append(lines, s.member(g, m, longest)...)
	}
	return s.draw(lines, trouble)
}

func (s *Screen) member(g Group, m resource.GroupMember, longest int) []string {
	head := fmt.Sprintf("  %d  %-*s  ", m.Wave, longest, m.App.Name)
	r, found := g.rollout(m)
	if !found {
		return []string{head + words(m)}
	}
	lines := []string{head + r.Line(s.widest)}
	for _, next := range r.Next(s.Now()) {
		lines = append(lines, "       "+s.Command(next))
	}
	return lines
}

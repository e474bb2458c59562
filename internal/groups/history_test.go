package groups_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/matryer/is"
)

// TestHistoryOfAGroup tells what happened to it and to its members, in order, with who; to those who may see all of them.
func TestHistoryOfAGroup(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a", "b", "c")
		w.must(201, "POST", "/v3/deployments", s[0].member("")) // is not of the group
		id := w.groupBy(ann, s[0].member(canary), s[1].member(wave(2, "")))
		w.must(200, "POST", paths+"/"+id+"/actions/continue", "", ann...)
		is.Equal(w.stands(id), "FINALIZED: DEPLOYED DEPLOYED")
		w.group(s[2].member("")) // nor is this
		of := func(query string) (lines []string) {
			rows, _ := at(w.must(200, "GET", paths+"/"+id+"/events"+query, ""), "resources").([]any)
			for _, r := range rows {
				lines = append(lines, fmt.Sprint(text(r, "type"), " ", text(r, "actor")))
			}
			return lines
		}
		is.Equal(of("?types=group.created,group.directed,group.ended,deployment.created,deployment.continued,deployment.deployed"), []string{
			"group.created user/ann", "deployment.created user/ann", "group.directed user/ann", "deployment.continued user/ann",
			"deployment.deployed updater", "deployment.created user/ann", "deployment.deployed updater", "group.ended groups",
		})
		is.Equal(of("?types=group.created,group.directed,group.ended&actors=user/ann"), []string{"group.created user/ann", "group.directed user/ann"})
		all := of("?per_page=1000")
		is.Equal(slices.Concat(of("?per_page=20"), of("?per_page=20&page=2"), of("?per_page=20&page=3"), of("?per_page=20&page=4")), all)
		back := of("?per_page=1000&order_by=-created_at")
		slices.Reverse(back)
		is.Equal(back, all)
		is.True(slices.Contains(all, "instance.running agent/agent-1")) // what the agent told of the members' apps
		first := at(w.must(200, "GET", paths+"/"+id+"/events", ""), "resources", 0)
		is.Equal([]string{text(first, "subject"), text(first, "source")}, []string{id, "/slipway/group/" + id})

		streamed := w.call("GET", paths+"/"+id+"/stream", "").Body.String()
		is.Equal(strings.Count(streamed, "\nevent: "), len(all)+1)
		is.True(strings.Contains(streamed, "event: end\ndata: {\"deployment_group\":\""+id+"\"}"))
		for _, what := range []string{"/events", "/stream"} {
			is.Equal(w.refused(404, "GET", paths+"/"+id+what, "", "Authorization", "zoe@elsewhere"), "Deployment group not found")
			is.Equal(w.refused(404, "GET", paths+"/nobody"+what, ""), "Deployment group not found")
		}
	})
}

// TestSecretsOfAGroup: whoever may see the apps but not their start commands is not told them here either.
func TestSecretsOfAGroup(t *testing.T) {
	inWorld(t, func(t *testing.T, w *world) {
		is := is.New(t)
		w.manager()
		s := w.subjects("a")
		id := w.group(s[0].member(""))
		const command = `"./web"`
		is.True(strings.Contains(w.call("GET", paths+"/"+id+"/events?per_page=1000", "", ann...).Body.String(), command))
		is.True(!strings.Contains(w.call("GET", paths+"/"+id+"/events?per_page=1000", "", bob...).Body.String(), command))
		is.True(!strings.Contains(w.call("GET", paths+"/"+id+"/stream", "", bob...).Body.String(), command))
	})
}

package conformance_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"slipway/internal/agent/driver"
	"slipway/internal/agent/driver/sim"
	"slipway/internal/api/apitest"
	"slipway/internal/commands"
	"slipway/internal/groups"
	"slipway/internal/staging"
)

// Sizes of a rush.
const (
	rushes   = 8  // as many as are tried, unless RUSHES says how many
	commandN = 40 // in each
	// quickest is the longest time between two commands: most come before what the one before meant has been done.
	quickest = 150 * time.Millisecond
)

// rush is people who are in a hurry: they start, stop, scale, deploy, cancel, halt and delete, and do not wait for what becomes of it.
type rush struct {
	*world
	random  *rand.Rand
	sent    sync.WaitGroup
	apps    []string
	created int // of those that live for a moment
}

// TestRush: whatever is asked for in whatever haste, once people are done each app is what the last of them wanted. SEED=n repeats
// one rush, RUSHES=n tries so many.
func TestRush(t *testing.T) {
	for _, seed := range seeds(t) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				r := &rush{world: newWorld(t), random: rand.New(rand.NewPCG(seed, 0))}
				r.begins(groups.New(r.log, commands.Apps(r.log, nil), r.handler, slog.New(slog.DiscardHandler)).Run)
				r.begins(staging.New(r.log, commands.Apps(r.log, nil), nowhere{}, slog.New(slog.DiscardHandler), nil).Run)
				r.hurry()
				r.calm()
			})
		})
	}
}

// nowhere has no bits: what is staged here are images.
type nowhere struct{ staging.Bits }

func seeds(t *testing.T) (all []uint64) {
	n, first := rushes, uint64(1)
	if text := os.Getenv("RUSHES"); text != "" {
		n, _ = strconv.Atoi(text)
		first = rand.Uint64() >> 20
	}
	if text := os.Getenv("SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		n, first = 1, seed
	}
	for i := range n {
		all = append(all, first+uint64(i))
	}
	return all
}

// hurry sends commands, half of them before the one before has been answered.
func (r *rush) hurry() {
	for n := range 2 {
		r.apps = append(r.apps, r.create(fmt.Sprintf("rush-%d", n)))
		r.build(r.apps[n])
	}
	time.Sleep(time.Second) // virtual
	for _, app := range r.apps {
		r.try("PATCH", "/v3/apps/"+app+"/relationships/current_droplet", `{"data":{"guid":"`+r.droplet(app)+`"}}`)
		r.try("POST", "/v3/apps/"+app+"/processes/web/actions/scale", `{"instances":2}`)
	}
	for range commandN {
		command := r.next(r.pick(r.apps...))
		if r.random.IntN(2) == 0 {
			command()
		} else {
			r.sent.Go(command)
		}
		time.Sleep(time.Duration(r.random.Int64N(int64(quickest)))) // virtual
	}
	r.sent.Wait()
}

func (r *rush) pick(from ...string) string { return from[r.random.IntN(len(from))] }

// next is what comes into somebody's head.
func (r *rush) next(app string) func() {
	about, instances, other := "/v3/apps/"+app, r.random.IntN(4), r.pick(r.apps...)
	strategy, directive := r.pick("rolling", "canary"), r.pick("cancel", "continue", "rollback", "finalize")
	life := sim.Life{HealthyAfter: time.Duration(r.random.IntN(100)) * time.Millisecond, StopTakes: time.Duration(r.random.IntN(100)) * time.Millisecond}
	switch n := r.random.IntN(20); n {
	case 0, 1, 2:
		return func() { r.try("POST", about+"/actions/start", "") }
	case 3, 4:
		return func() { r.try("POST", about+"/actions/stop", "") }
	case 5, 6:
		return func() { r.try("POST", about+"/actions/restart", "") }
	case 7, 8, 9:
		return func() {
			r.try("POST", about+"/processes/web/actions/scale", fmt.Sprintf(`{"instances":%d}`, instances))
		}
	case 10, 11, 12:
		return func() { r.deploy(app, strategy, life) }
	case 13, 14:
		return func() { // canceled just after it was created
			if d := r.deploy(app, strategy, life); d != "" {
				r.try("POST", "/v3/deployments/"+d+"/actions/"+directive, "")
			}
		}
	case 15, 16:
		return func() { // no sooner declared than lifted
			halt := text(r.try("POST", "/v3/halts", `{"reason":"rush","duration_in_seconds":1}`), "guid")
			if instances > 0 { // else it ends by itself
				r.try("POST", "/v3/halts/"+halt+"/actions/lift", "")
			}
		}
	case 17, 18:
		return func() { // told to end while its members are created
			if group := r.group(app, other); instances > 0 {
				r.try("POST", "/v3/deployment_groups/"+group+"/actions/"+directive, "")
			}
		}
	default:
		r.created++
		name := fmt.Sprintf("short-lived-%d", r.created)
		return func() { // deleted while it is staged
			app := r.create(name)
			r.build(app)
			r.try("POST", "/v3/apps/"+app+"/actions/start", "")
			r.try("DELETE", "/v3/apps/"+app, "")
		}
	}
}

// try sends a request that may be refused, but not fail.
func (r *rush) try(method, path, body string) map[string]any {
	got := apitest.Call(r.api, method, path, body)
	if got.Code >= 500 {
		r.t.Errorf("%s %s %s: %d %s", method, path, body, got.Code, got.Body)
	}
	return accepted(r.t, got)
}

// accepted is the answer to a request that was not refused.
func accepted(t *testing.T, got *httptest.ResponseRecorder) map[string]any {
	if got.Code >= 300 {
		return nil
	}
	return apitest.Object(t, got.Body.Bytes())
}

func (r *rush) create(name string) string {
	return text(r.try("POST", "/v3/apps", `{"name":"`+name+`","lifecycle":{"type":"docker","data":{}}}`), "guid")
}

// build makes a package, and a droplet of it some time.
func (r *rush) build(app string) {
	pkg := text(r.try("POST", "/v3/packages", `{"type":"docker","relationships":{"app":{"data":{"guid":"`+app+`"}}},"data":{"image":"shop/web:1"}}`), "guid")
	r.try("POST", "/v3/builds", `{"package":{"guid":"`+pkg+`"}}`)
}

// droplet is the newest that the app has.
func (r *rush) droplet(app string) string {
	return text(r.try("GET", "/v3/apps/"+app+"/droplets?order_by=-created_at&per_page=1&states=STAGED", ""), "resources", 0, "guid")
}

func (r *rush) deploy(app, strategy string, life sim.Life) string {
	droplet := r.droplet(app)
	r.script(droplet, life)
	return text(r.try("POST", "/v3/deployments", fmt.Sprintf(
		`{"relationships":{"app":{"data":{"guid":%q}}},"droplet":{"guid":%q},"strategy":%q}`, app, droplet, strategy)), "guid")
}

func (r *rush) group(of ...string) string {
	var members []string
	for n, app := range slices.Compact(of) {
		members = append(members, fmt.Sprintf(
			`{"relationships":{"app":{"data":{"guid":%q}}},"droplet":{"guid":%q},"wave":%d}`, app, r.droplet(app), n+1))
	}
	return text(r.try("POST", "/v3/deployment_groups", `{"name":"rush","members":[`+strings.Join(members, ",")+`]}`), "guid")
}

// calm ends what goes on, and then wants something of each app, with time enough.
func (r *rush) calm() {
	r.until("every halt to be over", func() string {
		halts := all(r.get("/v3/halts?states=IN_FORCE"), "resources")
		for _, h := range halts {
			r.try("POST", "/v3/halts/"+text(h, "guid")+"/actions/lift", "")
		}
		return leftOf(halts)
	})
	r.until("every rollout to end", func() string {
		active := all(r.get("/v3/deployments?status_values=ACTIVE"), "resources")
		for _, d := range active {
			r.try("POST", "/v3/deployments/"+text(d, "guid")+"/actions/cancel", "")
		}
		return leftOf(active)
	})
	r.until("every group to end", func() string {
		return leftOf(all(r.get("/v3/deployment_groups?status_values=PENDING,RUNNING,FINALIZING"), "resources"))
	})
	if alive := r.driver.Alive(); slices.ContainsFunc(alive, func(s driver.Spec) bool { return !slices.Contains(r.apps, string(s.App)) }) {
		r.t.Errorf("instances of apps that were deleted: %v", alive)
	}
	for _, app := range r.apps {
		about := "/v3/apps/" + app
		r.must(200, "POST", about+"/actions/start", "")
		r.must(202, "POST", about+"/processes/web/actions/scale", `{"instances":3}`)
		r.until("three instances", func() string { return r.wrong(app, 3) })
		r.must(200, "POST", about+"/actions/restart", "")
		r.until("three new instances", func() string { return r.wrong(app, 3) })
		r.must(200, "POST", about+"/actions/stop", "")
		r.until("nothing to run", func() string { return r.wrong(app, 0) })
		r.must(202, "DELETE", about, "")
		r.until("it to be gone", func() string { return strconv.Itoa(r.call("GET", about, "").Code - 404) })
	}
}

func leftOf(things []any) string {
	if len(things) == 0 {
		return ""
	}
	return fmt.Sprint(things)
}

// wrong says what is not so if an app has so many instances, all of one process, and says so.
func (r *rush) wrong(app string, instances int) string {
	var up int
	for _, i := range all(r.get("/v3/apps/"+app+"/processes/web/stats"), "resources") {
		if text(i, "state") == "RUNNING" {
			up++
		}
	}
	alive := map[string]int{}
	for _, s := range r.driver.Alive() {
		if string(s.App) == app {
			alive[fmt.Sprintf("%s of generation %d", s.Process, s.Generation)]++
		}
	}
	if up != instances || len(alive) != min(instances, 1) {
		return fmt.Sprintf("%d are said to run of %d, there are %v", up, instances, alive)
	}
	for _, n := range alive {
		if n != instances {
			return fmt.Sprintf("of %d there are %v", instances, alive)
		}
	}
	return ""
}

// until lets time pass until nothing is wrong any more.
func (r *rush) until(what string, wrong func() string) {
	r.t.Helper()
	var said string
	for range 60 {
		time.Sleep(time.Minute) // virtual
		synctest.Wait()
		if said = wrong(); said == "" || said == "0" {
			return
		}
	}
	r.t.Fatalf("an hour was not enough for %s: %s", what, said)
}

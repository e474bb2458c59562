package agent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/matryer/is"

	"slipway/events"
	"slipway/internal/agent/driver"
	"slipway/internal/agent/driver/sim"
	"slipway/internal/eventlog"
)

// wishes is a Source that a test speaks through.
type wishes chan Update

func (w wishes) Watch(ctx context.Context, fn func(Update)) error {
	for {
		select {
		case u, open := <-w:
			if !open {
				return errors.New("the source broke")
			}
			fn(u)
		case <-ctx.Done():
			return nil
		}
	}
}

// unreliable is a log that can be switched off.
type unreliable struct {
	*eventlog.Memory
	mu   sync.Mutex
	down bool
}

func (u *unreliable) Report(ctx context.Context, c events.Commit) (events.Recorded, error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.down {
		return events.Recorded{}, eventlog.ErrUnavailable
	}
	return u.Memory.Report(ctx, c)
}

func (u *unreliable) set(down bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.down = down
}

// bench is an agent with the sim driver inside a bubble.
type bench struct {
	t      *testing.T
	is     *is.I
	wishes wishes
	driver *sim.Driver
	log    *unreliable
	stop   func() // ends the agent and waits
	life   *life  // of the agent that runs now
}

func newBench(t *testing.T, script sim.Script) *bench {
	b := &bench{t: t, is: is.New(t), wishes: make(wishes), driver: sim.New(script),
		log: &unreliable{Memory: eventlog.NewMemory(events.NewRegistry())}}
	b.start()
	t.Cleanup(func() { b.stop() })
	return b
}

func (b *bench) start() {
	b.life = &life{}
	a, err := New(Config{ID: "agent-1", Driver: mortalDriver{b.driver, b.life}, Log: mortalLog{b.log, b.life},
		Source: b.wishes, Logger: slog.New(slog.DiscardHandler)})
	b.is.NoErr(err)
	ctx, cancel := context.WithCancel(b.t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	b.stop = sync.OnceFunc(func() { cancel(); b.is.NoErr(<-ended) })
}

// die ends the agent as kill -9 would: what runs goes on running, and nothing more is said of it.
func (b *bench) die() {
	b.is.NoErr(b.driver.Close())
	b.life.over.Store(true)
	b.stop()
}

// life is one agent's. Once it is over, the agent's hands move nothing any more.
type life struct{ over atomic.Bool }

type mortalDriver struct {
	driver.Driver
	life *life
}

func (m mortalDriver) Start(ctx context.Context, s driver.Spec) (driver.Instance, error) {
	inst, err := m.Driver.Start(ctx, s)
	return mortalInstance{inst, m.life}, err
}

func (m mortalDriver) Recover(ctx context.Context) (driver.Recovered, error) {
	r, err := m.Driver.Recover(ctx)
	for i, inst := range r.Alive {
		r.Alive[i] = mortalInstance{inst, m.life}
	}
	return r, err
}

type mortalInstance struct {
	driver.Instance
	life *life
}

func (m mortalInstance) Stop(ctx context.Context, grace time.Duration) error {
	if m.life.over.Load() {
		return nil
	}
	return m.Instance.Stop(ctx, grace)
}

type mortalLog struct {
	*unreliable
	life *life
}

func (m mortalLog) Report(ctx context.Context, c events.Commit) (events.Recorded, error) {
	if m.life.over.Load() {
		return events.Recorded{}, eventlog.ErrUnavailable
	}
	return m.unreliable.Report(ctx, c)
}

// want says that the app's one process shall have so many instances of a generation, and waits until all is quiet.
func (b *bench) want(instances, generation int) {
	b.tell(Update{Complete: true, Apps: map[events.AppID][]ProcessSpec{"app-1": {spec(instances, generation)}}})
}

func (b *bench) tell(u Update) {
	b.wishes <- u
	synctest.Wait()
}

func spec(instances, generation int) ProcessSpec {
	return ProcessSpec{App: "app-1", AppName: "hello", Process: "web-1", Type: "web", Instances: instances, Generation: generation}
}

// pass lets time go by.
func (b *bench) pass(d time.Duration) {
	time.Sleep(d) // virtual: a bubble's clock moves when everybody waits
	synctest.Wait()
}

// reports reads what the log says of the process, a line for each: "running 0".
func (b *bench) reports() []string {
	var lines []string
	err := b.log.Read(b.t.Context(), events.InstanceSubject("web-1"), 0, 0, func(c events.Recorded) error {
		b.is.Equal(c.Actor, events.Actor("agent/agent-1")) // the author of reports
		for _, e := range c.Events {
			line := fmt.Sprintf("%s %d", strings.TrimPrefix(string(e.Type()), "instance."), e.(events.InstanceEvent).Ref().Index)
			switch e := e.(type) {
			case events.InstanceCrashed:
				line += fmt.Sprintf(" (%s) #%d retry %dms", e.Reason, e.Crashes, e.RetryMS)
			case events.InstanceStopped:
				line += " (" + e.Reason + ")"
			case events.InstanceRunning:
				if e.Adopted {
					line += " adopted"
				}
			}
			lines = append(lines, line)
		}
		return nil
	})
	b.is.NoErr(err)
	return lines
}

// of keeps the lines about one index.
func of(index int, lines []string) []string {
	return slices.DeleteFunc(slices.Clone(lines), func(l string) bool {
		return strings.Fields(l)[1] != fmt.Sprint(index)
	})
}

func TestInstancesAreStartedAndStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sim.Always(sim.Life{HealthyAfter: 3 * time.Second}))
		b.want(2, 0)
		b.is.Equal(len(b.driver.Alive()), 2)                   // both are started at once
		b.is.Equal(of(1, b.reports()), []string{"starting 1"}) // not healthy yet
		b.pass(3 * time.Second)
		b.is.Equal(of(1, b.reports()), []string{"starting 1", "running 1"}) // healthy when the script says so

		b.want(1, 0)
		b.is.Equal(of(1, b.reports())[2:], []string{"unready 1", "stopped 1 (scaled down)"}) // out of the router, then gone
		b.is.Equal(len(b.driver.Alive()), 1)                                                 // index 0 stays

		b.tell(Update{Apps: map[events.AppID][]ProcessSpec{"app-1": nil}})
		b.is.Equal(of(0, b.reports())[2:], []string{"unready 0", "stopped 0 (no longer wanted)"}) // the process is gone
		b.is.Equal(len(b.driver.Alive()), 0)
	})
}

func TestOtherAppsAreLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.want(2, 0)
		other := ProcessSpec{App: "app-2", AppName: "other", Process: "web-2", Type: "web", Instances: 1}
		b.tell(Update{Apps: map[events.AppID][]ProcessSpec{"app-2": {other}}})
		b.is.Equal(len(b.driver.Alive()), 3) // an update about one app says nothing of another
		b.tell(Update{Complete: true, Apps: map[events.AppID][]ProcessSpec{"app-2": {other}}})
		b.is.Equal(len(b.driver.Alive()), 1) // a complete one does
	})
}

func TestRestartEndsTheOldBeforeTheNewStarts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sim.Always(sim.Life{StopTakes: 2 * time.Second}))
		b.want(2, 0)
		b.want(2, 1)
		b.pass(time.Second)
		b.is.Equal(of(0, b.reports()), []string{"starting 0", "running 0", "unready 0"}) // still on its way out
		b.pass(time.Second)
		b.is.Equal(of(0, b.reports())[3:], []string{"stopped 0 (restarted)", "starting 0", "running 0"}) // one after the other
		for _, s := range b.driver.Alive() {
			b.is.Equal(s.Generation, 1) // only new ones
		}
	})
}

func TestScaleUpWhileTheIndexIsStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sim.Always(sim.Life{StopTakes: time.Second}))
		b.want(1, 0)
		b.want(0, 0)
		b.want(1, 0)
		b.pass(time.Second)
		b.is.Equal(b.reports()[2:], []string{"unready 0", "stopped 0 (scaled down)", "starting 0", "running 0"}) // it comes back
	})
}

func TestCrashesAreRestartedWithBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sim.Always(sim.Life{ExitAfter: time.Second, ExitStatus: 3}))
		b.want(1, 0)
		b.pass(10 * time.Second) // 1 s alive, 1 s pause, 1 s alive, 2 s pause, 1 s alive, 4 s pause
		crashes := slices.DeleteFunc(b.reports(), func(l string) bool { return !strings.HasPrefix(l, "crashed") })
		b.is.Equal(crashes, []string{
			"crashed 0 (exit status 3) #1 retry 1000ms",
			"crashed 0 (exit status 3) #2 retry 2000ms",
			"crashed 0 (exit status 3) #3 retry 4000ms",
		}) // further apart each time
	})
}

func TestLongHealthForgivesCrashes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sim.Always(sim.Life{ExitAfter: 5 * time.Minute}))
		b.want(1, 0)
		b.pass(11 * time.Minute)
		b.is.Equal(b.reports()[2], "crashed 0 (exit status 0) #1 retry 1000ms") // ending with status 0 is a crash too
		b.is.Equal(b.reports()[5], "crashed 0 (exit status 0) #1 retry 1000ms") // the first again
	})
}

func TestUnhealthyInstancesCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, func(_ driver.Spec, start int) sim.Life {
			return []sim.Life{{NeverHealthy: true}, {SickAfter: 45 * time.Second}, {StartError: errors.New("no bits")}, {}}[start-1]
		})
		b.want(1, 0)
		b.pass(5 * time.Minute)
		b.is.Equal(b.reports(), []string{
			"starting 0", "crashed 0 (health check: not healthy within 1m0s: the script says: not healthy) #1 retry 1000ms",
			"starting 0", "running 0", "crashed 0 (health check: the script says: not healthy) #2 retry 2000ms",
			"starting 0", "crashed 0 (start: start instance 0 of web-1: no bits) #3 retry 4000ms",
			"starting 0", "running 0",
		}) // never healthy, no longer healthy, not startable, well
	})
}

func TestControlGoesOnWithoutTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.want(1, 0)
		b.log.set(true)
		b.want(3, 0)
		b.is.Equal(len(b.driver.Alive()), 3) // started although nobody can be told
		b.want(2, 0)
		b.pass(time.Hour)
		b.is.Equal(len(b.reports()), 2) // nothing is written
		b.log.set(false)
		b.pass(10 * time.Second)
		b.is.Equal(of(2, b.reports()), []string{"starting 2", "running 2", "unready 2", "stopped 2 (scaled down)"}) // all, in order
	})
}

func TestInstancesOutliveASourceThatBreaks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.want(2, 0)
		close(b.wishes)
		b.pass(time.Minute)
		b.is.Equal(len(b.driver.Alive()), 2) // left as they were
	})
}

func TestOrderlyEndStopsEverything(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sim.Always(sim.Life{StopTakes: time.Minute}))
		b.want(2, 0)
		b.stop()
		b.is.Equal(len(b.driver.Alive()), 0)                                                     // ended after the grace time
		b.is.Equal(of(1, b.reports())[2:], []string{"unready 1", "stopped 1 (agent shut down)"}) // and said so
		b.start()
		b.want(2, 0)
		b.is.Equal(of(1, b.reports())[4:], []string{"starting 1", "running 1"}) // the next start starts them again
	})
}

func TestASecondAgentTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.want(3, 0)
		b.die()
		kept := b.driver.Alive()
		b.is.Equal(len(kept), 3) // they live on
		gone := slices.IndexFunc(kept, func(s driver.Spec) bool { return s.Index == 1 })
		b.is.True(b.driver.Kill(kept[gone].Instance)) // one ends while nobody watches

		b.start()
		synctest.Wait()
		b.is.Equal(len(b.driver.Alive()), 2) // nothing happens before it is known what shall run
		b.want(2, 0)
		b.is.Equal(of(0, b.reports())[2:], []string{"running 0 adopted"})
		b.is.Equal(of(1, b.reports())[2:], []string{
			"crashed 1 (gone while the agent was away) #1 retry 0ms", "starting 1", "running 1",
		}) // the log is told, and a new one is started
		b.is.Equal(of(2, b.reports())[2:], []string{"running 2 adopted", "unready 2", "stopped 2 (scaled down)"}) // no longer wanted
		b.is.Equal(len(b.driver.Alive()), 2)
	})
}

func TestWhatVanishedWithItsProcessIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, nil)
		b.want(1, 0)
		b.die()
		b.is.True(b.driver.Kill(b.driver.Alive()[0].Instance))
		b.start()
		b.tell(Update{Complete: true})
		b.is.Equal(b.reports()[2:], []string{"crashed 0 (gone while the agent was away) #1 retry 0ms"})
	})
}

func TestACrashLoopGoesOnSlowlyAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, sim.Always(sim.Life{StartError: errors.New("no bits")}))
		b.want(1, 0)
		b.pass(10 * time.Second) // crashes at 0, 1, 3 and 7 s; the next start is due at 15 s
		b.stop()
		before := len(b.reports())
		b.start()
		b.want(1, 0)
		b.is.Equal(len(b.reports()), before) // not started at once
		b.pass(5 * time.Second)
		b.is.True(strings.HasSuffix(b.reports()[before+1], "#5 retry 16000ms")) // at its time, and still counting
	})
}

func TestABadConfigIsRefused(t *testing.T) {
	is := is.New(t)
	_, err := New(Config{ID: "a.b", Driver: sim.New(nil), Source: make(wishes), Log: eventlog.NewMemory(events.NewRegistry())})
	is.True(err != nil) // an id must be a subject token
	_, err = New(Config{ID: "a"})
	is.True(err != nil) // everything it works with must be there
}

// BenchmarkReaction is the time from the wish for one more instance to the report that it is running, with fakes that are
// healthy at once: what the agent itself adds to a rollout's step.
func BenchmarkReaction(b *testing.B) {
	log := eventlog.NewMemory(events.NewRegistry())
	w := make(wishes)
	a, err := New(Config{ID: "agent-1", Driver: sim.New(nil), Source: w, Log: log})
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(b.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	running := make(chan struct{})
	go func() {
		_ = log.Follow(ctx, eventlog.Query{Filters: []string{events.AllInstanceSubjects}}, func(batch []events.Recorded) error {
			for _, c := range batch {
				for _, e := range c.Events {
					if e.Type() == events.TypeInstanceRunning {
						running <- struct{}{}
					}
				}
			}
			return nil
		})
	}()
	n := 0
	for b.Loop() {
		n++
		w <- Update{Apps: map[events.AppID][]ProcessSpec{"app-1": {{App: "app-1", AppName: "hello",
			Process: events.ProcessID(fmt.Sprint("p", n)), Type: "web", Instances: 1}}}}
		<-running
	}
	cancel()
	if err := <-ended; err != nil {
		b.Fatal(err)
	}
}

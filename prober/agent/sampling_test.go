package agent_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

// other is the broadcasts that another agent has up, one to each ingest.
type other struct {
	w      *world
	pusher string
	list   []prober.Broadcast
}

// push has another agent push to each of the ingests.
func push(w *world, pusher string, ingests ...string) *other {
	o := &other{w: w, pusher: pusher}
	w.change(func() {
		for _, in := range ingests {
			key := pusher + "-" + in
			w.live[key] = &fakeBroadcast{world: w, host: in, key: key, began: time.Now()}
			o.list = append(o.list, prober.Broadcast{Target: "video", Ingest: in, Run: key, Playback: key})
		}
	})
	return o
}

// end ends them.
func (o *other) end() {
	o.w.change(func() {
		for _, b := range o.list {
			delete(o.w.live, b.Playback)
		}
	})
}

// announce repeats the list until a time of the world.
func (o *other) announce(a *agent.Agent, until time.Duration) {
	for time.Since(o.w.begin) < until {
		a.Heard(prober.Broadcasts{Pusher: o.pusher, List: o.list})
		<-time.After(min(prober.AnnouncePeriod, until-time.Since(o.w.begin)))
	}
	o.w.until(until)
}

// foreign tells what was said of another agent's broadcasts.
func (w *world) foreign() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var lines []string
	for _, r := range w.results {
		if r.Pusher != "fra-1" {
			lines = append(lines, strings.Join(strings.Fields(fmt.Sprint(r.Pusher, " ", r.Ingest, ">", r.Playback, " ", r.Outcome, " ", r.Stage, " ", r.Reason)), " "))
		}
	}
	return lines
}

func sampled(every time.Duration, t prober.Target, probes ...prober.Probe) prober.Assignment {
	as := assign(t, probes...)
	as.Sampling.Every = every
	return as
}

// Each of the others' broadcasts has its turn, at every playback, beside the
// agent's own cells in one round.
func TestOthersBroadcastsAreSampledInTurn(t *testing.T) {
	t.Parallel()
	play(t, sampled(10*time.Second, target("fra", "nyc"), canaries, playbacks), func(w *world, a *agent.Agent) {
		nyc := push(w, "nyc-1", "fra", "nyc")
		defer nyc.end()
		a.Heard(prober.Broadcasts{Pusher: "fra-1", List: nyc.list}) // our own, which is no news
		nyc.list = append(nyc.list, prober.Broadcast{Target: "else", Ingest: "fra", Run: "x", Playback: "x"},
			prober.Broadcast{Target: "video", Ingest: "unheard", Run: "y", Playback: "y"})
		nyc.announce(a, 60*time.Second)
		got := map[string]int{}
		for _, line := range w.foreign() {
			got[line]++
		}
		if len(got) != 4 {
			t.Errorf("got %v", got)
		}
		for _, path := range []string{"fra>fra", "fra>nyc", "nyc>fra", "nyc>nyc"} {
			if n := got["nyc-1 "+path+" pass"]; n < 2 || n > 3 {
				t.Errorf("%s was sampled %d times in a minute: %v", path, n, got)
			}
		}
		for _, r := range w.results {
			if r.Pusher == "nyc-1" && (r.RoundOf != 6 || r.Kind != prober.KindPlayback || r.Figures.BytesReceived == 0 || !strings.HasPrefix(r.Run, "nyc-1-")) {
				t.Errorf("got %+v", r)
			}
		}
		if w.following != 4 {
			t.Errorf("%d followers go on", w.following)
		}
	})
}

// What is not seen is told once its pusher has said again that it is up.
func TestASampleThatFailsNeedsItsPushersWord(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		until time.Duration // is announced
		want  int
	}{"it still stands by it": {60 * time.Second, 4}, "it is silent": {3 * time.Second, 0}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, sampled(20*time.Second, target("fra"), canaries, playbacks), func(w *world, a *agent.Agent) {
				nyc := push(w, "nyc-1", "fra")
				nyc.end()
				nyc.announce(a, c.until)
				w.until(60 * time.Second)
				got := w.foreign()
				if c.want == 0 && len(got) != 0 || c.want > 0 && (len(got) < c.want || got[0] != "nyc-1 fra>fra fail manifest http_status") {
					t.Errorf("got %v", got)
				}
			})
		})
	}
}

// untilFollowing waits until so many followers run.
func (w *world) untilFollowing(n int) {
	w.t.Helper()
	for range 400 {
		is := 0
		w.change(func() { is = w.following })
		if is == n {
			return
		}
		w.until(time.Since(w.begin) + 50*time.Millisecond)
	}
	w.t.Fatalf("never %d followers", n)
}

// A look ends with the announcement of its broadcast, so that it holds up no other.
func TestALookEndsWithItsAnnouncement(t *testing.T) {
	t.Parallel()
	play(t, sampled(time.Second, target("fra", "nyc"), canaries, playbacks), func(w *world, a *agent.Agent) {
		nyc := push(w, "nyc-1", "fra", "nyc")
		defer nyc.end()
		w.change(func() { delete(w.live, "nyc-1-fra") })
		w.until(time.Second) // what is assigned is taken up
		a.Heard(prober.Broadcasts{Pusher: "nyc-1", List: nyc.list})
		w.untilFollowing(6) // our own four, and two that look at nyc-1-fra
		w.until(time.Since(w.begin) + 1500*time.Millisecond)
		w.untilFollowing(6)
		dropped := time.Since(w.begin)
		a.Heard(prober.Broadcasts{Pusher: "nyc-1", List: nyc.list[1:]})
		w.untilFollowing(4)
		if took := time.Since(w.begin) - dropped; took > 100*time.Millisecond {
			t.Errorf("the look went on for %v", took)
		}
		w.until(dropped + 4*time.Second)
		if got := w.foreign(); len(got) < 2 || strings.Contains(strings.Join(got, "|"), "nyc-1 fra>") {
			t.Errorf("told of %v, want of the other broadcast", got)
		}
	})
}

// Nothing bad is told of a look that ended so, though the broadcast comes back
// under the same run.
func TestALookThatIsGivenUpSaysNothing(t *testing.T) {
	t.Parallel()
	play(t, sampled(time.Second, target("fra"), canaries, playbacks), func(w *world, a *agent.Agent) {
		nyc := push(w, "nyc-1", "fra")
		nyc.end()
		w.until(time.Second)
		a.Heard(prober.Broadcasts{Pusher: "nyc-1", List: nyc.list})
		w.untilFollowing(2)
		w.until(time.Since(w.begin) + 1500*time.Millisecond)
		a.Heard(prober.Broadcasts{Pusher: "nyc-1"})
		w.until(time.Since(w.begin) + 50*time.Millisecond)
		a.Heard(prober.Broadcasts{Pusher: "nyc-1", List: nyc.list})
		w.until(time.Since(w.begin) + 4*time.Second) // two rounds, and the next look is not over yet
		if got := w.foreign(); len(got) > 0 {
			t.Errorf("told of %v", got)
		}
	})
}

// A sample that is never told counts against the budget like any other.
func TestASampleThatIsNotToldIsSpent(t *testing.T) {
	t.Parallel()
	play(t, sampled(5*time.Second, target("fra", "nyc"), canaries, playbacks), func(w *world, a *agent.Agent) {
		bad := fails(prober.Fail, prober.StageManifest, prober.ReasonHTTPStatus)
		w.change(func() { w.playback["nyc"] = bad })
		nyc := push(w, "nyc-1", "fra")
		defer nyc.end()
		w.until(time.Second)                                        // what is assigned is taken up
		a.Heard(prober.Broadcasts{Pusher: "nyc-1", List: nyc.list}) // and never again
		sampling := func() (yes bool) {
			w.change(func() { yes = w.following > 4 })
			return yes
		}
		for !sampling() && time.Since(w.begin) < 10*time.Second {
			w.until(time.Since(w.begin) + 100*time.Millisecond)
		}
		w.until(time.Since(w.begin) + 4*time.Second) // bytes come
		w.change(func() { w.playback["fra"] = bad })
		w.until(60 * time.Second)
		if got := w.foreign(); len(got) > 0 {
			t.Fatalf("told of %v", got)
		}
		var told int64
		for _, r := range w.results {
			told += r.Figures.BytesSent + r.Figures.BytesReceived
		}
		if spent := w.results[len(w.results)-1].Spending.LastHour; spent < told+3000 {
			t.Errorf("%d bytes were told, and %d spent; want those of the sample beside", told, spent)
		}
	})
}

// A canary is announced while it is up, at once and again and again, and without
// its key.
func TestCanariesAreAnnounced(t *testing.T) {
	t.Parallel()
	type told struct {
		at   time.Time
		runs int
	}
	var mu sync.Mutex
	var heard []told
	play(t, assign(target("fra", "nyc"), canaries, playbacks), func(w *world, _ *agent.Agent) {
		w.until(6500 * time.Millisecond)
		w.change(func() { w.refuses["fra"] = fails(prober.Fail, prober.StageConnect, prober.ReasonConnectionRefused) })
		w.kill("fra", fails(prober.Fail, prober.StageIngest, prober.ReasonConnectionReset))
		w.until(8 * time.Second)
		mu.Lock()
		defer mu.Unlock()
		for at, runs := range map[time.Duration]int{3 * time.Second: 2, 6 * time.Second: 2, 6500 * time.Millisecond: 1} {
			if !slices.ContainsFunc(heard, func(h told) bool {
				return h.runs == runs && h.at.Sub(w.begin).Round(100*time.Millisecond) == at
			}) {
				t.Errorf("%d broadcasts were not told at %v: %v", runs, at, heard)
			}
		}
	}, func(c *agent.Config) {
		c.Announce = func(list []prober.Broadcast) {
			for _, b := range list {
				if b.Target != "video" || b.Ingest == "" || b.Playback == "" || !strings.Contains(b.Run, "-run-") {
					t.Errorf("announced %+v", b)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			heard = append(heard, told{time.Now(), len(list)})
		}
	})
}

// The budget thins out samples first, then go-live rounds, and never a canary.
func TestTheBudgetThinsInOrder(t *testing.T) {
	t.Parallel()
	golive := every(prober.KindGoLive, 2*time.Minute)
	// One canary sends 1 kB a second and receives as much at its playback: 7.2 MB an hour.
	for name, c := range map[string]struct {
		budget        int64
		least, most   int // samples of 600
		golive, thins bool
	}{
		"plenty":                {40_000_000, 590, 600, true, false},
		"few samples":           {7_700_000, 1, 100, true, true},
		"the canary alone":      {3_000_000, 0, 0, false, true},
		"no bound":              {0, 590, 600, true, false},
		"not even the canaries": {1000, 0, 0, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			as := sampled(time.Second, target("fra"), canaries, playbacks, golive)
			as.Budget = c.budget
			play(t, as, func(w *world, a *agent.Agent) {
				nyc := push(w, "nyc-1", "fra")
				defer nyc.end()
				nyc.announce(a, 40*time.Minute)
				late := 0
				var lived, thinned int
				for _, r := range w.results {
					if r.Ended.Sub(w.begin) < 30*time.Minute {
						continue // what was saved is spent first
					}
					switch {
					case r.Pusher != "fra-1":
						late++
					case r.Kind == prober.KindGoLive && r.Playback == "" && r.Outcome == prober.Pass:
						lived++
					case r.Kind == prober.KindGoLive && r.Playback == "" && r.Reason == prober.ReasonBudget:
						thinned++
					case r.Kind == prober.KindCanary && r.Outcome != prober.Pass:
						t.Errorf("a canary was touched: %+v", r)
					}
				}
				last := w.results[len(w.results)-1]
				if late < c.least || late > c.most || (lived > 0) != c.golive || (thinned > 0) == c.golive {
					t.Errorf("%d samples, %d go-lives, %d thinned, spending %+v", late, lived, thinned, last.Spending)
				}
				if last.Spending.Limit != as.Budget || last.Spending.LastHour < 2_000_000 || (last.Spending.Thinned > 0) != c.thins {
					t.Errorf("spending %+v", last.Spending)
				}
			})
		})
	}
}

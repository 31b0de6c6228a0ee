package agent_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

func TestANewAssignmentDisturbsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	first := target("fra", "nyc")
	play(t, assign(first, canaries, playbacks), func(w *world, a *agent.Agent) {
		w.until(5 * time.Second)
		a.Assign(assign(target("fra", "nyc"), canaries, playbacks)) // says the same
		w.until(7 * time.Second)
		if w.published["fra"] != 1 || w.published["nyc"] != 1 || w.followers != 4 {
			t.Errorf("the same again: published %v, %d followers", w.published, w.followers)
		}

		changed := target("fra", "nyc", "sin")
		changed.Ingests[1].URL = "rtmp://nyc2/live/{stream}"
		changed.Playbacks = changed.Playbacks[1:]
		a.Assign(assign(changed, canaries, playbacks))
		w.until(9 * time.Second)
		if fmt.Sprint(w.published) != "map[fra:1 nyc:1 nyc2:1 sin:1]" {
			t.Errorf("published %v", w.published)
		}
		if len(w.live) != 3 || w.following != 6 || w.followers != 4+1+2+2 { // fra gets sin; nyc2 and sin get nyc and sin
			t.Errorf("%d broadcasts, %d followers", len(w.live), w.followers)
		}

		a.Assign(assign(changed, playbacks)) // the broadcasts are needed still
		w.until(9500 * time.Millisecond)
		w.kill("nyc2", fails(prober.Fail, prober.StageIngest, prober.ReasonConnectionReset)) // told to nobody
		w.until(11 * time.Second)
		// At 8 s its canary's round and the playback's, which proves it up, come together.
		if got := strings.Join(w.story(prober.KindCanary, "nyc", ""), "|"); got != "2 pass|4 pass|6 pass|8 inconclusive nothing_pushed" && got != "2 pass|4 pass|6 pass|8 pass" {
			t.Errorf("canary of nyc: %s", got)
		}
		w.expect(prober.KindCanary, "fra", "", "2 pass", "4 pass", "6 pass", "8 pass")
		w.expect(prober.KindPlayback, "fra", "nyc", "2 pass", "4 pass", "6 pass", "8 pass", "10 pass")
		w.expect(prober.KindPlayback, "fra", "sin", "8 pass", "10 pass")

		a.Assign(prober.Assignment{Revision: 1})
		w.until(13 * time.Second)
		if len(w.live)+len(w.streams) != 0 {
			t.Errorf("with nothing assigned: broadcasts %v, streams %v", w.live, w.streams)
		}
	})
}

func TestAnotherPlatformStartsAnew(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries), func(w *world, a *agent.Agent) {
		w.until(5 * time.Second)
		moved := target("fra")
		moved.Platform.API = "http://elsewhere"
		a.Assign(assign(moved, canaries))
		w.until(7 * time.Second)
		if len(w.live) != 1 || w.published["fra"] != 2 {
			t.Errorf("broadcasts %v, published %v", w.live, w.published)
		}
	})
}

func TestWhatCannotRunIsLeftOut(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	as := assign(target("fra"), canaries, prober.Probe{Kind: prober.KindGoLive, Target: "video", Schedule: "TZ=0"}, every(prober.KindRecording, time.Second))
	as.Targets = append(as.Targets, prober.Target{ID: "other", Platform: prober.Platform{Type: "unheard"}}, target("nyc"))
	play(t, as, func(w *world, _ *agent.Agent) {
		w.until(6500 * time.Millisecond)
		w.expect(prober.KindCanary, "fra", "", "2 inconclusive nothing_pushed", "4 inconclusive nothing_pushed", "6 pass")
		if len(w.results) != 3 {
			t.Errorf("%d results, want 3", len(w.results))
		}
	}, func(c *agent.Config) { c.Logger = textLogger(&log) })
	for _, want := range []string{"schedules are in UTC", "does not know its kind", "no such platform", "assigned twice"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log does not say %q:\n%s", want, log.String())
		}
	}
}

func TestProbeNow(t *testing.T) {
	t.Parallel()
	hourly := []prober.Probe{every(prober.KindCanary, time.Hour), every(prober.KindGoLive, time.Hour)}
	play(t, assign(target("fra"), hourly...), func(w *world, a *agent.Agent) {
		w.until(10 * time.Second)
		req := prober.ProbeNow{ID: "1", Target: "video", Rounds: 3, Spacing: 2 * time.Second,
			Kinds: []prober.Kind{prober.KindGoLive, prober.KindCanary, prober.KindPlayback, prober.KindAPI}}
		a.ProbeNow(req)
		a.ProbeNow(req) // the same
		other := req
		other.ID, other.Target = "2", "unknown"
		a.ProbeNow(other)
		w.until(40 * time.Second)
		w.expect(prober.KindGoLive, "fra", "", "15 pass", "17 pass", "19 pass")
		w.expect(prober.KindCanary, "fra", "", "10 pass", "12 pass", "14 pass")
		w.expect(prober.KindPlayback, "fra", "fra") // not assigned
	})
}

func TestProbeNowIsBounded(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), every(prober.KindGoLive, time.Hour)), func(w *world, a *agent.Agent) {
		w.until(time.Second)
		a.ProbeNow(prober.ProbeNow{ID: "1", Target: "video", Rounds: 1e9, Kinds: []prober.Kind{prober.KindGoLive}})
		w.until(20 * time.Second)
		got := map[string]int{}
		for _, line := range w.story(prober.KindGoLive, "fra", "") {
			got[line]++
		}
		if fmt.Sprint(got) != "map[1 inconclusive overlap:4 6 pass:8]" {
			t.Errorf("got %v", got)
		}
	})
}

func TestDroppedIsPassedOn(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries), func(w *world, _ *agent.Agent) {
		w.until(3 * time.Second)
		if r := w.results[0]; r.Dropped != 7 || r.Control != prober.ControlUnknown {
			t.Errorf("got %+v", r)
		}
	}, func(c *agent.Config) { c.Dropped = func() uint64 { return 7 } })
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	if _, err := agent.New(agent.Config{Agent: "fra-1"}); err == nil {
		t.Error("an agent without a sink was made")
	}
}

// Two targets may share an account: the sweep of one leaves the other alone.
func TestTargetsThatShareAnAccount(t *testing.T) {
	t.Parallel()
	first := assign(target("fra"), canaries)
	play(t, first, func(w *world, a *agent.Agent) {
		w.until(3 * time.Second)
		second := target("nyc")
		second.ID = "other"
		probe := canaries
		probe.Target = "other"
		first.Targets, first.Probes = append(first.Targets, second), append(first.Probes, probe)
		a.Assign(first)
		w.until(5 * time.Second)
		if len(w.streams) != 2 || len(w.live) != 2 {
			t.Errorf("streams %v, broadcasts %v", w.streams, w.live)
		}
	})
}

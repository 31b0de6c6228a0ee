package agent_test

import (
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

var (
	canaries  = every(prober.KindCanary, 2*time.Second)
	playbacks = every(prober.KindPlayback, 2*time.Second)
)

func TestAHealthyCanaryPasses(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra", "nyc"), canaries, playbacks), func(w *world, _ *agent.Agent) {
		w.until(6500 * time.Millisecond)
		for _, in := range []string{"fra", "nyc"} {
			w.expect(prober.KindCanary, in, "", "2 pass", "4 pass", "6 pass")
			for _, p := range []string{"fra", "nyc"} {
				w.expect(prober.KindPlayback, in, p, "2 pass", "4 pass", "6 pass")
			}
		}
		of := map[prober.Kind]int{prober.KindCanary: 2, prober.KindPlayback: 4}
		for _, r := range w.results {
			if r.RoundOf != of[r.Kind] || r.Figures.Interruptions != 0 {
				t.Errorf("got %+v", r)
			}
		}
	})
}

func TestADropAndAReconnectAreToldAtOnce(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra", "nyc"), canaries, playbacks), func(w *world, _ *agent.Agent) {
		w.until(8300 * time.Millisecond)
		w.change(func() { w.refuses["fra"] = fails(prober.Fail, prober.StageConnect, prober.ReasonConnectionRefused) })
		w.kill("fra", fails(prober.Fail, prober.StageIngest, prober.ReasonConnectionReset))
		w.until(12900 * time.Millisecond)
		w.change(func() { w.refuses["fra"] = nil })
		w.until(18500 * time.Millisecond)

		got := w.story(prober.KindCanary, "fra", "")
		back := time.Duration(0)
		for _, r := range w.results {
			switch {
			case strings.HasSuffix(r.Round, "-drop-1"):
				if r.RoundOf != 1 || r.Figures.Interruptions != 1 || r.Outcome != prober.Fail {
					t.Errorf("the drop is %+v", r)
				}
			case strings.HasSuffix(r.Round, "-up-1"):
				back = r.Ended.Sub(w.begin)
				down := r.Figures.InterruptionTime
				if r.RoundOf != 1 || r.Outcome != prober.Pass || r.Figures.Interruptions != 1 || down < 4600*time.Millisecond || down > 6600*time.Millisecond {
					t.Errorf("the reconnect is %+v", r)
				}
			}
		}
		if back < 13900*time.Millisecond || back > 16100*time.Millisecond {
			t.Errorf("back at %v; all of it: %v", back, got)
		}
		wantBegin := []string{"2 pass", "4 pass", "6 pass", "8 pass", "8.3 fail ingest connection_reset",
			"10 fail connect connection_refused", "12 fail connect connection_refused"}
		if strings.Join(got[:len(wantBegin)], "|") != strings.Join(wantBegin, "|") || got[len(got)-1] != "18 pass" {
			t.Errorf("got %v", got)
		}
		w.expect(prober.KindCanary, "nyc", "", "2 pass", "4 pass", "6 pass", "8 pass", "10 pass", "12 pass", "14 pass", "16 pass", "18 pass")
		cell := w.story(prober.KindPlayback, "fra", "nyc")
		if cell[4] != "10 inconclusive nothing_pushed" || cell[5] != "12 inconclusive nothing_pushed" || cell[8] != "18 pass" {
			t.Errorf("its cell: %v", cell)
		}
	})
}

func TestPublishStartProvesNothing(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries), func(w *world, _ *agent.Agent) {
		w.change(func() { w.resets["fra"] = 30 * time.Millisecond })
		w.until(6500 * time.Millisecond)
		w.expect(prober.KindCanary, "fra", "", "2 fail ingest connection_reset", "4 fail ingest connection_reset", "6 fail ingest connection_reset")
		if n := w.published["fra"]; n < 4 || n > 7 {
			t.Errorf("published %d times in 6.5 s, want a backoff from 0.25 s to 2 s", n)
		}
	})
}

// Without a playback that could bring the marker back, holding is the proof.
func TestABroadcastThatIsOnlyHeldIsUpAfterFiveSeconds(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries), func(w *world, _ *agent.Agent) {
		w.until(6500 * time.Millisecond)
		w.expect(prober.KindCanary, "fra", "", "2 inconclusive nothing_pushed", "4 inconclusive nothing_pushed", "6 pass")
	})
}

func TestASilentReconnectProvesNothingUntilItHolds(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries, playbacks), func(w *world, _ *agent.Agent) {
		w.until(2500 * time.Millisecond)
		w.change(func() { w.swallows["fra"] = true })
		w.kill("fra", fails(prober.Fail, prober.StageIngest, prober.ReasonConnectionClosed))
		w.until(12500 * time.Millisecond)
		got := strings.Join(w.story(prober.KindCanary, "fra", ""), "|")
		want := "2 pass|2.5 fail ingest connection_closed|4 inconclusive nothing_pushed|6 inconclusive nothing_pushed|7.7 pass|8 pass|10 pass|12 pass"
		if got != want && got != strings.Replace(want, "7.7", "7.6", 1) {
			t.Errorf("got %s", got)
		}
		// Its playback is excused for eight seconds after the restart, not longer.
		w.expect(prober.KindPlayback, "fra", "fra", "2 pass", "4 inconclusive nothing_pushed", "6 inconclusive nothing_pushed",
			"8 inconclusive nothing_pushed", "10 inconclusive nothing_pushed", "12 fail manifest http_status")
	})
}

// An ingest that was not told of a connection's end refuses the name for as long
// as it believes in that connection. A reconnect must not wait for that.
func TestANameThatIsStillInUseIsLeftBehind(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries, playbacks), func(w *world, _ *agent.Agent) {
		w.until(2500 * time.Millisecond)
		w.change(func() { w.unheard["fra"] = true })
		w.kill("fra", fails(prober.Fail, prober.StageIngest, prober.ReasonSendStalled))
		w.until(2600 * time.Millisecond)
		w.change(func() { w.unheard["fra"] = false })
		w.until(8500 * time.Millisecond)
		got := strings.Join(w.story(prober.KindCanary, "fra", ""), "|")
		if !strings.HasPrefix(got, "2 pass|2.5 fail ingest send_stalled|4 inconclusive nothing_pushed|4.") ||
			!strings.HasSuffix(got, " pass|6 pass|8 pass") {
			t.Errorf("got %s", got)
		}
		if got := w.story(prober.KindPlayback, "fra", "fra"); got[len(got)-1] != "8 pass" {
			t.Errorf("its playback: %v", got)
		}
		w.change(func() {
			if len(w.streams) != 1 || len(w.live) != 2 {
				t.Errorf("streams %v, live %v; want the new stream alone, and beside its broadcast the one that is believed in", w.streams, w.live)
			}
			for key := range w.live {
				if !w.streams[key] {
					delete(w.live, key)
				}
			}
		})
	})
}

func TestARefusedKeySaysNothing(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries, playbacks), func(w *world, _ *agent.Agent) {
		w.change(func() {
			w.api = fails(prober.Inconclusive, prober.StageProvision, prober.ReasonAPIUnauthorized)
		})
		w.until(2500 * time.Millisecond)
		w.change(func() { w.api = nil })
		w.until(12500 * time.Millisecond)
		got := w.story(prober.KindCanary, "fra", "")
		if got[0] != "2 inconclusive provision api_unauthorized" || got[len(got)-1] != "12 pass" {
			t.Errorf("got %v", got)
		}
		if cell := w.story(prober.KindPlayback, "fra", "fra"); cell[0] != "2 inconclusive nothing_pushed" {
			t.Errorf("its cell: %v", cell)
		}
	})
}

func TestAPlaybackThatFails(t *testing.T) {
	t.Parallel()
	gone := fails(prober.Fail, prober.StageManifest, prober.ReasonHTTPStatus)
	refused := fails(prober.Fail, prober.StageConnect, prober.ReasonConnectionRefused)
	for name, c := range map[string]struct {
		failure *prober.Failure
		at      time.Duration // 0: from the start
		down    bool          // the broadcast drops too, and cannot come back
		want    []string
	}{
		"from the start, after its grace": {gone, 0, false, []string{"2 inconclusive nothing_pushed", "4 inconclusive nothing_pushed",
			"6 inconclusive nothing_pushed", "8 fail manifest http_status", "10 fail manifest http_status"}},
		"later, at once":                {gone, 5 * time.Second, false, []string{"2 pass", "4 pass", "6 fail manifest http_status", "8 fail manifest http_status", "10 fail manifest http_status"}},
		"an endpoint, without grace":    {refused, 0, false, []string{"2 fail connect connection_refused", "4 fail connect connection_refused", "6 fail connect connection_refused", "8 fail connect connection_refused", "10 fail connect connection_refused"}},
		"an endpoint of nothing pushed": {refused, 5 * time.Second, true, []string{"2 pass", "4 pass", "6 fail connect connection_refused", "8 fail connect connection_refused", "10 fail connect connection_refused"}},
		"a playlist of nothing pushed":  {gone, 5 * time.Second, true, []string{"2 pass", "4 pass", "6 inconclusive nothing_pushed", "8 inconclusive nothing_pushed", "10 inconclusive nothing_pushed"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, assign(target("fra", "nyc"), canaries, playbacks), func(w *world, _ *agent.Agent) {
				w.until(c.at)
				w.change(func() { w.playback["nyc"] = c.failure })
				if c.down {
					w.change(func() { w.refuses["fra"] = refused })
					w.kill("fra", fails(prober.Fail, prober.StageIngest, prober.ReasonConnectionReset))
				}
				w.until(10500 * time.Millisecond)
				w.expect(prober.KindPlayback, "fra", "nyc", c.want...)
				w.expect(prober.KindPlayback, "nyc", "fra", "2 pass", "4 pass", "6 pass", "8 pass", "10 pass")
				for _, r := range w.results {
					if late := r.Ended.Sub(w.begin) > 7*time.Second; late && r.Outcome == prober.Fail && r.Figures.LatencyLast != 0 {
						t.Errorf("a latency without a segment: %+v", r)
					}
				}
			})
		})
	}
}

// Each interruption is measured by itself, and the first reconnect after one is quick.
func TestTwoInterruptions(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries, playbacks), func(w *world, _ *agent.Agent) {
		drop := fails(prober.Fail, prober.StageIngest, prober.ReasonConnectionReset)
		w.until(4500 * time.Millisecond)
		w.change(func() { w.refuses["fra"] = drop })
		w.kill("fra", drop)
		w.until(14500 * time.Millisecond)
		w.change(func() { w.refuses["fra"] = nil })
		w.until(22500 * time.Millisecond) // more than 5 s after the reconnect, whenever that was
		w.kill("fra", drop)
		w.until(24500 * time.Millisecond)
		var times []time.Duration
		for _, r := range w.results {
			if r.Figures.InterruptionTime > 0 {
				times = append(times, r.Figures.InterruptionTime)
			}
		}
		if len(times) != 2 || times[0] < 10*time.Second || times[1] > 250*time.Millisecond {
			t.Errorf("interruptions of %v, want one of 10 s and one of less than 0.25 s", times)
		}
		last := w.results[len(w.results)-1]
		for _, r := range w.results {
			if r.Kind == prober.KindCanary {
				last = r
			}
		}
		if sent := last.Figures.BytesSent; sent < 1700 || sent > 1900 { // one a millisecond, but for the gap from 22.5 s to about 22.7 s
			t.Errorf("%d bytes sent in the round after a reconnect", sent)
		}
	})
}

// After a reconnect what a playback still shows from before it is no proof.
func TestAnOldMarkerProvesNothing(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries, playbacks), func(w *world, _ *agent.Agent) {
		w.until(4500 * time.Millisecond)
		w.change(func() { w.old = time.Now() })
		w.kill("fra", fails(prober.Fail, prober.StageIngest, prober.ReasonConnectionReset))
		w.until(14500 * time.Millisecond)
		got := strings.Join(w.story(prober.KindCanary, "fra", ""), "|")
		want := "2 pass|4 pass|4.5 fail ingest connection_reset|6 inconclusive nothing_pushed|8 inconclusive nothing_pushed|9.7 pass|10 pass|12 pass|14 pass"
		if got != want && got != strings.Replace(want, "9.7", "9.6", 1) {
			t.Errorf("got %s", got)
		}
		w.expect(prober.KindPlayback, "fra", "fra", "2 pass", "4 pass", "6 inconclusive nothing_pushed", "8 inconclusive nothing_pushed",
			"10 inconclusive nothing_pushed", "12 inconclusive nothing_pushed", "14 fail media marker_missing")
	})
}

// A canary stays up for days: each drop is counted and timed by itself, the first
// reconnect after it is as quick as ever, and nothing piles up.
func TestACanaryStaysUpForDays(t *testing.T) {
	t.Parallel()
	seldom := rotated(6*time.Hour, "")
	seldom.Schedule = "@every 1m"
	play(t, assign(target("fra"), seldom, every(prober.KindPlayback, time.Minute)), func(w *world, _ *agent.Agent) {
		const drops = 26
		for i := range drops {
			w.until(time.Duration(i+1)*time.Hour + 20*time.Second)
			w.kill("fra", fails(prober.Fail, prober.StageIngest, prober.ReasonConnectionReset))
		}
		w.until((drops + 1) * time.Hour)
		var dropped, back int
		last := 0
		for _, r := range w.results {
			switch {
			case strings.Contains(r.Round, "-drop-"):
				dropped++
			case strings.Contains(r.Round, "-up-"):
				back++
				if down := r.Figures.InterruptionTime; down <= 0 || down > 500*time.Millisecond {
					t.Errorf("interruption %d took %v", back, down)
				}
			case r.Kind == prober.KindCanary:
				last = r.Figures.Interruptions
			}
		}
		if dropped != drops || back != drops || last != drops {
			t.Errorf("%d drops, %d reconnects, %d interruptions counted, want %d", dropped, back, last, drops)
		}
		if w.following != 1 || len(w.live) != 1 || len(w.streams) != 1 {
			t.Errorf("%d followers, broadcasts %v, streams %v", w.following, w.live, w.streams)
		}
	})
}

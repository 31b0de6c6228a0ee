package agent_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

func rotated(after time.Duration, how prober.Rotation) prober.Probe {
	p := canaries
	p.RotateAfter, p.Rotate = after, how
	return p
}

// runsOf lists the runs of an ingest's canary, in their order.
func runsOf(w *world, ingest string) []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var runs []string
	for _, r := range w.results {
		if r.Kind == prober.KindCanary && r.Ingest == ingest && (len(runs) == 0 || runs[len(runs)-1] != r.Run) {
			runs = append(runs, r.Run)
		}
	}
	return runs
}

// A fresh broadcast is up and seen everywhere before the old one ends, so every
// round passes, at the push side and at every playback.
func TestRotationIsNoDrop(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra", "nyc"), rotated(20*time.Second, ""), playbacks), func(w *world, _ *agent.Agent) {
		w.until(90 * time.Second)
		for _, in := range []string{"fra", "nyc"} {
			if runs := runsOf(w, in); len(runs) < 4 || len(runs) > 5 || len(slices.Compact(slices.Sorted(slices.Values(runs)))) != len(runs) {
				t.Errorf("runs to %s: %v, want a fresh one after 20 to 22 s", in, runs)
			}
		}
		for _, r := range w.results {
			if r.Outcome != prober.Pass || r.Figures.Interruptions != 0 {
				t.Errorf("got %+v", r)
			}
		}
		if len(w.live) != 2 || len(w.streams) != 2 {
			t.Errorf("broadcasts %v, streams %v", w.live, w.streams)
		}
	})
}

func TestRotationKeepsTheCount(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), rotated(20*time.Second, prober.RotateStream), playbacks), func(w *world, _ *agent.Agent) {
		w.until(5 * time.Second)
		w.kill("fra", fails(prober.Fail, prober.StageIngest, prober.ReasonConnectionReset))
		w.until(40 * time.Second)
		last := w.results[len(w.results)-1]
		for _, r := range w.results {
			if r.Kind == prober.KindCanary {
				last = r
			}
		}
		if runs := runsOf(w, "fra"); len(runs) != 2 || last.Figures.Interruptions != 1 {
			t.Errorf("runs %v, last %+v", runs, last)
		}
	})
}

// What cannot come up is no failure of the old broadcast, which goes on.
func TestARotationThatFailsChangesNothing(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	play(t, assign(target("fra"), rotated(20*time.Second, ""), playbacks), func(w *world, _ *agent.Agent) {
		w.until(10 * time.Second)
		w.change(func() { w.refuses["fra"] = fails(prober.Fail, prober.StagePublish, prober.ReasonPublishRejected) })
		w.until(95 * time.Second)
		if runs := runsOf(w, "fra"); len(runs) != 1 || len(w.live) != 1 || len(w.streams) != 1 {
			t.Errorf("runs %v, broadcasts %v, streams %v", runs, w.live, w.streams)
		}
		w.change(func() { w.refuses["fra"] = nil })
		w.until(130 * time.Second)
		if runs := runsOf(w, "fra"); len(runs) < 2 {
			t.Errorf("runs %v: it was not tried again", runs)
		}
		for _, r := range w.results {
			if r.Outcome != prober.Pass {
				t.Errorf("got %+v", r)
			}
		}
	}, func(c *agent.Config) { c.Logger = textLogger(&log) })
	if !strings.Contains(log.String(), "as old as it may be") {
		t.Errorf("the log does not tell of it:\n%s", log.String())
	}
}

// A connection is replaced at once, and that is no drop. So it is where an
// ingest has one key, which two cannot hold.
func TestRotationOfAConnection(t *testing.T) {
	t.Parallel()
	fixed := target("fra")
	fixed.Ingests[0].URL, fixed.Playbacks[0].URL = "rtmp://fra/live/key", "http://fra/hls/key/index.m3u8"
	for name, c := range map[string]struct {
		target prober.Target
		how    prober.Rotation
	}{"as asked": {target("fra"), prober.RotateConnection}, "one key": {fixed, prober.RotateStream}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, assign(c.target, rotated(20*time.Second, c.how), playbacks), func(w *world, _ *agent.Agent) {
				w.until(60 * time.Second)
				if n := w.published["fra"]; n != 3 || len(runsOf(w, "fra")) != 1 {
					t.Errorf("published %d times, runs %v", n, runsOf(w, "fra"))
				}
				passed := 0
				for _, r := range w.results {
					if r.Outcome == prober.Fail || r.Figures.Interruptions != 0 || r.Figures.InterruptionTime != 0 {
						t.Errorf("got %+v", r)
					}
					if r.Outcome == prober.Pass {
						passed++
					}
				}
				if passed < len(w.results)-4 {
					t.Errorf("%d of %d passed", passed, len(w.results))
				}
			})
		})
	}
}

// A server may hold the one key for a moment after the connection was ended. Longer
// than that it is a drop.
func TestRotationWhereTheNameIsHeld(t *testing.T) {
	t.Parallel()
	fixed := target("fra")
	fixed.Ingests[0].URL, fixed.Playbacks[0].URL = "rtmp://fra/live/key", "http://fra/hls/key/index.m3u8"
	for name, c := range map[string]struct {
		held  time.Duration
		drops int
	}{"for a moment": {3 * time.Second, 0}, "for good": {12 * time.Second, 1}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			play(t, assign(fixed, rotated(20*time.Second, prober.RotateConnection), playbacks), func(w *world, _ *agent.Agent) {
				w.until(15 * time.Second)
				w.change(func() { w.refuses["fra"] = fails(prober.Fail, prober.StagePublish, prober.ReasonPublishNameInUse) })
				w.until(20*time.Second + c.held)
				w.change(func() { w.refuses["fra"] = nil })
				w.until(38 * time.Second)
				drops, away := 0, time.Duration(0)
				for _, r := range w.results {
					away += r.Figures.InterruptionTime
					drops = max(drops, r.Figures.Interruptions)
					if r.Outcome == prober.Fail && c.drops == 0 {
						t.Errorf("got %+v", r)
					}
				}
				if drops != c.drops || w.published["fra"] != 2 {
					t.Errorf("%d drops, published %d times", drops, w.published["fra"])
				}
				// It is turned after 20 to 22 s and free at 32 s; attempts are 2 s apart at most.
				if c.drops == 1 && (away < 10*time.Second || away > 14*time.Second) {
					t.Errorf("an interruption of %v", away)
				}
			})
		})
	}
}

// A connection that does not come back after its turn has dropped, all the same.
func TestARotationIntoAnOutageIsADrop(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), rotated(20*time.Second, prober.RotateConnection), playbacks), func(w *world, _ *agent.Agent) {
		w.until(10 * time.Second)
		w.change(func() { w.refuses["fra"] = fails(prober.Fail, prober.StageConnect, prober.ReasonConnectionRefused) })
		w.until(30 * time.Second)
		last := w.story(prober.KindCanary, "fra", "")
		if got := last[len(last)-1]; got != "30 fail connect connection_refused" {
			t.Errorf("got %v", last)
		}
		w.change(func() { w.refuses["fra"] = nil })
		w.until(40 * time.Second)
		for _, r := range w.results {
			if strings.HasSuffix(r.Round, "-up-1") && r.Figures.InterruptionTime > 5*time.Second {
				return
			}
		}
		t.Errorf("its end is not told: %v", w.story(prober.KindCanary, "fra", ""))
	})
}

// A stream that the platform has forgotten is made again, soon at first.
func TestAForgottenStreamIsMadeAgain(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries, playbacks), func(w *world, _ *agent.Agent) {
		w.until(5 * time.Second)
		w.change(func() {
			w.forgotten = map[string]bool{}
			for name := range w.streams {
				w.forgotten[name] = true
			}
		})
		w.kill("fra", fails(prober.Fail, prober.StageIngest, prober.ReasonConnectionReset))
		w.until(20 * time.Second)
		got := w.story(prober.KindCanary, "fra", "")
		if got[len(got)-1] != "20 pass" || len(w.streams) != 1 {
			t.Errorf("got %v, streams %v", got, w.streams)
		}
	})
}

// An ingest that turns every stream away is not asked to take ever more of them.
func TestAnOutageMakesFewStreams(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries), func(w *world, _ *agent.Agent) {
		w.change(func() { w.refuses["fra"] = fails(prober.Fail, prober.StagePublish, prober.ReasonPublishDenied) })
		w.until(time.Hour)
		if w.deletes < 5 || w.deletes > 20 {
			t.Errorf("%d streams were made and deleted in an hour", w.deletes)
		}
	})
}

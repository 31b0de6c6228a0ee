package incident

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// plays is a round that pulls: how each cell plays, degraded with a reason or well.
func (r *rig) plays(agent int, how func(in, out string) prober.Reason) {
	r.round++
	a, round, of := fmt.Sprintf("a%d", agent), fmt.Sprint(r.round), len(regions)*len(regions)
	for _, in := range regions {
		for _, out := range regions {
			x := prober.Result{Agent: a, Kind: prober.KindPlayback, Ingest: in, Playback: out, Round: round, RoundOf: of, Run: a + in}
			r.seqs[a]++
			x.Seq, x.Target, x.Pusher, x.Boot, x.Control, x.Outcome = r.seqs[a], "live", a, "boot", prober.ControlPass, prober.Pass
			if why := how(in, out); why != "" {
				x.Outcome, x.Stage, x.Reason = prober.Degraded, prober.StageLatency, why
			}
			r.step(Input{Result: &x})
		}
	}
}

func TestQuality(t *testing.T) {
	t.Parallel()
	late, stale := prober.ReasonLatencyHigh, prober.ReasonPlaylistStale
	for _, tt := range []struct {
		name   string
		how    func(in, out string) prober.Reason
		title  string
		status map[string]Status // of the components that are not operational
	}{
		{"one playback", func(_, out string) prober.Reason { return when(out == "fra", stale) }, "Playback is degraded in Frankfurt",
			map[string]Status{"playback-fra": DegradedPerformance}},
		{"one playback is late", func(_, out string) prober.Reason { return when(out == "fra", late) }, "Live latency is high in Frankfurt",
			map[string]Status{"playback-fra": DegradedPerformance}},
		{"one playback stands still", func(_, out string) prober.Reason { return when(out == "nyc", prober.ReasonRebuffering) }, "Playback is interrupted in New York",
			map[string]Status{"playback-nyc": DegradedPerformance}},
		{"one ingest", func(in, _ string) prober.Reason { return when(in == "sin", late) }, "Live latency is high of broadcasts pushed in Singapore",
			map[string]Status{"ingest-sin": DegradedPerformance}},
		{"everything", func(_, _ string) prober.Reason { return stale }, "Playback is degraded",
			map[string]Status{"playback-fra": DegradedPerformance, "playback-nyc": DegradedPerformance, "playback-sin": DegradedPerformance}},
		{"nothing", func(_, _ string) prober.Reason { return "" }, "", nil},
		{"one path", func(in, out string) prober.Reason { return when(in == "fra" && out == "sin", stale) }, "", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, nil, nil)
			r.warm()
			r.every(20, func(_, i int) { r.canaries(i, nil); r.plays(i, tt.how) })
			r.pass(time.Second)
			view := r.policy.View(r.state)
			title := ""
			for _, in := range view.Incidents {
				title += in.Name
				if in.Impact != ImpactMinor {
					t.Errorf("impact %s, want minor", in.Impact)
				}
			}
			if title != tt.title {
				t.Errorf("title %q, want %q", title, tt.title)
			}
			for _, c := range view.Components {
				want := tt.status[c.ID]
				if want == "" {
					want = Operational
				}
				if c.Status != want {
					t.Errorf("%s is %s, want %s", c.ID, c.Status, want)
				}
			}
			r.every(20, func(_, i int) { r.canaries(i, nil); r.plays(i, func(_, _ string) prober.Reason { return "" }) })
			r.every(40, func(_, i int) { r.canaries(i, nil); r.plays(i, func(_, _ string) prober.Reason { return "" }) })
			if n := len(r.policy.View(r.state).Incidents); n != 0 {
				t.Errorf("%d incidents are open long after it was good again", n)
			}
		})
	}
}

func when(yes bool, why prober.Reason) prober.Reason {
	if yes {
		return why
	}
	return ""
}

// TestOutageIsNotAlsoBad keeps an outage's words free of the quality of what is out.
func TestOutageIsNotAlsoBad(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	r.every(20, func(_, i int) {
		r.canaries(i, nil)
		r.plays(i, func(_, out string) prober.Reason { return when(out == "fra", prober.ReasonPlaylistStale) })
	})
	r.every(20, func(_, i int) {
		r.canaries(i, nil)
		r.cells(i, prober.KindPlayback, func(_, out string) prober.Stage {
			return map[bool]prober.Stage{true: prober.StageManifest}[out == "fra"]
		})
	})
	view := r.policy.View(r.state)
	if len(view.Incidents) != 1 {
		t.Fatalf("%d incidents are open, want 1", len(view.Incidents))
	}
	in := view.Incidents[0]
	last := in.Updates[len(in.Updates)-1].Body
	if in.Name != "Playback is failing in Frankfurt" || strings.Contains(last, "degraded") || strings.Contains(last, "delays") {
		t.Errorf("%q: %q", in.Name, last)
	}
}

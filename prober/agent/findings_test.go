package agent_test

import (
	"fmt"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
)

func finding(severity prober.Severity, where string, count int) prober.Finding {
	return prober.Finding{Section: "4.4.3.1", Severity: severity, Stage: prober.StageManifest,
		Reason: prober.ReasonPlaylistMalformed, Where: where, Detail: "as the test has it", Count: count}
}

// Each result tells what was found since the last one, however often the
// follower was asked in between, and each thing once.
func TestFindingsAreToldOnce(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries, playbacks), func(w *world, _ *agent.Agent) {
		w.change(func() {
			w.findings = []prober.Finding{finding(prober.SeverityNote, "720p", 1), finding(prober.SeverityFail, "360p", 2)}
			w.asked = []prober.Finding{finding(prober.SeverityNote, "connection", 1)}
		})
		w.until(5 * time.Second)
		w.change(func() { w.findings, w.asked[0].Count = nil, 3 })
		w.until(8500 * time.Millisecond)
		var pushed []string
		pulled, last, watched := map[string]int{}, 0, time.Duration(0)
		for _, r := range w.results {
			said := ""
			for _, f := range r.Findings {
				said += fmt.Sprint(f.Severity, " ", f.Where, " ", f.Count, "; ")
			}
			if r.Kind == prober.KindCanary {
				pushed = append(pushed, said)
				if r.Figures.SendQueue != 7 {
					t.Errorf("send queue of %+v", r)
				}
				continue
			}
			for _, f := range r.Findings {
				pulled[f.Where] += f.Count
			}
			last, watched = len(r.Findings), watched+r.Figures.Viewing.Watched
			counted(t, r.Figures)
			if r.Figures.Proof != prober.MeansSEI || r.Figures.LatencyBy != prober.MeansSEI {
				t.Errorf("means of %+v", r)
			}
		}
		if got, want := fmt.Sprintf("%q", pushed), `["note connection 1; " "" "note connection 2; " ""]`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		// It plays from 1 s on, looked at each 100 ms: findings until 5 s, the last result at 8 s.
		if n := pulled["720p"]; n < 39 || n > 41 || pulled["360p"] != 2*n || last != 0 {
			t.Errorf("got %v, and %d in the last", pulled, last)
		}
		if watched < 6900*time.Millisecond || watched > 7100*time.Millisecond {
			t.Errorf("watched %v", watched)
		}
	})
}

// counted holds what a follower counts against the segments that came.
func counted(t *testing.T, f prober.Figures) {
	t.Helper()
	if len(f.Renditions) != 1 {
		t.Errorf("renditions %+v", f.Renditions)
		return
	}
	n := f.Renditions[0].Downloaded
	if n < 10 || f.Skipped != n || f.Missed != 2*n || f.Recovered != 3*n || f.PartLatency != mediaDelay/4 || f.Renditions[0].PeakBitrate != 7 {
		t.Errorf("figures %+v", f)
	}
}

// A result has a bound, and the gravest is within it.
func TestFindingsAreBounded(t *testing.T) {
	t.Parallel()
	play(t, assign(target("fra"), canaries, playbacks), func(w *world, _ *agent.Agent) {
		w.change(func() {
			for i := range 2 * prober.MaxFindings {
				w.findings = append(w.findings, finding(prober.SeverityNote, fmt.Sprint(i), 1))
			}
			w.findings = append(w.findings, finding(prober.SeverityFail, "last", 1))
		})
		w.until(4500 * time.Millisecond)
		last := w.results[len(w.results)-1].Findings
		if w.results[len(w.results)-1].Kind == prober.KindCanary {
			last = w.results[len(w.results)-2].Findings
		}
		if len(last) != prober.MaxFindings || last[0].Where != "last" {
			t.Errorf("got %+v", last)
		}
	})
}

package summary_test

import (
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/summary"
)

// However long it goes on, what is kept is bounded, and covers all of the time.
func TestRecorderIsBounded(t *testing.T) {
	t.Parallel()
	r := summary.NewRecorder(summary.Summary{Began: began()})
	const seconds = 100_000
	outcomes := []prober.Outcome{prober.Pass, prober.Fail}
	for i := range seconds {
		at := began().Add(time.Duration(i) * time.Second)
		s := summary.Unmeasured(at)
		s.Sent, s.Buffer = 500_000, time.Duration(i%10)*time.Second
		r.Sample(s)
		if i%100 == 0 {
			r.Add(prober.Result{Outcome: outcomes[i/100%2], Stage: prober.StageIngest, Ended: at, Findings: []prober.Finding{{Where: at.String()}}})
		}
	}
	got := r.End(began().Add(seconds*time.Second), nil)
	if n := len(got.Samples); n > summary.MaxSamples || n < summary.MaxSamples/2-1 {
		t.Errorf("%d samples, want half of %d up to it", n, summary.MaxSamples)
	}
	if len(got.Events) != summary.MaxEvents || len(got.Findings) != summary.MaxFindings {
		t.Errorf("%d events and %d findings, want the bounds %d and %d", len(got.Events), len(got.Findings), summary.MaxEvents, summary.MaxFindings)
	}
	first, last := got.Samples[0], got.Samples[len(got.Samples)-1]
	if first.At.Sub(began()) > time.Hour || began().Add(seconds*time.Second).Sub(last.At) > time.Hour {
		t.Errorf("samples are from %v to %v", first.At, last.At)
	}
	for i, s := range got.Samples {
		if s.Sent != 500_000 || s.Buffer != 0 || s.Latency != -1 {
			t.Fatalf("sample %d is %+v: rates are means, a buffer its least, and what was not measured stays so", i, s)
		}
		if i > 0 && !s.At.After(got.Samples[i-1].At) {
			t.Fatalf("sample %d is not after the one before", i)
		}
	}
	if rounds := got.Rounds; len(rounds) != 1 || rounds[0].All() != 1000 || rounds[0].Fail != 500 {
		t.Errorf("rounds %+v", rounds)
	}
}

// Stages stand in the order of a run, each side's together, with the worst that was
// seen of them and the latest time.
func TestRecorderSteps(t *testing.T) {
	t.Parallel()
	r := summary.NewRecorder(summary.Summary{Began: began()})
	stage := func(s prober.Stage, n int) prober.StageTime { return prober.StageTime{Stage: s, Duration: ms(n)} }
	r.Add(prober.Result{Playback: "p", Outcome: prober.Degraded, Stage: prober.StageSegment, Reason: prober.ReasonSegmentSlow,
		Figures: prober.Figures{Stages: []prober.StageTime{stage(prober.StageManifest, 1), stage(prober.StageSegment, 2)}}})
	r.Add(prober.Result{Outcome: prober.Pass, Figures: prober.Figures{Stages: []prober.StageTime{stage(prober.StagePublish, 3), stage(prober.StageConnect, 4)}}})
	r.Add(prober.Result{Playback: "p", Outcome: prober.Fail, Stage: prober.StageSegment, Reason: prober.ReasonHTTPStatus})
	r.Add(prober.Result{Playback: "p", Outcome: prober.Pass, Figures: prober.Figures{Stages: []prober.StageTime{stage(prober.StageSegment, 5)}}})
	r.Add(prober.Result{Playback: "p", Outcome: prober.Inconclusive, Reason: prober.ReasonNothingPushed})
	want := []summary.Step{
		{Side: summary.Push, Stage: prober.StageConnect, Duration: ms(4), Outcome: prober.Pass},
		{Side: summary.Push, Stage: prober.StagePublish, Duration: ms(3), Outcome: prober.Pass},
		{Side: summary.Push, Stage: prober.StageIngest, Outcome: prober.Pass},
		{Side: summary.Pull, Stage: prober.StageManifest, Duration: ms(1), Outcome: prober.Pass},
		{Side: summary.Pull, Stage: prober.StageSegment, Duration: ms(5), Outcome: prober.Fail, Reason: prober.ReasonHTTPStatus},
		{Side: summary.Pull, Stage: prober.StageMedia, Outcome: prober.Pass},
	}
	got := r.Snapshot().Steps
	if len(got) != len(want) {
		t.Fatalf("got %+v", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("step %d is %+v, want %+v", i, got[i], want[i])
		}
	}
}

// Changes are told once; each return from an interruption is one.
func TestRecorderEvents(t *testing.T) {
	t.Parallel()
	r := summary.NewRecorder(summary.Summary{Began: began()})
	fail := prober.Result{Outcome: prober.Fail, Stage: prober.StageIngest, Reason: prober.ReasonConnectionReset}
	good := prober.Result{Outcome: prober.Pass}
	back := prober.Result{Outcome: prober.Pass, Figures: prober.Figures{Interruptions: 1, InterruptionTime: 3 * time.Second}}
	pulled := prober.Result{Outcome: prober.Pass, Playback: "p"}
	for i, tt := range []struct {
		result prober.Result
		want   bool
	}{{good, true}, {good, false}, {pulled, true}, {good, false}, {fail, true}, {fail, false}, {back, true}, {good, false}, {back, true}, {pulled, false}} {
		if got := r.Add(tt.result); got != tt.want {
			t.Errorf("result %d: changed is %v", i, got)
		}
	}
	if s := r.Snapshot(); s.Away != 6*time.Second || len(s.Events) != 5 {
		t.Errorf("away %v, events %+v", s.Away, s.Events)
	}
}

// A snapshot stays what it was.
func TestRecorderSnapshot(t *testing.T) {
	t.Parallel()
	r := summary.NewRecorder(summary.Summary{Began: began()})
	r.Add(prober.Result{Outcome: prober.Pass, Findings: []prober.Finding{{Count: 1}}})
	before := r.Snapshot()
	r.Add(prober.Result{Outcome: prober.Fail, Stage: prober.StageIngest, Findings: []prober.Finding{{Count: 1}}})
	if before.Findings[0].Count != 1 || before.Rounds[0].Fail != 0 || before.Steps[0].Outcome != prober.Pass {
		t.Errorf("it is now %+v", before)
	}
}

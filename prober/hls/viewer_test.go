package hls

import (
	"testing"
	"time"

	"streamcanary/prober"
)

// A timeline in seconds: what arrives when, and what was felt at the end.
func TestViewer(t *testing.T) {
	t.Parallel()
	type come struct{ at, duration, edge float64 }
	seconds := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	tests := []struct {
		name   string
		before float64
		comes  []come
		until  float64
		want   prober.Viewing
	}{
		{"nothing yet", 0, nil, 5, prober.Viewing{}},
		{"steady", 4, []come{{1, 2, 0.5}, {3, 2, 2.5}, {5, 2, 4.5}}, 6, prober.Viewing{
			Startup: seconds(1), Watched: seconds(5), Latency: seconds(6.5), Buffer: seconds(5)}},
		{"a stream that has just begun", 0, []come{{3, 2, 2.5}, {5.5, 2, 4.5}}, 7.5, prober.Viewing{
			Startup: seconds(3), Watched: seconds(2), Rebuffers: 1, RebufferTime: seconds(2.5), Latency: seconds(5), Drift: seconds(2.5), Buffer: seconds(2)}},
		{"at the edge of a healthy stream, once is enough", 0, []come{{3, 2, 0}, {5.1, 2, 0}, {7, 2, 0}, {9.1, 2, 0}, {11, 2, 0}, {13.1, 2, 0}}, 14, prober.Viewing{
			Startup: seconds(3), Watched: seconds(9), Rebuffers: 1, RebufferTime: seconds(2), Buffer: seconds(3)}},
		{"stands until two target durations are there", 0, []come{{1, 2, 0}, {4, 2, 0}, {5, 2, 0}}, 6, prober.Viewing{
			Startup: seconds(1), Watched: seconds(3), Rebuffers: 1, RebufferTime: seconds(2), Buffer: seconds(3)}},
		{"an outage of ten seconds", 4, []come{{1, 2, .5}, {17, 2, 2.5}}, 19, prober.Viewing{
			Startup: seconds(1), Watched: seconds(6), Rebuffers: 1, RebufferTime: seconds(12), Latency: seconds(18.5), Drift: seconds(12), Buffer: seconds(2)}},
		{"stands still at the end", 0, []come{{1, 2, 0}}, 8, prober.Viewing{
			Startup: seconds(1), Watched: seconds(2), Rebuffers: 1, RebufferTime: seconds(5)}},
		{"what was missed is leapt over", 4, []come{{1, 2, .5}, {5, 2, 4.5}}, 5, prober.Viewing{
			Startup: seconds(1), Watched: seconds(4), Latency: seconds(4.5), Drift: seconds(-2), Buffer: seconds(4)}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			zero := time.Unix(1_700_000_000, 0)
			v := viewer{asked: zero}
			for _, c := range tt.comes {
				a := arrival{at: zero.Add(seconds(c.at)), duration: seconds(c.duration), before: seconds(tt.before), target: 2 * time.Second}
				if c.edge > 0 {
					a.edge = zero.Add(seconds(c.edge))
				}
				v.arrive(a)
			}
			got := v.take(zero.Add(seconds(tt.until)))
			if got != tt.want {
				t.Errorf("felt %+v\nwant %+v", got, tt.want)
			}
			again := v.take(zero.Add(seconds(tt.until)))
			if again.Watched != 0 || again.Rebuffers != 0 || again.RebufferTime != 0 || again.Startup != got.Startup || again.Latency != got.Latency {
				t.Errorf("the next turn begins with %+v", again)
			}
		})
	}
}

// Time in small steps gives what it gives at once.
func TestViewerSteps(t *testing.T) {
	t.Parallel()
	zero := time.Unix(1_700_000_000, 0)
	once, steps := viewer{asked: zero}, viewer{asked: zero}
	a := arrival{at: zero.Add(time.Second), duration: 3 * time.Second, target: 2 * time.Second, edge: zero}
	once.arrive(a)
	steps.arrive(a)
	for d := time.Second; d < 10*time.Second; d += 7 * time.Millisecond {
		steps.advance(zero.Add(d))
	}
	if a, b := once.take(zero.Add(10*time.Second)), steps.take(zero.Add(10*time.Second)); a != b {
		t.Errorf("at once %+v\nin steps %+v", a, b)
	}
}

// Played to the end of a recording is no rebuffering.
func TestViewerEnded(t *testing.T) {
	t.Parallel()
	zero := time.Unix(1_700_000_000, 0)
	v := viewer{asked: zero}
	v.arrive(arrival{at: zero, duration: 4 * time.Second, target: 2 * time.Second})
	for s := 1; s < 9; s++ {
		v.ended(zero.Add(time.Duration(s) * time.Second))
	}
	if got := v.take(zero.Add(time.Minute)); got.Watched != 4*time.Second || got.Rebuffers != 0 {
		t.Errorf("%+v", got)
	}
}

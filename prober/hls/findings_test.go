package hls

import (
	"fmt"
	"slices"
	"testing"

	"streamcanary/prober"
)

// What is found later and is milder takes nothing from what is grave: not its severity,
// and not its place in the list.
func TestMerge(t *testing.T) {
	t.Parallel()
	finding := func(rule string, s prober.Severity) prober.Finding {
		return prober.Finding{Rule: rule, Severity: s, Stage: prober.StageMedia, Reason: prober.ReasonTimestampGap, Where: "720p", Count: 1}
	}
	var many []prober.Finding
	for i := range 2 * maxTold {
		many = append(many, finding(fmt.Sprint(i), prober.SeverityNote))
	}
	grave := finding("gap", prober.SeverityFail)
	for _, tt := range []struct {
		name       string
		have, more []prober.Finding
		want       int // findings
		count      int // of the grave one
	}{
		{"the same, milder", []prober.Finding{grave}, []prober.Finding{finding("gap", prober.SeverityNote)}, 2, 1},
		{"the same again", []prober.Finding{grave}, []prober.Finding{grave}, 1, 2},
		{"many before it", many[:maxTold], []prober.Finding{grave}, maxTold, 1},
		{"many behind it", []prober.Finding{grave}, many, maxTold, 1},
	} {
		got := merge(slices.Clone(tt.have), tt.more)
		if len(got) != tt.want || got[0].Severity != prober.SeverityFail || got[0].Count != tt.count {
			t.Errorf("%s: %d findings, the first %+v", tt.name, len(got), got[0])
		}
	}
}

// A failure that comes and heals between two looks is counted, though the same was seen
// as degraded before.
func TestGraverIsShown(t *testing.T) {
	t.Parallel()
	worse := failf(prober.StageSegment, prober.ReasonSegmentSlow, "slow")
	milder := *worse
	milder.Outcome = prober.Degraded
	for _, tt := range []struct {
		name           string
		shown, unshown *prober.Failure
		recovered      int
	}{
		{"graver", &milder, worse, 1},
		{"the same", worse, worse, 0},
		{"milder", worse, &milder, 0},
		{"degraded", &milder, &milder, 0},
	} {
		s := state{seen: Observation{Playing: true}}
		s.set(slotSegment, tt.shown, noon)
		s.take()
		s.set(slotSegment, tt.unshown, noon)
		s.set(slotSegment, nil, noon)
		if got := s.take().Recovered; got != tt.recovered {
			t.Errorf("%s: %d recovered, want %d", tt.name, got, tt.recovered)
		}
	}
}

package incident

import (
	"slices"

	"streamcanary/prober"
)

// KindQuality stands beside the kinds of probe: the promise that what plays, plays
// well. Its evidence are degraded results of any kind: late, interrupted again and
// again, without a rendition that was promised.
const KindQuality prober.Kind = "quality"

// Promises lists everything that is promised to users, and so has sums of its own:
// the kinds of probe, and quality.
func Promises() []prober.Kind { return append(prober.Kinds(), KindQuality) }

// judgeQuality reads the matrix of those cells that play: which of them play badly.
// It blames as judge does, but where nothing plays well, the core; it says nothing
// of what does not play at all.
func (t *turn) judgeQuality(round *roundState, m *matrix) {
	if m.red() > 0 || slices.ContainsFunc(m.cells, func(c seen) bool { return c.Degraded }) {
		playing := make([]seen, 0, m.good)
		for _, c := range m.cells {
			if c.good {
				playing = append(playing, seen{c.cell, !c.Degraded})
			}
		}
		quality := matrixOf(playing)
		m = &quality
	}
	if len(m.cells) == 0 {
		return
	}
	left := t.unexplained(round.Target, m)
	if len(left.cells) == 0 {
		t.allFail(round, KindQuality, m)
		return
	}
	t.countAs(round, KindQuality, core(round.Target), left.good > 0, left.cells[0].Evidence)
	if left.good == 0 {
		return
	}
	if left != m {
		t.countQuality(round, m, t.worked(round.Target, m.rows, ingest), ingest)
		t.countQuality(round, m, t.worked(round.Target, m.columns, playback), playback)
	}
	t.countQuality(round, left, left.rows, ingest)
	t.countQuality(round, left, left.columns, playback)
}

func (t *turn) countQuality(round *roundState, m *matrix, all lines, element func(target, id string) prober.Element) {
	for i := range all {
		if l := &all[i]; m.separates(l) {
			t.countAs(round, KindQuality, element(round.Target, l.id), l.good > 0, m.evidence(l))
		}
	}
}

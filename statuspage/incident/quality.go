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
func (t *turn) judgeQuality(round *roundState, m matrix) {
	playing := round.Cells
	if m.red() > 0 || slices.ContainsFunc(playing, func(c cell) bool { return c.Degraded }) {
		playing = nil
		for _, c := range round.Cells {
			if c.Good {
				c.Good = !c.Degraded
				playing = append(playing, c)
			}
		}
		m = newMatrix(playing)
	}
	if len(playing) == 0 {
		return
	}
	if m.good == 0 {
		t.countAs(round, KindQuality, core(round.Target), false, playing[0].Evidence)
		return
	}
	t.countAs(round, KindQuality, core(round.Target), true, playing[0].Evidence)
	for _, id := range sortedKeys(m.rows) {
		if l := m.rows[id]; m.separates(l) {
			t.countAs(round, KindQuality, ingest(round.Target, id), l.good > 0, l.evidence())
		}
	}
	for _, id := range sortedKeys(m.columns) {
		if l := m.columns[id]; m.separates(l) {
			t.countAs(round, KindQuality, playback(round.Target, id), l.good > 0, l.evidence())
		}
	}
}

package incident

import "slices"

// dim is what one site's rounds with hardly anything good have shown, in a row. Where
// nearly all fails between ingests and playbacks, what little is good is somewhere
// else each time, and makes all other rows and columns look red; rows and columns that
// do fail are the same in every round.
type dim struct {
	Dark  bool     `json:"dark,omitempty"`  // a round had nothing good at all
	Lines []string `json:"lines,omitempty"` // what was good in the latest that had anything
	Times int      `json:"times,omitempty"` // rounds in a row with those
}

// steadyTimes is how many rounds in a row with the same good rows and columns show
// that the others fail by themselves: of 3 by 3 cells, of which one in 20 is good, one
// is the same three times in a row in less than one of 100.
const steadyTimes = 3

// dimmed is the memory of a round's site; nil before anything is known of the core.
func (t *turn) dimmed(round *roundState) *dim {
	sum := t.s.sum(core(round.Target), round.Kind)
	if sum == nil || sum.Sites[round.Site] == nil {
		return nil
	}
	site := sum.Sites[round.Site]
	if site.Dim == nil {
		site.Dim = &dim{}
	}
	return site.Dim
}

func (d *dim) dark() {
	if d != nil {
		d.Dark = true
	}
}

// same counts a round with these good lines, and says how many there were in a row.
func (d *dim) same(lines []string) int {
	if !slices.Equal(d.Lines, lines) {
		d.Lines, d.Times = lines, 0
	}
	d.Times = min(d.Times+1, steadyTimes)
	return d.Times
}

// judgeDim reads a matrix with only a few good cells, and says whether it did: what is
// reached and shows nothing is the core's, in part, until the same rows and columns are
// good in several rounds in a row.
func (t *turn) judgeDim(round *roundState, m *matrix) bool {
	target := t.index.target[round.Target]
	reached := m
	if slices.ContainsFunc(m.cells, func(c seen) bool { return c.Direct }) {
		rest := m.rest(func(c seen) bool { return !c.Direct })
		reached = &rest
	}
	d := t.dimmed(round)
	if !reached.hardlyLit(d != nil && d.Dark) || len(m.columns) < t.lookedAt(target) || len(m.rows) < min(2, t.pushing(target, round.Site)) {
		t.lit(round)
		return false
	}
	if d != nil && d.same(reached.lit()) >= steadyTimes {
		return false
	}
	for i := range m.columns {
		if l := &m.columns[i]; m.direct(l) {
			t.count(round, playback(round.Target, l.id), false, m.evidence(l))
		}
	}
	t.countGood(round, m)
	t.count(round, core(round.Target), false, inPart(reached.firstOf(false).Evidence))
	if d == nil {
		if d = t.dimmed(round); d != nil {
			d.same(reached.lit())
		}
	}
	return true
}

// lit forgets what was dim.
func (t *turn) lit(round *roundState) {
	if sum := t.s.sum(core(round.Target), round.Kind); sum != nil && sum.Sites[round.Site] != nil {
		sum.Sites[round.Site].Dim = nil
	}
}

// countGood counts the rows and columns that have anything good.
func (t *turn) countGood(round *roundState, m *matrix) {
	for i := range m.rows {
		if l := &m.rows[i]; l.good > 0 {
			t.count(round, ingest(round.Target, l.id), true, m.evidence(l))
		}
	}
	for i := range m.columns {
		if l := &m.columns[i]; l.good > 0 {
			t.count(round, playback(round.Target, l.id), true, m.evidence(l))
		}
	}
}

// lit lists the rows and columns that have anything good.
func (m *matrix) lit() []string {
	var ids []string
	for _, l := range m.rows {
		if l.good > 0 {
			ids = append(ids, "ingest "+l.id)
		}
	}
	for _, l := range m.columns {
		if l.good > 0 {
			ids = append(ids, "playback "+l.id)
		}
	}
	return ids
}

// hardlyLit says whether at most a third is good, and chance may be why: few cells, or
// not all where a good row and a good column cross. Rows alone, or columns alone, that
// are red are believed at once unless there were dark rounds.
func (m *matrix) hardlyLit(dark bool) bool {
	if 3*m.good > len(m.cells) {
		return false
	}
	redRows := slices.ContainsFunc(m.rows, func(l line) bool { return l.good == 0 })
	redColumns := slices.ContainsFunc(m.columns, func(l line) bool { return l.good == 0 })
	if (!redRows || !redColumns) && (!dark || !redRows && !redColumns) {
		return false
	}
	const few = 2
	return m.good <= few || slices.ContainsFunc(m.cells, func(c seen) bool {
		return !c.good && m.rows.of(c.Ingest).good > 0 && m.columns.of(c.Playback).good > 0
	})
}

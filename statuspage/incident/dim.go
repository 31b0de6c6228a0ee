package incident

import (
	"math/bits"
	"slices"
)

// dim is what one site's latest rounds have shown since hardly anything was good. Where
// nearly all fails between ingests and playbacks, what little is good is somewhere
// else each time, and makes all other rows and columns look red. Where rows and columns
// fail, what is good is where they are not, in nearly every round.
type dim struct {
	Rounds int              `json:"rounds"`          // since it began, at most dimRounds
	Lit    int              `json:"lit,omitempty"`   // in a row that were not dim
	Cells  map[string]uint8 `json:"cells,omitempty"` // ingest and playback: the rounds in which it was good, a bit each, the latest lowest
}

// What is good in dimSteady of the latest dimRounds is where nothing fails. Of 3 by 3
// cells, of which one in 20 is good, hardly one in 200 is so often.
const (
	dimRounds = 4
	dimSteady = 3
)

// dimVerdict is whose a round is in which hardly anything is good.
type dimVerdict int

// The verdicts.
const (
	notDim    dimVerdict = iota // of the rows and columns that are red
	dimUnsure                   // of either: the rounds are too few
	dimCore                     // of what lies between ingests and playbacks
)

// push takes a round's cells, and forgets those of long ago.
func (d *dim) push(m *matrix) {
	for id, was := range d.Cells {
		if was = was << 1 & (1<<dimRounds - 1); was == 0 {
			delete(d.Cells, id)
		} else {
			d.Cells[id] = was
		}
	}
	for _, c := range m.cells {
		if !c.good {
			continue
		}
		if d.Cells == nil {
			d.Cells = map[string]uint8{}
		}
		d.Cells[c.path()] |= 1
	}
	d.Rounds = min(d.Rounds+1, dimRounds)
}

// path names a cell.
func (c *cell) path() string { return c.Ingest + " " + c.Playback }

// verdict says whose the latest round is, of which these were the cells.
func (d *dim) verdict(m *matrix) dimVerdict {
	most := 0
	for _, c := range m.cells {
		n := bits.OnesCount8(d.Cells[c.path()])
		if n >= dimSteady && c.good {
			return notDim
		}
		most = max(most, n)
	}
	if d.Rounds >= dimSteady && most <= 1 || d.Rounds >= dimRounds {
		return dimCore
	}
	return dimUnsure
}

// reached are the cells whose playback could be.
func (m *matrix) reached() *matrix {
	if !slices.ContainsFunc(m.cells, func(c seen) bool { return c.Direct }) {
		return m
	}
	rest := m.rest(func(c seen) bool { return !c.Direct })
	return &rest
}

// mostly says whether at least half of what was good of late was so nearly always: then
// the rest was by chance, and else all of it may have been.
func (d *dim) mostly() bool {
	steady := 0
	for _, rounds := range d.Cells {
		if bits.OnesCount8(rounds) >= dimSteady {
			steady++
		}
	}
	return 2*steady >= len(d.Cells)
}

// judgeDim reads a matrix with only a few good cells, and says whether it did: what is
// reached and shows nothing is the core's, in part, unless the same cells are good
// again and again.
func (t *turn) judgeDim(round *roundState, m *matrix) bool {
	site := t.coreAt(round)
	if site == nil {
		return false
	}
	reached, was := m.reached(), site.Dim != nil
	if !reached.hardlyLit(was) {
		site.lit(reached)
		return false
	}
	site.dim(reached)
	verdict, separates := site.Dim.verdict(reached), t.looksEverywhere(round, m)
	if verdict == notDim || !separates && !was {
		return false
	}
	t.countDirect(round, m)
	t.countGood(round, m)
	if verdict == dimCore && separates {
		t.count(round, core(round.Target), false, inPart(reached.firstOf(false).Evidence))
	}
	return true
}

// coreAt is what a round's site has seen of the core; nil is nothing.
func (t *turn) coreAt(round *roundState) *siteSum {
	if sum := t.s.sum(core(round.Target), round.Kind); sum != nil {
		return sum.Sites[round.Site]
	}
	return nil
}

// dim takes a round in which hardly anything was good, or nothing.
func (s *siteSum) dim(m *matrix) {
	if s.Dim == nil {
		s.Dim = &dim{}
	}
	s.Dim.Lit, s.Strays = 0, nil
	s.Dim.push(m)
}

// lit takes a round in which more was good, and forgets what was dim when all of it was
// or it has not been dim for long.
func (s *siteSum) lit(m *matrix) {
	if s.Dim == nil {
		return
	}
	s.Dim.push(m)
	if s.Dim.Lit++; m.red() == 0 || s.Dim.Lit >= dimRounds {
		s.Dim = nil
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

// hardlyLit says whether at most a third is good, or at most a half where it was dim
// before, and chance may be why: few cells, or not all where a good row and a good
// column cross. Rows alone, or columns alone, that are red are believed at once unless
// it was dim before.
func (m *matrix) hardlyLit(before bool) bool {
	parts := 3
	if before {
		parts = 2
	}
	if parts*m.good > len(m.cells) {
		return false
	}
	redRows := slices.ContainsFunc(m.rows, func(l line) bool { return l.good == 0 })
	redColumns := slices.ContainsFunc(m.columns, func(l line) bool { return l.good == 0 })
	if (!redRows || !redColumns) && (!before || !redRows && !redColumns) {
		return false
	}
	const few = 2
	return m.good <= few || slices.ContainsFunc(m.cells, func(c seen) bool {
		return !c.good && m.rows.of(c.Ingest).good > 0 && m.columns.of(c.Playback).good > 0
	})
}

package incident

import "streamcanary/prober"

// Work on an ingest or a playback explains what is red of it, and that is then no
// word on what lies behind: the core, and the ingests or playbacks that it crosses.

// unexplained is a matrix without the red cells that work explains. What is good
// speaks for all that it passes, worked on or not. Where the core is worked on as
// well, there is nothing to leave out.
func (t *turn) unexplained(target string, m *matrix) *matrix {
	if !t.working() || t.muted(core(target)) {
		return m
	}
	left := m.rest(func(c seen) bool {
		return c.good || !t.muted(ingest(target, c.Ingest)) && !t.muted(playback(target, c.Playback))
	})
	if len(left.cells) == len(m.cells) {
		return m
	}
	return &left
}

// working says whether there is work on anything.
func (t *turn) working() bool {
	for _, m := range t.s.Maintenances {
		if m.Running() {
			return true
		}
	}
	return false
}

// worked lists those of the lines that are worked on.
func (t *turn) worked(target string, all lines, element func(target, id string) prober.Element) lines {
	var some lines
	for _, l := range all {
		if t.muted(element(target, l.id)) {
			some = append(some, l)
		}
	}
	return some
}

// judgeWorked reads the whole matrix for what is worked on, so that its end opens
// what still fails: where nothing else is left to look at, all of it.
func (t *turn) judgeWorked(round *roundState, m, left *matrix) {
	rows, columns := t.worked(round.Target, m.rows, ingest), t.worked(round.Target, m.columns, playback)
	if m.good > 0 {
		inRows, inColumns, _ := m.inPart()
		t.countLines(round, m, rows, inRows, ingest)
		t.countLines(round, m, columns, inColumns, playback)
		return
	}
	for i := range columns {
		if l := &columns[i]; m.direct(l) {
			t.count(round, playback(round.Target, l.id), false, m.evidence(l))
		}
	}
	if len(left.cells) == 0 {
		t.allFail(round, round.Kind, m)
	}
}

// allFail counts everything that is worked on as failed, of a matrix that shows
// nothing good and nothing else.
func (t *turn) allFail(round *roundState, kind prober.Kind, m *matrix) {
	for _, l := range t.worked(round.Target, m.rows, ingest) {
		t.countAs(round, kind, ingest(round.Target, l.id), false, m.evidence(&l))
	}
	for _, l := range t.worked(round.Target, m.columns, playback) {
		t.countAs(round, kind, playback(round.Target, l.id), false, m.evidence(&l))
	}
}

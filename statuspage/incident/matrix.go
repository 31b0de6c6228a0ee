package incident

import (
	"cmp"
	"slices"
)

// matrix is a round's cells by ingest (rows) and by playback (columns).
type matrix struct {
	cells         []seen
	rows, columns lines
	good          int
}

// seen is a cell, and whether it is good in what is asked: whether it plays, or how
// well.
type seen struct {
	*cell
	good bool
}

// lines are the rows or the columns of a matrix, by id.
type lines []line

// line is a row or a column of the matrix.
type line struct {
	id     string
	column bool
	good   int
	of     int // cells
}

func newMatrix(cells []cell) matrix {
	all := make([]seen, len(cells))
	for i := range cells {
		all[i] = seen{&cells[i], cells[i].Good}
	}
	return matrixOf(all)
}

func matrixOf(cells []seen) matrix {
	m := matrix{cells: cells}
	for _, c := range cells {
		m.rows.enter(c.Ingest, false, c.good)
		m.columns.enter(c.Playback, true, c.good)
		if c.good {
			m.good++
		}
	}
	return m
}

func (l *lines) find(id string) (int, bool) {
	return slices.BinarySearchFunc(*l, id, func(x line, id string) int { return cmp.Compare(x.id, id) })
}

func (l *lines) enter(id string, column, good bool) {
	i, known := l.find(id)
	if !known {
		if *l == nil {
			*l = make(lines, 0, 8)
		}
		*l = slices.Insert(*l, i, line{id: id, column: column})
	}
	at := &(*l)[i]
	at.of++
	if good {
		at.good++
	}
}

// of is the line with an id, which there has to be.
func (l *lines) of(id string) *line {
	i, _ := l.find(id)
	return &(*l)[i]
}

// crosses says whether a cell is of the line.
func (l *line) crosses(c seen) bool {
	if l.column {
		return c.Playback == l.id
	}
	return c.Ingest == l.id
}

// separates says whether a line's colour is its own: it has a good cell, or a
// red one that the crossing line cannot explain because that line has a good
// one. Where not every cell was tried, a red row may be nothing but one cell of
// a red column.
func (m *matrix) separates(l *line) bool {
	if l.good > 0 {
		return true
	}
	for _, c := range m.cells {
		switch {
		case !l.crosses(c):
		case l.column && m.rows.of(c.Ingest).good > 0, !l.column && m.columns.of(c.Playback).good > 0:
			return true
		}
	}
	return false
}

// inPart explains the red cells whose row and column both have good ones: the
// columns that are red in half, or the rows, if all of it stands in those and they
// are few; or else what is between ingests and playbacks, when a
// third of the matrix is red. A stray red cell is noise of one path, and nothing;
// an endpoint that could not even be reached is nobody's but the column's.
func (m *matrix) inPart() (rows, columns []string, between *cell) {
	if !slices.ContainsFunc(m.cells, m.stray) {
		return nil, nil, nil
	}
	left := m.rest(m.crossed)
	if rows, columns = left.inLines(); rows != nil || columns != nil {
		return rows, columns, nil
	}
	left = left.rest(func(c seen) bool { return !c.Direct })
	if red := left.red(); red == 0 || 3*red < len(m.cells) {
		return nil, nil, nil
	}
	return nil, nil, left.firstOf(false)
}

// crossed says whether a cell's row and column both have a good one.
func (m *matrix) crossed(c seen) bool {
	return m.rows.of(c.Ingest).good > 0 && m.columns.of(c.Playback).good > 0
}

// stray says whether a cell is red although its row and its column are not.
func (m *matrix) stray(c seen) bool { return !c.good && m.crossed(c) }

// strays lists the stray cells by path, but for those whose playback could not be
// reached, which say nothing of a row.
func (m *matrix) strays() (paths []string) {
	for _, c := range m.cells {
		if m.stray(c) && !c.Direct {
			paths = append(paths, c.path())
		}
	}
	return paths
}

// withStrays is the matrix of the cells with a good row and column, where those of a
// round before are red, too.
func (m *matrix) withStrays(before []string) *matrix {
	var cells []seen
	for _, c := range m.cells {
		if m.crossed(c) {
			cells = append(cells, seen{c.cell, c.good && !slices.Contains(before, c.path())})
		}
	}
	both := matrixOf(cells)
	return &both
}

// inLines lists the columns, or else the rows, in which all that is red stands.
func (m *matrix) inLines() (rows, columns []string) {
	if columns = m.halfRed(m.columns); columns != nil {
		return nil, columns
	}
	reached := m.reached()
	return reached.halfRed(reached.rows), nil
}

// rest is the matrix of some of the cells.
func (m *matrix) rest(keep func(seen) bool) matrix {
	var cells []seen
	for _, c := range m.cells {
		if keep(c) {
			cells = append(cells, c)
		}
	}
	return matrixOf(cells)
}

func (m *matrix) red() int { return len(m.cells) - m.good }

// halfRed lists the lines that are at least half red, with two red cells or more;
// nil unless they hold all red cells and are not more than half of the lines: what
// is red in most lines lies elsewhere.
func (m *matrix) halfRed(all lines) []string {
	var ids []string
	red := m.red()
	for _, l := range all {
		if n := l.of - l.good; n >= 2 && 2*n >= l.of {
			ids = append(ids, l.id)
			red -= n
		}
	}
	if red > 0 || 2*len(ids) > len(all) {
		return nil
	}
	return ids
}

// firstRed is the evidence of a line's first red cell.
func (m *matrix) firstRed(l *line) Evidence {
	for _, c := range m.cells {
		if l.crosses(c) && !c.good {
			return c.Evidence
		}
	}
	return Evidence{}
}

// evidence is the first failure of a red line, or the first success of another.
// Of failures, one that was reached and shows nothing says the most.
func (m *matrix) evidence(l *line) Evidence {
	var found *cell
	for _, c := range m.cells {
		switch {
		case !l.crosses(c), c.good != (l.good > 0):
		case c.good, !c.Direct:
			return c.Evidence
		case found == nil:
			found = c.cell
		}
	}
	if found == nil {
		return Evidence{}
	}
	return found.Evidence
}

// direct says whether nothing on the line could even be reached.
func (m *matrix) direct(l *line) bool {
	return !slices.ContainsFunc(m.cells, func(c seen) bool { return l.crosses(c) && !c.Direct })
}

// firstOf is the first cell that is good, or that is not; nil is none.
func (m *matrix) firstOf(good bool) *cell {
	for _, c := range m.cells {
		if c.good == good {
			return c.cell
		}
	}
	return nil
}

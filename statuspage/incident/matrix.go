package incident

// matrix is a round's cells by ingest (rows) and by playback (columns).
type matrix struct {
	cells         []cell
	rows, columns map[string]*line
	good          int
}

// line is a row or a column of the matrix.
type line struct {
	good  int
	cells []*cell
}

func newMatrix(cells []cell) matrix {
	m := matrix{cells: cells, rows: map[string]*line{}, columns: map[string]*line{}}
	for i := range cells {
		c := &cells[i]
		enter(m.rows, c.Ingest, c)
		enter(m.columns, c.Playback, c)
		if c.Good {
			m.good++
		}
	}
	return m
}

func enter(lines map[string]*line, id string, c *cell) {
	l := lines[id]
	if l == nil {
		l = &line{}
		lines[id] = l
	}
	l.cells = append(l.cells, c)
	if c.Good {
		l.good++
	}
}

// separates says whether a line's colour is its own: it has a good cell, or a
// red one that the crossing line cannot explain because that line has a good
// one. Where not every cell was tried, a red row may be nothing but one cell of
// a red column.
func (m matrix) separates(l *line) bool {
	if l.good > 0 {
		return true
	}
	for _, c := range l.cells {
		row, column := m.rows[c.Ingest], m.columns[c.Playback]
		if l == row && column.good > 0 || l == column && row.good > 0 {
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
func (m matrix) inPart() (rows, columns []string, between *cell) {
	if m.red() == 0 {
		return nil, nil, nil
	}
	left := m.rest(func(c cell) bool { return m.rows[c.Ingest].good > 0 && m.columns[c.Playback].good > 0 })
	if columns = left.halfRed(left.columns); columns != nil {
		return nil, columns, nil
	}
	left = left.rest(func(c cell) bool { return !c.Direct })
	if rows = left.halfRed(left.rows); rows != nil {
		return rows, nil, nil
	}
	if red := left.red(); red == 0 || 3*red < len(m.cells) {
		return nil, nil, nil
	}
	for i := range left.cells {
		if c := &left.cells[i]; !c.Good {
			return nil, nil, c
		}
	}
	return nil, nil, nil
}

// rest is the matrix of some of the cells.
func (m matrix) rest(keep func(cell) bool) matrix {
	var cells []cell
	for _, c := range m.cells {
		if keep(c) {
			cells = append(cells, c)
		}
	}
	return newMatrix(cells)
}

func (m matrix) red() int { return len(m.cells) - m.good }

// halfRed lists the lines that are at least half red, with two red cells or more;
// nil unless they hold all red cells and are not more than half of the lines: what
// is red in most lines lies elsewhere.
func (m matrix) halfRed(lines map[string]*line) []string {
	var ids []string
	red := m.red()
	for _, id := range sortedKeys(lines) {
		l := lines[id]
		if n := len(l.cells) - l.good; n >= 2 && 2*n >= len(l.cells) {
			ids = append(ids, id)
			red -= n
		}
	}
	if red > 0 || 2*len(ids) > len(lines) {
		return nil
	}
	return ids
}

// firstRed is the evidence of a line's first red cell.
func (l *line) firstRed() Evidence {
	for _, c := range l.cells {
		if !c.Good {
			return c.Evidence
		}
	}
	return Evidence{}
}

// evidence is the first failure of a red line, or the first success of another.
// Of failures, one that was reached and shows nothing says the most.
func (l *line) evidence() Evidence {
	var found Evidence
	for _, c := range l.cells {
		if c.Good != (l.good > 0) {
			continue
		}
		if c.Good || !c.Direct {
			return c.Evidence
		}
		if found.Site == "" {
			found = c.Evidence
		}
	}
	return found
}

// direct says whether nothing on the line could even be reached.
func (l *line) direct() bool {
	for _, c := range l.cells {
		if !c.Direct {
			return false
		}
	}
	return true
}

func (m matrix) firstGood() Evidence {
	for _, c := range m.cells {
		if c.Good {
			return c.Evidence
		}
	}
	return Evidence{}
}

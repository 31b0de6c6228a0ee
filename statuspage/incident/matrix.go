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

// between lists red cells whose row and column both have good ones: what fails
// lies between an ingest and a playback that both work.
func (m matrix) between() []cell {
	var stray []cell
	for _, c := range m.cells {
		if !c.Good && !c.Direct && m.rows[c.Ingest].good > 0 && m.columns[c.Playback].good > 0 {
			stray = append(stray, c)
		}
	}
	return stray
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

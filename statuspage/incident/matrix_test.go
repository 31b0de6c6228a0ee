package incident

import (
	"fmt"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestTheorem tries every set of failed ingests and playbacks of two to six
// regions: while at least one cell is good, the failed ingests are exactly the
// fully red rows, and the failed playbacks exactly the fully red columns.
func TestTheorem(t *testing.T) {
	t.Parallel()
	tried := 0
	for n := 2; n <= 6; n++ {
		for in := range 1 << n {
			for out := range 1 << n {
				m := newMatrix(cellsOf(n, func(i, j int) bool { return in>>i&1 == 0 && out>>j&1 == 0 }))
				tried++
				if m.good == 0 {
					if bits.OnesCount(uint(in)) < n && bits.OnesCount(uint(out)) < n {
						t.Fatalf("%d regions, ingests %b, playbacks %b: nothing is good", n, in, out)
					}
					continue
				}
				for i := range n {
					if red := m.rows.of(fmt.Sprint(i)).good == 0; red != (in>>i&1 == 1) || !m.separates(m.rows.of(fmt.Sprint(i))) {
						t.Fatalf("%d regions, ingests %b, playbacks %b: row %d red is %v", n, in, out, i, red)
					}
					if red := m.columns.of(fmt.Sprint(i)).good == 0; red != (out>>i&1 == 1) || !m.separates(m.columns.of(fmt.Sprint(i))) {
						t.Fatalf("%d regions, ingests %b, playbacks %b: column %d red is %v", n, in, out, i, red)
					}
				}
				if rows, columns, between := m.inPart(); rows != nil || columns != nil || between != nil {
					t.Fatalf("%d regions, ingests %b, playbacks %b: besides, in part: %v %v %v", n, in, out, rows, columns, between)
				}
			}
		}
	}
	if want := 16 + 64 + 256 + 1024 + 4096; tried != want {
		t.Errorf("%d cases, want %d", tried, want)
	}
}

func cellsOf(n int, good func(i, j int) bool) []cell {
	var cells []cell
	for i := range n {
		for j := range n {
			cells = append(cells, cell{Ingest: fmt.Sprint(i), Playback: fmt.Sprint(j), Good: good(i, j)})
		}
	}
	return cells
}

func TestInPart(t *testing.T) {
	t.Parallel()
	at := func(red ...[2]int) func(i, j int) bool {
		return func(i, j int) bool { return !slices.Contains(red, [2]int{i, j}) }
	}
	for _, tt := range []struct {
		name          string
		n             int
		good          func(i, j int) bool
		rows, columns []string
		between       bool
	}{
		{"all good", 3, at(), nil, nil, false},
		{"a stray cell", 3, at([2]int{0, 1}), nil, nil, false},
		{"two of a column", 3, at([2]int{0, 1}, [2]int{2, 1}), nil, []string{"1"}, false},
		{"two of a row", 3, at([2]int{1, 0}, [2]int{1, 2}), []string{"1"}, nil, false},
		{"two of two columns of four", 4, at([2]int{0, 1}, [2]int{2, 1}, [2]int{0, 2}, [2]int{1, 2}), nil, []string{"1", "2"}, false},
		{"two of two columns of three", 3, at([2]int{0, 1}, [2]int{2, 1}, [2]int{0, 2}, [2]int{1, 2}), nil, nil, true},
		{"a diagonal", 3, at([2]int{0, 0}, [2]int{1, 1}, [2]int{2, 2}), nil, nil, true},
		{"two strays", 3, at([2]int{0, 0}, [2]int{1, 1}), nil, nil, false},
		{"a red row, and two of a column", 4, func(i, j int) bool { return i != 0 && (j != 2 || i == 3) }, nil, []string{"2"}, false},
		{"one of four", 2, at([2]int{0, 1}), nil, nil, false},
	} {
		m := newMatrix(cellsOf(tt.n, tt.good))
		rows, columns, between := m.inPart()
		if !slices.Equal(rows, tt.rows) || !slices.Equal(columns, tt.columns) || (between != nil) != tt.between {
			t.Errorf("%s: rows %v, columns %v, between %v", tt.name, rows, columns, between)
		}
	}
	// An endpoint that was not reached from half of its cells is its column's.
	cells := cellsOf(3, at([2]int{0, 1}, [2]int{2, 1}))
	for i := range cells {
		cells[i].Direct = !cells[i].Good
	}
	m := newMatrix(cells)
	if _, columns, _ := m.inPart(); !slices.Equal(columns, []string{"1"}) {
		t.Errorf("not reached: columns %v", columns)
	}
}

// TestNoiseIsNoLine bounds how often noise of 3 % in each cell looks like a line
// that fails: far less than p0.
func TestNoiseIsNoLine(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 3))
	for n := 2; n <= 6; n++ {
		const rounds = 5_000
		blamed := 0
		for range rounds {
			m := newMatrix(cellsOf(n, func(_, _ int) bool { return random.Float64() >= .03 }))
			rows, columns, _ := m.inPart()
			if slices.Contains(rows, "0") || slices.Contains(columns, "0") || m.rows.of("0").good == 0 || m.columns.of("0").good == 0 {
				blamed++
			}
		}
		if got, most := float64(blamed)/rounds, DefaultSettings().Rates["playback"].P0/4; got > most {
			t.Errorf("%d regions: noise blames a row or its column in %.4f of the rounds, want at most %.4f", n, got, most)
		}
	}
}

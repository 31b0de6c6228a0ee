package incident

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// rateRow is noise while nothing is broken, for long.
type rateRow struct {
	name  string
	setup simSetup
	most  float64 // false openings of a component a year that the figures to reach allow; 0 is no bound
	years float64 // component-years to simulate; less than enough is no claim, and shows where it goes
}

// calm is a fleet that looks every 5 minutes, and asks for rounds every 2 s when
// something fails, so that noise is looked at as closely as an outage. Nothing is sent
// between rounds here, so it takes longer until an agent counts as silent. There are two
// ingests and two playbacks, so that noise of either is told from that of the core. Some canary is
// heard every 10 s, so that the hub has no ticks of its own to count.
func calm(sites, quorum int, change func(*simSetup)) simSetup {
	s := simSetup{sites: sites, regions: 2, canary: min(time.Duration(sites)*9, 30) * time.Second, pulls: 5 * time.Minute, golive: 5 * time.Minute,
		drops: 1e-5, latency: 300 * time.Millisecond, settings: func(s *Settings) { s.Quorum, s.SilentAfter = quorum, 2*time.Minute }}
	change(&s)
	return s
}

func rateRows() []rateRow {
	noise := func(p float64) func(*simSetup) { return func(s *simSetup) { s.noise = p } }
	bursts := func(mean time.Duration, share, seen, pairs float64) func(*simSetup) {
		return func(s *simSetup) {
			s.noise, s.bursts = .001, &simBursts{mean: mean, share: share, seen: seen, pairs: pairs, fails: .95}
		}
	}
	const (
		sec    = time.Second
		enough = 300 // component-years, for a claim
		some   = 60
		few    = 12 // of many sites, which take long
	)
	return []rateRow{
		{"independent, 0.1 %, default probes in 3 regions", simSetup{sites: 3, regions: 3, canary: 2 * sec, pulls: 2 * sec, golive: time.Minute, noise: .001, drops: 1e-5,
			latency: 300 * time.Millisecond, settings: func(*Settings) {}}, 0, some},
		{"independent, 0.1 %", calm(3, 2, noise(.001)), 0, some},
		{"independent, 1 %", calm(3, 2, noise(.01)), 0, some},
		{"independent, 3 %", calm(3, 2, noise(.03)), .01, enough},
		{"independent, 3 %", calm(2, 2, noise(.03)), 0, some},
		{"independent, 3 %", calm(6, 2, noise(.03)), 0, few},
		{"independent, 3 %", calm(12, 3, noise(.03)), 0, few},
		{"independent, 5 %", calm(3, 2, noise(.05)), 0, some},
		{"bursts of 20 s, 1 % of the time, controls see 95 %", calm(3, 2, bursts(20*sec, .01, .95, 0)), 0, some},
		{"bursts of 20 s, 1 % of the time, controls see 95 %", calm(3, 3, bursts(20*sec, .01, .95, 0)), 0, some},
		{"bursts of 20 s, 1 % of the time, controls see 95 %", calm(4, 3, bursts(20*sec, .01, .95, 0)), .1, enough},
		{"bursts of 20 s, 1 % of the time, controls see 95 %", calm(6, 4, bursts(20*sec, .01, .95, 0)), 0, some},
		{"bursts of 5 s, 1 % of the time, controls see 95 %", calm(4, 3, bursts(5*sec, .01, .95, 0)), 0, some},
		{"bursts of 60 s, 1 % of the time, controls see 95 %", calm(4, 3, bursts(60*sec, .01, .95, 0)), 0, some},
		{"bursts of 20 s, 1 %, seen 95 %, one in ten at two sites at once", calm(4, 3, bursts(20*sec, .01, .95, .1)), 0, some},
		{"bursts of 20 s, 1 % of the time, no control sees any", calm(4, 3, bursts(20*sec, .01, 0, 0)), 0, some},
	}
}

// opened simulates a year from a seed and counts the components that opened.
func (row rateRow) opened(t *testing.T, seed uint64, lasts time.Duration) int {
	t.Helper()
	c := row.setup
	c.seed = seed
	w := newSim(t, c)
	w.skips = true
	n := 0
	watch := newInvariants(w)
	check := w.check
	w.check = func() {
		if w.steps%16 == 0 || len(w.events) > 0 { // each step is checked in the faults' table
			check()
		}
		for _, e := range w.events {
			if e.Type == IncidentResolved && e.Incident.MergedInto == "" {
				n += len(e.Incident.Components) // those that joined it, too
			}
		}
		w.events, watch.seen = w.events[:0], 0
	}
	w.run(lasts)
	for _, o := range w.state.Incidents {
		n += len(o.Incident.Components)
	}
	b, err := w.state.Encode()
	if err != nil {
		t.Fatal(err)
	}
	const most = 20_000 // bytes for one site: a state does not grow over the years
	if len(b) > most*row.setup.sites {
		t.Errorf("after %v the state has %d bytes", lasts, len(b))
	}
	return n
}

// line is the row of the table. Rates are per year and component; the upper limit
// is that of 95 % confidence for so many events of a Poisson process.
func (row rateRow) line(opened int, years float64) string {
	s := DefaultSettings()
	row.setup.settings(&s)
	top := simTopology(row.setup.sites, row.setup.regions, row.setup.api)
	h := DefaultThreshold(s, top, row.setup.schedule(), DefaultFalseOpenings)
	return row.begin() + fmt.Sprintf(" %.1f | %.3g | %d | %.2g | %.2g |", float64(h)/1e6, years, opened, float64(opened)/years, poissonUpper(opened)/years)
}

// begin is what tells a row's line from the others'.
func (row rateRow) begin() string {
	s := DefaultSettings()
	row.setup.settings(&s)
	return fmt.Sprintf("| %s | %d | %d |", row.name, row.setup.sites, s.Quorum)
}

// poissonUpper is the mean at which so few events or fewer have a chance of 5 %.
func poissonUpper(n int) float64 {
	below := func(mean float64) float64 {
		term, sum := math.Exp(-mean), 0.0
		for k := range n + 1 {
			if k > 0 {
				term *= mean / float64(k)
			}
			sum += term
		}
		return sum
	}
	if n > 500 { // e^-mean would vanish; the normal approximation is good to 1 %
		return float64(n) + 1.645*math.Sqrt(float64(n))
	}
	low, high := float64(n), float64(n)+10+4*math.Sqrt(float64(n))
	for range 60 {
		if middle := (low + high) / 2; below(middle) > .05 {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

func TestPoissonUpper(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]float64{0: 2.996, 1: 4.744, 5: 10.513, 100: 118.08} {
		if got := poissonUpper(n); math.Abs(got-want) > .01 {
			t.Errorf("upper limit of %d is %.3f, want %.3f", n, got, want)
		}
	}
}

// TestRates counts what opens while nothing is broken. The short version shows that
// it runs, and gives the same as ever; only the long one, with 300 component-years and
// more, says how often. A row can be simulated by itself (-run), and then
// takes its place in the table.
func TestRates(t *testing.T) {
	t.Parallel()
	table, lasts, rows := &rateTable{path: filepath.Join("testdata", "rates.short.md"), lines: map[string]string{}}, 24*time.Hour, rateRows()
	if *long {
		table.path, lasts = filepath.Join("testdata", "rates.md"), year
	} else {
		rows = []rateRow{rows[1], rows[3], rows[10]}
	}
	t.Cleanup(func() { table.same(t, rows) })
	for _, row := range rows {
		t.Run(row.key(), func(t *testing.T) {
			t.Parallel()
			// The core is not counted: what noise can strike is an ingest or a playback.
			components, runs := 2*row.setup.regions, 1
			if *long {
				runs = int(math.Ceil(row.years / float64(components)))
			}
			sum := 0
			for seed := range runs {
				sum += row.opened(t, uint64(seed+1), lasts)
				if *long {
					t.Logf("%d component-years: %d", (seed+1)*components, sum)
				}
			}
			years := float64(runs*components) * lasts.Hours() / year.Hours()
			table.put(row, row.line(sum, years))
			if rate := float64(sum) / years; *long && row.most > 0 && rate > row.most {
				t.Errorf("%.3g false openings of a component a year, want at most %g", rate, row.most)
			}
		})
	}
}

// key is the beginning of a row's line, by which it is found again.
func (row rateRow) key() string {
	s := DefaultSettings()
	row.setup.settings(&s)
	return fmt.Sprintf("%s, %d sites, quorum %d", row.name, row.setup.sites, s.Quorum)
}

// rateTable is the golden table, of which a run may make some lines only.
type rateTable struct {
	path  string
	mutex sync.Mutex
	lines map[string]string
}

func (r *rateTable) put(row rateRow, line string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.lines[row.key()] = line
}

// same compares the lines that were made with those of the file, or replaces them.
func (r *rateTable) same(t *testing.T, rows []rateRow) {
	t.Helper()
	old, _ := os.ReadFile(r.path) // may be missing, before the first -update
	var b strings.Builder
	b.WriteString("| Noise | Sites | Quorum | Threshold (nats) | Component-years | False openings | Per component-year | At most (95 %) |\n|---|---|---|---|---|---|---|---|\n")
	for _, row := range rows {
		made, ok := r.lines[row.key()]
		known := ""
		for line := range strings.Lines(string(old)) {
			if strings.HasPrefix(line, row.begin()) {
				known = strings.TrimSuffix(line, "\n")
			}
		}
		switch {
		case !ok:
			made = known
		case made != known && !*updateTable:
			t.Errorf("%s differs; read the difference, and write it anew with -update:\n%s\n%s", r.path, known, made)
		}
		if made != "" {
			b.WriteString(made + "\n")
		}
	}
	if *updateTable {
		if err := os.WriteFile(r.path, []byte(b.String()), 0o600); err != nil {
			t.Error(err)
		}
	}
}

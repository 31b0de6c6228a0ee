package incident

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

var (
	updateTable = flag.Bool("update", false, "write the golden tables anew")
	faultRuns   = flag.Int("runs", 200, "with -simulate, how often each fault is played")
	long        = flag.Bool("simulate", false, "simulate as long as the README's figures claim (an hour), not the short version")
)

// faultRow is something that breaks, again and again from other seeds.
type faultRow struct {
	name  string
	setup simSetup
	lasts time.Duration
	fault simFault
	away  time.Duration // the hub is, from the beginning on
	flaps time.Duration // the fault comes and goes; 0 is steady
	want  []string      // components that have to fail; none: nothing may be public
	at    float64       // the delay counts for the figures to reach: at most so many seconds at the 95th percentile; 0 is no bound
}

func standard(sites int) simSetup {
	return simSetup{sites: sites, regions: 3, canary: 2 * time.Second, pulls: 2 * time.Second, golive: time.Minute, api: true,
		noise: .01, drops: 1e-5, latency: 300 * time.Millisecond,
		settings: func(s *Settings) { s.Hold = time.Minute }}
}

func some(n ...int) map[int]bool {
	m := map[int]bool{}
	for _, i := range n {
		m[i] = true
	}
	return m
}

func faultRows() []faultRow {
	const minute = time.Minute
	all := some(0, 1, 2)
	ingests, playbacks := []string{"ingest-r0", "ingest-r1", "ingest-r2"}, []string{"playback-r0", "playback-r1", "playback-r2"}
	with := func(s simSetup, change func(*simSetup)) simSetup { change(&s); return s }
	foreign := with(standard(3), func(s *simSetup) { s.foreign = true })
	return []faultRow{
		{"total outage", standard(3), minute, simFault{push: all, dead: all, api: true}, 0, 0, slices.Concat([]string{"api"}, ingests, playbacks), 15},
		{"total outage, seen from 6 sites", standard(6), minute, simFault{push: all, dead: all, api: true}, 0, 0, slices.Concat([]string{"api"}, ingests, playbacks), 15},
		{"total outage, seen from 12 sites", standard(12), minute, simFault{push: all, dead: all, api: true}, 0, 0, slices.Concat([]string{"api"}, ingests, playbacks), 15},
		{"one region out", standard(3), minute, simFault{push: some(0), dead: some(0)}, 0, 0, []string{"ingest-r0", "playback-r0"}, 30},
		{"two regions out", standard(3), minute, simFault{push: some(0, 2), dead: some(0, 2)}, 0, 0, []string{"ingest-r0", "ingest-r2", "playback-r0", "playback-r2"}, 30},
		{"an ingest drops and refuses", standard(3), minute, simFault{push: some(1)}, 0, 0, []string{"ingest-r1"}, 30},
		{"an ingest refuses new broadcasts", standard(3), 2 * minute, simFault{fresh: some(1)}, 0, 0, []string{"ingest-r1"}, 0},
		{"every ingest refuses new broadcasts", standard(3), 2 * minute, simFault{fresh: all}, 0, 0, ingests, 0},
		{"a playback shows nothing", standard(3), minute, simFault{play: some(2)}, 0, 0, []string{"playback-r2"}, 30},
		{"a playback cannot be reached", standard(3), minute, simFault{dead: some(2)}, 0, 0, []string{"playback-r2"}, 30},
		{"nothing comes out anywhere", standard(3), minute, simFault{core: true}, 0, 0, []string{"core"}, 0},
		{"the API fails", standard(3), 2 * minute, simFault{api: true}, 0, 0, []string{"api"}, 0},
		{"nothing comes out anywhere, and agents pull each other's broadcasts", foreign, minute, simFault{core: true}, 0, 0, []string{"core"}, 0},
		{"an ingest drops and refuses, and agents pull each other's broadcasts", foreign, minute, simFault{push: some(1)}, 0, 0, []string{"ingest-r1"}, 30},
		{"total outage, 95 % of the probes fail", standard(3), minute, simFault{push: all, dead: all, api: true, share: .95}, 0, 0, slices.Concat([]string{"api"}, ingests, playbacks), 15},
		{"an ingest, 95 %", standard(3), minute, simFault{push: some(1), share: .95}, 0, 0, []string{"ingest-r1"}, 30},
		{"nearly nothing comes out anywhere, 95 %", standard(3), minute, simFault{core: true, share: .95}, 0, 0, []string{"core"}, 0},
		{"the same, and agents pull each other's broadcasts, 95 %", foreign, minute, simFault{core: true, share: .95}, 0, 0, []string{"core"}, 0},
		{"a playback, 95 %", standard(3), minute, simFault{play: some(2), share: .95}, 0, 0, []string{"playback-r2"}, 30},
		{"an ingest and another region's playback, 95 %", standard(3), 2 * minute, simFault{push: some(1), play: some(2), share: .95}, 0, 0, []string{"ingest-r1", "playback-r2"}, 0},
		{"two playbacks, 95 %", standard(3), minute, simFault{play: some(0, 2), share: .95}, 0, 0, []string{"playback-r0", "playback-r2"}, 0},
		{"a playback shows nothing, and half of all else that is played fails", standard(3), 10 * minute, simFault{play: some(2), thin: .5}, 0, 0, []string{"core", "playback-r2"}, 30},
		{"an ingest shows nothing, and half of all else that is played fails", standard(4), 10 * minute, simFault{mute: some(1), thin: .5}, 0, 0, []string{"core", "ingest-r1"}, 30},
		{"the API and a playback, 95 %", standard(3), 2 * minute, simFault{api: true, play: some(2), share: .95}, 0, 0, []string{"api", "playback-r2"}, 0},
		{"an ingest refuses half of the new broadcasts", standard(3), 10 * minute, simFault{fresh: some(1), share: .5}, 0, 0, []string{"ingest-r1"}, 180},
		{"an ingest refuses half of the new broadcasts; no noise", with(standard(3), func(s *simSetup) { s.noise = 0 }), 10 * minute, simFault{fresh: some(1), share: .5}, 0, 0, []string{"ingest-r1"}, 180},
		{"an ingest refuses half of the new broadcasts, seen from 2 sites; no noise", with(standard(2), func(s *simSetup) { s.noise = 0 }), 10 * minute, simFault{fresh: some(1), share: .5}, 0, 0, []string{"ingest-r1"}, 180},
		{"half of the calls of the API fail, seen from 2 sites; no noise", with(standard(2), func(s *simSetup) { s.noise = 0 }), 10 * minute, simFault{api: true, share: .5}, 0, 0, []string{"api"}, 180},
		{"half of the probes of a playback fail", standard(3), 10 * minute, simFault{play: some(2), share: .5}, 0, 0, []string{"playback-r2"}, 180},
		{"half of the probes of a playback fail, of 2 ingests and playbacks, seen from 2 sites", with(standard(2), func(s *simSetup) { s.regions = 2 }), 10 * minute, simFault{play: some(1), share: .5}, 0, 0, []string{"playback-r1"}, 180},
		{"half of everything that is played fails", standard(3), 10 * minute, simFault{core: true, share: .5}, 0, 0, []string{"core"}, 180},
		{"half of the calls of the API fail", standard(3), 10 * minute, simFault{api: true, share: .5}, 0, 0, []string{"api"}, 180},
		{"a quarter of the probes of a playback fail", standard(3), 30 * minute, simFault{play: some(2), share: .25}, 0, 0, []string{"playback-r2"}, 0},
		{"a playback comes and goes every 20 s", standard(3), 10 * minute, simFault{play: some(2)}, 0, 20 * time.Second, []string{"playback-r2"}, 0},
		{"total outage, clocks up to 20 s apart", with(standard(3), func(s *simSetup) { s.skew = 20 * time.Second }), minute, simFault{push: all, dead: all, api: true}, 0, 0, slices.Concat([]string{"api"}, ingests, playbacks), 15},
		{"the hub is away, then everything comes at once", standard(3), minute, simFault{away: true}, 0, 0, nil, 0},
		{"one agent is sick", standard(3), 10 * minute, simFault{sick: some(1)}, 0, 0, nil, 0},
		{"every agent is sick", standard(3), 10 * minute, simFault{sick: all}, 0, 0, nil, 0},
		{"one agent is silent", standard(3), 10 * minute, simFault{silent: some(1)}, 0, 0, nil, 0},
		{"one agent reaches nothing, and its control passes", standard(3), 10 * minute, simFault{blind: some(1)}, 0, 0, nil, 0},
		{"a pusher whose broadcasts nobody can play", foreign, 10 * minute, simFault{pusher: some(1)}, 0, 0, nil, 0},
		{"such a pusher, and a playback shows nothing", foreign, 2 * minute, simFault{pusher: some(1), play: some(2)}, 0, 0, []string{"playback-r2"}, 0},
		{"one region out, seen from 2 sites", standard(2), minute, simFault{push: some(0), dead: some(0)}, 0, 0, []string{"ingest-r0", "playback-r0"}, 30},
		{"one region out, seen from 12 sites", standard(12), minute, simFault{push: some(0), dead: some(0)}, 0, 0, []string{"ingest-r0", "playback-r0"}, 30},
		{"half of the probes of a playback fail, at 2 of 4 sites", standard(4), 10 * minute, simFault{play: some(2), share: .5, by: some(0, 3)}, 0, 0, []string{"playback-r2"}, 180},
		{"a playback shows nothing, 3 % noise", with(standard(3), func(s *simSetup) { s.noise = .03 }), minute, simFault{play: some(2)}, 0, 0, []string{"playback-r2"}, 30},
		{"total outage, bursts of 20 s at 1 % of the time", with(standard(4), func(s *simSetup) {
			s.noise, s.bursts = .001, &simBursts{mean: 20 * time.Second, share: .01, seen: .95, fails: .95}
			s.settings = func(s *Settings) { s.Hold, s.Quorum = time.Minute, 3 }
		}), minute, simFault{push: all, dead: all, api: true}, 0, 0, slices.Concat([]string{"api"}, ingests, playbacks), 15},
		{"total outage, the hub is away for its first 20 s", standard(3), 2 * minute, simFault{push: all, dead: all, api: true}, 20 * time.Second, 0, slices.Concat([]string{"api"}, ingests, playbacks), 0},
		{"the reference fails", standard(3), 10 * minute, simFault{refer: true}, 0, 0, nil, 0},
		{"a playback shows nothing while the reference fails", standard(3), 2 * minute, simFault{play: some(2), refer: true}, 0, 0, []string{"playback-r2"}, 0},
		{"one agent reaches neither the platform nor its reference", standard(3), 10 * minute, simFault{cut: some(1)}, 0, 0, nil, 0},
		{"an ingest is out, and nothing of the other comes out", with(standard(3), func(s *simSetup) { s.regions = 2 }), 2 * minute, simFault{push: some(0), core: true}, 0, 0, []string{"core", "ingest-r0"}, 0},
		{"a playback shows nothing, at one of 3 sites and after 45 s at another", standard(3), 2 * minute, simFault{play: some(2), by: some(0, 1), spreads: 45 * time.Second}, 0, 0, []string{"playback-r2"}, 60},
		{"two ingests are out, and nothing of the third comes out", standard(3), 2 * minute, simFault{push: some(0, 2), core: true}, 0, 0, []string{"core", "ingest-r0", "ingest-r2"}, 0},
		{"two of four agents reach neither the platform nor their reference", standard(4), 10 * minute, simFault{cut: some(0, 2)}, 0, 0, nil, 0},
		{"a playback shows nothing, at one of 4 sites and after 45 s at another", standard(4), 2 * minute, simFault{play: some(2), by: some(0, 1), spreads: 45 * time.Second}, 0, 0, []string{"playback-r2"}, 60},
		{"a playback shows nothing, at one of 6 sites and after 45 s at another", standard(6), 2 * minute, simFault{play: some(2), by: some(0, 1), spreads: 45 * time.Second}, 0, 0, []string{"playback-r2"}, 60},
		{"a playback shows nothing, at 2 of 3 sites", standard(3), 30 * minute, simFault{play: some(2), by: some(0, 2)}, 0, 0, []string{"playback-r2"}, 30},
		{"a playback shows nothing, at 2 of 4 sites", standard(4), 30 * minute, simFault{play: some(2), by: some(0, 2)}, 0, 0, []string{"playback-r2"}, 30},
		{"nearly nothing comes out anywhere at 2 of 4 sites, 95 %", standard(4), 30 * minute, simFault{core: true, share: .95, by: some(0, 2)}, 0, 0, []string{"core"}, 0},
		{"a playback shows nothing, at 2 of 6 sites", standard(6), 30 * minute, simFault{play: some(2), by: some(0, 2)}, 0, 0, []string{"playback-r2"}, 30},
	}
}

// peopleRows are faults with people in them.
func peopleRows() []faultRow {
	const minute = time.Minute
	all := some(0, 1, 2)
	ingests, playbacks := []string{"ingest-r0", "ingest-r1", "ingest-r2"}, []string{"playback-r0", "playback-r1", "playback-r2"}
	everything := slices.Concat([]string{"api"}, ingests, playbacks)
	with := func(s simSetup, change func(*simSetup)) simSetup { change(&s); return s }
	foreign := with(standard(3), func(s *simSetup) { s.foreign = true })
	humans := with(standard(3), func(s *simSetup) { s.humans = true })
	return []faultRow{
		{"a playback shows nothing while it is worked on", with(standard(3), func(s *simSetup) { s.work = 3 * minute }), 2 * minute, simFault{play: some(2)}, 0, 0, nil, 0},
		{"a playback shows nothing, and a maintenance of it ends after 30 s", with(standard(3), func(s *simSetup) { s.work = minute / 2 }), 2 * minute, simFault{play: some(2)}, 0, 0, []string{"playback-r2"}, 35},
		{"a playback shows nothing at 2 of 4 sites, and a maintenance of it ends after 90 s", with(standard(4), func(s *simSetup) { s.work = 90 * time.Second }), 2 * minute, simFault{play: some(2), by: some(1, 3)}, 0, 0, []string{"playback-r2"}, 95},
		{"a playback shows nothing while it is worked on, and works again 20 s before that ends; no noise", with(standard(3), func(s *simSetup) { s.noise, s.work = 0, 140*time.Second }), 2 * minute, simFault{play: some(2)}, 0, 0, nil, 0},
		{"no playback shows anything while all are worked on", with(foreign, func(s *simSetup) { s.work, s.works = 3*minute, playbacks }), minute, simFault{play: all}, 0, 0, nil, 0},
		{"total outage, people do anything at any time", humans, 2 * minute, simFault{push: all, dead: all, api: true}, 0, 0, everything, 15},
		{"total outage that comes and goes, people do anything at any time", humans, 10 * minute, simFault{push: all, dead: all, api: true}, 0, 45 * time.Second, everything, 15},
	}
}

// faultFigures is what came of a row's runs.
type faultFigures struct {
	runs, missed, rightPlace, wrongPublic, two int
	delays                                     []time.Duration
}

// run plays a row once from a seed.
func (row faultRow) run(t *testing.T, seed uint64, f *faultFigures) {
	t.Helper()
	c := row.setup
	c.seed = seed
	begin := 3*time.Minute + time.Duration(seed*7919%60_000)*time.Millisecond
	c.fault = func(at time.Duration) simFault {
		if at < begin || at >= begin+row.lasts || row.flaps > 0 && (at-begin)/row.flaps%2 == 1 {
			return simFault{}
		}
		f := row.fault
		f.away = f.away || at < begin+row.away
		if at < begin+f.spreads {
			f.by = some(0)
		}
		return f
	}
	w := newSim(t, c)
	watch := newInvariants(w)
	watch.row, watch.causes = fmt.Sprintf("%s, seed %d", row.name, seed), row.causes()
	watch.begun = begin
	if seed%10 == 1 && (*long || c.humans || row.at > 0 && row.lasts <= time.Minute) {
		w.twin = &sim{policy: w.policy, state: NewState()}
	}
	w.maintain(row, begin)
	if c.humans {
		w.at(w.start.Add(begin+5*time.Second), w.people(rand.New(rand.NewPCG(seed, 77)), begin+row.lasts+time.Minute))
	}
	w.run(begin)
	if n := len(w.of(IncidentOpened)); n > 0 {
		t.Errorf("%s, seed %d: opened before anything broke", row.name, seed)
	}
	w.run(row.lasts)
	f.runs++
	place, opened := w.failing(), w.of(IncidentOpened)
	switch {
	case len(row.want) == 0:
		if len(opened) > 0 {
			f.wrongPublic++
		}
	case len(opened) == 0:
		f.missed++
	default:
		f.delays = append(f.delays, opened[0].At.Sub(w.start)-begin)
		if slices.Equal(place, row.want) {
			f.rightPlace++
		} else {
			t.Logf("%s, seed %d: opened %q", row.name, seed, place)
		}
		if len(opened) == 2 {
			f.two++
		}
	}
	row.goesOn(t, seed, w.events)
	told := len(w.events)
	w.run(5 * time.Minute)
	row.over(t, seed, w.events[told:])
	watch.end()
}

// goesOn holds that what nearly all probes see is not said to be over, in all or in part,
// while it goes on.
func (row faultRow) goesOn(t *testing.T, seed uint64, events []Event) {
	t.Helper()
	if share := row.fault.share; share > 0 && share < .95 || row.flaps > 0 || row.setup.humans || row.setup.work > 0 {
		return
	}
	for _, e := range events {
		if in := e.Incident; in != nil && in.MergedInto == "" && (in.Phase == Monitoring && row.fault.thin == 0 || in.Phase == Resolved) {
			t.Errorf("%s, seed %d: %s at %s, while it goes on: %s", row.name, seed, in.Phase, clock(e.At), e.Summary)
		}
	}
}

// over holds that nothing opens once what broke works again, but for what people open.
func (row faultRow) over(t *testing.T, seed uint64, events []Event) {
	t.Helper()
	for _, e := range events {
		if e.Type == IncidentOpened && !row.setup.humans {
			t.Errorf("%s, seed %d: opened at %s, after its end: %s", row.name, seed, clock(e.At), e.Summary)
		}
	}
}

// failing lists the components that an incident has had, sorted.
func (w *sim) failing() []string {
	all := map[string]bool{}
	for _, e := range w.events {
		if e.Incident != nil {
			for _, c := range e.Incident.Components {
				all[c] = true
			}
		}
	}
	return sortedKeys(all)
}

// line is the row of the table.
func (f faultFigures) line(row faultRow) string {
	share := func(n, of int) string {
		if of == 0 {
			return ""
		}
		return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
	}
	if len(row.want) == 0 {
		return fmt.Sprintf("| %s | %d | %d | | | | | %d |", row.name, row.setup.sites, f.runs, f.wrongPublic)
	}
	slices.Sort(f.delays)
	var sum time.Duration
	for _, d := range f.delays {
		sum += d
	}
	mean, p95 := time.Duration(0), time.Duration(0)
	if n := len(f.delays); n > 0 {
		mean, p95 = sum/time.Duration(n), f.delays[(n*95+99)/100-1]
	}
	return fmt.Sprintf("| %s | %d | %d | %d | %.1f | %.1f | %s | |", row.name, row.setup.sites, f.runs, f.missed, mean.Seconds(), p95.Seconds(), share(f.rightPlace, len(f.delays)))
}

// TestFaults plays every row, writes the table, and holds the figures to reach.
func TestFaults(t *testing.T) {
	t.Parallel()
	runs, golden, rows := 1, "faults.short.md", faultRows()
	if *long {
		runs, golden = *faultRuns, "faults.md"
	} else {
		rows = slices.DeleteFunc(rows, func(r faultRow) bool { return r.lasts > 2*time.Minute || r.setup.sites > 3 })
		for i := range rows[len(rows)/2:] { // a half of them, to be quick
			rows[i] = rows[2*i]
		}
		rows = rows[:len(rows)/2]
	}
	for _, row := range peopleRows() {
		if *long || row.setup.sites <= 3 {
			rows = append(rows, row)
		}
	}
	lines := make([]string, len(rows))
	var wg sync.WaitGroup
	gate := make(chan struct{}, 2)
	for i, row := range rows {
		wg.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			var f faultFigures
			for seed := range runs {
				row.run(t, uint64(seed+1), &f)
			}
			lines[i] = f.line(row)
			if *long {
				t.Log(lines[i])
			}
			row.hold(t, f)
		})
	}
	wg.Wait()
	head := "| What breaks | Sites | Runs | Missed | Delay, mean (s) | 95th percentile (s) | Place right | Wrongly public |\n|---|---|---|---|---|---|---|---|\n"
	sameTable(t, golden, head+strings.Join(lines, "\n")+"\n")
}

func (row faultRow) hold(t *testing.T, f faultFigures) {
	t.Helper()
	if f.missed > 0 || f.wrongPublic > 0 {
		t.Errorf("%s: %d missed, %d wrongly public", row.name, f.missed, f.wrongPublic)
	}
	slices.Sort(f.delays)
	n := len(f.delays)
	if n == 0 {
		return
	}
	if p95 := f.delays[(n*95+99)/100-1].Seconds(); row.at > 0 && p95 > row.at {
		t.Errorf("%s: opened after %.1f s at the 95th percentile, want %.0f", row.name, p95, row.at)
	}
	if row.fault.thin > 0 && 100*f.rightPlace < 90*n {
		t.Errorf("%s: the place was right in %d of %d", row.name, f.rightPlace, n)
	}
	if whole := row.fault.thin == 0 && (row.fault.share == 0 || row.fault.share >= .95); (whole || row.at > 0) && 100*f.rightPlace < 99*n {
		t.Errorf("%s: the place was right in %d of %d", row.name, f.rightPlace, n)
	}
	if slices.Contains(twoFaults(), row.name) && 100*f.two < 99*n {
		t.Errorf("%s: two incidents in %d of %d", row.name, f.two, n)
	}
}

// causes is how many incidents a row may have open at a time; 0 is any number: people
// open and merge as they like. What nothing tells from two faults may be two.
func (row faultRow) causes() int {
	switch f := row.fault; {
	case row.setup.humans:
		return 0
	case slices.Contains(twoFaults(), row.name), f.core && len(f.push) > 0, f.api && len(f.push) == 0 && len(f.play) > 0,
		f.thin > 0, len(f.pusher) > 0 && len(f.play) > 0, len(f.play) > 1,
		len(f.push)+len(f.mute) > 0 && len(f.play)+len(f.dead) > 0, f.api && len(f.push) > 0 && len(f.play) == 0:
		return 2
	}
	return 1
}

// twoFaults are the rows of two faults that nothing explains as one: two incidents. The
// API belongs to the whole platform, and what breaks it may break anything.
func twoFaults() []string {
	return []string{"an ingest and another region's playback, 95 %"}
}

func sameTable(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateTable {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s differs; read the difference, and write it anew with -update:\n%s", path, got)
	}
}

// maintain announces work on what a row breaks.
func (w *sim) maintain(row faultRow, begin time.Duration) {
	if row.setup.work == 0 {
		return
	}
	from := w.start.Add(begin - 30*time.Second)
	on := row.setup.works
	if on == nil {
		on = []string{"playback-r2"}
	}
	m := Window{ID: "work", Name: "Work", Components: on, StartsAt: from, EndsAt: from.Add(time.Hour)}
	w.at(from, func() {
		w.step(Input{Maintenance: &MaintenanceEdge{Edge: EdgeAnnounced, Window: m}})
		w.step(Input{Maintenance: &MaintenanceEdge{Edge: EdgeBegan, Window: m}})
	})
	w.at(w.start.Add(begin+row.setup.work), func() { w.step(Input{Maintenance: &MaintenanceEdge{Edge: EdgeEnded, Window: m}}) })
}

// people do something every few seconds until a time, and then release all that
// they have frozen.
func (w *sim) people(rng *rand.Rand, until time.Duration) func() {
	n := 0
	var act func()
	act = func() {
		if w.now.Sub(w.start) > until {
			for i, o := range slices.Clone(w.state.Incidents) {
				w.step(Input{Command: &Command{ID: fmt.Sprint("release", i), Who: "anna", Action: ActionRelease, Incident: o.Incident.ID}})
			}
			return
		}
		n++
		c := person(rng, w.state, w.past(), n, "playback-r0", "ingest-r1", "api")
		w.step(Input{Command: &c})
		w.after(time.Duration(rng.Int64N(int64(10*time.Second))), act)
	}
	return act
}

// past is every incident that is resolved, as it was then.
func (w *sim) past() []Incident {
	last := map[string]Incident{}
	for _, e := range w.events {
		if e.Incident != nil {
			last[e.Incident.ID] = *e.Incident
		}
	}
	var all []Incident
	for _, id := range sortedKeys(last) {
		if in := last[id]; !in.ResolvedAt.IsZero() {
			all = append(all, in)
		}
	}
	return all
}

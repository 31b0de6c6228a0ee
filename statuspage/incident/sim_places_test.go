package incident

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// placeFault is one or two things that break, of which 95 % of the probes fail, in any
// fleet that can tell them from anything else.
type placeFault struct {
	name      string
	ins, outs int // ingests and playbacks that it takes
	fault     simFault
	want      []string
}

func placeFaults() []placeFault {
	const (
		in0, in1   = "ingest-r0", "ingest-r1"
		out0, out1 = "playback-r0", "playback-r1"
	)
	return []placeFault{
		{"the API", 1, 1, simFault{api: true}, []string{"api"}},
		{"an ingest drops and refuses", 1, 1, simFault{push: some(0)}, []string{in0}},
		{"an ingest of which nothing comes out", 2, 1, simFault{mute: some(0)}, []string{in0}},
		{"a playback shows nothing", 1, 2, simFault{play: some(0)}, []string{out0}},
		{"a playback cannot be reached", 1, 1, simFault{dead: some(0)}, []string{out0}},
		{"nothing comes out anywhere", 1, 2, simFault{core: true}, []string{"core"}},
		{"nothing comes out anywhere, of several ingests", 2, 1, simFault{core: true}, []string{"core"}},
		{"an ingest drops, and nothing comes out of another", 2, 2, simFault{push: some(0), core: true}, []string{"core", in0}},
		{"an ingest drops, a playback shows nothing", 2, 2, simFault{push: some(0), play: some(1)}, []string{in0, out1}},
		{"nothing comes out of an ingest, a playback shows nothing", 2, 2, simFault{mute: some(0), play: some(1)}, []string{in0, out1}},
		{"nothing comes out of an ingest, a playback cannot be reached", 2, 2, simFault{mute: some(0), dead: some(1)}, []string{in0, out1}},
		{"two ingests drop", 2, 1, simFault{push: some(0, 1)}, []string{in0, in1}},
		{"nothing comes out of two ingests", 3, 1, simFault{mute: some(0, 1)}, []string{in0, in1}},
		{"two playbacks show nothing", 1, 3, simFault{play: some(0, 1)}, []string{out0, out1}},
		{"the API and a playback", 1, 2, simFault{api: true, play: some(0)}, []string{"api", out0}},
		{"the API and an ingest", 1, 1, simFault{api: true, push: some(0)}, []string{"api", in0}},
		{"a region", 2, 2, simFault{push: some(0), dead: some(0)}, []string{in0, out0}},
	}
}

// placeFleets are fleets of all shapes.
func placeFleets() []simSetup {
	var all []simSetup
	for _, sites := range []int{2, 3, 4, 6, 12} {
		for _, shape := range [][2]int{{1, 1}, {1, 2}, {2, 1}, {2, 2}, {2, 3}, {3, 2}, {3, 3}} {
			for _, foreign := range []bool{false, true} {
				s := standard(sites)
				s.ins, s.outs, s.foreign = shape[0], shape[1], foreign
				all = append(all, s)
			}
		}
	}
	return all
}

// TestPlaceRight breaks one thing or two in fleets of all shapes, and holds that the place
// is right in 99 of 100. The short version plays a few.
func TestPlaceRight(t *testing.T) {
	t.Parallel()
	runs, golden, fleets := 1, "places.short.md", placeFleets()
	if *long {
		runs, golden = max(1, *faultRuns/20), "places.md"
	} else {
		fleets = slices.DeleteFunc(fleets, func(s simSetup) bool { return s.sites != 3 })
	}
	faults := placeFaults()
	lines := make([]string, len(faults))
	var wg sync.WaitGroup
	gate := make(chan struct{}, 2)
	for i, fault := range faults {
		wg.Go(func() {
			gate <- struct{}{}
			defer func() { <-gate }()
			lines[i] = fault.play(t, fleets, runs, i)
			if *long {
				t.Log(lines[i])
			}
		})
	}
	wg.Wait()
	head := "| 95 % of the probes of | Fleets | Runs | Missed | Opened after, 95th percentile (s) | Place right |\n|---|---|---|---|---|---|\n"
	sameTable(t, golden, head+strings.Join(lines, "\n")+"\n")
}

// play breaks it in every fleet that has what it takes, and gives the table's line. The
// short version takes a few fleets, others for each fault.
func (p placeFault) play(t *testing.T, fleets []simSetup, runs, number int) string {
	t.Helper()
	fault := p.fault
	fault.share = .95
	var sum faultFigures
	fit := 0
	for n, fleet := range fleets {
		if fleet.ins < p.ins || fleet.outs < p.outs || !*long && fit > 0 && n%7 != number%7 {
			continue
		}
		fit++
		row := faultRow{name: fmt.Sprintf("%s, %d sites, %d by %d, sampled %v", p.name, fleet.sites, fleet.ins, fleet.outs, fleet.foreign),
			setup: fleet, lasts: 2 * time.Minute, fault: fault, want: p.want}
		for seed := range runs {
			row.run(t, uint64(seed+1), &sum)
		}
	}
	n := len(sum.delays)
	if sum.missed > 0 || 100*sum.rightPlace < 99*n {
		t.Errorf("%s: %d missed of %d, the place right in %d", p.name, sum.missed, sum.runs, sum.rightPlace)
	}
	slices.Sort(sum.delays)
	return fmt.Sprintf("| %s | %d | %d | %d | %.1f | %.1f %% |", p.name, fit, sum.runs, sum.missed, sum.delays[(n*95+99)/100-1].Seconds(), 100*float64(sum.rightPlace)/float64(n))
}

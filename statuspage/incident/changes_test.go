package incident

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// dropped is an incident of the canaries of the first region, after changes at so many
// seconds before its first failure.
func dropped(t *testing.T, changes map[int]Change) *rig {
	t.Helper()
	r := newRig(t, 3, nil, nil)
	r.warm()
	r.pass(24 * time.Hour)
	r.warm()
	began := r.now.Add(time.Hour)
	for before, c := range changes {
		c.At = began.Add(-time.Duration(before) * time.Second)
		r.step(Input{Change: &c})
	}
	r.pass(time.Hour - 10*time.Second)
	r.warm()
	r.pass(began.Sub(r.now))
	r.every(10, func(_, i int) {
		r.canaries(i, map[string]prober.Stage{regions[0]: prober.StageIngest})
		r.cells(i, prober.KindPlayback, func(in, _ string) prober.Stage {
			if in == regions[0] {
				return unknown
			}
			return ""
		})
	})
	return r
}

func TestRelatedChanges(t *testing.T) {
	t.Parallel()
	component := topology().Components[0].ID
	for name, c := range map[string]struct {
		changes map[int]Change
		want    string
	}{
		"none": {nil, ""},
		"the nearest first": {map[int]Change{
			600: {ID: "component", Components: []string{component}}, 60: {ID: "all"}, 30: {ID: "region", Regions: []string{regions[0]}}, 700: {ID: "all2"},
		}, "component component, region region, everything all, everything all2"},
		"of another component":       {map[int]Change{60: {ID: "x", Components: []string{"docs"}}}, ""},
		"of another region":          {map[int]Change{60: {ID: "x", Regions: []string{regions[1]}}}, ""},
		"of another component there": {map[int]Change{60: {ID: "x", Components: []string{"docs"}, Regions: []string{regions[0]}}}, ""},
		"too long ago":               {map[int]Change{31 * 60: {ID: "x"}}, ""},
		"just after it began":        {map[int]Change{-5: {ID: "x"}}, "everything x"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := dropped(t, c.changes)
			var got []string
			for _, e := range r.events {
				if e.Type == IncidentOpened {
					for _, x := range e.Incident.Changes {
						got = append(got, string(x.Scope)+" "+x.ID)
						if p := x.Coincidence(); p <= 0 || p >= .2 || x.Similar < 1 || x.Over < 24*time.Hour {
							t.Errorf("%s: %d in %v, %.3f", x.ID, x.Similar, x.Over, p)
						}
					}
				}
			}
			if joined := strings.Join(got, ", "); joined != c.want || r.count(IncidentOpened) != 1 {
				t.Errorf("%d opened, with %q, want %q", r.count(IncidentOpened), joined, c.want)
			}
		})
	}
}

// The chance that is told is how often random moments do have such a change.
func TestCoincidence(t *testing.T) {
	t.Parallel()
	const n, over, lead = 24, 24 * time.Hour, 10 * time.Minute
	told := Related{Lead: lead, Similar: n, Over: over}.Coincidence()
	hits, tries := 0, 20_000
	x := uint64(1)
	random := func() float64 { // any will do
		x = x*6364136223846793005 + 1442695040888963407
		return float64(x>>11) / (1 << 53)
	}
	for range tries {
		moment, near := random(), false
		for range n {
			at := random()
			near = near || at <= moment && moment-at <= lead.Hours()/over.Hours()
		}
		if near {
			hits++
		}
	}
	if seen := float64(hits) / float64(tries); math.Abs(seen-told) > .01 {
		t.Errorf("told %.3f, seen %.3f", told, seen)
	}
	for _, c := range []struct {
		r    Related
		want string
	}{
		{Related{Change: Change{Summary: "v2"}, Scope: ScopeComponent, Lead: 2 * time.Minute, Similar: 1, Over: 30 * 24 * time.Hour}, "v2, 2m0s before the first failure; names a component that failed. By coincidence alone: less than 1 in 1000 (1 such in 30d0h)"},
		{Related{Change: Change{Summary: "v2"}, Scope: ScopeEverything, Lead: 10 * time.Minute, Similar: 24, Over: 24 * time.Hour}, "By coincidence alone: 1 in 7 (24 such in 1d0h)"},
		{Related{Change: Change{Summary: "v2"}, Scope: ScopeRegion, Lead: -3 * time.Second, Similar: 2, Over: time.Minute}, "v2, 3s after the first failure; names a region that failed. By coincidence alone: 1 in 11"},
		{Related{Lead: 29 * time.Minute, Similar: 60, Over: time.Hour}, "nearly certain"},
	} {
		if got := c.r.Words(); !strings.Contains(got, c.want) {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// What is kept of changes is bounded, and how often they come is told of the time
// from which on all are.
func TestChangesAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.pass(time.Minute)
	for i := range 3 * maxChanges {
		r.now = r.now.Add(time.Minute)
		r.step(Input{Change: &Change{ID: fmt.Sprint(i), Summary: "x"}})
	}
	if n := len(r.state.Changes); n != maxChanges || r.state.Changes[n-1].ID != fmt.Sprint(3*maxChanges-1) || r.state.ChangesSince != r.state.Changes[0].At {
		t.Errorf("%d changes since %v", n, r.state.ChangesSince)
	}
	r.now = r.now.Add(2 * changesKept)
	r.step(Input{Change: &Change{ID: "last", Summary: "x"}})
	if n := len(r.state.Changes); n != 1 || r.state.ChangesSince != r.now.Add(-changesKept) {
		t.Errorf("%d changes since %v", n, r.state.ChangesSince)
	}
}

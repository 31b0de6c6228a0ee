package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

func TestCauses(t *testing.T) {
	t.Parallel()
	one := func(id string, s prober.Stage) map[string]prober.Stage { return map[string]prober.Stage{id: s} }
	for _, tt := range []struct {
		name   string
		faults faults
		want   []string // titles
	}{
		{"an ingest and another region's playback have two causes",
			faults{golive: one("fra", prober.StagePublish), playback: one("sin", prober.StageManifest)},
			[]string{"New broadcasts cannot start in Frankfurt", "Playback is failing in Singapore"}},
		{"an ingest and a playback of one region have one",
			faults{golive: one("fra", prober.StagePublish), playback: one("fra", prober.StageManifest)},
			[]string{"Live streaming outage in Frankfurt"}},
		{"two ingests have one",
			faults{golive: map[string]prober.Stage{"fra": prober.StagePublish, "sin": prober.StagePublish}},
			[]string{"New broadcasts cannot start in Frankfurt and Singapore"}},
		{"everything has one",
			faults{ingest: everywhere(prober.StageIngest), playback: everywhere(prober.StageConnect), api: true},
			[]string{"Live streaming outage"}},
		{"every playback and one ingest have one",
			faults{golive: one("fra", prober.StagePublish), playback: everywhere(prober.StageConnect)},
			[]string{"Live streaming outage in all regions"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			f := newFleet(t, nil)
			f.run(20 * time.Second)
			f.broken = between(f.now, f.now.Add(time.Minute), tt.faults)
			f.run(50 * time.Second)
			var open []string
			for _, in := range f.policy.View(f.state).Incidents {
				open = append(open, in.Name)
			}
			slices.Sort(open)
			if !slices.Equal(open, tt.want) {
				t.Errorf("open are %q, want %q", open, tt.want)
			}
			f.run(2 * time.Minute)
			if opened, resolved := len(f.of(IncidentOpened)), len(f.of(IncidentResolved)); opened != resolved {
				t.Errorf("%d opened, %d resolved", opened, resolved)
			}
		})
	}
}

// TestMergeOfTwo lets two faults of two causes become one that explains both.
func TestMergeOfTwo(t *testing.T) {
	t.Parallel()
	f := newFleet(t, nil)
	f.run(20 * time.Second)
	two := faults{golive: map[string]prober.Stage{"fra": prober.StagePublish}, playback: map[string]prober.Stage{"sin": prober.StageManifest}}
	all := faults{golive: everywhere(prober.StagePublish), playback: two.playback}
	spread, end := f.now.Add(25*time.Second), f.now.Add(time.Minute)
	f.broken = func(at time.Time) faults {
		switch {
		case at.Before(spread):
			return two
		case at.Before(end):
			return all
		}
		return faults{}
	}
	f.run(4 * time.Minute)
	if n := len(f.of(IncidentOpened)); n != 2 {
		t.Fatalf("%d opened, want 2: %q", n, titles(f.of(IncidentOpened)))
	}
	resolved := f.of(IncidentResolved)
	if len(resolved) != 2 {
		t.Fatalf("%d resolved, want 2", len(resolved))
	}
	merged, last := resolved[0].Incident, resolved[1].Incident
	if merged.MergedInto != last.ID || !strings.Contains(merged.Updates[len(merged.Updates)-1].Body, "part of another incident") {
		t.Errorf("the first to end is %+v", merged)
	}
	if last.Name != "Live streaming outage in all regions" || last.MergedInto != "" {
		t.Errorf("the last is %q, merged into %q", last.Name, last.MergedInto)
	}
}

// Where half of everything fails, chance makes all of a playback fail now and then: that
// fails nothing more, and is no second incident.
func TestHalfOfEverything(t *testing.T) {
	t.Parallel()
	for _, row := range faultRows() {
		if row.name == "half of everything that is played fails" {
			row.lasts = 5 * time.Minute
			var f faultFigures
			row.run(t, 2, &f)
			row.hold(t, f)
			return
		}
	}
	t.Fatal("there is no such row")
}

// What fails in every round beside that does fail.
func TestByChance(t *testing.T) {
	t.Parallel()
	inPart := Failure{Element: core("live"), Kind: prober.KindPlayback, Evidence: []Evidence{{Site: "s0", Partial: true}}}
	over, whole := inPart, inPart
	over.RecoveredAt = time.Unix(1, 0)
	whole.Evidence = []Evidence{{Site: "s0"}}
	for name, x := range map[string]struct {
		open    Failure
		element prober.Element
		kind    prober.Kind
		rounds  []uint64 // failed in a row, by site
		want    bool
	}{
		"now and then":                 {inPart, playback("live", "r0"), prober.KindPlayback, []uint64{5, 4, 0}, true},
		"always, at a quorum":          {inPart, playback("live", "r0"), prober.KindPlayback, []uint64{5, 6, 0}, false},
		"an ingest":                    {inPart, ingest("live", "r0"), prober.KindGoLive, []uint64{2, 2, 2}, true},
		"a canary's drops are another": {inPart, ingest("live", "r0"), prober.KindCanary, []uint64{1, 1, 1}, false},
		"the core itself":              {inPart, core("live"), prober.KindGoLive, []uint64{1, 1, 1}, false},
		"it is over":                   {over, playback("live", "r0"), prober.KindPlayback, []uint64{2, 2, 2}, false},
		"nothing comes out":            {whole, playback("live", "r0"), prober.KindPlayback, []uint64{2, 2, 2}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newSim(t, standard(3))
			w.run(time.Minute)
			w.state.Incidents = []*openIncident{{Incident: Incident{Target: "live", Failures: []Failure{x.open}}}}
			sum := &sumState{Element: x.element, Kind: x.kind, Sites: map[string]*siteSum{}}
			for i, n := range x.rounds {
				sum.Sites[fmt.Sprint("s", i)] = &siteSum{Noise: n}
			}
			turn := &turn{Policy: w.policy, s: &w.state}
			if got := turn.byChance(sum); got != x.want {
				t.Errorf("by chance: %v, want %v", got, x.want)
			}
		})
	}
}

// What chance has left in the sums of playbacks and ingests when what lies between them
// works again opens nothing.
func TestChanceIsForgotten(t *testing.T) {
	t.Parallel()
	row := faultRow{name: "half of two playbacks fails", setup: standard(3), lasts: 5 * time.Minute, fault: simFault{play: some(0, 1), share: .5}}
	for _, seed := range []uint64{2, 3} {
		var f faultFigures
		row.want = []string{"core"}
		row.run(t, seed, &f)
	}
}

// What a person has resolved while it fails in part goes on to explain what chance makes
// of it.
func TestChanceAfterAPersonResolved(t *testing.T) {
	t.Parallel()
	for _, seed := range []uint64{1, 2, 3, 4} {
		c := standard(3)
		c.seed = seed
		c.fault = func(at time.Duration) simFault {
			if at < time.Minute || at > 9*time.Minute {
				return simFault{}
			}
			return simFault{play: some(0, 1), share: .5}
		}
		w := newSim(t, c)
		w.run(3 * time.Minute)
		if len(w.state.Incidents) != 1 {
			t.Fatalf("seed %d: %d incidents", seed, len(w.state.Incidents))
		}
		w.step(Input{Command: &Command{ID: "done", Who: "anna", Action: ActionResolve, Incident: w.state.Incidents[0].Incident.ID}})
		told := len(w.events)
		w.run(12 * time.Minute)
		for _, e := range w.events[told:] {
			if e.Type == IncidentOpened && !slices.Equal(e.Incident.Components, []string{"core"}) { // which may be seen good, and fail again
				t.Errorf("seed %d: opened at %s: %s", seed, clock(e.At), e.Summary)
			}
		}
	}
}

package incident

import (
	"testing"
	"time"

	"streamcanary/prober"
)

// seesOut is a round of a site at which playbacks show nothing.
func (r *rig) seesOut(i int, outs ...string) {
	r.canaries(i, nil)
	fails := down(outs...)
	r.cells(i, prober.KindPlayback, func(_, out string) prober.Stage {
		if fails[out] != "" {
			return prober.StageManifest
		}
		return ""
	})
}

// TestSpreads: what a quorum of sites sees opens, however long one of them has seen it
// alone, and whatever else that one sees.
func TestSpreads(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		sites int
		first func(r *rig, i int) // for two minutes, by site
		then  func(r *rig, i int)
	}{
		{"at three sites, from one to the next", 3, seenAt("nyc", 0), seenAt("nyc", 0, 1)},
		{"at four sites, from one to the next", 4, seenAt("nyc", 0), seenAt("nyc", 0, 1)},
		{"at six sites, from one to the next", 6, seenAt("nyc", 0), seenAt("nyc", 0, 5)},
		{"one site never reaches another playback", 3, seenAt("sin", 0), func(r *rig, i int) {
			switch i {
			case 0:
				r.seesOut(i, "sin", "nyc")
			case 1:
				r.seesOut(i, "nyc")
			default:
				r.seesOut(i)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, tt.sites, nil, nil)
			r.warm()
			r.every(60, func(_, i int) { tt.first(r, i) })
			if opened, alone := r.count(IncidentOpened), r.count(AgentContradicted); opened != 0 || alone != 1 {
				t.Fatalf("one site sees it: %d opened, on-call was told of it %d times", opened, alone)
			}
			r.every(10, func(_, i int) { tt.then(r, i) })
			if n := r.count(IncidentOpened); n != 1 {
				t.Errorf("two sites see it: %d opened in 20 s, want 1", n)
			}
		})
	}
}

// seenAt lets some sites see a playback fail.
func seenAt(out string, sites ...int) func(*rig, int) {
	sees := some(sites...)
	return func(r *rig, i int) {
		if sees[i] {
			r.seesOut(i, out)
		} else {
			r.seesOut(i)
		}
	}
}

// TestBlipBesideOneAlone: what one site has seen alone for long, and another for a
// moment, opens nothing, and the one stays alone.
func TestBlipBesideOneAlone(t *testing.T) {
	t.Parallel()
	r := newRig(t, 4, nil, nil)
	r.warm()
	r.every(120, func(k, i int) {
		if k%30 == 29 {
			seenAt("nyc", 0, 1, 2)(r, i)
		} else {
			seenAt("nyc", 0)(r, i)
		}
	})
	if opened, alone, back := r.count(IncidentOpened), r.count(AgentContradicted), r.count(AgentRecovered); opened+back != 0 || alone != 1 {
		t.Errorf("%d opened, told alone %d times, and back %d times", opened, alone, back)
	}
	r.every(30, func(_, i int) { r.seesOut(i) })
	if back := r.count(AgentRecovered); back != 1 {
		t.Errorf("told back %d times, want once", back)
	}
}

// TestNobodyIsAloneAtWork: what fails while it is worked on makes no site stand alone,
// so what a quorum still sees fail when that ends opens at once, of however many sites.
func TestNobodyIsAloneAtWork(t *testing.T) {
	t.Parallel()
	for sites := 3; sites <= 6; sites++ {
		r := newRig(t, sites, nil, nil)
		r.warm()
		w := Window{ID: "w", Name: "Work", Components: []string{"playback-nyc"}, StartsAt: r.now, EndsAt: r.now.Add(time.Hour)}
		r.edge(EdgeAnnounced, w)
		r.edge(EdgeBegan, w)
		r.every(30, func(_, i int) { seenAt("nyc", 0)(r, i) })
		r.every(30, func(_, i int) { seenAt("nyc", 0, 1)(r, i) })
		if opened, alone := r.count(IncidentOpened), r.count(AgentContradicted); opened+alone != 0 {
			t.Fatalf("%d sites: %d opened and %d told alone while it is worked on", sites, opened, alone)
		}
		r.edge(EdgeEnded, w)
		if n := len(r.state.Incidents); n != 1 {
			t.Errorf("%d sites: %d incidents when it ended, want one at once", sites, n)
		}
	}
}

// As long as a quorum sees it fail, it has not recovered, however many see it good.
func TestAQuorumStillSeesItFail(t *testing.T) {
	t.Parallel()
	var f faultFigures
	row := faultRow{name: "a playback, at 2 of 4 sites", setup: standard(4), lasts: 2 * time.Minute, fault: simFault{play: some(2), by: some(0, 2)}, want: []string{"playback-r2"}}
	row.run(t, 1, &f)
	row.hold(t, f)
}

// What a site saw before it fell silent does not agree, when it is heard again, with
// what another site then sees alone.
func TestSilenceForgets(t *testing.T) {
	t.Parallel()
	for _, sites := range []int{3, 4, 6} {
		c := standard(sites)
		c.seed = uint64(sites)
		c.fault = func(at time.Duration) simFault {
			const minute = time.Minute
			return simFault{
				blind:  map[int]bool{0: at >= 2*minute && at < 3*minute, 1: at >= 4*minute && at < 8*minute},
				silent: map[int]bool{0: at >= 3*minute && at < 6*minute},
			}
		}
		w := newSim(t, c)
		w.run(10 * time.Minute)
		for _, e := range w.of(IncidentOpened) {
			t.Errorf("%d sites: opened at %s: %s", sites, clock(e.At), e.Summary)
		}
		if n := len(w.of(AgentContradicted)); n != 2 {
			t.Errorf("%d sites: %d stood alone, want the two that did", sites, n)
		}
	}
}

package incident

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"streamcanary/prober"
)

// apart makes the core a component of its own.
func apart(top *Topology) {
	for i := range top.Components {
		c := &top.Components[i]
		c.Elements = slices.DeleteFunc(c.Elements, func(e prober.Element) bool { return e.Type == prober.ElementCore })
	}
	top.Components = append(top.Components, Component{ID: "core", Name: "Delivery", Publish: PublishAuto, Elements: []prober.Element{core("live")}})
}

// TestWorkIsNotTheCores: what is red for the sake of work says nothing of what lies
// behind it. At the end of the work what still fails opens at once.
func TestWorkIsNotTheCores(t *testing.T) {
	t.Parallel()
	playbacks := []string{"playback-fra", "playback-nyc", "playback-sin"}
	ingests := []string{"ingest-fra", "ingest-nyc", "ingest-sin"}
	always := func(stage prober.Stage) func(in, out string) prober.Stage {
		return func(string, string) prober.Stage { return stage }
	}
	for _, tt := range []struct {
		name   string
		work   []string
		how    func(in, out string) prober.Stage
		during []string // components that fail
		after  []string
	}{
		{"all playbacks show nothing", playbacks, always(prober.StageManifest), nil, playbacks},
		{"no playback is reached", playbacks, always(prober.StageConnect), nil, playbacks},
		{"nothing of any ingest is shown", ingests, always(prober.StageManifest), nil, ingests},
		{"a playback still shows what one ingest takes", playbacks, func(in, out string) prober.Stage {
			return map[bool]prober.Stage{true: prober.StageManifest}[in != "fra" || out != "fra"]
		}, nil, []string{"playback-nyc", "playback-sin"}},
		{"nothing is shown, and one playback is worked on", playbacks[:1], always(prober.StageManifest), []string{"core"}, []string{"core"}},
		{"one of two that show nothing is worked on", playbacks[:1], func(_, out string) prober.Stage {
			return map[bool]prober.Stage{true: prober.StageManifest}[out != "sin"]
		}, []string{"playback-nyc"}, playbacks[:2]},
		{"work on everything", slices.Concat(ingests, playbacks, []string{"core"}), always(prober.StageManifest), nil, []string{"core"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, apart, nil)
			r.warm()
			w := r.work()
			w.Components, w.Regions = tt.work, nil
			r.edge(EdgeAnnounced, w)
			r.edge(EdgeBegan, w)
			r.every(60, func(_, i int) {
				r.canaries(i, nil)
				r.cells(i, prober.KindPlayback, tt.how)
			})
			if got := r.failing(); !slices.Equal(got, tt.during) {
				t.Errorf("in the work %v fail, want %v", got, tt.during)
			}
			r.edge(EdgeEnded, w)
			r.pass(3 * time.Second)
			if got := r.failing(); !slices.Equal(got, tt.after) {
				t.Errorf("at its end %v fail, want %v", got, tt.after)
			}
		})
	}
}

// failing lists the components of open incidents, sorted.
func (r *rig) failing() []string {
	var all []string
	for _, o := range r.state.Incidents {
		all = append(all, o.Incident.Components...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// TestQualityInWork: what plays badly where it is worked on is not the core's.
func TestQualityInWork(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, apart, nil)
	r.warm()
	w := r.work()
	w.Components, w.Regions = []string{"playback-fra", "playback-nyc", "playback-sin"}, nil
	r.edge(EdgeAnnounced, w)
	r.edge(EdgeBegan, w)
	r.every(60, func(_, i int) {
		r.canaries(i, nil)
		r.plays(i, func(_, _ string) prober.Reason { return prober.ReasonPlaylistStale })
	})
	if got := r.failing(); got != nil {
		t.Errorf("in the work %v are degraded", got)
	}
	r.edge(EdgeEnded, w)
	r.pass(3 * time.Second)
	if got := r.failing(); !slices.Equal(got, w.Components) {
		t.Errorf("at its end %v are degraded", got)
	}
}

// TestWorkOnTheOnlyPlayback: of a target with one, there is nothing to compare with.
func TestWorkOnTheOnlyPlayback(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, func(top *Topology) {
		apart(top)
		top.Targets[0].Ingests, top.Targets[0].Playbacks = top.Targets[0].Ingests[:1], top.Targets[0].Playbacks[:1]
	}, nil)
	w := r.work()
	r.edge(EdgeAnnounced, w)
	r.edge(EdgeBegan, w)
	r.every(60, func(_, i int) {
		r.result(prober.Result{Agent: fmt.Sprintf("a%d", i), Kind: prober.KindPlayback, Ingest: "fra", Playback: "fra", Round: r.now.String(), RoundOf: 1}, prober.StageManifest)
	})
	if got := r.failing(); got != nil {
		t.Errorf("in the work %v fail", got)
	}
}

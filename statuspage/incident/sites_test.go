package incident

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"streamcanary/prober"
)

// shared puts two agents at each of the first sites: a0 and a1, a2 and a3, and so on;
// every other site has one.
func shared(sites, double int) func(*Topology) {
	return func(t *Topology) {
		t.Sites = nil
		agent := 0
		for i := range sites {
			site, n := Site{ID: fmt.Sprintf("s%d", i)}, 1
			if i < double {
				n = 2
			}
			for range n {
				site.Agents = append(site.Agents, fmt.Sprintf("a%d", agent))
				agent++
			}
			t.Sites = append(t.Sites, site)
		}
	}
}

// agents is n rounds of all agents, two seconds apart, and theirs spread over those.
func (r *rig) agents(n int, round func(agent int)) {
	all := len(r.policy.index.agents)
	for range n {
		for i := range all {
			round(i)
			r.pass(2 * time.Second / time.Duration(all))
		}
	}
}

// TestSitesCount: the sites agree, not the agents, and a site speaks as long as one of
// its agents is well.
func TestSitesCount(t *testing.T) {
	t.Parallel()
	sick := func(r *rig, i int) {
		r.round++
		r.result(prober.Result{Agent: fmt.Sprintf("a%d", i), Kind: prober.KindAPI, Round: fmt.Sprint(r.round), RoundOf: 1, Control: prober.ControlFail}, "")
	}
	silent := func(*rig, int) {}
	sees := func(agents ...int) func(*rig, int) { return seenAt("nyc", agents...) }
	at := func(agent int, does, others func(*rig, int)) func(*rig, int) {
		return func(r *rig, i int) {
			if i == agent {
				does(r, i)
			} else {
				others(r, i)
			}
		}
	}
	for _, tt := range []struct {
		name          string
		sites, double int
		before, round func(r *rig, agent int)
		want          int
	}{
		{"both agents of one site see it", 3, 1, sees(), sees(0, 1), 0},
		{"both agents of one site, of which each site has two", 3, 3, sees(), sees(2, 3), 0},
		{"both agents of one site, and one of another", 3, 1, sees(), sees(0, 1, 2), 1},
		{"the first agent of a site is silent", 2, 1, at(0, silent, sees()), at(0, silent, sees(1, 2)), 1},
		{"the second agent of a site is silent", 2, 1, at(1, silent, sees()), at(1, silent, sees(0, 2)), 1},
		{"the first agent of a site is sick", 2, 1, at(0, sick, sees()), at(0, sick, sees(1, 2)), 1},
		{"the second agent of a site is sick", 2, 1, at(1, sick, sees()), at(1, sick, sees(0, 2)), 1},
		{"no agent of a site is heard", 2, 1, at(0, silent, at(1, silent, sees())), at(0, silent, at(1, silent, sees(2))), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 0, shared(tt.sites, tt.double), nil)
			r.agents(3, func(i int) { sees()(r, i) })
			r.agents(15, func(i int) { tt.before(r, i) })
			if n := r.count(IncidentOpened); n != 0 {
				t.Fatalf("%d opened before anything failed", n)
			}
			r.agents(10, func(i int) { tt.round(r, i) })
			if n := r.count(IncidentOpened); n != tt.want {
				t.Fatalf("%d opened, want %d", n, tt.want)
			}
			r.agents(60, func(i int) { tt.before(r, i) })
			if n := r.count(IncidentResolved); n != tt.want {
				t.Errorf("%d resolved, want %d", n, tt.want)
			}
		})
	}
}

// TestAloneIsOneOfTheSite: of a site's agents on-call is told of the one that alone sees
// something fail, and of both if both do.
func TestAloneIsOneOfTheSite(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		sees []int
		want string
	}{
		{"the first", []int{0}, "[a0]"},
		{"the second", []int{1}, "[a1]"},
		{"both", []int{0, 1}, "[a0 a1]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 0, shared(3, 1), nil)
			r.agents(3, func(i int) { r.seesOut(i) })
			// The one that sees nothing fail tests ingests alone: its word is not against it.
			r.agents(60, func(i int) {
				if i > 1 || slices.Contains(tt.sees, i) {
					seenAt("nyc", tt.sees...)(r, i)
				} else {
					r.canaries(i, nil)
				}
			})
			told := func(kind EventType) string {
				var agents []string
				for _, e := range r.events {
					if e.Type == kind {
						agents = append(agents, e.Agent)
					}
				}
				slices.Sort(agents)
				return fmt.Sprint(agents)
			}
			if got := told(AgentContradicted); got != tt.want {
				t.Errorf("on-call is told of %s, want %s", got, tt.want)
			}
			r.agents(60, func(i int) { r.seesOut(i) })
			if got := told(AgentRecovered); got != tt.want {
				t.Errorf("it is over for %s, want %s", got, tt.want)
			}
		})
	}
}

// TestSeveralOfOneType: a component that shows several elements of one type is out in
// part until all of them are out.
func TestSeveralOfOneType(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		outs []string
		want Status
	}{
		{"none", nil, Operational},
		{"one of two", []string{"nyc"}, PartialOutage},
		{"both", []string{"fra", "nyc"}, MajorOutage},
		{"another", []string{"sin"}, Operational},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, func(t *Topology) {
				t.Components = append(t.Components, Component{
					ID: "both", Name: "Playback", Publish: PublishAuto,
					Elements: []prober.Element{playback("live", "fra"), playback("live", "nyc"), ingest("live", "fra")},
				})
			}, nil)
			r.warm()
			r.every(20, func(_, i int) { r.seesOut(i, tt.outs...) })
			if got := r.state.Components["both"].Status; got != tt.want {
				t.Errorf("status %s, want %s", got, tt.want)
			}
			for _, out := range tt.outs {
				if got := r.state.Components["playback-"+out].Status; got != MajorOutage {
					t.Errorf("playback-%s: %s", out, got)
				}
			}
		})
	}
}

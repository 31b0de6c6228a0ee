package incident

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

func down(ids ...string) map[string]prober.Stage {
	m := map[string]prober.Stage{}
	for _, id := range ids {
		m[id] = prober.StageConnect
	}
	return m
}

// What must not open anything, and must leave nothing open behind.
func TestOpensNothing(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		run  func(r *rig)
	}{
		{"canaries that cannot be made say nothing of the API", func(r *rig) {
			r.every(20, func(_, i int) {
				r.canaries(i, map[string]prober.Stage{"fra": prober.StageProvision, "nyc": prober.StageProvision, "sin": prober.StageProvision})
			})
		}},
		{"a broadcast that never ran cannot drop", func(r *rig) {
			r.every(20, func(_, i int) { r.canaries(i, down("fra")) })
		}},
		{"agents that start anew in an outage saw no drop", func(r *rig) {
			r.warm()
			r.every(3, func(_, i int) {
				r.round++
				for _, in := range regions {
					r.result(prober.Result{Agent: fmt.Sprintf("a%d", i), Boot: "second", Kind: prober.KindCanary, Ingest: in, Round: fmt.Sprint(r.round), RoundOf: 3}, prober.StageConnect)
				}
			})
		}},
		{"a site cut off for long, and a blip at another", func(r *rig) {
			r.warm()
			r.every(160, func(k, i int) {
				f := map[string]prober.Stage{}
				if i == 0 || i == 1 && k >= 150 && k < 153 {
					f = down("fra", "nyc", "sin")
				}
				r.canaries(i, f)
			})
			r.every(60, func(_, i int) { r.canaries(i, nil) })
		}},
		{"one of three creates fails in each round", func(r *rig) {
			r.warm()
			r.every(12, func(_, i int) {
				r.round++
				a, round := fmt.Sprintf("a%d", i), fmt.Sprint(r.round)
				for _, in := range regions {
					stage := prober.Stage("")
					if in == "fra" {
						stage = prober.StageProvision
					}
					r.result(prober.Result{Agent: a, Kind: prober.KindGoLive, Ingest: in, Round: round, RoundOf: 3}, stage)
				}
			})
		}},
		{"one cell of nine, wherever it fails", func(r *rig) {
			r.warm()
			for _, stage := range []prober.Stage{prober.StageConnect, prober.StageManifest} {
				r.every(20, func(_, i int) {
					r.cells(i, prober.KindPlayback, func(in, out string) prober.Stage {
						if in == "fra" && out == "fra" {
							return stage
						}
						return ""
					})
				})
			}
		}},
		{"a single cell that could be tried", func(r *rig) {
			r.warm()
			r.every(20, func(_, i int) {
				r.cells(i, prober.KindPlayback, func(in, out string) prober.Stage {
					if in == "fra" && out == "fra" {
						return prober.StageManifest
					}
					return unknown
				})
			})
		}},
		{"a result that comes again between two boots", func(r *rig) {
			r.warm()
			for range 10 {
				for _, boot := range []string{"boot", "second"} {
					for i := range 3 {
						x := prober.Result{Agent: fmt.Sprintf("a%d", i), Boot: boot, Seq: 1000, Kind: prober.KindGoLive, Ingest: "fra", Round: "again", RoundOf: 1, Target: "live",
							Control: prober.ControlPass, Outcome: prober.Fail, Stage: prober.StagePublish, Reason: prober.ReasonPublishDenied}
						r.step(Input{Result: &x})
					}
				}
				r.pass(2 * time.Second)
			}
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, nil, nil)
			tt.run(r)
			if n := r.count(IncidentOpened); n > 0 || len(r.state.Incidents) > 0 {
				t.Errorf("%d opened:\n%s", n, r.said())
			}
		})
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	row := func(bad string, stage prober.Stage) func(string, string) prober.Stage {
		return func(in, _ string) prober.Stage {
			if in == bad {
				return stage
			}
			return ""
		}
	}
	tests := []struct {
		name     string
		topology func(*Topology)
		run      func(r *rig)
		want     []string
		never    []string
	}{
		{name: "each region plays only its own", run: func(r *rig) {
			r.every(15, func(_, i int) {
				r.cells(i, prober.KindPlayback, func(in, out string) prober.Stage {
					if in == out {
						return ""
					}
					return prober.StageManifest
				})
			})
		}, want: []string{"Some broadcasts are accepted but do not play everywhere"}, never: []string{"any region"}},
		{name: "what still fails is not working again", run: func(r *rig) {
			r.every(60, func(k, i int) {
				if k < 20 {
					r.cells(i, prober.KindPlayback, row("fra", prober.StageMedia))
				} else {
					r.cells(i, prober.KindPlayback, well)
				}
				r.cells(i, prober.KindGoLive, row("fra", prober.StageMedia))
			})
		}, want: []string{"do not play when pushed in Frankfurt"}, never: []string{"Working again: playback of broadcasts pushed in Frankfurt"}},
		{name: "accepted, though another playback is away", run: func(r *rig) {
			r.every(12, func(_, i int) {
				r.cells(i, prober.KindGoLive, func(in, out string) prober.Stage {
					switch {
					case out == "fra":
						return prober.StageConnect
					case in == "nyc":
						return prober.StageMedia
					}
					return ""
				})
			})
		}, want: []string{"Broadcasts are accepted but do not play when pushed in New York"}, never: []string{"cannot start"}},
		{name: "an internal component stays internal", topology: func(top *Topology) {
			top.Components[4].Publish = PublishInternal // ingest-sin
			top.Targets[0].Regions[2].Name = "Secret Site"
		}, run: func(r *rig) {
			r.every(6, func(_, i int) { r.canaries(i, down("fra", "sin")) })
		}, want: []string{"Running broadcasts dropped in Frankfurt"}, never: []string{"Secret Site"}},
		{name: "an outage and its end at once", run: func(r *rig) {
			r.now = r.now.Add(14 * time.Second)
			for k := range 24 {
				for i := range 3 {
					f := map[string]prober.Stage{}
					if k < 4 {
						f = down(regions...)
					}
					r.canaries(i, f)
				}
			}
			r.pass(5 * time.Second)
		}, want: []string{"Running broadcasts dropped in all regions", "Working again: running broadcasts in all regions"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, tt.topology, nil)
			r.warm()
			tt.run(r)
			said := r.said()
			for _, want := range tt.want {
				if !strings.Contains(said, want) {
					t.Errorf("nothing says %q:\n%s", want, said)
				}
			}
			for _, never := range tt.never {
				if strings.Contains(said, never) {
					t.Errorf("something says %q:\n%s", never, said)
				}
			}
		})
	}
}

// Two of five sites that cannot reach an ingest for long are one incident, not a
// series of recoveries.
func TestPartialFailureDoesNotFlap(t *testing.T) {
	t.Parallel()
	r := newRig(t, 5, nil, nil)
	r.warm()
	r.every(600, func(_, i int) {
		f := map[string]prober.Stage{}
		if i < 2 {
			f = down("fra")
		}
		r.canaries(i, f)
	})
	if opened, updated := r.count(IncidentOpened), r.count(IncidentUpdated); opened != 1 || updated > 0 {
		t.Errorf("opened %d, updated %d times; want one opening", opened, updated)
	}
	if n := r.count(QuorumLost); n != 1 {
		t.Errorf("on-call was asked %d times, want once", n)
	}
	r.every(120, func(_, i int) { r.canaries(i, nil) })
	if n := r.count(IncidentResolved); n != 1 {
		t.Errorf("resolved %d times once all is well", n)
	}
}

func TestNoFailureSinceIsTrue(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	var last time.Time
	r.every(100, func(k, i int) {
		f := map[string]prober.Stage{}
		if k < 15 || k < 40 && i == 2 {
			f, last = down("fra"), r.now
		}
		r.canaries(i, f)
	})
	if n := r.count(IncidentResolved); n != 1 {
		t.Fatalf("resolved %d times", n)
	}
	if said := r.said(); !strings.HasSuffix(said, "no failure has been seen since "+clock(last)+".\n") {
		t.Errorf("the last failure was at %s:\n%s", clock(last), said)
	}
}

func TestResolveNeedsEvidence(t *testing.T) {
	t.Parallel()
	t.Run("nobody was heard during the hold", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, 3, nil, nil)
		r.warm()
		r.every(24, func(k, i int) {
			f := map[string]prober.Stage{}
			if k < 6 {
				f = down(regions...)
			}
			r.canaries(i, f)
		})
		r.pass(time.Hour)
		r.every(10, func(_, i int) { r.canaries(i, down(regions...)) })
		if n := r.count(IncidentResolved); n > 0 {
			t.Errorf("resolved by results that fail:\n%s", r.said())
		}
		if n := r.count(IncidentOpened); n != 1 {
			t.Errorf("%d opened", n)
		}
	})
	t.Run("nothing conclusive was seen during the hold", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, 3, nil, nil)
		r.warm()
		bad := func(in, _ string) prober.Stage {
			if in == "fra" {
				return prober.StageMedia
			}
			return ""
		}
		r.every(24, func(k, i int) {
			r.canaries(i, nil)
			if k < 10 {
				r.cells(i, prober.KindGoLive, bad)
			} else if r.count(IncidentUpdated) == 0 {
				r.cells(i, prober.KindGoLive, well)
			}
		})
		r.every(300, func(_, i int) { r.canaries(i, nil) })
		if n := r.count(IncidentResolved); n > 0 {
			t.Error("resolved though nobody looked")
		}
		if n := r.count(QuorumLost); n != 1 {
			t.Errorf("on-call was told %d times", n)
		}
		r.every(60, func(_, i int) { r.cells(i, prober.KindGoLive, well) })
		if n := r.count(IncidentResolved); n != 1 {
			t.Error("not resolved with evidence")
		}
	})
}

func TestProbeRequestsAreBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	r.every(300, func(_, i int) {
		f := map[string]prober.Stage{}
		if i == 0 {
			f = down(regions...)
		}
		r.canaries(i, f)
	})
	if n := r.count(ProbeRequested); n < 1 || n > 3 {
		t.Errorf("one site that sees everything fail for ten minutes: %d requests", n)
	}
}

func TestConfigurationForgets(t *testing.T) {
	t.Parallel()
	r := newRig(t, 5, nil, nil)
	r.warm()
	r.every(20, func(_, i int) {
		r.canaries(i, nil)
		r.cells(i, prober.KindGoLive, func(in, _ string) prober.Stage {
			if in == "fra" {
				return prober.StageMedia
			}
			return ""
		})
	})
	if len(r.state.Incidents) != 1 {
		t.Fatal("nothing opened")
	}
	top := topologyOf(2)
	top.Components = top.Components[:2]
	top.Targets[0].Kinds = []prober.Kind{prober.KindCanary, prober.KindPlayback}
	s := DefaultSettings()
	s.Hold = time.Minute
	p, err := NewPolicy(s, top)
	if err != nil {
		t.Fatal(err)
	}
	r.policy = p
	r.step(Input{Config: &ConfigChange{}})
	for key, sum := range r.state.Sums {
		if sum.Kind == prober.KindGoLive || len(sum.Sites) > 2 {
			t.Errorf("%s is kept, with %d sites", key, len(sum.Sites))
		}
	}
	if len(r.state.Components) != 2 {
		t.Errorf("%d components are kept", len(r.state.Components))
	}
	r.every(60, func(_, i int) { r.canaries(i, nil) })
	if len(r.state.Incidents) > 0 {
		t.Error("an incident of what is probed no more stays open")
	}
}

func TestClockSetBack(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	r.now = r.now.Add(-30 * time.Minute)
	begun := r.now
	for r.count(IncidentOpened) == 0 && r.now.Sub(begun) < time.Minute {
		for i := range 3 {
			r.canaries(i, down("fra"))
		}
		r.pass(2 * time.Second)
	}
	if d := r.now.Sub(begun); d > 10*time.Second {
		t.Errorf("published %v after a clock was set back", d)
	}
}

func TestRelapseJoinsItsOwn(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, func(s *Settings) { s.Hold = 5 * time.Minute })
	r.warm()
	r.every(200, func(k, i int) {
		f := map[string]prober.Stage{}
		if k < 10 || k >= 105 {
			f["sin"] = prober.StageConnect
		}
		if k >= 95 {
			f["fra"] = prober.StageConnect
		}
		r.canaries(i, f)
	})
	var names []string
	for _, o := range r.state.Incidents {
		names = append(names, o.Incident.Name)
	}
	if !slices.Equal(names, []string{"Running broadcasts dropped in Singapore", "Running broadcasts dropped in Frankfurt"}) {
		t.Errorf("incidents %v", names)
	}
}

func TestFlappingIsToldLess(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, func(s *Settings) { s.Hold = 5 * time.Minute })
	r.warm()
	r.every(1800, func(k, i int) {
		f := map[string]prober.Stage{}
		if k%35 < 15 {
			f = down(regions...)
		}
		r.canaries(i, f)
	})
	if n := r.count(IncidentUpdated); n > 40 {
		t.Errorf("%d updates in an hour of flapping", n)
	}
	if n := r.count(IncidentOpened); n != 1 {
		t.Errorf("%d opened", n)
	}
}

func TestOnCallHears(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		run  func(r *rig)
		kind EventType
		want int
	}{
		{"of lost results at each doubling", func(r *rig) {
			for i := range 100 {
				r.result(prober.Result{Agent: "a0", Kind: prober.KindCanary, Ingest: "fra", Round: fmt.Sprint(i), RoundOf: 1, Dropped: uint64(i)}, "")
				r.pass(100 * time.Millisecond)
			}
		}, ResultsDropped, 7},
		{"of a control that is never known", func(r *rig) {
			for i := range 60 {
				r.result(prober.Result{Agent: "a0", Kind: prober.KindCanary, Ingest: "fra", Round: fmt.Sprint(i), RoundOf: 1, Control: prober.ControlUnknown}, "")
				r.pass(2 * time.Second)
			}
		}, AgentSick, 1},
		{"of an agent whose rounds never end", func(r *rig) {
			for i := range 200 {
				r.result(prober.Result{Agent: "a0", Kind: prober.KindGoLive, Ingest: "fra", Round: fmt.Sprint(i)}, "")
			}
		}, ResultRefused, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, nil, nil)
			tt.run(r)
			if n := r.count(tt.kind); n != tt.want {
				t.Errorf("%s: %d times, want %d", tt.kind, n, tt.want)
			}
			before := len(r.state.Sums)
			r.canaries(1, nil)
			if len(r.state.Sums) <= before && tt.kind == ResultRefused {
				t.Error("one agent blocks another")
			}
		})
	}
}

func TestUnknownBesideTheCore(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	r.every(120, func(_, i int) {
		r.cells(i, prober.KindPlayback, func(_, out string) prober.Stage {
			if out == "sin" {
				return unknown
			}
			return ""
		})
	})
	for _, c := range r.policy.View(r.state).Components {
		if strings.HasPrefix(c.ID, "playback-") && c.UnknownSince.IsZero() == (c.ID == "playback-sin") {
			t.Errorf("%s: unknown since %v", c.ID, c.UnknownSince)
		}
	}
}

// The hub was away: the first entry that it reads must not make everybody silent.
func TestHubWasAway(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	r.now = r.now.Add(10 * time.Minute)
	r.result(prober.Result{Agent: "a0", Kind: prober.KindCanary, Ingest: "fra", Round: "late", RoundOf: 3, Age: 9 * time.Minute}, "")
	r.warm()
	if n := r.count(AgentSilent) + r.count(NoAgents); n > 0 {
		t.Errorf("%d agents were told silent while nobody listened", n)
	}
}

// What began a minute ago and was good since has nothing to do with now.
func TestStartedWhenItBegan(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	bad := func(string, string) prober.Stage { return prober.StageConnect }
	one := func(_, out string) prober.Stage {
		if out == "fra" {
			return prober.StageConnect
		}
		return ""
	}
	r.every(2, func(_, i int) { r.cells(i, prober.KindPlayback, one) })
	r.every(4, func(_, i int) { r.cells(i, prober.KindPlayback, well) })
	begun := r.now
	r.every(12, func(_, i int) { r.cells(i, prober.KindPlayback, bad) })
	if len(r.state.Incidents) != 1 {
		t.Fatalf("%d incidents", len(r.state.Incidents))
	}
	if got := r.state.Incidents[0].Incident.StartedAt; got.Before(begun) {
		t.Errorf("started %s, but all was good until %s", clock(got), clock(begun))
	}
}

// TestDoubtIsNotHammered: go-lives that are planned every minute and fail in part are
// run more often, but not all the time where one site alone sees it, nor beside an
// incident.
func TestDoubtIsNotHammered(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		sites int // that see it
		most  int // requests in an hour, of which each is for 12 s
	}{{"one of three sites", 1, 40}, {"all of three", 3, 220}} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(1, 2))
			r := newRig(t, 3, nil, nil)
			r.warm()
			seen, until := r.count(ProbeRequested), 0
			before := seen
			for k := range 1800 {
				if n := r.count(ProbeRequested); n > seen {
					seen, until = n, k+6
				}
				for i := range 3 {
					r.canaries(i, nil)
					if k%30 != 0 && k >= until {
						continue
					}
					fails := i < tt.sites && random.Float64() < .3
					r.cells(i, prober.KindGoLive, func(_, out string) prober.Stage {
						return map[bool]prober.Stage{true: prober.StageManifest}[fails && out == "fra"]
					})
				}
				r.pass(2 * time.Second)
			}
			if n := seen - before; n > tt.most || n < 10 {
				t.Errorf("%d requests in an hour, want at most %d, and some", n, tt.most)
			}
		})
	}
}

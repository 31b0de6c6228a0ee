package incident

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// publicUpdates are what the page has of an incident, oldest first.
func publicUpdates(in Incident) []Update {
	return slices.DeleteFunc(slices.Clone(in.Updates), func(u Update) bool { return u.Kept != "" })
}

// TestNothingIsRepeated: what only on-call sees makes no message on the page.
func TestNothingIsRepeated(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		how  map[string]Publish
		then func(r *rig)
		told int // events for on-call beyond the opening, of the incident
	}{
		{name: "an internal component fails as well", how: map[string]Publish{"playback-sin": PublishInternal}, told: 1,
			then: func(r *rig) { r.out(15, "fra", "sin") }},
		{name: "an internal component fails, recovers and fails", how: map[string]Publish{"playback-sin": PublishInternal}, told: 3,
			then: func(r *rig) { r.out(15, "fra", "sin"); r.out(60, "fra"); r.out(20, "fra", "sin") }},
		{name: "one that is withheld fails as well", how: map[string]Publish{"playback-sin": PublishHold}, told: 1,
			then: func(r *rig) { r.out(15, "fra", "sin") }},
		{name: "more sites see it, and then fewer", then: func(r *rig) {
			r.every(30, func(k, i int) {
				outs := []string{"fra"}
				if k%3 == 0 && i == 2 {
					outs = nil
				}
				r.canaries(i, nil)
				r.cells(i, prober.KindPlayback, at(outs))
			})
		}},
		{name: "another stage, and another reason", then: func(r *rig) {
			r.every(30, func(k, i int) {
				stage := []prober.Stage{prober.StageManifest, prober.StageSegment, prober.StageConnect, prober.StageMedia}[k%4]
				r.canaries(i, nil)
				r.cells(i, prober.KindPlayback, func(_, out string) prober.Stage {
					if out == "fra" {
						return stage
					}
					return ""
				})
			})
		}},
		{name: "changes are reported", then: func(r *rig) {
			for i := range 5 {
				r.step(Input{Change: &Change{ID: fmt.Sprint(i), Summary: "deploy", At: r.now.Add(-time.Minute), Regions: []string{"fra"}}})
				r.out(3, "fra")
			}
		}},
		{name: "another kind says the same", then: func(r *rig) {
			r.every(20, func(_, i int) {
				r.canaries(i, nil)
				r.cells(i, prober.KindPlayback, at([]string{"fra"}))
				r.cells(i, prober.KindGoLive, at([]string{"fra"}))
			})
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, kept(tt.how), nil)
			r.warm()
			r.out(10, "fra")
			id := r.state.Incidents[0].Incident.ID
			before := r.count(IncidentUpdated)
			tt.then(r)
			in := r.incident(id)
			if said := publicUpdates(in); len(said) != 1 {
				t.Errorf("%d messages:\n%s", len(said), messagesOf(&in))
			}
			if n := r.count(IncidentUpdated) - before; n != tt.told {
				t.Errorf("on-call was told %d times, want %d", n, tt.told)
			}
			for c, how := range tt.how {
				if how == PublishInternal && r.state.Components[c].Status != MajorOutage {
					t.Errorf("%s is %s to on-call", c, r.state.Components[c].Status)
				}
				if how == PublishHold && (r.count(ApprovalNeeded) != 1 || !slices.Contains(in.Withheld, c)) {
					t.Errorf("on-call was asked %d times for %v", r.count(ApprovalNeeded), in.Withheld)
				}
			}
		})
	}
}

// publicScope is what a reader of the page would call a change: what fails, and what
// the page shows of it.
func publicScope(in Incident, u Update) string {
	var all []string
	for _, f := range in.Failures {
		if f.RecoveredAt.IsZero() {
			all = append(all, f.Element.String()+" "+string(f.Kind))
		}
	}
	slices.Sort(all)
	all = append(all, string(u.Phase), string(in.Impact))
	for _, a := range u.Affected {
		all = append(all, a.Component+"="+string(a.New))
	}
	return strings.Join(all, "|")
}

// TestUpdateGap: between two messages of the same scope lie five minutes, whatever
// fails and recovers in between; and what flaps is told less and less often.
func TestUpdateGap(t *testing.T) {
	t.Parallel()
	const rounds = 900 // half an hour
	for _, tt := range []struct {
		name string
		outs func(k int) []string // playbacks that are out in a round
		most int                  // messages of one incident in it

		promise time.Duration // 0 is the default
	}{
		{"it goes on", func(int) []string { return []string{"fra"} }, 2, 0},
		{"all of it flaps by the minute", func(k int) []string {
			if k/30%2 == 0 {
				return []string{"fra"}
			}
			return nil
		}, 16, 0},
		{"one of two flaps by the minute", func(k int) []string {
			if k/30%2 == 0 {
				return []string{"fra", "sin"}
			}
			return []string{"fra"}
		}, 16, 0},
		{"they take turns", func(k int) []string { return []string{[]string{"fra", "nyc", "sin"}[k/20%3]} }, 20, 0},
		{"blips beside it", func(k int) []string {
			if k%40 < 6 {
				return []string{"fra", "sin"}
			}
			return []string{"fra"}
		}, 16, 0},
		{"promises fall due while it flaps", func(k int) []string {
			if k/30%2 == 0 {
				return []string{"fra"}
			}
			return nil
		}, 20, 6 * time.Minute},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, nil, func(s *Settings) {
				if s.Hold = 5 * time.Minute; tt.promise > 0 {
					s.UpdateEvery = tt.promise
				}
			})
			r.warm()
			for k := range rounds {
				r.out(1, tt.outs(k)...)
			}
			r.updatesApart(t, tt.most)
		})
	}
}

// updatesApart holds the messages of every incident to the gap.
func (r *rig) updatesApart(t *testing.T, most int) {
	t.Helper()
	type word struct {
		at    time.Time
		scope string
		n     int
	}
	last := map[string]word{}
	for _, e := range r.events {
		if e.Type != IncidentUpdated && e.Type != IncidentOpened {
			continue
		}
		u := e.Incident.Updates[len(e.Incident.Updates)-1]
		if !u.At.Equal(e.At) {
			continue // no message
		}
		if over := strings.Contains(u.Body, "We are watching that it stays so."); over != (u.Phase == Monitoring) {
			t.Errorf("%s: %s", u.Phase, u.Body)
		}
		before := last[e.Incident.ID]
		now := word{u.At, publicScope(*e.Incident, u), before.n + 1}
		if gap := r.policy.settings.UpdateGap; now.scope == before.scope && now.at.Sub(before.at) < gap {
			t.Errorf("%s after %v and nothing of %s has changed: %s", e.Type, now.at.Sub(before.at), now.scope, u.Body)
		}
		last[e.Incident.ID] = now
	}
	for id, w := range last {
		if w.n > most {
			t.Errorf("%s has %d messages, want at most %d", id, w.n, most)
		}
	}
}

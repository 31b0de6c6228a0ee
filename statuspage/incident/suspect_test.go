package incident

import (
	"testing"
	"time"

	"streamcanary/prober"
)

// suspectOf is what a component is suspect of, as "element kind: sites".
func (r *rig) suspectOf(component string) (ComponentState, string) {
	r.t.Helper()
	for _, c := range r.policy.View(r.state).Components {
		if c.ID != component {
			continue
		}
		text := ""
		for _, x := range c.Suspicions {
			text += x.Element.String() + " " + string(x.Kind) + ":"
			for _, e := range x.Evidence {
				text += " " + e.Site
			}
			text += "\n"
		}
		return c, text
	}
	r.t.Fatalf("there is no component %s", component)
	return ComponentState{}, ""
}

// playbackFails is a round of playback in which Frankfurt's fails at some sites.
func (r *rig) playbackFails(agent int, at ...int) {
	r.cells(agent, prober.KindPlayback, func(_, out string) prober.Stage {
		for _, a := range at {
			if a == agent && out == "fra" {
				return prober.StageManifest
			}
		}
		return ""
	})
}

func TestSuspect(t *testing.T) {
	t.Parallel()
	work := Window{ID: "w", Name: "Work", Components: []string{"playback-fra"}}
	for _, tt := range []struct {
		name string
		run  func(r *rig)
		of   string // "" is playback-fra
		want string
		open int
	}{
		{name: "all is well", run: func(*rig) {}},
		{name: "a failed round is noise", run: func(r *rig) {
			r.every(1, func(_, i int) { r.playbackFails(i, 0) })
		}},
		{name: "one site fails on", run: func(r *rig) {
			r.every(4, func(_, i int) { r.playbackFails(i, 0) })
		}, want: "live/playback/fra playback: a0\n"},
		{name: "two sites fail, no threshold yet", run: func(r *rig) {
			r.every(3, func(_, i int) { r.playbackFails(i, 0, 1) })
		}, want: "live/playback/fra playback: a0 a1\n"},
		{name: "one broadcast drops", of: "ingest-fra", run: func(r *rig) {
			r.every(1, func(_, i int) {
				if i == 0 {
					r.canaries(i, down("fra"))
				}
			})
		}, want: "live/ingest/fra canary: a0\n"},
		{name: "good rounds take it back", run: func(r *rig) {
			r.every(4, func(_, i int) { r.playbackFails(i, 0) })
			r.every(4, func(_, i int) { r.playbackFails(i) })
		}},
		{name: "open is not suspect", run: func(r *rig) {
			r.every(10, func(_, i int) { r.playbackFails(i, 0, 1, 2) })
		}, open: 1},
		{name: "resolved by a person while it fails", run: func(r *rig) {
			r.every(10, func(_, i int) { r.playbackFails(i, 0, 1, 2) })
			r.step(Input{Command: &Command{ID: "1", Who: "ann", Action: ActionResolve, Incident: r.state.Incidents[0].Incident.ID}})
			r.every(2, func(_, i int) { r.playbackFails(i, 0, 1, 2) })
		}, want: "live/playback/fra playback: a0 a1 a2\n"},
		{name: "alone for long is the site's own trouble", run: func(r *rig) {
			r.every(40, func(_, i int) { r.playbackFails(i, 0) })
		}},
		{name: "a sick site says nothing", run: func(r *rig) {
			r.every(4, func(_, i int) { r.playbackFails(i, 0) })
			r.result(prober.Result{Agent: "a0", Kind: prober.KindAPI, Round: "sick", RoundOf: 1, Control: prober.ControlFail}, "")
		}},
		{name: "a silent site says nothing", run: func(r *rig) {
			r.every(4, func(_, i int) { r.playbackFails(i, 0) })
			r.every(10, func(_, i int) {
				if i > 0 {
					r.playbackFails(i)
				}
			})
		}},
		{name: "work explains it", run: func(r *rig) {
			window := work
			window.StartsAt, window.EndsAt = r.now, r.now.Add(time.Hour)
			r.step(Input{Maintenance: &MaintenanceEdge{Edge: EdgeAnnounced, Window: window}})
			r.step(Input{Maintenance: &MaintenanceEdge{Edge: EdgeBegan, Window: window}})
			r.every(4, func(_, i int) { r.playbackFails(i, 0) })
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, nil, nil)
			r.warm()
			tt.run(r)
			of := orElse(tt.of, "playback-fra")
			c, got := r.suspectOf(of)
			if got != tt.want {
				t.Errorf("suspect of %q, want %q", got, tt.want)
			}
			if (got == "") != c.SuspectSince.IsZero() || c.SuspectSince.After(r.now) {
				t.Errorf("since %v", c.SuspectSince)
			}
			if n := len(r.state.Incidents); n != tt.open {
				t.Errorf("%d incidents are open, want %d", n, tt.open)
			}
			for _, other := range []string{"ingest-fra", "playback-fra", "playback-nyc", "api"} {
				if _, got := r.suspectOf(other); got != "" && other != of {
					t.Errorf("%s is suspect of %q", other, got)
				}
			}
		})
	}
}

// Suspect is no status: the documents keep what was published last, and nothing is
// said to anybody.
func TestSuspectKeepsStatus(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	before, events := r.policy.View(r.state), r.count(IncidentOpened)+r.count(IncidentUpdated)
	began := r.now
	r.every(4, func(_, i int) { r.playbackFails(i, 0) })
	c, _ := r.suspectOf("playback-fra")
	if c.SuspectSince.Before(began) || c.SuspectSince.After(began.Add(time.Second)) {
		t.Errorf("suspect since %v, it began at %v", c.SuspectSince, began)
	}
	if share := c.Suspicions[0].Share; share < .25 || share > .5 {
		t.Errorf("a site has said %.2f of the threshold", share)
	}
	for i, c := range r.policy.View(r.state).Components {
		if c.Status != before.Components[i].Status || !c.UpdatedAt.Equal(before.Components[i].UpdatedAt) {
			t.Errorf("%s is %s since %v", c.ID, c.Status, c.UpdatedAt)
		}
	}
	if now := r.count(IncidentOpened) + r.count(IncidentUpdated); now != events {
		t.Errorf("%d events", now-events)
	}
}

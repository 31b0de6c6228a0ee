package incident

import (
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// TestWithheldStaysSo: what people do to an incident lets out nothing of what
// waits for one of them.
func TestWithheldStaysSo(t *testing.T) {
	t.Parallel()
	check := func(t *testing.T, in Incident) {
		t.Helper()
		if slices.Contains(in.Components, "playback-fra") || !slices.Equal(in.Withheld, []string{"playback-fra"}) {
			t.Errorf("components %v, withheld %v", in.Components, in.Withheld)
		}
		for _, u := range in.Updates {
			if slices.ContainsFunc(u.Affected, func(a AffectedComponent) bool { return a.Component == "playback-fra" }) {
				t.Errorf("an update shows it: %+v", u)
			}
		}
	}
	hold := kept(map[string]Publish{"playback-fra": PublishHold})
	t.Run("components", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, 3, hold, keptSettings)
		r.warm()
		r.out(10, "sin")
		id := r.state.Incidents[0].Incident.ID
		r.must(Command{Action: ActionComponents, Incident: id, Components: map[string]Status{"playback-fra": MajorOutage}})
		check(t, r.incident(id))
		if s := r.state.Components["playback-fra"].Status; s != Operational {
			t.Errorf("it shows as %s", s)
		}
		r.must(Command{Action: ActionPublish, Incident: id})
		if in := r.incident(id); len(in.Withheld) > 0 || !slices.Contains(in.Components, "playback-fra") || r.state.Components["playback-fra"].Status != MajorOutage {
			t.Errorf("published: %+v", in)
		}
	})
	t.Run("components make it public", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, 3, hold, keptSettings)
		r.warm()
		r.out(10, "fra")
		id := r.state.Incidents[0].Incident.ID
		r.must(Command{Action: ActionComponents, Incident: id, Components: map[string]Status{"api": DegradedPerformance}})
		in := r.incident(id)
		check(t, in)
		if text := shown(in); !in.Public || in.Impact != ImpactMinor || strings.Contains(text, "Frankfurt") || text == "" {
			t.Errorf("%s, public: %t\n%s", in.Impact, in.Public, text)
		}
	})
	t.Run("merged by hand into one that was approved", func(t *testing.T) {
		t.Parallel()
		r := newRig(t, 3, hold, keptSettings)
		r.warm()
		r.out(10, "fra")
		id := r.state.Incidents[0].Incident.ID
		other := r.must(Command{Action: ActionOpen, Name: "Odd", Message: "Odd things.", Components: map[string]Status{"api": DegradedPerformance}}).About
		r.must(Command{Action: ActionMerge, Incident: id, Into: other})
		in := r.incident(other)
		check(t, in)
		if in.Impact != ImpactMinor || strings.Contains(shown(in), "Frankfurt") {
			t.Errorf("%s: %s", in.Impact, shown(in))
		}
		r.must(Command{Action: ActionRelease, Incident: other})
		r.out(10, "fra")
		in = r.incident(other)
		check(t, in)
		if strings.Contains(shown(in), "Frankfurt") || r.state.Components["playback-fra"].Status != Operational {
			t.Errorf("released: %s", shown(in))
		}
		if n := r.count(ApprovalNeeded) - r.count(ApprovalOver); n != 1 {
			t.Errorf("%d questions are open, want one", n)
		}
		r.must(Command{Action: ActionPublish, Incident: other})
		if in = r.incident(other); len(in.Withheld) > 0 || r.state.Components["playback-fra"].Status != MajorOutage || r.count(ApprovalNeeded) != r.count(ApprovalOver) {
			t.Errorf("published: %+v", in)
		}
	})
}

// TestUniteApproval: of two that are united, what was approved is public, and what
// was not is not.
func TestUniteApproval(t *testing.T) {
	t.Parallel()
	for name, approvedFirst := range map[string]bool{"into the approved one": true, "into the other one": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, kept(map[string]Publish{"playback-fra": PublishHold, "ingest-sin": PublishHold}), func(s *Settings) {
				s.ApproveWithin, s.JoinWindow = 30*time.Second, 10*time.Minute
			})
			r.warm()
			round := func(n int, fails func(in, out string) prober.Stage, canaries map[string]prober.Stage) {
				r.every(n, func(_, i int) {
					r.canaries(i, canaries)
					r.cells(i, prober.KindPlayback, fails)
				})
			}
			fra := at([]string{"fra"})
			sin := map[string]prober.Stage{"sin": prober.StageIngest}
			round(10, fra, nil)
			round(10, fra, sin)
			if n := len(r.state.Incidents); n != 2 {
				t.Fatalf("%d incidents, want two", n)
			}
			approve, public, waits := r.state.Incidents[0].Incident.ID, "playback-fra", "ingest-sin"
			if !approvedFirst {
				approve, public, waits = r.state.Incidents[1].Incident.ID, waits, public
			}
			r.must(Command{Action: ActionPublish, Incident: approve})
			all := func(_, _ string) prober.Stage { return prober.StageConnect }
			round(15, all, sin)
			if n := len(r.state.Incidents); n != 1 {
				t.Fatalf("%d incidents, want them united", n)
			}
			in := r.state.Incidents[0].Incident
			if !slices.Contains(in.Components, public) || slices.Contains(in.Components, waits) || !slices.Equal(in.Withheld, []string{waits}) {
				t.Errorf("components %v, withheld %v", in.Components, in.Withheld)
			}
			if s := r.state.Components[waits].Status; s != Operational {
				t.Errorf("%s shows as %s", waits, s)
			}
			if n := r.count(ApprovalNeeded) - r.count(ApprovalOver); n != 1 {
				t.Errorf("%d questions are open, want one", n)
			}
			r.must(Command{Action: ActionPublish, Incident: in.ID})
			overdue := r.count(ApprovalOverdue)
			round(20, all, sin)
			if r.count(ApprovalOverdue) != overdue || r.count(ApprovalNeeded) != r.count(ApprovalOver) || r.state.Components[waits].Status == Operational {
				t.Errorf("published, and yet: %d overdue", r.count(ApprovalOverdue)-overdue)
			}
		})
	}
}

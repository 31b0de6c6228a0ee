package incident

import (
	"testing"
	"time"
)

// TestClockSetBackInAnIncident: an incident that is open when the journal's clock is set
// back is told and resolved as any other, at whatever time of it that happens.
func TestClockSetBackInAnIncident(t *testing.T) {
	t.Parallel()
	for name, fails := range map[string]int{"while it fails": 40, "in its hold": 15} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 3, nil, nil)
			r.warm()
			round := func(bad int) func(int, int) {
				return func(k, i int) {
					if k < bad {
						r.seesOut(i, "nyc")
					} else {
						r.seesOut(i)
					}
				}
			}
			r.every(30, round(fails))
			if len(r.state.Incidents) != 1 {
				t.Fatalf("%d are open", len(r.state.Incidents))
			}
			if held := !r.state.Incidents[0].HoldUntil.IsZero(); held != (fails < 30) {
				t.Fatalf("held: %v", held)
			}
			r.now = r.now.Add(-time.Hour)
			set := r.now
			r.every(60, round(0))
			if resolved, lost := r.count(IncidentResolved), r.count(QuorumLost); resolved != 1 || lost != 0 {
				t.Fatalf("2 minutes later %d are resolved, and on-call was told %d times that too few sites are heard", resolved, lost)
			}
			for _, e := range r.events {
				if e.Type != IncidentResolved {
					continue
				}
				in := e.Incident
				if in.StartedAt.After(set) || in.ResolvedAt.Before(in.StartedAt) || in.ResolvedAt.Sub(in.StartedAt) > 3*time.Minute {
					t.Errorf("it lasted from %v to %v", in.StartedAt, in.ResolvedAt)
				}
			}
		})
	}
}

// TestClockSetBackBeforeAnIncident: what began just before is told with a time of the
// clock that is right.
func TestClockSetBackBeforeAnIncident(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	r.every(2, func(_, i int) { r.seesOut(i, "nyc") })
	if n := r.count(IncidentOpened); n != 0 {
		t.Fatalf("%d opened already", n)
	}
	r.now = r.now.Add(-time.Hour)
	r.every(10, func(_, i int) { r.seesOut(i, "nyc") })
	if len(r.state.Incidents) != 1 {
		t.Fatalf("%d are open", len(r.state.Incidents))
	}
	in := r.state.Incidents[0].Incident
	for _, at := range []time.Time{in.StartedAt, in.Failures[0].FirstSeen, in.Failures[0].Evidence[0].At} {
		if at.After(r.now) {
			t.Errorf("at %v it began at %v: %+v", r.now, at, in.Failures)
		}
	}
}

package incident

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"
)

// bulk is the size of an incident as it is in an event.
func bulk(t *testing.T, in Incident) int { t.Helper(); return bulkOf(t, in) }

func bulkOf(t *testing.T, v any) int {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return len(b)
}

const mostBulk = 400 << 10 // well below what an event may have

// flap lets the open incident recover and relapse every so often, as it looks after
// its evidence was judged, so that weeks of it take seconds.
func (r *rig) flap(lasts, every time.Duration) {
	for end := r.now.Add(lasts); r.now.Before(end); {
		r.now = r.now.Add(every)
		o := r.state.Incidents[0]
		for i := range o.Incident.Failures {
			if f := &o.Incident.Failures[i]; f.RecoveredAt.IsZero() {
				f.RecoveredAt = r.now
			} else {
				f.RecoveredAt, f.LastFailed = time.Time{}, r.now
			}
		}
		o.SayAt, o.HoldUntil = r.now, time.Time{}
		r.step(Input{})
		r.events = r.events[max(0, len(r.events)-100):]
	}
}

// TestBytesOf: what is counted is no less than what an event takes.
func TestBytesOf(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "plain", "<>&\"\\\n", "\u2028\u2029", "\x01\x1f\x7f", "Zürich, 東京"} {
		body := strings.Repeat(text, 100)
		u := Update{ID: "123456789012", Phase: Investigating, Body: body, At: time.Date(2026, 11, 25, 10, 0, 0, 123456789, time.UTC), Kept: PublishInternal, Automatic: true,
			Affected: []AffectedComponent{{"playback-fra", DegradedPerformance, DegradedPerformance}}}
		if got, is := bytesOf([]Update{u}), bulkOf(t, []Update{u}); got < is {
			t.Errorf("%q: %d bytes of an update count as %d", text, is, got)
		}
		line := Audited{At: u.At, Command: body, Who: body, Action: ActionMaintenanceCancel, Note: body, Before: body, After: body}
		if got, is := bytesOfAudit(line), bulkOf(t, line); got < is {
			t.Errorf("%q: %d bytes of a line count as %d", text, is, got)
		}
	}
}

// TestWeeksOfFlapping: an incident that never ends stays bounded, and its page still
// says how it began and how it is.
func TestWeeksOfFlapping(t *testing.T) {
	t.Parallel()
	r, id := outage(t, nil, nil)
	first := r.incident(id).Updates[0]
	for week := range 2 {
		r.flap(7*24*time.Hour, 5*time.Minute)
		in := r.state.Incidents[0].Incident
		if n := bulk(t, in); n > mostBulk || len(in.Updates) > maxUpdates {
			t.Fatalf("after %d weeks it has %d updates and %d bytes", week+1, len(in.Updates), n)
		}
	}
	in := r.incident(id)
	newest := in.Updates[len(in.Updates)-1]
	if in.Updates[0].ID != first.ID || r.now.Sub(newest.At) > 10*time.Minute || newest.Phase != in.Phase {
		t.Errorf("it began with %+v, and is %s: %+v", in.Updates[0], in.Phase, newest)
	}
	t.Logf("%d updates, %d of them replaced, %d bytes", len(in.Updates)+in.Thinned, in.Thinned, bulk(t, in))
	if len(in.Updates) < maxUpdates/4 {
		t.Errorf("%d updates are left of it", len(in.Updates))
	}
	ids := map[string]bool{}
	for i, u := range in.Updates {
		if ids[u.ID] || i > 0 && u.At.Before(in.Updates[i-1].At) {
			t.Fatalf("update %d, %s: its id is there twice, or it is out of order", i, u.ID)
		}
		ids[u.ID] = true
	}
	r.must(Command{Action: ActionUpdate, Incident: id, Message: "There is room for people."})
	r.must(Command{Action: ActionResolve, Incident: id})
}

// TestPeopleAreBounded: whatever says a word counts, with a message or without one;
// what ends an incident is never refused.
func TestPeopleAreBounded(t *testing.T) {
	t.Parallel()
	phase := []Phase{Identified, Investigating}
	long := strings.Repeat("<", MaxMessage) // a byte that JSON makes six of
	for name, act := range map[string]func(n int, id string) Command{
		"status": func(n int, id string) Command {
			return Command{Action: ActionStatus, Incident: id, Phase: phase[n%2]}
		},
		"components": func(_ int, id string) Command {
			return Command{Action: ActionComponents, Incident: id, Components: map[string]Status{"api": MajorOutage}}
		},
		"long updates": func(_ int, id string) Command {
			return Command{Action: ActionUpdate, Incident: id, Message: long}
		},
		"long impacts": func(n int, id string) Command {
			return Command{Action: ActionImpact, Incident: id, Impact: []Impact{ImpactMajor, ImpactMinor}[n%2], Message: long}
		},
		"long notes": func(n int, id string) Command {
			return Command{Action: []Action{ActionFreeze, ActionRelease}[n%2], Incident: id, Note: long[:MaxNote]}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, id := outage(t, nil, func(s *Settings) { s.UpdateEvery = 0 })
			refused, most := Outcome{}, 2*maxUpdates
			for n := 0; n < most && refused.Refused == ""; n++ {
				r.now = r.now.Add(time.Millisecond)
				refused = r.do(act(n, id))
				r.events = r.events[max(0, len(r.events)-100):]
			}
			if name != "long notes" && (refused.Refused != RefusedConflict || !strings.Contains(refused.Reason, "all that is kept of one incident")) {
				t.Errorf("at last: %+v", refused)
			}
			r.do(Command{Action: ActionRelease, Incident: id})
			r.flap(24*time.Hour, 5*time.Minute)
			in := r.state.Incidents[0].Incident
			if n := bulk(t, in); n > mostBulk {
				t.Errorf("%d updates, %d lines of audit, %d bytes", len(in.Updates), len(in.Audit), n)
			}
			r.must(Command{Action: ActionResolve, Incident: id, Message: "It is over."})
			if n := bulk(t, r.incident(id)); n > mostBulk {
				t.Errorf("%d bytes at the end", n)
			}
			over := func() *Incident {
				in := r.incident(id)
				return &in
			}
			if name == "long updates" {
				if o := r.do(Command{Action: ActionReopen, Incident: id, Resolved: over()}); o.Refused != RefusedConflict || !strings.HasSuffix(o.Reason, "of one incident; open another") {
					t.Errorf("reopened: %+v", o)
				}
			}
			r.must(Command{Action: ActionFalseAlarm, Incident: id, Resolved: over(), Message: long})
			r.must(Command{Action: ActionPostmortem, Incident: id, Resolved: over(), Postmortem: "It was long."})
			if n := bulk(t, r.incident(id)); n > mostBulk {
				t.Errorf("%d bytes after the end", n)
			}
		})
	}
}

// TestMergesAreBounded: an incident that is full takes in no other.
func TestMergesAreBounded(t *testing.T) {
	t.Parallel()
	r, into := outage(t, nil, func(s *Settings) { s.UpdateEvery = 0 })
	var last Outcome
	for range 2 * maxUpdates {
		other := r.must(Command{Action: ActionOpen, Name: "Odd", Message: "Odd things.", Components: map[string]Status{"api": DegradedPerformance}}).About
		if last = r.do(Command{Action: ActionMerge, Incident: other, Into: into}); last.Refused != "" {
			if !slices.ContainsFunc(r.state.Incidents, func(o *openIncident) bool { return o.Incident.ID == other }) {
				t.Error("a merge that was refused has ended the other one")
			}
			break
		}
		r.events = r.events[max(0, len(r.events)-100):]
	}
	if last.Refused != RefusedConflict || !strings.Contains(last.Reason, "all that is kept of one incident") {
		t.Errorf("at last: %+v", last)
	}
}

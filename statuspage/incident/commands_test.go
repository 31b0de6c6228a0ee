package incident

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// do lets a person do something, and returns what came of it.
func (r *rig) do(c Command) Outcome {
	if c.ID == "" {
		c.ID = fmt.Sprintf("c%d", r.seq+1)
	}
	if c.Who == "" {
		c.Who = "anna"
	}
	r.step(Input{Command: &c})
	for _, o := range slices.Backward(r.state.Outcomes) {
		if o.Of(c.ID, c.Digest()) {
			return o
		}
	}
	r.t.Fatalf("nothing came of %+v", c)
	return Outcome{}
}

// must is do for what has to be carried out.
func (r *rig) must(c Command) Outcome {
	r.t.Helper()
	o := r.do(c)
	if o.Refused != "" {
		r.t.Fatalf("%s: %s", c.Action, o.Reason)
	}
	return o
}

// down is rounds in which Frankfurt's playback shows nothing.
func (r *rig) down(n int) {
	r.every(n, func(_, i int) {
		r.canaries(i, nil)
		r.cells(i, prober.KindPlayback, func(_, out string) prober.Stage {
			if out == "fra" {
				return prober.StageManifest
			}
			return ""
		})
	})
}

func (r *rig) up(n int) {
	r.every(n, func(_, i int) {
		r.canaries(i, nil)
		r.cells(i, prober.KindPlayback, well)
	})
}

// outage is a rig with an incident that was told.
func outage(t *testing.T, change func(*Topology), settings func(*Settings)) (r *rig, id string) {
	t.Helper()
	r = newRig(t, 3, change, settings)
	r.warm()
	r.down(10)
	if n := len(r.state.Incidents); n != 1 || !r.state.Incidents[0].Announced {
		t.Fatalf("%d incidents, want one that was told", n)
	}
	return r, r.state.Incidents[0].Incident.ID
}

func (r *rig) incident(id string) Incident {
	r.t.Helper()
	for _, e := range slices.Backward(r.events) {
		if e.Incident != nil && e.Incident.ID == id {
			return *e.Incident
		}
	}
	r.t.Fatalf("nothing was ever said of %s", id)
	return Incident{}
}

func (r *rig) last(kind EventType) *Event {
	for _, e := range slices.Backward(r.events) {
		if e.Type == kind {
			return &e
		}
	}
	return nil
}

// TestEdits: each action does what it says, stands in the audit trail with what
// was before and what is now, and freezes.
func TestEdits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		command       Command
		before, after string
		event         EventType
		check         func(in Incident) string // "" is well
	}{
		"update": {Command{Action: ActionUpdate, Message: "We are replacing a disk."}, "", "", IncidentUpdated, func(in Incident) string {
			return want(in.Updates[len(in.Updates)-1].Body, "We are replacing a disk.")
		}},
		"status": {Command{Action: ActionStatus, Phase: Identified, Message: "Found it."}, "investigating", "identified", IncidentUpdated, func(in Incident) string {
			return want(in.Updates[len(in.Updates)-1].Phase, Identified)
		}},
		"status without a word": {Command{Action: ActionStatus, Phase: Monitoring}, "investigating", "monitoring", IncidentUpdated, func(in Incident) string {
			if in.MonitoringAt.IsZero() {
				return "monitored since never"
			}
			return want(in.Updates[len(in.Updates)-1].Body, "The status of this incident is now: monitoring.")
		}},
		"impact": {Command{Action: ActionImpact, Impact: ImpactMinor}, "major", "minor", IncidentNoted, func(in Incident) string {
			return want(in.Impact, ImpactMinor)
		}},
		"components": {Command{Action: ActionComponents, Components: map[string]Status{"playback-fra": PartialOutage, "playback-nyc": DegradedPerformance}},
			"playback-fra=major_outage, playback-nyc=operational", "playback-fra=partial_outage, playback-nyc=degraded_performance", IncidentUpdated, func(in Incident) string {
				return want(in.Updates[len(in.Updates)-1].Affected, []AffectedComponent{{"playback-fra", MajorOutage, PartialOutage}, {"playback-nyc", Operational, DegradedPerformance}})
			}},
		"freeze": {Command{Action: ActionFreeze}, "automatic", "frozen", IncidentNoted, func(Incident) string { return "" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, id := outage(t, nil, nil)
			test.command.Incident, test.command.Note = id, "a reason"
			before := len(r.events)
			r.must(test.command)
			in := r.incident(id)
			if e := r.events[len(r.events)-1]; len(r.events) != before+1 || e.Type != test.event || e.Key != "incident/"+id {
				t.Errorf("events %+v, want one %s", r.events[before:], test.event)
			}
			if why := test.check(in); why != "" {
				t.Error(why)
			}
			line := Audited{At: r.now, Command: fmt.Sprintf("c%d", r.seq), Who: "anna", Action: test.command.Action, Note: "a reason", Before: test.before, After: test.after}
			if !in.Frozen || len(in.Audit) != 1 || in.Audit[0] != line {
				t.Errorf("frozen: %t, audit %+v, want %+v", in.Frozen, in.Audit, line)
			}
			// It is over, and yet nothing more is said until it is released.
			said := len(in.Updates)
			r.up(60)
			if n := len(r.incident(id).Updates); n != said || r.count(IncidentResolved) > 0 {
				t.Errorf("%d updates more while frozen, %d resolved", n-said, r.count(IncidentResolved))
			}
			if n := r.count(AutomationWaits); n != 1 {
				t.Errorf("on-call was told %d times that it would be resolved", n)
			}
			r.must(Command{Action: ActionRelease, Incident: id})
			if r.count(IncidentResolved) != 1 {
				t.Error("what is over and was watched did not resolve at its release")
			}
			r.pass(time.Minute)
			if s := r.state.Components["playback-nyc"].Status; s != Operational || len(r.state.Incidents) > 0 {
				t.Errorf("in the end New York's playback is %s, %d incidents are open", s, len(r.state.Incidents))
			}
		})
	}
}

func want[T any](got, want T) string {
	if reflect.DeepEqual(got, want) {
		return ""
	}
	return fmt.Sprintf("got %v, want %v", got, want)
}

// TestCommandRefusals: what cannot be done changes nothing, and the person learns why.
func TestCommandRefusals(t *testing.T) {
	t.Parallel()
	r, id := outage(t, nil, nil)
	long := strings.Repeat("x", MaxMessage+1)
	for name, test := range map[string]struct {
		command Command
		kind    RefusalKind
		reason  string
	}{
		"no such action":     {Command{Action: "explode"}, RefusedInvalid, `there is no action "explode"`},
		"no such incident":   {Command{Action: ActionResolve, Incident: "n0n0n0n0n0n0"}, RefusedUnknown, "no incident with the id"},
		"no incident":        {Command{Action: ActionFreeze}, RefusedUnknown, "no incident"},
		"no message":         {Command{Action: ActionUpdate, Incident: id, Message: " "}, RefusedInvalid, "needs a message"},
		"long message":       {Command{Action: ActionUpdate, Incident: id, Message: long}, RefusedInvalid, "message is longer than 5000 bytes"},
		"control character":  {Command{Action: ActionUpdate, Incident: id, Message: "a\x1b[2J"}, RefusedInvalid, "message has a control character"},
		"odd status":         {Command{Action: ActionStatus, Incident: id, Phase: "gone"}, RefusedInvalid, `there is no status "gone"`},
		"status resolved":    {Command{Action: ActionStatus, Incident: id, Phase: Resolved}, RefusedInvalid, "resolve it"},
		"same status":        {Command{Action: ActionStatus, Incident: id, Phase: Investigating}, RefusedConflict, "is investigating already"},
		"odd impact":         {Command{Action: ActionImpact, Incident: id, Impact: "huge"}, RefusedInvalid, `there is no impact "huge"`},
		"same impact":        {Command{Action: ActionImpact, Incident: id, Impact: ImpactMajor}, RefusedConflict, "is major already"},
		"unknown component":  {Command{Action: ActionComponents, Incident: id, Components: map[string]Status{"mars": MajorOutage}}, RefusedInvalid, `no component "mars"`},
		"odd component":      {Command{Action: ActionComponents, Incident: id, Components: map[string]Status{"playback-fra": "on fire"}}, RefusedInvalid, `no status "on fire"`},
		"no component":       {Command{Action: ActionComponents, Incident: id}, RefusedInvalid, "no component is named"},
		"not frozen":         {Command{Action: ActionRelease, Incident: id}, RefusedConflict, "is not frozen"},
		"nothing withheld":   {Command{Action: ActionPublish, Incident: id}, RefusedConflict, "nothing of it is withheld"},
		"nothing to keep":    {Command{Action: ActionKeep, Incident: id}, RefusedConflict, "nothing of it waits to be published"},
		"into itself":        {Command{Action: ActionMerge, Incident: id, Into: id}, RefusedInvalid, "into itself"},
		"into none":          {Command{Action: ActionMerge, Incident: id}, RefusedInvalid, "into which incident"},
		"into nothing":       {Command{Action: ActionMerge, Incident: id, Into: "x"}, RefusedUnknown, "to be merged into"},
		"reopen an open one": {Command{Action: ActionReopen, Incident: id, Resolved: &Incident{ID: id}}, RefusedConflict, "it is open"},
		"reopen what is not": {Command{Action: ActionReopen, Incident: "x"}, RefusedUnknown, "no incident with the id"},
		"open without words": {Command{Action: ActionOpen, Name: "x", Components: map[string]Status{"playback-fra": MajorOutage}}, RefusedInvalid, "a name and a message"},
		"open on nothing":    {Command{Action: ActionOpen, Name: "x", Message: "y"}, RefusedInvalid, "at least one component"},
		"no such window":     {Command{Action: ActionMaintenanceCancel, Maintenance: "x"}, RefusedUnknown, "no maintenance"},
		"no window":          {Command{Action: ActionMaintenanceAdd}, RefusedInvalid, "names no window"},
		"nobody":             {Command{Action: ActionResolve, Incident: id, Who: " "}, RefusedInvalid, "whose it is"},
	} {
		before, events := *r.state.Incidents[0], len(r.events)
		o := r.do(test.command)
		if o.Refused != test.kind || !strings.Contains(o.Reason, test.reason) {
			t.Errorf("%s: %+v, want %s: %s", name, o, test.kind, test.reason)
		}
		if len(r.events) != events+1 || r.events[events].Type != CommandRefused || r.events[events].Command == nil {
			t.Errorf("%s: events %+v, want the refusal", name, r.events[events:])
		}
		if !reflect.DeepEqual(before, *r.state.Incidents[0]) {
			t.Errorf("%s: the incident is changed", name)
		}
	}
	if n := r.state.Refused["command: invalid"]; n < 10 {
		t.Errorf("%d invalid commands are counted", n)
	}
}

// TestCommandOnce: the same command twice is one.
func TestCommandOnce(t *testing.T) {
	t.Parallel()
	r, id := outage(t, nil, nil)
	for range 3 {
		r.must(Command{ID: "same", Action: ActionUpdate, Incident: id, Message: "Once."})
	}
	if n := strings.Count(r.said(), "Once."); n != 1 {
		t.Errorf("said %d times", n)
	}
}

// TestCommandIDs: an id stands for one command. Another one that has it is refused and
// told so, and neither is carried out for the other; what was refused may be mended.
func TestCommandIDs(t *testing.T) {
	t.Parallel()
	r, id := outage(t, nil, nil)
	first := Command{ID: "same", Action: ActionUpdate, Incident: id, Message: "Once."}
	r.must(first)
	want := `the id "same" was that of another command, update of ` + id + ` by anna; send this one with an id of its own`
	for name, c := range map[string]Command{
		"another action":  {ID: "same", Action: ActionResolve, Incident: id},
		"another message": {ID: "same", Action: ActionUpdate, Incident: id, Message: "Twice."},
		"another person":  {ID: "same", Action: ActionUpdate, Incident: id, Message: "Once.", Who: "ben"},
		"another note":    {ID: "same", Action: ActionUpdate, Incident: id, Message: "Once.", Note: "why"},
	} {
		for range 2 {
			if o := r.do(c); o.Refused != RefusedConflict || o.Reason != want {
				t.Errorf("%s: %+v", name, o)
			}
		}
	}
	if n := r.count(CommandRefused); n != 4 {
		t.Errorf("%d refusals were told, want one of each", n)
	}
	if in := r.incident(id); in.Phase == Resolved || strings.Contains(r.said(), "Twice.") || len(in.Audit) != 1 {
		t.Errorf("%+v", in)
	}
	r.must(first) // still the same

	if o := r.do(Command{ID: "typo", Action: ActionImpact, Incident: id, Impact: "mayor"}); o.Refused != RefusedInvalid {
		t.Errorf("%+v", o)
	}
	r.must(Command{ID: "typo", Action: ActionImpact, Incident: id, Impact: ImpactCritical})

	// What came with the command is not what the person said.
	over := r.must(Command{ID: "end", Action: ActionResolve, Incident: id}).About
	in := r.incident(over)
	r.must(Command{ID: "back", Action: ActionReopen, Incident: id, Resolved: &in})
	r.must(Command{ID: "back", Action: ActionReopen, Incident: id})
	if n := r.count(IncidentOpened); n != 2 {
		t.Errorf("%d openings", n)
	}
}

// TestCommandIDsComeAgain: an id that is so old that the state has forgotten it makes
// something of its own, and takes nothing of what it made before.
func TestCommandIDsComeAgain(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	open := Command{ID: "deploy", Action: ActionOpen, Name: "Odd", Message: "Odd things.", Components: map[string]Status{"api": DegradedPerformance}}
	w := r.work()
	add := Command{ID: "work", Action: ActionMaintenanceAdd, Window: &w}
	first, work := r.must(open).About, r.must(add).About
	r.must(Command{Action: ActionResolve, Incident: first})
	for range maxOutcomes {
		r.do(Command{Action: ActionResolve, Incident: "none"})
	}
	if second := r.must(open).About; second == first || len(second) != len(first) {
		t.Errorf("it is %s, and was %s", second, first)
	}
	if again := r.must(add).About; again == work || len(r.state.Maintenances) != 2 {
		t.Errorf("it is %s, and was %s", again, work)
	}
}

// TestEscalationWhileFrozen: what gets worse is told to on-call once, and said at
// the release.
func TestEscalationWhileFrozen(t *testing.T) {
	t.Parallel()
	r, id := outage(t, nil, nil)
	r.must(Command{Action: ActionUpdate, Incident: id, Message: "We are on it."})
	r.every(20, func(_, i int) {
		r.canaries(i, nil)
		r.cells(i, prober.KindPlayback, func(string, string) prober.Stage { return prober.StageConnect })
	})
	e := r.last(AutomationWaits)
	if r.count(AutomationWaits) != 1 || !strings.Contains(e.Summary, "more fails than it says") {
		t.Fatalf("on-call was told %d times: %+v", r.count(AutomationWaits), e)
	}
	if s := r.state.Components["playback-nyc"].Status; s != Operational {
		t.Errorf("New York's playback shows as %s though it is frozen", s)
	}
	r.must(Command{Action: ActionRelease, Incident: id})
	in := r.incident(id)
	if u := in.Updates[len(in.Updates)-1]; !strings.Contains(u.Body, "in all regions") || in.Impact != ImpactCritical || len(u.Affected) != 3 {
		t.Errorf("after the release: %s, %+v", in.Impact, u)
	}
}

// TestResolveByHand: a person resolves what still fails. It opens nothing until it
// has been seen good; then it is as any other.
func TestResolveByHand(t *testing.T) {
	t.Parallel()
	for _, action := range []Action{ActionResolve, ActionFalseAlarm} {
		t.Run(string(action), func(t *testing.T) {
			t.Parallel()
			r, id := outage(t, nil, nil)
			r.must(Command{Action: action, Incident: id, Note: "known"})
			in := r.incident(id)
			if in.Phase != Resolved || in.FalseAlarm != (action == ActionFalseAlarm) || r.count(IncidentResolved) != 1 || r.count(AutomationWaits) != 1 {
				t.Errorf("%+v, %d resolved, %d told", in, r.count(IncidentResolved), r.count(AutomationWaits))
			}
			if s := r.state.Components["playback-fra"].Status; s != Operational {
				t.Errorf("the component is %s", s)
			}
			r.down(30)
			if n := r.count(IncidentOpened); n != 1 {
				t.Errorf("%d opened, though a person has said what it is", n)
			}
			r.up(30)
			r.down(15)
			if n := r.count(IncidentOpened); n != 2 {
				t.Errorf("%d opened: the next outage is one of its own", n)
			}
		})
	}
}

// TestReopen: a resolved incident is open again, frozen, and has its own resolve.
func TestReopen(t *testing.T) {
	t.Parallel()
	for name, early := range map[string]bool{"after its end": false, "while it fails": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, id := outage(t, nil, nil)
			if early {
				r.must(Command{Action: ActionResolve, Incident: id})
				r.down(5)
			} else {
				r.up(60)
			}
			resolved := r.incident(id)
			if resolved.Phase != Resolved {
				t.Fatalf("it is %s", resolved.Phase)
			}
			r.must(Command{Action: ActionReopen, Incident: id, Resolved: &resolved, Message: "It is back."})
			in := r.incident(id)
			if !in.Frozen || in.Phase != Investigating || !in.ResolvedAt.IsZero() || r.count(IncidentOpened) != 2 {
				t.Errorf("%+v", in)
			}
			if fails := r.state.Incidents[0].failing(); fails != early {
				t.Errorf("it fails: %t, want %t", fails, early)
			}
			r.must(Command{Action: ActionRelease, Incident: id})
			r.up(80)
			if n := r.count(IncidentResolved); n != 2 || len(r.state.Incidents) > 0 {
				t.Errorf("%d resolved, %d open", n, len(r.state.Incidents))
			}
		})
	}
}

func TestFalseAlarmAfterwards(t *testing.T) {
	t.Parallel()
	r, id := outage(t, nil, nil)
	r.up(60)
	resolved := r.incident(id)
	r.must(Command{Action: ActionFalseAlarm, Incident: id, Resolved: &resolved})
	in := r.incident(id)
	if u := in.Updates[len(in.Updates)-1]; !in.FalseAlarm || in.Phase != Resolved || u.Body != falseAlarmWords || r.last(IncidentNoted) == nil {
		t.Errorf("%+v", in)
	}
	if o := r.do(Command{Action: ActionFalseAlarm, Incident: id, Resolved: &in}); o.Refused != RefusedConflict {
		t.Errorf("twice: %+v", o)
	}
	if len(r.state.Incidents) != 0 || r.count(IncidentResolved) != 1 {
		t.Error("it is open again")
	}
}

// TestOpenByHand: an incident that a person opened takes in what fails of it, and
// ends as any other once it is released.
func TestOpenByHand(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.warm()
	id := r.must(Command{Action: ActionOpen, Name: "Black pictures in Frankfurt", Message: "Viewers tell us of black pictures.",
		Components: map[string]Status{"playback-fra": DegradedPerformance}}).About
	in := r.incident(id)
	if in.OpenedBy != "anna" || !in.Public || in.Impact != ImpactMinor || in.Target != "live" || len(in.Updates[0].Affected) != 1 || r.count(IncidentOpened) != 1 {
		t.Errorf("%+v", in)
	}
	r.down(10)
	if len(r.state.Incidents) != 1 || !r.state.Incidents[0].failing() {
		t.Errorf("%d incidents: what fails now is what the person saw", len(r.state.Incidents))
	}
	r.must(Command{Action: ActionRelease, Incident: id})
	if in = r.incident(id); in.Name != "Black pictures in Frankfurt" || in.Impact != ImpactMajor || r.state.Components["playback-fra"].Status != MajorOutage {
		t.Errorf("%+v", in)
	}
	r.up(80)
	if len(r.state.Incidents) > 0 || r.count(IncidentResolved) != 1 {
		t.Error("it did not resolve")
	}

	// What no test sees ends as well.
	id = r.must(Command{Action: ActionOpen, Name: "Wrong prices", Message: "Prices are wrong.", Components: map[string]Status{"playback-nyc": PartialOutage}}).About
	r.up(10)
	r.must(Command{Action: ActionRelease, Incident: id})
	if in = r.incident(id); in.Phase != Monitoring || r.state.Components["playback-nyc"].Status != Operational {
		t.Errorf("%+v", in)
	}
	r.up(80)
	if in = r.incident(id); in.Phase != Resolved || in.Updates[len(in.Updates)-1].Body != "This incident is resolved." {
		t.Errorf("%+v", in)
	}
}

// TestMergeByHand: one story goes on, the other ends in it.
func TestMergeByHand(t *testing.T) {
	t.Parallel()
	r, id := outage(t, nil, nil)
	other := r.must(Command{Action: ActionOpen, Name: "Sound is missing", Message: "No sound.", Components: map[string]Status{"playback-nyc": MajorOutage}}).About
	r.must(Command{Action: ActionMerge, Incident: id, Into: other})
	from, into := r.incident(id), r.incident(other)
	if from.Phase != Resolved || from.MergedInto != other || !into.Frozen || len(into.Failures) == 0 || len(into.Audit) != 2 || len(from.Audit) != 1 {
		t.Errorf("%+v\n%+v", from, into)
	}
	for _, c := range []string{"playback-fra", "playback-nyc"} {
		if s := r.state.Components[c].Status; s != MajorOutage {
			t.Errorf("%s is %s", c, s)
		}
	}
	r.must(Command{Action: ActionRelease, Incident: other})
	r.up(80)
	if len(r.state.Incidents) > 0 || r.count(IncidentOpened) != 2 || r.count(IncidentResolved) != 2 {
		t.Errorf("%d open, %d opened, %d resolved", len(r.state.Incidents), r.count(IncidentOpened), r.count(IncidentResolved))
	}
}

// TestApproval: what waits for a person is kept, told, told again, and then as set.
func TestApproval(t *testing.T) {
	t.Parallel()
	hold := func(top *Topology) {
		for i := range top.Components {
			if top.Components[i].ID == "playback-fra" {
				top.Components[i].Publish = PublishHold
			}
		}
	}
	status := func(r *rig) Status { return r.state.Components["playback-fra"].Status }
	start := func(t *testing.T, unapproved Unapproved) (*rig, string) {
		t.Helper()
		r, id := outage(t, hold, func(s *Settings) { s.Unapproved, s.Hold, s.ApproveWithin = unapproved, time.Minute, time.Minute })
		e := r.last(ApprovalNeeded)
		if in := r.incident(id); in.Public || in.Approved || len(in.Components) > 0 || !slices.Equal(in.Withheld, []string{"playback-fra"}) || status(r) != Operational {
			t.Errorf("it shows: %+v", in)
		}
		if r.count(ApprovalNeeded) != 1 || !strings.Contains(e.Summary, "streamcanary incident publish "+id) {
			t.Errorf("on-call was told %d times: %+v", r.count(ApprovalNeeded), e)
		}
		return r, id
	}
	t.Run("published", func(t *testing.T) {
		t.Parallel()
		r, id := start(t, UnapprovedKeep)
		r.must(Command{Action: ActionPublish, Incident: id})
		if in := r.incident(id); !in.Public || in.Frozen || len(in.Withheld) > 0 || status(r) != MajorOutage || r.count(ApprovalOver) != 1 {
			t.Errorf("%+v", in)
		}
		r.up(60)
		if r.count(IncidentResolved) != 1 || status(r) != Operational {
			t.Error("it did not resolve")
		}
	})
	t.Run("kept", func(t *testing.T) {
		t.Parallel()
		r, id := start(t, UnapprovedKeep)
		r.down(40)
		if in := r.incident(id); in.Public || status(r) != Operational || r.count(ApprovalOverdue) != 1 {
			t.Errorf("%+v", in)
		}
		r.up(60)
		if in := r.incident(id); in.Public || r.count(IncidentResolved) != 1 || r.count(ApprovalOver) != 1 {
			t.Errorf("%+v", in)
		}
	})
	t.Run("goes public", func(t *testing.T) {
		t.Parallel()
		r, id := start(t, UnapprovedPublish)
		r.down(40)
		if in := r.incident(id); !in.Public || status(r) != MajorOutage || r.count(ApprovalOverdue) != 0 || r.count(ApprovalOver) != 1 {
			t.Errorf("%+v", in)
		}
	})
	t.Run("not while a person holds it", func(t *testing.T) {
		t.Parallel()
		r, id := start(t, UnapprovedPublish)
		r.must(Command{Action: ActionFreeze, Incident: id})
		r.down(40)
		if in := r.incident(id); in.Public || r.count(ApprovalOverdue) != 1 {
			t.Errorf("%+v", in)
		}
		r.must(Command{Action: ActionPublish, Incident: id, Message: "Playback in Frankfurt is broken."})
		if in := r.incident(id); !in.Public || status(r) != MajorOutage || in.Updates[len(in.Updates)-1].Body != "Playback in Frankfurt is broken." {
			t.Errorf("%+v", in)
		}
	})
}

// person draws a command: any action, mostly on something that there is.
func person(rng *rand.Rand, s State, past []Incident, n int, components ...string) Command {
	pick := func(list ...string) string { return list[rng.IntN(len(list))] }
	ids := []string{"nothing"}
	for _, o := range s.Incidents {
		ids = append(ids, o.Incident.ID, o.Incident.ID)
	}
	c := Command{
		ID: fmt.Sprint("person", n), Who: pick("anna", "ben"), Note: pick("", "why"), Incident: pick(ids...), Into: pick(ids...),
		Action: Action(pick("open", "update", "status", "impact", "components", "freeze", "release", "release", "release", "resolve", "reopen", "false_alarm", "merge", "publish", "explode")),
		Name:   pick("", "A name"), Message: pick("", "A message."), Phase: Phase(pick("investigating", "identified", "monitoring", "resolved", "odd")),
		Impact:     Impact(pick("none", "minor", "major", "critical", "odd")),
		Components: map[string]Status{},
	}
	for range rng.IntN(3) {
		c.Components[pick(append(components, "odd")...)] = Status(pick("operational", "under_maintenance", "partial_outage", "major_outage"))
	}
	if len(past) > 0 && rng.IntN(2) == 0 {
		in := past[rng.IntN(len(past))]
		c.Resolved, c.Incident = &in, in.ID
	}
	return c
}

// waitsUnseen says how a component that waits for a person, and is the only one in a
// place, shows in an incident.
func waitsUnseen(in Incident, component, place string) string {
	waits := slices.Contains(in.Withheld, component)
	switch {
	case waits && slices.Contains(in.Components, component):
		return "what is withheld is among its components"
	case slices.Contains(in.Components, component) && !in.Approved:
		return "what nobody approved is among its components"
	case waits && slices.ContainsFunc(in.Updates, func(u Update) bool {
		return slices.ContainsFunc(u.Affected, func(a AffectedComponent) bool { return a.Component == component })
	}):
		return "an update shows the component"
	case waits && strings.Contains(shown(in), place):
		return "its words name the place"
	}
	return ""
}

// TestPeopleAtAnyTime: whatever people do, and whatever fails meanwhile, nothing
// contradicts itself, the state stays bounded, and a replay gives the same bytes.
func TestPeopleAtAnyTime(t *testing.T) {
	t.Parallel()
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rng := rand.New(rand.NewPCG(seed, 99))
			r := newRig(t, 3, func(top *Topology) { top.Components[1].Publish = PublishHold }, func(s *Settings) {
				s.ApproveWithin, s.Unapproved = 20*time.Second, []Unapproved{UnapprovedKeep, UnapprovedPublish}[seed%2]
			})
			var inputs []Input
			r.record = func(in Input) { inputs = append(inputs, in) }
			r.warm()
			opened, past := map[string]int{}, map[string]Incident{}
			approval, waited := map[string]int{}, map[bool]int{}
			seen := 0
			for n := range 100 {
				switch rng.IntN(5) {
				case 0:
					r.down(1 + rng.IntN(6))
				case 1:
					r.up(1 + rng.IntN(12))
				case 2: // what is published by itself, with or without what waits
					r.out(1+rng.IntN(6), [][]string{{"sin"}, {"fra", "sin"}}[rng.IntN(2)]...)
				default:
				}
				var over []Incident
				for _, id := range sortedKeys(past) {
					over = append(over, past[id])
				}
				c := person(rng, r.state, over, n, "playback-fra", "ingest-nyc", "api")
				if n%7 == 0 {
					c.Action, c.Message = ActionKeep, ""
				}
				r.do(c)
				for ; seen < len(r.events); seen++ {
					e := r.events[seen]
					switch e.Type {
					case IncidentOpened:
						opened[e.Key]++
						delete(past, e.Incident.ID)
					case IncidentResolved:
						opened[e.Key]--
						past[e.Incident.ID] = *e.Incident
					case ApprovalNeeded:
						approval[e.Key]++
					case ApprovalOver:
						approval[e.Key]--
					default:
					}
					if e.Incident != nil && opened[e.Key]+approval[e.Key] < 0 || opened[e.Key] > 1 || approval[e.Key] > 1 {
						t.Fatalf("%s: openings and resolves do not match", e.Key)
					}
					if e.Incident != nil {
						if why := waitsUnseen(*e.Incident, "playback-fra", "Frankfurt"); why != "" {
							t.Fatalf("%s: %s: %+v", e.Type, why, *e.Incident)
						}
						waited[e.Incident.Public && len(e.Incident.Withheld) > 0]++
					}
				}
				if len(r.state.Outcomes) > maxOutcomes || len(r.state.Incidents) > maxOpen+9 {
					t.Fatalf("%d outcomes, %d incidents", len(r.state.Outcomes), len(r.state.Incidents))
				}
			}
			if waited[true] == 0 {
				t.Error("nothing ever waited in an incident that was public: this shows nothing")
			}
			for _, o := range slices.Clone(r.state.Incidents) {
				r.do(Command{Action: ActionRelease, Incident: o.Incident.ID})
			}
			r.up(100)
			for _, o := range r.state.Incidents {
				t.Errorf("%s is still open, frozen: %t, failing: %t", o.Incident.Name, o.Incident.Frozen, o.failing())
			}
			for _, c := range r.policy.topology.Components {
				if s := r.state.Components[c.ID].Status; s != Operational {
					t.Errorf("%s is still %s", c.ID, s)
				}
			}
			want, err := r.state.Encode()
			if err != nil {
				t.Fatal(err)
			}
			again := NewState()
			for i, in := range inputs {
				if i%50 == 0 { // as after a start of the hub
					b, err := again.Encode()
					if err != nil {
						t.Fatal(err)
					}
					if again, err = DecodeState(b); err != nil {
						t.Fatal(err)
					}
				}
				again, _ = r.policy.Step(again, in)
			}
			if got, err := again.Encode(); err != nil || string(got) != string(want) {
				t.Errorf("a replay gave another state (%v)", err)
			}
		})
	}
}

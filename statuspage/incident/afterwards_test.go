package incident

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestPostmortem: a person publishes one of what is over, once or again, and
// nothing that is for on-call alone.
func TestPostmortem(t *testing.T) {
	t.Parallel()
	r := newRig(t, 3, nil, nil)
	r.wordsRounds(10*time.Second, nil, "")
	r.wordsRounds(30*time.Second, map[string]bool{"fra": true}, "playback")
	id := lastIncident(t, r.events).ID
	sent := 0
	publish := func(text string) Outcome {
		sent++
		c := Command{ID: strconv.Itoa(sent), Who: "ann", Action: ActionPostmortem, Incident: id, Postmortem: text}
		if in := lastIncident(t, r.events); !in.ResolvedAt.IsZero() {
			c.Resolved = in
		}
		r.step(Input{Command: &c})
		return r.state.Outcomes[len(r.state.Outcomes)-1]
	}
	if out := publish("Too early"); out.Refused != RefusedConflict {
		t.Errorf("while it is open: %+v", out)
	}
	r.wordsRounds(4*time.Minute, nil, "")
	for text, want := range map[string]string{
		" \n":                                "the postmortem is empty",
		"x " + InternalBegin + " secret":     "the text still has <!-- internal -->",
		"y " + InternalEnd:                   "the text still has <!-- internal -->",
		"bell \a":                            "postmortem has a control character",
		strings.Repeat("z", MaxPostmortem+1): "postmortem is longer than 30000 bytes",
	} {
		if out := publish(text); out.Refused != RefusedInvalid || !strings.Contains(out.Reason, want) {
			t.Errorf("%.20q: %+v, want %s", text, out, want)
		}
	}
	if out := publish("# A switch broke"); out.Refused != "" {
		t.Fatalf("%+v", out)
	}
	in := *lastIncident(t, r.events)
	last := in.Updates[len(in.Updates)-1]
	if in.Phase != Postmortem || in.Postmortem != "# A switch broke" || in.PostmortemAt.IsZero() || last.Phase != Postmortem || in.ResolvedAt.IsZero() {
		t.Errorf("%+v", in)
	}
	if out := publish("# Two switches broke"); out.Refused != "" {
		t.Fatalf("%+v", out)
	}
	again := *lastIncident(t, r.events)
	if again.Postmortem != "# Two switches broke" || len(again.Updates) != len(in.Updates) || len(again.Audit) != len(in.Audit)+1 {
		t.Errorf("%+v", again)
	}
	if len(r.state.Incidents) != 0 {
		t.Error("it is open again")
	}
}

// TestReopenWithdrawsThePostmortem: an incident that is open has none. Its text is
// on-call's until a person publishes one again.
func TestReopenWithdrawsThePostmortem(t *testing.T) {
	t.Parallel()
	r, id := outage(t, nil, nil)
	r.up(80)
	over := func() *Incident {
		in := r.incident(id)
		return &in
	}
	r.must(Command{Action: ActionPostmortem, Incident: id, Postmortem: "# A switch broke", Resolved: over()})
	r.must(Command{Action: ActionReopen, Incident: id, Resolved: over()})
	check := func(when, public, withdrawn string, phase Phase) {
		t.Helper()
		in := r.incident(id)
		if in.Postmortem != public || in.PostmortemAt.IsZero() != (public == "") || in.Withdrawn != withdrawn || in.Phase != phase {
			t.Errorf("%s: %s, postmortem %q of %s, withdrawn %q", when, in.Phase, in.Postmortem, in.PostmortemAt, in.Withdrawn)
		}
	}
	check("open again", "", "# A switch broke", Investigating)
	in := r.incident(id)
	if line := in.Audit[len(in.Audit)-1]; line.Before != "postmortem" || line.After != "investigating, its postmortem withdrawn" {
		t.Errorf("%+v", line)
	}
	if said := in.Updates[len(in.Updates)-1].Body; !strings.Contains(said, "its postmortem is withdrawn") {
		t.Errorf("said %q", said)
	}
	r.must(Command{Action: ActionRelease, Incident: id})
	r.up(80)
	check("resolved again", "", "# A switch broke", Resolved)
	r.must(Command{Action: ActionReopen, Incident: id, Resolved: over()})
	r.must(Command{Action: ActionResolve, Incident: id})
	check("reopened twice", "", "# A switch broke", Resolved)
	r.must(Command{Action: ActionPostmortem, Incident: id, Postmortem: "# Two switches broke", Resolved: over()})
	check("published again", "# Two switches broke", "", Postmortem)
	if u := r.incident(id).Updates; u[len(u)-1].Phase != Postmortem {
		t.Errorf("the page does not tell of it: %+v", u[len(u)-1])
	}
}

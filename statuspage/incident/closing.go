package incident

import (
	"fmt"
	"slices"
	"time"
)

// What people say of an incident's end.

func (t *turn) resolveByHand(o *openIncident, c Command) *refusal {
	t.end(o, c, orElse(c.Message, "This incident is resolved."))
	return nil
}

// falseAlarm resolves an incident and says that it was none.
func (t *turn) falseAlarm(o *openIncident, c Command) *refusal {
	o.Incident.FalseAlarm = true
	t.end(o, c, orElse(c.Message, falseAlarmWords))
	return nil
}

const falseAlarmWords = "This was a false alarm: what our tests reported was no failure of the service. It does not count as an outage."

// end resolves an incident for a person. What still fails of it opens nothing
// until it has been seen good again: the person has spoken of it.
func (t *turn) end(o *openIncident, c Command, body string) {
	in := &o.Incident
	before := in.Phase
	in.Frozen, in.Phase, in.ResolvedAt = false, Resolved, t.s.At
	t.s.Incidents = slices.DeleteFunc(t.s.Incidents, func(other *openIncident) bool { return other == o })
	in.Audit = audited(in.Audit, t.s.At, c, string(before), string(Resolved))
	t.settle(o)
	t.publish(o, IncidentResolved, body)
	failing := 0
	for _, f := range in.Failures {
		if f.RecoveredAt.IsZero() {
			failing++
		}
	}
	if failing > 0 {
		t.waiting(in, fmt.Sprintf("%s has resolved it while %d of what it is about still fails; that opens nothing until it has been seen good again", c.Who, failing))
	}
}

// settle ends what on-call was told of an incident that ends.
func (t *turn) settle(o *openIncident) {
	if o.QuorumLost {
		o.QuorumLost = false
		t.emit(Event{Type: QuorumBack, Key: "quorum/" + o.Incident.ID, Summary: "It has ended: " + o.Incident.Name})
	}
	t.approvalOver(o, "It has ended: "+o.Incident.Name)
}

// falseAlarmAfterwards marks an incident that is over.
func (t *turn) falseAlarmAfterwards(c Command) *refusal {
	in, r := over(c)
	if r != nil {
		return r
	}
	if in.FalseAlarm {
		return refused(RefusedConflict, "it is marked as a false alarm already")
	}
	in.FalseAlarm = true
	in.Audit = audited(in.Audit, t.s.At, c, "", "false alarm")
	in.Updates = append(in.Updates, t.update(&in, orElse(c.Message, falseAlarmWords)))
	in.UpdatedAt = t.s.At
	t.noted(&in)
	return nil
}

// over is the resolved incident that came with a command.
func over(c Command) (Incident, *refusal) {
	switch in := c.Resolved; {
	case in == nil || in.ID != c.Incident:
		return Incident{}, refused(RefusedUnknown, "no incident with the id %q is resolved", shorten(c.Incident))
	case in.ResolvedAt.IsZero() || len(in.Updates) == 0:
		return Incident{}, refused(RefusedConflict, "it is not resolved")
	case in.MergedInto != "":
		return Incident{}, refused(RefusedConflict, "it goes on in the incident %s", shorten(in.MergedInto))
	default:
		return in.clone(), nil
	}
}

// reopen takes a resolved incident back, frozen: only a person knows why. What of
// it still fails, and is in no other incident, is its own again.
func (t *turn) reopen(c Command) *refusal {
	if slices.ContainsFunc(t.s.Incidents, func(o *openIncident) bool { return o.Incident.ID == c.Incident }) {
		return refused(RefusedConflict, "it is open")
	}
	in, r := over(c)
	if r != nil {
		return r
	}
	if r := t.room(); r != nil {
		return r
	}
	if in.full() {
		return in.refuseFull()
	}
	for i := range in.Failures {
		f := &in.Failures[i]
		sum := t.s.sum(f.Element, f.Kind)
		if f.RecoveredAt.IsZero() && (sum == nil || !sum.Open || t.find(sum) != nil) {
			f.RecoveredAt = in.ResolvedAt
		}
	}
	after, words := string(Investigating), "This incident is open again. We are investigating."
	if in.withdraw() {
		after += ", its postmortem withdrawn"
		words = "This incident is open again, and its postmortem is withdrawn. We are investigating."
	}
	in.Audit = audited(in.Audit, t.s.At, c, string(in.Phase), after)
	in.Phase, in.ResolvedAt, in.MonitoringAt, in.FalseAlarm = Investigating, time.Time{}, time.Time{}, false
	o := &openIncident{Incident: in, Announced: true}
	t.s.Incidents = append(t.s.Incidents, o)
	t.freeze(o)
	t.publish(o, IncidentOpened, orElse(c.Message, words))
	return nil
}

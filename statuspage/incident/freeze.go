package incident

import (
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
)

// freeze stops the automation of an incident, and keeps what it shows now. What
// was told of waiting may be told again: a person has just been here.
func (t *turn) freeze(o *openIncident) {
	o.SaidWaits, o.SaidOver = false, false
	if o.Incident.Frozen {
		return
	}
	o.Statuses = t.ownStatuses(o)
	o.Incident.Frozen = true
}

func (t *turn) freezeByHand(o *openIncident, c Command) *refusal {
	if o.Incident.Frozen {
		return refused(RefusedConflict, "it is frozen already")
	}
	return t.edit(o, c, "automatic", "frozen")
}

// release lets the automation go on with what is true now: the next word follows
// at once, and the resolve, if it is over and was watched for long enough.
func (t *turn) release(o *openIncident, c Command) *refusal {
	if !o.Incident.Frozen {
		return refused(RefusedConflict, "it is not frozen: its automation is at work")
	}
	o.Incident.Frozen, o.Statuses, o.SaidWaits, o.SaidOver = false, nil, false, false
	o.Incident.Audit = audited(o.Incident.Audit, t.s.At, c, "frozen", "automatic")
	t.noted(&o.Incident)
	o.Said, o.Scope, o.SayAt = "", "", t.s.At
	if !o.failing() && o.HoldUntil.IsZero() {
		o.HoldUntil = t.s.At.Add(t.settings.Hold)
	}
	return nil
}

// waits notes what a frozen incident would have said or done, and tells on-call
// of each once.
func (t *turn) waits(o *openIncident) {
	in := &o.Incident
	if o.due(t.s.At) {
		o.SayAt = time.Time{}
		if !o.SaidWaits && t.worse(o) {
			o.SaidWaits = true
			t.waiting(in, "more fails than it says, and its automation is frozen: "+strings.ReplaceAll(t.describe(in), "\n", " "))
		}
	}
	if o.promised(t.s.At) {
		o.PromisedAt = time.Time{}
		t.waiting(in, "its last message promised an update for now, and its automation is frozen; post one, or release it")
	}
	if !o.SaidOver && o.over(t.s.At) && t.stillGood(o) {
		o.SaidOver = true
		t.waiting(in, "it would be resolved now, and its automation is frozen; release or resolve it")
	}
}

func (t *turn) waiting(in *Incident, what string) {
	snapshot := in.clone()
	t.emit(Event{Type: AutomationWaits, Key: "automation/" + in.ID, Summary: in.Name + ": " + what, Incident: &snapshot})
}

// worse says whether more fails than a frozen incident shows.
func (t *turn) worse(o *openIncident) bool {
	if worseImpact(o.Incident.Impact, t.impact(&o.Incident)) != o.Incident.Impact {
		return true
	}
	own := t.ownStatuses(o)
	return slices.ContainsFunc(sortedKeys(own), func(id string) bool { return rank(own[id]) > max(rank(o.Statuses[id]), 0) })
}

// ownStatuses gives the components of an incident what its failures make of them.
func (t *turn) ownStatuses(o *openIncident) map[string]Status {
	kinds := map[prober.Element][]prober.Kind{}
	o.Incident.failingKinds(kinds)
	own := map[string]Status{}
	for _, c := range t.topology.Components {
		if t.affects(&o.Incident, c) {
			own[c.ID] = componentStatus(c, kinds)
		}
	}
	return own
}

// failingKinds adds what fails, by element.
func (in *Incident) failingKinds(kinds map[prober.Element][]prober.Kind) {
	for _, f := range in.Failures {
		if f.RecoveredAt.IsZero() {
			kinds[f.Element] = append(kinds[f.Element], f.weight())
		}
	}
}

// claims says whether a person has opened the incident for what fails.
func (t *turn) claims(o *openIncident, f Failure) bool {
	return o.Incident.OpenedBy != "" && slices.ContainsFunc(t.topology.Components, func(c Component) bool {
		return slices.Contains(o.Incident.Components, c.ID) && slices.Contains(c.Elements, f.Element)
	})
}

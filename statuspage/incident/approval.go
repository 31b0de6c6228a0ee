package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What publish: hold withholds waits for a person, for a set time.

// Unapproved says what becomes of what nobody has approved in time.
type Unapproved string

// What is done then.
const (
	UnapprovedKeep    Unapproved = "keep"    // it stays from the page
	UnapprovedPublish Unapproved = "publish" // it goes public, unless a person has frozen it
)

// withhold notes a component that waits for a person.
func (t *turn) withhold(in *Incident, id string) {
	if !slices.Contains(in.Withheld, id) {
		in.Withheld = append(in.Withheld, id)
	}
}

// Waiting lists the components that wait for a person to publish them, or to keep them
// from the page.
func (in Incident) Waiting() []string {
	var all []string
	for _, id := range in.Withheld {
		if !slices.Contains(in.KeptBack, id) {
			all = append(all, id)
		}
	}
	return all
}

// askApproval tells on-call that an incident waits for them.
func (t *turn) askApproval(o *openIncident) {
	if len(o.Incident.Waiting()) == 0 || o.ApprovalAsked || o.Incident.Phase == Resolved {
		return
	}
	o.ApprovalAsked = true
	how := "It stays from the page until then."
	if t.settings.ApproveWithin > 0 {
		o.ApproveBy = t.s.At.Add(t.settings.ApproveWithin)
		how = fmt.Sprintf("After %s it will be told again, and stays from the page.", t.settings.ApproveWithin)
		if t.settings.Unapproved == UnapprovedPublish {
			how = fmt.Sprintf("After %s it goes public by itself.", t.settings.ApproveWithin)
		}
	}
	t.approval(o, ApprovalNeeded, o.Incident.Name+" waits for a person to publish it: streamcanary incident publish "+o.Incident.ID+", or keep "+o.Incident.ID+", which leaves it out. "+how)
}

func (t *turn) approval(o *openIncident, kind EventType, summary string) {
	snapshot := o.Incident.clone()
	t.emit(Event{Type: kind, Key: "approval/" + o.Incident.ID, Summary: summary, Incident: &snapshot})
}

// approvalOver ends the question, however it was answered.
func (t *turn) approvalOver(o *openIncident, summary string) {
	if !o.ApprovalAsked {
		return
	}
	o.ApprovalAsked, o.ApproveBy = false, time.Time{}
	t.approval(o, ApprovalOver, summary)
}

// approvalTimer does what is set for what nobody has approved in time.
func (t *turn) approvalTimer(o *openIncident) {
	if o.ApproveBy.IsZero() || o.ApproveBy.After(t.s.At) {
		return
	}
	o.ApproveBy = time.Time{}
	if t.settings.Unapproved == UnapprovedPublish && !o.Incident.Frozen {
		t.approve(o, "Nobody said otherwise in time, so it is public now: "+o.Incident.Name)
		return
	}
	t.approval(o, ApprovalOverdue, o.Incident.Name+" still waits for a person, and is not public: streamcanary incident publish "+o.Incident.ID)
}

func (t *turn) approveByHand(o *openIncident, c Command) *refusal {
	if len(o.Incident.Withheld) == 0 {
		return refused(RefusedConflict, "nothing of it is withheld")
	}
	o.Incident.Audit = audited(o.Incident.Audit, t.s.At, c, "withheld", "public")
	if c.Message != "" {
		t.freeze(o)
	}
	t.approve(o, c.Who+" has published it: "+o.Incident.Name, c.Message)
	return nil
}

// keepByHand ends the question whether to publish: not what is withheld now. The
// automation goes on, and what is withheld later is asked of again.
func (t *turn) keepByHand(o *openIncident, c Command) *refusal {
	in := &o.Incident
	switch {
	case len(in.Waiting()) == 0:
		return refused(RefusedConflict, "nothing of it waits to be published")
	case strings.TrimSpace(c.Message) != "":
		return refused(RefusedInvalid, "what is kept from the page has no message; say why in the note")
	}
	in.KeptBack = slices.Clone(in.Withheld)
	in.Audit = audited(in.Audit, t.s.At, c, "withheld", "kept from the page: "+strings.Join(in.KeptBack, ", "))
	t.approvalOver(o, c.Who+" keeps it from the page: "+in.Name)
	t.noted(in)
	return nil
}

// keptBack lists what stays from the page of what two incidents in one withhold: what
// a person keeps of either, and is not asked of in the other.
func keptBack(a, b *Incident, withheld []string) []string {
	asked := slices.Concat(a.Waiting(), b.Waiting())
	kept := slices.Concat(a.KeptBack, b.KeptBack)
	return slices.DeleteFunc(slices.Clone(withheld), func(id string) bool {
		return slices.Contains(asked, id) || !slices.Contains(kept, id)
	})
}

// approve lets an incident out, with a person's words, with what was last said of
// it, if a person holds it, or with what is true now.
func (t *turn) approve(o *openIncident, summary string, words ...string) {
	in := &o.Incident
	last := in.Updates[len(in.Updates)-1]
	in.Approved = true
	for _, id := range in.Withheld {
		if !slices.Contains(in.Components, id) {
			in.Components = append(in.Components, id)
		}
	}
	in.Withheld, in.KeptBack = nil, nil
	for i := range in.Updates {
		if in.Updates[i].Kept == PublishHold {
			in.Updates[i].Kept = ""
		}
	}
	t.approvalOver(o, summary)
	name, impact := t.headline(in)
	in.Name = name
	if !in.judged() {
		in.Impact = impact
	}
	body := ""
	for _, w := range words {
		body = orElse(w, body)
	}
	switch {
	case body != "":
		t.publish(o, IncidentUpdated, body)
	case in.Frozen && last.Kept != PublishInternal:
		t.publish(o, IncidentUpdated, last.Body)
	default:
		o.Said, o.Scope = t.describe(in), t.scope(in)
		t.publishTold(o, IncidentUpdated, updated)
	}
}

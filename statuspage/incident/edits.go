package incident

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// What people do to incidents. An edit freezes the automation of the incident
// until a person releases it.

// openByHand opens an incident that is equal to those that probes find.
func (t *turn) openByHand(c Command) (id string, r *refusal) {
	if strings.TrimSpace(c.Name) == "" || strings.TrimSpace(c.Message) == "" {
		return "", refused(RefusedInvalid, "an incident needs a name and a message")
	}
	if len(c.Components) == 0 {
		return "", refused(RefusedInvalid, "an incident needs at least one component, with its status")
	}
	if r := t.checkStatuses(c.Components); r != nil {
		return "", r
	}
	if r := t.room(); r != nil {
		return "", r
	}
	in := Incident{
		ID: PublicID(t.topology.Installation, "incident", t.madeBy(c)), Name: c.Name, Named: true, OpenedBy: c.Who, Approved: true,
		Target: t.targetOf(c.Components), Phase: c.Phase, Impact: c.Impact, StartedAt: t.s.At, CreatedAt: t.s.At, UpdatedAt: t.s.At,
		Components: []string{}, Updates: []Update{}, Failures: []Failure{},
	}
	if in.Phase == "" {
		in.Phase = Investigating
	}
	if in.Impact == "" {
		in.Impact = impactOf(c.Components)
	}
	if r := checkPhase(in.Phase); r != nil {
		return "", r
	}
	if r := checkImpact(in.Impact); r != nil {
		return "", r
	}
	if in.Phase == Monitoring {
		in.MonitoringAt = t.s.At
	}
	o := &openIncident{Incident: in, Announced: true}
	t.s.Incidents = append(t.s.Incidents, o)
	t.freeze(o)
	t.setStatuses(o, c.Components)
	o.Incident.Audit = audited(nil, t.s.At, c, "", "")
	t.publish(o, IncidentOpened, c.Message)
	return in.ID, nil
}

// room says whether people may open one more.
func (t *turn) room() *refusal {
	if n := len(t.s.Incidents); n >= maxOpen {
		return refused(RefusedConflict, "%d incidents are open already; resolve or merge some", n)
	}
	return nil
}

// targetOf is that of the first element of a component.
func (t *turn) targetOf(components map[string]Status) string {
	for _, c := range t.topology.Components {
		if _, named := components[c.ID]; named && len(c.Elements) > 0 {
			return c.Elements[0].Target
		}
	}
	return ""
}

// impactOf is what the worst status of a component makes of an incident whose
// impact nobody named.
func impactOf(components map[string]Status) Impact {
	worst := Operational
	for _, s := range components {
		worst = Worse(worst, s)
	}
	switch worst {
	case MajorOutage:
		return ImpactMajor
	case PartialOutage, DegradedPerformance:
		return ImpactMinor
	default:
		return ImpactNone
	}
}

func (t *turn) postUpdate(o *openIncident, c Command) *refusal {
	if strings.TrimSpace(c.Message) == "" {
		return refused(RefusedInvalid, "an update needs a message")
	}
	return t.edit(o, c, "", "")
}

// edit freezes, notes who did what, and publishes the message, if there is one.
func (t *turn) edit(o *openIncident, c Command, before, after string) *refusal {
	t.freeze(o)
	o.Incident.Audit = audited(o.Incident.Audit, t.s.At, c, before, after)
	if strings.TrimSpace(c.Message) == "" {
		t.noted(&o.Incident)
		return nil
	}
	t.publish(o, IncidentUpdated, c.Message)
	return nil
}

// noted tells of an edit without a public word.
func (t *turn) noted(in *Incident) {
	snapshot := in.clone()
	last := in.Audit[len(in.Audit)-1]
	t.emit(Event{Type: IncidentNoted, Key: "incident/" + in.ID, Incident: &snapshot,
		Summary: fmt.Sprintf("%s: %s by %s", in.Name, last.Action, last.Who)})
}

func (t *turn) setPhase(o *openIncident, c Command) *refusal {
	if r := checkPhase(c.Phase); r != nil {
		return r
	}
	before := o.Incident.Phase
	if before == c.Phase && c.Message == "" {
		return refused(RefusedConflict, "its status is %s already", before)
	}
	if c.Message == "" {
		c.Message = "The status of this incident is now: " + string(c.Phase) + "."
	}
	o.Incident.Phase = c.Phase
	switch {
	case c.Phase == Monitoring && before != Monitoring:
		o.Incident.MonitoringAt = t.s.At
	case c.Phase != Monitoring:
		o.Incident.MonitoringAt = time.Time{}
	}
	return t.edit(o, c, string(before), string(c.Phase))
}

func checkPhase(p Phase) *refusal {
	switch p {
	case Investigating, Identified, Monitoring:
		return nil
	case Resolved:
		return refused(RefusedInvalid, "resolve it instead of setting the status resolved")
	default:
		return refused(RefusedInvalid, "there is no status %q; want investigating, identified or monitoring", shorten(string(p)))
	}
}

func (t *turn) setImpact(o *openIncident, c Command) *refusal {
	if r := checkImpact(c.Impact); r != nil {
		return r
	}
	before := o.Incident.Impact
	if before == c.Impact && c.Message == "" {
		return refused(RefusedConflict, "its impact is %s already", before)
	}
	o.Incident.Impact = c.Impact
	return t.edit(o, c, string(before), string(c.Impact))
}

func checkImpact(i Impact) *refusal {
	switch i {
	case ImpactNone, ImpactMinor, ImpactMajor, ImpactCritical:
		return nil
	}
	return refused(RefusedInvalid, "there is no impact %q; want none, minor, major or critical", shorten(string(i)))
}

func (t *turn) setComponents(o *openIncident, c Command) *refusal {
	if len(c.Components) == 0 {
		return refused(RefusedInvalid, "no component is named")
	}
	if r := t.checkStatuses(c.Components); r != nil {
		return r
	}
	if c.Message == "" {
		c.Message = "The status of the affected components was changed."
	}
	t.freeze(o)
	before := t.statusesOf(o, c.Components)
	t.setStatuses(o, c.Components)
	return t.edit(o, c, before, t.statusesOf(o, c.Components))
}

func (t *turn) checkStatuses(components map[string]Status) *refusal {
	for _, id := range sortedKeys(components) {
		if !slices.ContainsFunc(t.topology.Components, func(c Component) bool { return c.ID == id }) {
			return t.noComponent(id)
		}
		if rank(components[id]) < 0 {
			return refused(RefusedInvalid, "component %s: there is no status %q; want operational, under_maintenance, degraded_performance, partial_outage or major_outage", id, shorten(string(components[id])))
		}
	}
	return nil
}

// noComponent refuses a component, and says which there are: who types an id in an
// outage has the configuration nowhere near.
func (t *turn) noComponent(id string) *refusal {
	var all []string
	for _, c := range t.topology.Components {
		all = append(all, c.ID)
	}
	return refused(RefusedInvalid, "there is no component %q; there are %s", shorten(id), clip(strings.Join(all, ", "), maxListed))
}

const maxListed = 300 // bytes of the ids in a refusal

// setStatuses makes a frozen incident show what a person says.
func (t *turn) setStatuses(o *openIncident, components map[string]Status) {
	for _, id := range sortedKeys(components) {
		o.Statuses[id] = components[id]
	}
	in := &o.Incident
	for _, c := range t.topology.Components {
		switch _, ok := components[c.ID]; {
		case !ok || slices.Contains(in.Components, c.ID):
		case c.Publish == PublishHold && !t.shows(in, c):
			t.withhold(in, c.ID)
		default:
			in.Components = append(in.Components, c.ID)
		}
	}
}

// statusesOf names what an incident shows of components: "a=operational, b=...".
func (t *turn) statusesOf(o *openIncident, components map[string]Status) string {
	var all []string
	for _, id := range sortedKeys(components) {
		s := o.Statuses[id]
		if s == "" {
			s = Operational
		}
		all = append(all, id+"="+string(s))
	}
	return strings.Join(all, ", ")
}

// mergeByHand lets an incident go on in another one.
func (t *turn) mergeByHand(o *openIncident, c Command) *refusal {
	into := t.announced(c.Into)
	switch {
	case c.Into == "":
		return refused(RefusedInvalid, "it does not say into which incident")
	case c.Into == c.Incident:
		return refused(RefusedInvalid, "an incident cannot be merged into itself")
	case into == nil:
		return refused(RefusedUnknown, "no incident with the id %q is open to be merged into", shorten(c.Into))
	case into.Incident.Target != o.Incident.Target:
		return refused(RefusedConflict, "they are of two targets, %s and %s, which have no cause in common", o.Incident.Target, into.Incident.Target)
	case into.Incident.full():
		return into.Incident.refuseFull()
	}
	t.freeze(into)
	o.Incident.Audit = audited(o.Incident.Audit, t.s.At, c, "", "merged into "+c.Into)
	into.Incident.Audit = audited(into.Incident.Audit, t.s.At, c, "", "took in "+o.Incident.ID)
	statuses := o.Statuses
	if !o.Incident.Frozen {
		statuses = t.ownStatuses(o)
	}
	for id, s := range statuses {
		statuses[id] = Worse(into.Statuses[id], s)
	}
	t.uniteApproval(&into.Incident, &o.Incident)
	t.setStatuses(into, statuses)
	if o.Incident.Public || t.reach(&into.Incident) != PublishAuto {
		into.Incident.Impact = worseImpact(into.Incident.Impact, o.Incident.Impact)
	}
	t.merge(into, o)
	t.publish(into, IncidentUpdated, orElse(c.Message, "Another incident turned out to be part of this one. Updates on it go on here."))
	return nil
}

func orElse(text, otherwise string) string {
	if strings.TrimSpace(text) == "" {
		return otherwise
	}
	return text
}

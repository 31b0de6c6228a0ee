package incident

import (
	"slices"

	"streamcanary/prober"
)

// What of an incident the public may learn: words, components and impact are all
// made of the same.

// shows says whether a component of an incident may be on the page.
func (t *turn) shows(in *Incident, c Component) bool {
	switch c.Publish {
	case PublishInternal:
		return false
	case PublishHold:
		return in.Approved && !slices.Contains(in.Withheld, c.ID)
	default:
		return true
	}
}

// reach is how far an incident gets: PublishAuto is onto the page, PublishHold no
// further than to a person, until that one lets it out.
func (t *turn) reach(in *Incident) Publish {
	reach := PublishInternal
	for _, c := range t.topology.Components {
		switch {
		case !t.affects(in, c):
		case t.shows(in, c):
			return PublishAuto
		case c.Publish == PublishHold:
			reach = PublishHold
		}
	}
	if in.Public {
		return PublishAuto
	}
	return reach
}

// told is what words may be made of. Where the public reads along that is what the
// page shows; of what waits for a person, what it would show then; and only of what
// is never public, everything. On-call has the rest in the incident's failures.
func (t *turn) told(in *Incident) []Failure {
	may := func(c Component) bool { return t.shows(in, c) }
	switch t.reach(in) {
	case PublishInternal:
		return in.Failures
	case PublishHold:
		may = func(c Component) bool { return c.Publish == PublishHold }
	default:
	}
	var told []Failure
	for _, f := range in.Failures {
		if t.tellable(f.Element, may) {
			told = append(told, f)
		}
	}
	return told
}

func (t *turn) tellable(e prober.Element, may func(Component) bool) bool {
	return slices.ContainsFunc(t.topology.Components, func(c Component) bool {
		return slices.Contains(c.Elements, e) && may(c)
	})
}

// tellsFailing says whether anything that is told has not recovered.
func (t *turn) tellsFailing(in *Incident) bool {
	return slices.ContainsFunc(t.told(in), func(f Failure) bool { return f.RecoveredAt.IsZero() })
}

// keptAs says why an update that is made now is not on the page.
func (t *turn) keptAs(in *Incident) Publish {
	if reach := t.reach(in); reach != PublishAuto {
		return reach
	}
	return ""
}

// headline is the name and the impact of an incident by what is told of it. What
// they were before it was public may be of what is not told.
func (t *turn) headline(in *Incident) (string, Impact) {
	name := in.Name
	if !in.Named {
		name = t.title(in)
	}
	before := in.Impact
	if !in.Public && t.reach(in) == PublishAuto && !in.judged() {
		before = t.impactOf(in, func(Failure) bool { return true })
	}
	return name, worseImpact(before, t.impact(in))
}

// goPublic gives an incident that is to be on the page from now on the name and the
// impact of what is told of it.
func (t *turn) goPublic(o *openIncident) {
	in := &o.Incident
	if in.Public || t.reach(in) != PublishAuto {
		return
	}
	in.Name, in.Impact = t.headline(in)
	if in.Frozen && !in.judged() {
		said := map[string]Status{}
		for _, c := range t.topology.Components {
			if s, ok := o.Statuses[c.ID]; ok && t.shows(in, c) {
				said[c.ID] = s
			}
		}
		in.Impact = worseImpact(in.Impact, impactOf(said))
	}
}

// judged says whether a person has said what the impact is.
func (in *Incident) judged() bool {
	return slices.ContainsFunc(in.Audit, func(a Audited) bool { return a.Action == ActionOpen || a.Action == ActionImpact })
}

// nameless is the name of what is public while nothing of it may be told.
func (t *turn) nameless(in *Incident) string {
	if !in.Public && t.reach(in) == PublishAuto {
		return "Live streaming incident"
	}
	return ""
}

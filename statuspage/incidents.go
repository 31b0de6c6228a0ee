package statuspage

import (
	"slices"
	"time"

	"streamcanary/statuspage/incident"
)

// names says how components are called in public, by their id in the
// configuration, and which must not be called at all.
type names struct {
	components map[string]ComponentName
	internal   map[string]bool
	groups     map[string]string // title by id
}

func namesOf(t incident.Topology) names {
	n := names{components: map[string]ComponentName{}, internal: map[string]bool{}, groups: map[string]string{}}
	for _, g := range t.Groups {
		n.groups[g.ID] = g.Name
	}
	for _, c := range t.Components {
		if c.Publish == incident.PublishInternal {
			n.internal[c.ID] = true
			continue
		}
		name := c.Name
		if title := n.groups[c.Group]; title != "" {
			name = title + " - " + c.Name
		}
		n.components[c.ID] = ComponentName{ID: incident.PublicID(t.Installation, "component", c.ID), Name: name}
	}
	return n
}

// groupOf is the component's group, or "" when it has none that exists.
func (n names) groupOf(c incident.Component) string {
	if _, ok := n.groups[c.Group]; !ok {
		return ""
	}
	return c.Group
}

func projectIncidents(n names, all []incident.Incident, keep func(Incident) bool) []Incident {
	var public []Incident
	for _, i := range all {
		if p, err := projectIncident(n, i); err == nil && keep(p) {
			public = append(public, p)
		}
	}
	slices.SortStableFunc(public, func(a, b Incident) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return public
}

func projectIncident(n names, i incident.Incident) (Incident, error) {
	if !i.Public || n.onlyInternal(i.Components) {
		return Incident{}, ErrNotFound
	}
	p := Incident{
		ID:           i.ID,
		Name:         i.Name,
		Phase:        i.Phase,
		Impact:       i.Impact,
		StartedAt:    i.StartedAt.UTC(),
		CreatedAt:    i.CreatedAt.UTC(),
		UpdatedAt:    i.CreatedAt.UTC(),
		MonitoringAt: i.MonitoringAt.UTC(),
		ResolvedAt:   i.ResolvedAt.UTC(),
		Postmortem:   i.Postmortem,
		PostmortemAt: i.PostmortemAt.UTC(),
		FalseAlarm:   i.FalseAlarm,
	}
	for _, id := range i.Components {
		if name, ok := n.components[id]; ok {
			p.Components = append(p.Components, name)
		}
	}
	before := incident.Phase("")
	for _, u := range i.Updates {
		if u.Kept != "" {
			continue // said while nothing of it was public
		}
		p.Updates = append(p.Updates, projectUpdate(n, u, before))
		before = u.Phase
		p.UpdatedAt = later(p.UpdatedAt, u.At.UTC())
	}
	slices.Reverse(p.Updates)
	return p, nil
}

// onlyInternal: an incident that names nothing but internal components stays
// internal even if it was marked public.
func (n names) onlyInternal(components []string) bool {
	for _, id := range components {
		if !n.internal[id] {
			return false
		}
	}
	return len(components) > 0
}

func projectUpdate(n names, u incident.Update, before incident.Phase) Update {
	p := Update{ID: u.ID, Phase: u.Phase, Repeats: u.Phase == before, Body: u.Body, At: u.At.UTC()}
	for _, a := range u.Affected {
		if name, ok := n.components[a.Component]; ok {
			p.Affected = append(p.Affected, Affected{ComponentName: name, Old: a.Old, New: a.New})
		}
	}
	return p
}

// Duration is how long the incident has lasted: until it resolved, or until at.
func (i Incident) Duration(at time.Time) time.Duration {
	if !i.ResolvedAt.IsZero() {
		at = i.ResolvedAt
	}
	return max(0, at.Sub(i.StartedAt))
}

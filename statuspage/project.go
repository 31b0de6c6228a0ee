package statuspage

import (
	"slices"
	"strings"
	"time"

	"streamcanary/statuspage/incident"
)

// Project copies out of the engine's state what may be public: t says what the
// page shows, v what is the case, past holds resolved incidents in any order
// (those that v already lists as unresolved are left out). Components with
// publish: internal, and incidents that are not public, are not in the page.
func Project(t incident.Topology, v incident.View, past []incident.Incident) Page {
	n := namesOf(t)
	p := Page{
		ID:   incident.PublicID(t.Installation, "page", ""),
		Name: t.Page.Name,
		URL:  strings.TrimRight(t.Page.URL, "/"),
		At:   v.At.UTC(),
	}
	p.Incidents = projectIncidents(n, v.Incidents, Incident.Open)
	p.Past = projectIncidents(n, past, func(i Incident) bool {
		open := slices.ContainsFunc(p.Incidents, func(o Incident) bool { return o.ID == i.ID })
		return !i.Open() && !open
	})
	p.Groups = projectGroups(t, v, n, newestStatuses(p.Incidents, p.Past))
	p.Maintenances = projectMaintenances(t.Installation, n, v.Maintenances)
	p.Status = overall(p.Groups, p.Incidents)
	p.UpdatedAt, p.CheckedAt = newest(p)
	return p
}

// ProjectIncident copies out of one incident what may be public, or returns
// ErrNotFound when nothing of it may.
func ProjectIncident(t incident.Topology, i incident.Incident) (Incident, error) {
	return projectIncident(namesOf(t), i)
}

func newest(p Page) (updated, checked time.Time) {
	for _, g := range p.Groups {
		for _, c := range g.Components {
			updated = later(updated, c.UpdatedAt)
			checked = later(checked, c.CheckedAt)
		}
	}
	for _, i := range slices.Concat(p.Incidents, p.Past) {
		updated = later(updated, i.UpdatedAt)
	}
	for _, m := range p.Maintenances {
		updated = later(updated, m.UpdatedAt)
	}
	if updated.IsZero() {
		updated = p.At
	}
	return updated, checked
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// projectGroups lists the components by group, in the configuration's order.
func projectGroups(t incident.Topology, v incident.View, n names, published map[string]published) []Group {
	states := map[string]incident.ComponentState{}
	for _, s := range v.Components {
		states[s.ID] = s
	}
	position := 0
	var groups []Group
	for _, heading := range slices.Concat([]incident.Group{{}}, t.Groups) {
		g := Group{Name: heading.Name, Status: incident.Operational}
		for _, c := range t.Components {
			if c.Publish == incident.PublishInternal || n.groupOf(c) != heading.ID {
				continue
			}
			g.Components = append(g.Components, projectComponent(c, n, states, published, v.At))
		}
		if len(g.Components) == 0 {
			continue
		}
		if heading.ID != "" {
			position++
			g.ID, g.Position = incident.PublicID(t.Installation, "group", heading.ID), position
		} else {
			position = len(g.Components)
		}
		finishGroup(&g)
		groups = append(groups, g)
	}
	return groups
}

func finishGroup(g *Group) {
	g.CreatedAt = g.Components[0].CreatedAt
	for i := range g.Components {
		c := &g.Components[i]
		c.Position = i + 1
		if rankStatus(c.Status) > rankStatus(g.Status) {
			g.Status = c.Status
		}
		if c.CreatedAt.Before(g.CreatedAt) {
			g.CreatedAt = c.CreatedAt
		}
	}
}

func projectComponent(c incident.Component, n names, states map[string]incident.ComponentState,
	published map[string]published, at time.Time,
) Component {
	s, known := states[c.ID]
	if !known { // configured, but the engine has not met it yet
		s = incident.ComponentState{Status: incident.Operational, UnknownSince: at}
	}
	if s.CreatedAt.IsZero() {
		s.CreatedAt = at
	}
	id := n.components[c.ID].ID
	if c.Publish == incident.PublishHold {
		// What waits for a person must not show through the component's colour.
		p := published[id]
		if s.Status != incident.UnderMaintenance || rankStatus(p.status) > rankStatus(s.Status) {
			s.Status, s.UpdatedAt = p.status, p.at
		}
	}
	if rankStatus(s.Status) == 0 {
		s.Status = incident.Operational
	}
	return Component{
		ID:           id,
		Name:         c.Name,
		Description:  c.Description,
		Status:       s.Status,
		StartDate:    c.StartDate,
		CreatedAt:    s.CreatedAt.UTC(),
		UpdatedAt:    later(s.CreatedAt, s.UpdatedAt).UTC(),
		CheckedAt:    s.CheckedAt.UTC(),
		UnknownSince: s.UnknownSince.UTC(),
	}
}

// published is a status as public updates have told it.
type published struct {
	status incident.Status
	at     time.Time
}

// newestStatuses finds, by public component id, what was published last.
func newestStatuses(lists ...[]Incident) map[string]published {
	found := map[string]published{}
	for _, i := range slices.Concat(lists...) {
		for _, u := range i.Updates {
			for _, a := range u.Affected {
				if u.At.After(found[a.ID].at) {
					found[a.ID] = published{status: a.New, at: u.At}
				}
			}
		}
	}
	return found
}

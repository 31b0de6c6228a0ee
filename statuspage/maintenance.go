package statuspage

import (
	"slices"
	"time"

	"streamcanary/statuspage/incident"
)

// The statuses of a maintenance, as Statuspage names them.
const (
	Scheduled  incident.Phase = "scheduled"
	InProgress incident.Phase = "in_progress"
	Completed  incident.Phase = "completed"
)

// Maintenance is announced work.
type Maintenance struct {
	ID             string
	Name           string
	Phase          incident.Phase // Scheduled, InProgress or Completed
	ScheduledFor   time.Time
	ScheduledUntil time.Time
	CreatedAt      time.Time
	UpdatedAt      time.Time
	CompletedAt    time.Time // zero: not yet
	Components     []ComponentName
	Updates        []Update // newest first
}

// projectMaintenances copies out what may be public of them: those that touch an
// internal component alone are not. Upcoming and running ones come first, by their
// start, and then those that are over, newest first.
func projectMaintenances(installation string, n names, all []incident.MaintenanceView) []Maintenance {
	var public []Maintenance
	for _, m := range all {
		p := projectMaintenance(installation, n, m)
		if !m.Cancelled && len(p.Components) > 0 {
			public = append(public, p)
		}
	}
	slices.SortStableFunc(public, func(a, b Maintenance) int {
		if over := a.over() - b.over(); over != 0 {
			return over
		}
		if a.over() == 1 {
			return b.ScheduledFor.Compare(a.ScheduledFor)
		}
		return a.ScheduledFor.Compare(b.ScheduledFor)
	})
	return public
}

func (m Maintenance) over() int {
	if m.Phase == Completed {
		return 1
	}
	return 0
}

func projectMaintenance(installation string, n names, m incident.MaintenanceView) Maintenance {
	p := Maintenance{
		ID: m.ID, Name: m.Name, Phase: Scheduled, ScheduledFor: m.StartsAt.UTC(), ScheduledUntil: m.EndsAt.UTC(),
		CreatedAt: m.CreatedAt.UTC(), UpdatedAt: m.UpdatedAt.UTC(), CompletedAt: m.EndedAt.UTC(),
	}
	for _, id := range m.Affected {
		if name, ok := n.components[id]; ok {
			p.Components = append(p.Components, name)
		}
	}
	say := func(phase incident.Phase, at time.Time, body string, old, now incident.Status) {
		u := Update{ID: incident.PublicID(installation, "update", m.ID+"|"+string(phase)), Phase: phase, Body: body, At: at.UTC()}
		for _, name := range p.Components {
			u.Affected = append(u.Affected, Affected{ComponentName: name, Old: old, New: now})
		}
		p.Phase = phase
		p.Updates = append([]Update{u}, p.Updates...)
	}
	body := m.Body
	if body == "" {
		body = "Maintenance is scheduled."
	}
	say(Scheduled, m.CreatedAt, body, incident.Operational, incident.Operational)
	if !m.BeganAt.IsZero() {
		say(InProgress, m.BeganAt, "The scheduled maintenance is in progress.", incident.Operational, incident.UnderMaintenance)
	}
	if !m.EndedAt.IsZero() {
		say(Completed, m.EndedAt, "The scheduled maintenance has been completed.", incident.UnderMaintenance, incident.Operational)
	}
	return p
}

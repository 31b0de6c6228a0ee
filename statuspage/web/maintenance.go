package web

import (
	"slices"

	"streamcanary/statuspage"
)

// maintenanceObject is an incident's with two keys more.
type maintenanceObject struct {
	incidentObject
	ScheduledFor   timestamp `json:"scheduled_for"`
	ScheduledUntil timestamp `json:"scheduled_until"`
}

// asIncident is a maintenance where one is listed among incidents, as in the feeds:
// the documents have one shape for both.
func asIncident(m statuspage.Maintenance) statuspage.Incident {
	return statuspage.Incident{
		ID: m.ID, Name: m.Name, Phase: m.Phase, Impact: "maintenance", StartedAt: m.CreatedAt, CreatedAt: m.CreatedAt,
		UpdatedAt: m.UpdatedAt, ResolvedAt: m.CompletedAt, Components: m.Components, Updates: m.Updates,
	}
}

func maintenancesOf(p statuspage.Page, which func(statuspage.Maintenance) bool) []maintenanceObject {
	byID := map[string]componentObject{}
	for _, c := range componentsOf(p) {
		byID[c.ID] = c
	}
	list := []maintenanceObject{}
	for _, m := range p.Maintenances {
		if which(m) {
			list = append(list, maintenanceObject{
				incidentObject: incidentOf(p, byID, asIncident(m)),
				ScheduledFor:   timestamp(m.ScheduledFor), ScheduledUntil: timestamp(m.ScheduledUntil),
			})
		}
	}
	return list
}

// due is those that are upcoming or run.
func due(m statuspage.Maintenance) bool { return m.Phase != statuspage.Completed }

func upcoming(m statuspage.Maintenance) bool { return m.Phase == statuspage.Scheduled }

func active(m statuspage.Maintenance) bool { return m.Phase == statuspage.InProgress }

func every(statuspage.Maintenance) bool { return true }

// maintenances lists some of them.
func maintenances(which func(statuspage.Maintenance) bool) func(statuspage.Page) (answer, error) {
	return func(p statuspage.Page) (answer, error) {
		return jsonAnswer(maintenancesDocument{Page: pageOf(p), Maintenances: maintenancesOf(p, which)})
	}
}

// maintenanceViews are the upcoming and the running ones.
func maintenanceViews(p statuspage.Page) []maintenanceView {
	var views []maintenanceView
	for _, m := range p.Maintenances {
		if due(m) {
			views = append(views, newMaintenanceView(m))
		}
	}
	return views
}

type maintenanceView struct {
	statuspage.Maintenance
	Tone    statuspage.Tone
	State   string
	Lasts   string       // as scheduled
	Updates []updateView // in place of the maintenance's own
}

func newMaintenanceView(m statuspage.Maintenance) maintenanceView {
	v := maintenanceView{
		Maintenance: m, Tone: statuspage.Tone(statuspage.IndicatorMaintenance), State: statuspage.PhaseText(m.Phase),
		Lasts: duration(m.ScheduledUntil.Sub(m.ScheduledFor)),
	}
	for _, u := range m.Updates {
		v.Updates = append(v.Updates, updateView{Update: u})
	}
	return v
}

// maintenance is a maintenance's own page.
func (h *Handler) maintenance(p statuspage.Page, m statuspage.Maintenance) (answer, error) {
	f := newFrame(p, m.Name)
	f.Description = statuspage.PhaseText(m.Phase) + ": " + m.Name
	if due(m) {
		f.Refresh = refreshSeconds
	}
	return h.render("maintenance", struct {
		frame
		Maintenance maintenanceView
	}{f, newMaintenanceView(m)})
}

// listed is everything that the feeds tell of, newest first.
func listed(p statuspage.Page) []statuspage.Incident {
	all := newestIncidents(p)
	for _, m := range p.Maintenances {
		all = append(all, asIncident(m))
	}
	slices.SortStableFunc(all, func(a, b statuspage.Incident) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return all[:min(len(all), incidentsListed)]
}

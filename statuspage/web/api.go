package web

import (
	"net/http"
	"slices"
	"strings"

	"streamcanary/statuspage"
)

// incidentsListed is how many incidents incidents.json and the feeds list.
const incidentsListed = 50

func summary(p statuspage.Page) (answer, error) {
	return jsonAnswer(summaryDocument{
		Page: pageOf(p), Components: componentsOf(p), Incidents: incidentsOf(p, p.Incidents),
		Maintenances: maintenancesOf(p, due), Status: statusOf(p),
	})
}

func status(p statuspage.Page) (answer, error) {
	return jsonAnswer(statusDocument{Page: pageOf(p), Status: statusOf(p)})
}

func components(p statuspage.Page) (answer, error) {
	return jsonAnswer(componentsDocument{Page: pageOf(p), Components: componentsOf(p)})
}

func incidents(p statuspage.Page) (answer, error) {
	return jsonAnswer(incidentsDocument{Page: pageOf(p), Incidents: incidentsOf(p, newestIncidents(p))})
}

func unresolved(p statuspage.Page) (answer, error) {
	return jsonAnswer(incidentsDocument{Page: pageOf(p), Incidents: incidentsOf(p, p.Incidents)})
}

// newestIncidents lists open and past incidents together, newest first.
func newestIncidents(p statuspage.Page) []statuspage.Incident {
	all := slices.Concat(p.Incidents, p.Past)
	slices.SortStableFunc(all, func(a, b statuspage.Incident) int { return b.CreatedAt.Compare(a.CreatedAt) })
	return all[:min(len(all), incidentsListed)]
}

// incidentFile serves incidents/{id}.json.
func (h *Handler) incidentFile(r *http.Request) (answer, error) {
	id, ok := strings.CutSuffix(r.PathValue("file"), ".json")
	if !ok {
		return answer{}, statuspage.ErrNotFound
	}
	p, err := h.source.Page(r.Context())
	if err != nil {
		return answer{}, err
	}
	i, err := h.find(r, p, id)
	if err != nil {
		return answer{}, err
	}
	return jsonAnswer(incidentDocument{Page: pageOf(p), Incident: incidentsOf(p, []statuspage.Incident{i})[0]})
}

// find looks for an incident on the page first, so that the permalink of an open
// one and the page never disagree, and then wherever older ones are kept.
func (h *Handler) find(r *http.Request, p statuspage.Page, id string) (statuspage.Incident, error) {
	for _, i := range slices.Concat(p.Incidents, p.Past) {
		if i.ID == id {
			return i, nil
		}
	}
	return h.source.Incident(r.Context(), id)
}

func jsonNotFound() answer {
	return answer{
		status: http.StatusNotFound, contentType: "application/json; charset=utf-8", cache: cacheNone,
		crossOrigin: true, body: []byte(`{"error":"not found"}`),
	}
}

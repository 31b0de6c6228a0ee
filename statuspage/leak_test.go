package statuspage_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage"
	"streamcanary/statuspage/incident"
	"streamcanary/statuspage/web"
)

// public is every text field that may be read in public, by where it stands. All
// others are filled with canaries, whatever they are: a field that is added
// tomorrow is internal until it stands here.
var public = map[string]string{
	"Topology.Page.Name":                        "Example Video",
	"Topology.Page.URL":                         "https://status.example.video",
	"Topology.Groups.Name":                      "Live",
	"Topology.Components.Name":                  "Ingest",
	"Topology.Components.Description":           "Takes broadcasts",
	"Topology.Components.StartDate":             "2026-01-15",
	"Topology.Components.Publish":               "auto",
	"View.Components.Status":                    "major_outage",
	"View.Incidents.ID":                         "n4inc0000001",
	"View.Incidents.Name":                       "Broadcasts drop",
	"View.Incidents.Phase":                      "identified",
	"View.Incidents.Impact":                     "major",
	"View.Incidents.Postmortem":                 "The switch was replaced.",
	"View.Incidents.Updates.ID":                 "u0000000001x",
	"View.Incidents.Updates.Phase":              "identified",
	"View.Incidents.Updates.Body":               "Broadcasts drop in Frankfurt.",
	"View.Incidents.Updates.Affected.Old":       "operational",
	"View.Incidents.Updates.Affected.New":       "major_outage",
	"View.Maintenances.Maintenance.Window.ID":   "m4maint00001",
	"View.Maintenances.Maintenance.Window.Name": "New disks",
	"View.Maintenances.Maintenance.Window.Body": "We replace disks.",
}

// stuff is everything that the projection sees.
type stuff struct {
	Topology incident.Topology
	View     incident.View
}

// fill sets every field of v: public ones to what stands above, times to at,
// flags to true, and every other text to a canary that names its place.
func fill(v reflect.Value, place string, at time.Time) {
	switch v.Kind() { //nolint:exhaustive // the rest does not occur in what is filled
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			v.Set(reflect.ValueOf(at))
			return
		}
		for i := range v.NumField() {
			fill(v.Field(i), strings.TrimPrefix(place+"."+v.Type().Field(i).Name, "."), at)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0), place, at)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), place, at)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		text, ok := public[place]
		if !ok || text == "" {
			text = canary(place)
		}
		v.SetString(text)
	}
}

func canary(place string) string {
	return "canary-" + strings.ToLower(strings.ReplaceAll(place, ".", "-"))
}

type source struct {
	page     statuspage.Page
	incident statuspage.Incident
}

func (s source) Page(context.Context) (statuspage.Page, error) { return s.page, nil }

func (s source) Incident(context.Context, string) (statuspage.Incident, error) {
	return s.incident, nil
}

// TestNothingLeaks fills every field that the public must not see with a canary,
// and looks for one in everything that is served.
func TestNothingLeaks(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 6, 40, 0, 0, time.UTC)
	var s stuff
	fill(reflect.ValueOf(&s).Elem(), "", at)

	// The ids that must refer to one another, so that the incident is shown whole.
	component := canary("the-component-id")
	s.Topology.Components[0].ID, s.Topology.Components[0].Group = component, s.Topology.Groups[0].ID
	s.View.Components[0].ID, s.View.Components[0].UnknownSince = component, time.Time{}
	s.View.Incidents[0].Components = []string{component, canary("not-configured")}
	s.View.Incidents[0].Updates[0].Affected[0].Component = component
	s.View.Maintenances[0].Cancelled, s.View.Maintenances[0].Affected = false, []string{component}
	s.View.Incidents[0].MonitoringAt, s.View.Incidents[0].ResolvedAt = time.Time{}, time.Time{}

	// What was said of it while it was not public, with canaries in every field.
	s.View.Incidents[0].Updates[0].Kept = ""
	unsaid := s.View.Incidents[0].Updates[0]
	unsaid.ID, unsaid.Body, unsaid.Phase = canary("kept-id"), canary("kept-words"), incident.Phase(canary("kept-phase"))
	for _, why := range []incident.Publish{incident.PublishHold, incident.PublishInternal} {
		unsaid.Kept = why
		s.View.Incidents[0].Updates = append(s.View.Incidents[0].Updates, unsaid)
	}

	// An internal component, and an incident that is not public, with canaries
	// even where the public may otherwise read.
	s.Topology.Components = append(s.Topology.Components, incident.Component{
		ID: canary("internal-id"), Name: canary("internal-name"), Description: canary("internal-description"),
		Group: canary("internal-group"), Publish: incident.PublishInternal,
		Elements: []prober.Element{{Target: canary("internal-target"), Type: prober.ElementCore}},
	})
	s.Topology.Groups = append(s.Topology.Groups, incident.Group{ID: canary("internal-group"), Name: canary("internal-group-name")})
	secret := s.View.Maintenances[0]
	secret.ID, secret.Name, secret.Affected = canary("hidden-maintenance"), canary("hidden-work"), []string{canary("internal-id")}
	s.View.Maintenances = append(s.View.Maintenances, secret)
	hidden := s.View.Incidents[0]
	hidden.ID, hidden.Name, hidden.Public = canary("hidden-id"), canary("hidden-name"), false
	past := s.View.Incidents[0]
	past.ID, past.Phase, past.ResolvedAt = "n4inc0000000", incident.Resolved, at
	s.View.Incidents = append(s.View.Incidents, hidden)

	whole := fmt.Sprintf("%+v", s)
	for _, place := range []string{
		"Topology.Installation", "Topology.Targets.Ingests.ID", "Topology.Sites.Agents", "View.Incidents.Target",
		"View.Incidents.Failures.Evidence.Detail", "View.Incidents.Failures.Evidence.Agent", "View.Incidents.Failures.Evidence.Site",
		"View.Incidents.Changes.Change.Summary", "View.Incidents.Changes.Change.Link", "View.Incidents.Changes.Change.Components",
		"View.Incidents.Audit.Who", "View.Incidents.Audit.Note", "View.Incidents.OpenedBy", "View.Incidents.Withheld", "View.Incidents.Cause.Words",
		"View.Components.Suspicions.Element.ID", "View.Components.Suspicions.Evidence.Detail", "View.Components.Suspicions.Evidence.Site",
		"View.Maintenances.Maintenance.Audit.Note", "View.Maintenances.Maintenance.Window.Source",
	} {
		if !strings.Contains(whole, canary(place)) {
			t.Fatalf("no canary was put into %s: what is looked for cannot be found", place)
		}
	}

	page := statuspage.Project(s.Topology, s.View, []incident.Incident{past, hidden})
	if len(page.Incidents) != 1 || len(page.Maintenances) != 1 || len(page.Past) != 1 || len(page.Groups) != 1 || len(page.Incidents[0].Components) != 1 {
		t.Fatalf("the page does not show what it should: %+v", page)
	}
	noCanary(t, "the page itself", fmt.Sprintf("%+v", page))
	one, err := statuspage.ProjectIncident(s.Topology, s.View.Incidents[0])
	if err != nil {
		t.Fatal(err)
	}
	served(t, source{page, one})
}

func served(t *testing.T, s source) {
	t.Helper()
	server := httptest.NewServer(web.New(web.Config{Source: s}))
	defer server.Close()
	for _, path := range []string{
		"/", "/history", "/incidents/n4inc0000001", "/incidents/n4inc0000000", "/nowhere", "/history.atom", "/history.rss",
		"/api/v2/summary.json", "/api/v2/status.json", "/api/v2/components.json", "/api/v2/incidents.json",
		"/api/v2/incidents/unresolved.json", "/api/v2/incidents/n4inc0000001.json", "/api/v2/scheduled-maintenances.json",
		"/api/v2/scheduled-maintenances/upcoming.json", "/api/v2/scheduled-maintenances/active.json", "/incidents/m4maint00001",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(answer.Body)
		_ = answer.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		noCanary(t, path, fmt.Sprintf("%s\n%v", body, answer.Header))
	}
}

func noCanary(t *testing.T, where, text string) {
	t.Helper()
	if at := strings.Index(text, "canary-"); at >= 0 {
		t.Errorf("%s leaks: ...%s", where, text[max(0, at-60):min(len(text), at+80)])
	}
}

package hub

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"streamcanary/prober/schedule"
	"streamcanary/statuspage/incident"
)

// TestEdges: what a clock says of a plan and of what the engine knows.
func TestEdges(t *testing.T) {
	t.Parallel()
	at := func(clock string) time.Time {
		day, err := time.Parse("2006-01-02 15:04", "2026-11-25 "+clock)
		if err != nil {
			t.Fatal(err)
		}
		return day
	}
	once := Maintenance{ID: "once", Name: "Once", Components: []string{"a"}, StartsAt: at("12:00"), EndsAt: at("13:00")}
	nightly, err := schedule.Parse("0 2 * * *")
	if err != nil {
		t.Fatal(err)
	}
	cron := Maintenance{ID: "cron", Name: "Cron", Components: []string{"a"}, Schedule: &nightly, Duration: time.Hour, Announce: 48 * time.Hour}
	view := func(p Maintenance, from, to, began, ended string) incident.MaintenanceView {
		m := incident.Maintenance{Window: p.window("x", at(from), at(to))}
		if began != "" {
			m.BeganAt = at(began)
		}
		if ended != "" {
			m.EndedAt = at(ended)
		}
		return incident.MaintenanceView{Maintenance: m}
	}
	byHand := view(once, "12:00", "13:00", "", "")
	byHand.Source = ""
	renamed := once
	renamed.Name = "Renamed"
	for name, test := range map[string]struct {
		plans []Maintenance
		known []incident.MaintenanceView
		now   string
		want  string
	}{
		"new":                     {[]Maintenance{once}, nil, "09:00", "announced Once 12:00"},
		"known":                   {[]Maintenance{once}, []incident.MaintenanceView{view(once, "12:00", "13:00", "", "")}, "09:00", ""},
		"renamed":                 {[]Maintenance{renamed}, []incident.MaintenanceView{view(once, "12:00", "13:00", "", "")}, "09:00", "announced Renamed 12:00"},
		"begins":                  {[]Maintenance{once}, []incident.MaintenanceView{view(once, "12:00", "13:00", "", "")}, "12:00", "began Once"},
		"runs":                    {[]Maintenance{once}, []incident.MaintenanceView{view(once, "12:00", "13:00", "12:00", "")}, "12:30", ""},
		"ends":                    {[]Maintenance{once}, []incident.MaintenanceView{view(once, "12:00", "13:00", "12:00", "")}, "13:00", "ended Once"},
		"over":                    {[]Maintenance{once}, []incident.MaintenanceView{view(once, "12:00", "13:00", "12:00", "13:00")}, "13:01", ""},
		"ended early":             {[]Maintenance{once}, []incident.MaintenanceView{view(once, "12:00", "13:00", "12:00", "12:10")}, "12:30", ""},
		"the hub was away for it": {[]Maintenance{once}, []incident.MaintenanceView{view(once, "12:00", "13:00", "", "")}, "14:00", "ended Once"},
		"long over, never known":  {[]Maintenance{once}, nil, "14:00", ""},
		"taken out, upcoming":     {nil, []incident.MaintenanceView{view(once, "12:00", "13:00", "", "")}, "09:00", "cancelled Once"},
		"taken out, running":      {nil, []incident.MaintenanceView{view(once, "12:00", "13:00", "12:00", "")}, "12:30", "ended Once"},
		"a person's begins":       {nil, []incident.MaintenanceView{byHand}, "12:00", "began Once"},
		"a person's waits":        {nil, []incident.MaintenanceView{byHand}, "09:00", ""},
		"cron":                    {[]Maintenance{cron}, nil, "09:00", "announced Cron 02:00, announced Cron 02:00"},
		"cron, running":           {[]Maintenance{cron}, nil, "02:30", "announced Cron 02:00, announced Cron 02:00, announced Cron 02:00"},
	} {
		var got []string
		for _, e := range edges("x", test.plans, test.known, at(test.now)) {
			text := string(e.Edge) + " " + e.Window.Name
			if !e.Window.StartsAt.IsZero() {
				text += " " + e.Window.StartsAt.Format("15:04")
			}
			got = append(got, text)
		}
		if s := strings.Join(got, ", "); s != test.want {
			t.Errorf("%s: %q, want %q", name, s, test.want)
		}
	}
}

// TestEdgeIDs: an edge has the same id after a start of the hub, and another one
// once something has come of it.
func TestEdgeIDs(t *testing.T) {
	t.Parallel()
	e := incident.MaintenanceEdge{Edge: incident.EdgeBegan, Window: incident.Window{ID: "m"}}
	m := incident.MaintenanceView{Maintenance: incident.Maintenance{Window: incident.Window{ID: "m"}, UpdatedAt: time.Unix(1, 0)}}
	first := edgeID(e, []incident.MaintenanceView{m})
	if again := edgeID(e, []incident.MaintenanceView{m}); again != first || strings.ContainsAny(first, " \n") {
		t.Errorf("%q, then %q", first, again)
	}
	m.UpdatedAt = time.Unix(2, 0)
	if fmt.Sprint(edgeID(e, []incident.MaintenanceView{m})) == first {
		t.Error("the same id for another state")
	}
}

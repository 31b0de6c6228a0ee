package web

import (
	"fmt"
	"slices"
	"time"

	"streamcanary/statuspage"
)

// daysShown is how many days the front page looks back.
const daysShown = 15

type groupView struct {
	Name, Text string
	Tone       statuspage.Tone
	Components []componentView
}

type componentView struct {
	statuspage.Component
	Tone            statuspage.Tone
	Text, LastKnown string
}

type incidentView struct {
	statuspage.Incident
	Tone          statuspage.Tone // in place of the incident's own
	Lasted, State string
	Updates       []updateView // in place of the incident's own
}

type updateView struct {
	statuspage.Update
	Moves []move
}

// move is a component whose status an update changed.
type move struct{ Name, Old, New string }

// dayView is a day, or a month, with what happened in it.
type dayView struct {
	Date      time.Time
	Today     bool
	Open      bool // an open incident began then
	Incidents []incidentView
}

func groupViews(groups []statuspage.Group) []groupView {
	var views []groupView
	for _, g := range groups {
		v := groupView{Name: g.Name, Tone: statuspage.ToneOf(g.Status), Text: statuspage.StatusText(g.Status)}
		unknown := 0
		for _, c := range g.Components {
			v.Components = append(v.Components, newComponentView(c))
			if !c.UnknownSince.IsZero() {
				unknown++
			}
		}
		if v.Tone == statuspage.ToneNone && unknown > 0 {
			v.Tone, v.Text = statuspage.ToneUnknown, "No data"
			if unknown < len(g.Components) {
				v.Text = "Partly no data"
			}
		}
		views = append(views, v)
	}
	return views
}

// newComponentView shows a component of which nothing is known as unknown: its
// last published status is told, but not as if it held now.
func newComponentView(c statuspage.Component) componentView {
	v := componentView{Component: c, Tone: statuspage.ToneOf(c.Status), Text: statuspage.StatusText(c.Status)}
	if !c.UnknownSince.IsZero() {
		v.LastKnown, v.Tone, v.Text = v.Text, statuspage.ToneUnknown, "Unknown"
	}
	return v
}

func incidentViews(incidents []statuspage.Incident, at time.Time) []incidentView {
	var views []incidentView
	for _, i := range incidents {
		views = append(views, newIncidentView(i, at))
	}
	return views
}

func newIncidentView(i statuspage.Incident, at time.Time) incidentView {
	v := incidentView{
		Incident: i, Tone: i.Tone(), Lasted: duration(i.Duration(at)), State: statuspage.PhaseText(i.Phase),
	}
	for _, u := range i.Updates {
		uv := updateView{Update: u}
		for _, a := range u.Affected {
			if a.Old != a.New {
				uv.Moves = append(uv.Moves, move{a.Name, statuspage.StatusText(a.Old), statuspage.StatusText(a.New)})
			}
		}
		v.Updates = append(v.Updates, uv)
	}
	return v
}

// days lists the last days, today first, with the resolved incidents that began
// on each. Open ones stand above.
func days(p statuspage.Page) []dayView {
	today := p.At.UTC().Truncate(24 * time.Hour)
	var list []dayView
	for n := range daysShown {
		d := dayView{Date: today.AddDate(0, 0, -n), Today: n == 0}
		d.Incidents = incidentViews(began(p.Past, d.Date), p.At)
		d.Open = len(began(p.Incidents, d.Date)) > 0
		list = append(list, d)
	}
	return list
}

// began selects the incidents that began on a day (UTC).
func began(incidents []statuspage.Incident, day time.Time) []statuspage.Incident {
	var list []statuspage.Incident
	for _, i := range incidents {
		if i.StartedAt.UTC().Truncate(24 * time.Hour).Equal(day) {
			list = append(list, i)
		}
	}
	return list
}

// months groups every incident, open ones too, by the month in which it began.
func months(p statuspage.Page) []dayView {
	var list []dayView
	all := slices.Concat(p.Incidents, p.Past)
	slices.SortStableFunc(all, func(a, b statuspage.Incident) int { return b.StartedAt.Compare(a.StartedAt) })
	for _, i := range all {
		y, m, _ := i.StartedAt.UTC().Date()
		month := time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
		if n := len(list); n == 0 || !list[n-1].Date.Equal(month) {
			list = append(list, dayView{Date: month})
		}
		last := &list[len(list)-1]
		last.Incidents = append(last.Incidents, newIncidentView(i, p.At))
	}
	return list
}

// duration is a length of time as a person would say it.
func duration(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
	}
	return fmt.Sprintf("%d days %d h", int(d.Hours())/24, int(d.Hours())%24)
}

package web

import (
	"context"
	"time"

	"streamcanary/statuspage"
)

// now is when every fixture is looked at.
var now = time.Date(2026, 11, 22, 6, 40, 30, 500e6, time.UTC)

// fixed is a Source that always shows one page.
type fixed struct {
	page statuspage.Page
	old  []statuspage.Incident // not on the page any more
	err  error
}

func (f fixed) Page(context.Context) (statuspage.Page, error) { return f.page, f.err }

func (f fixed) Incident(_ context.Context, id string) (statuspage.Incident, error) {
	for _, i := range f.old {
		if i.ID == id {
			return i, nil
		}
	}
	return statuspage.Incident{}, statuspage.ErrNotFound
}

func ago(d time.Duration) time.Time { return now.Add(-d) }

func component(id, name, description string, position int) statuspage.Component {
	return statuspage.Component{
		ID: id, Name: name, Description: description, Status: "operational", StartDate: "2026-01-15",
		Position: position, CreatedAt: time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC),
		UpdatedAt: ago(21 * 24 * time.Hour), CheckedAt: ago(1500 * time.Millisecond),
	}
}

// allGood is a platform of three regions without a problem.
func allGood() statuspage.Page {
	created := time.Date(2026, 1, 15, 9, 0, 0, 0, time.UTC)
	return statuspage.Page{
		ID: "p7k2m9q4x1zb", Name: "Example Video", URL: "https://status.example.video",
		At: now, UpdatedAt: ago(21 * 24 * time.Hour), CheckedAt: ago(1500 * time.Millisecond),
		Status: statuspage.Overall{Indicator: "none", Description: "All Systems Operational"},
		Groups: []statuspage.Group{
			{Status: "operational", Components: []statuspage.Component{
				component("c0streamapi1", "Streaming API", "Create and delete streams", 1),
			}},
			{ID: "g0livegroup1", Name: "Go live & broadcasts", Status: "operational", Position: 2, CreatedAt: created, Components: []statuspage.Component{
				component("c0ingestfra1", "RTMP ingest - Frankfurt", "", 1),
				component("c0ingestnyc1", "RTMP ingest - New York", "", 2),
				component("c0ingestsin1", "RTMP ingest - Singapore", "", 3),
			}},
			{ID: "g0playgroup1", Name: "Playback", Status: "operational", Position: 3, CreatedAt: created, Components: []statuspage.Component{
				component("c0playfra001", "HLS playback - Frankfurt", "", 1),
				component("c0playnyc001", "HLS playback - New York", "", 2),
				component("c0playsin001", "HLS playback - Singapore", "Asia and the Pacific", 3),
			}},
		},
		Past: []statuspage.Incident{pastIncident()},
	}
}

func pastIncident() statuspage.Incident {
	began := time.Date(2026, 11, 18, 22, 14, 7, 250e6, time.UTC)
	ref := statuspage.ComponentName{ID: "c0playsin001", Name: "Playback - HLS playback - Singapore"}
	return statuspage.Incident{
		ID: "n4inc0000000", Name: "Playlists in Singapore stand still", Phase: "resolved", Impact: "minor",
		StartedAt: began, CreatedAt: began.Add(9 * time.Second), UpdatedAt: began.Add(7 * time.Minute),
		MonitoringAt: began.Add(4 * time.Minute), ResolvedAt: began.Add(7 * time.Minute),
		Components: []statuspage.ComponentName{ref},
		Updates: []statuspage.Update{
			{ID: "u0000000003p", Phase: "resolved", At: began.Add(7 * time.Minute), Body: "Broadcasts have been watchable from Singapore for 3 minutes without a relapse. This incident is resolved."},
			{ID: "u0000000002p", Phase: "monitoring", At: began.Add(4 * time.Minute), Body: "Test viewers in Singapore receive new segments again. We keep watching.", Affected: []statuspage.Affected{{ComponentName: ref, Old: "degraded_performance", New: "operational"}}},
			{ID: "u0000000001p", Phase: "investigating", At: began.Add(9 * time.Second), Body: "Test viewers in Singapore receive playlists, but no new segments.", Affected: []statuspage.Affected{{ComponentName: ref, Old: "operational", New: "degraded_performance"}}},
		},
	}
}

var ingestNames = []statuspage.ComponentName{
	{ID: "c0ingestfra1", Name: "Go live & broadcasts - RTMP ingest - Frankfurt"},
	{ID: "c0ingestnyc1", Name: "Go live & broadcasts - RTMP ingest - New York"},
	{ID: "c0ingestsin1", Name: "Go live & broadcasts - RTMP ingest - Singapore"},
}

func affected(a statuspage.Affected) []statuspage.Affected {
	var list []statuspage.Affected
	for _, a.ComponentName = range ingestNames {
		list = append(list, a)
	}
	return list
}

// open is the same platform while broadcasts drop in every region.
func open() statuspage.Page {
	p := allGood()
	began := ago(9*time.Minute + 26*time.Second)
	p.Status = statuspage.Overall{Indicator: "critical", Description: "Major System Outage"}
	p.Groups[1].Status = "major_outage"
	for i := range p.Groups[1].Components {
		p.Groups[1].Components[i].Status = "major_outage"
		p.Groups[1].Components[i].UpdatedAt = began.Add(11 * time.Second)
	}
	p.Incidents = []statuspage.Incident{{
		ID: "n4inc0000001", Name: "Broadcasts drop and new ones cannot start", Phase: "identified", Impact: "critical",
		StartedAt: began, CreatedAt: began.Add(11 * time.Second), UpdatedAt: began.Add(75 * time.Second), Components: ingestNames,
		Updates: []statuspage.Update{
			{ID: "u0000000003x", Phase: "identified", At: began.Add(75 * time.Second), Body: "Ingest in Frankfurt, New York and Singapore closes connections. Playback of what is already recorded is not affected."},
			{ID: "u0000000002x", Phase: "investigating", Repeats: true, At: began.Add(19 * time.Second), Body: "New broadcasts cannot start: <publish> is refused in Frankfurt, New York & Singapore.", Affected: affected(statuspage.Affected{Old: "partial_outage", New: "major_outage"})},
			{ID: "u0000000001x", Phase: "investigating", At: began.Add(11 * time.Second), Body: "Running broadcasts were disconnected in Frankfurt, New York and Singapore.\nWe are looking into it.", Affected: affected(statuspage.Affected{Old: "operational", New: "partial_outage"})},
		},
	}}
	p.UpdatedAt = p.Incidents[0].UpdatedAt
	return p
}

// resolved is the same platform two hours later.
func resolved() statuspage.Page {
	p := allGood()
	i := open().Incidents[0]
	monitoring, done := i.StartedAt.Add(4*time.Minute), i.StartedAt.Add(8*time.Minute)
	i.Phase, i.MonitoringAt, i.ResolvedAt, i.UpdatedAt = "resolved", monitoring, done, done
	i.Updates = append([]statuspage.Update{
		{ID: "u0000000005x", Phase: "resolved", At: done, Body: "All test broadcasts have run for 4 minutes without a relapse. This incident is resolved."},
		{ID: "u0000000004x", Phase: "monitoring", At: monitoring, Body: "New broadcasts start again in every region. We keep watching.", Affected: affected(statuspage.Affected{Old: "major_outage", New: "operational"})},
	}, i.Updates...)
	p.Past = append([]statuspage.Incident{i}, p.Past...)
	p.UpdatedAt = done
	return p
}

// watched is the same platform after the recovery, before the resolve.
func watched() statuspage.Page {
	p := resolved()
	i := p.Past[0]
	p.Past = p.Past[1:]
	i.Phase, i.ResolvedAt, i.UpdatedAt, i.Updates = "monitoring", time.Time{}, i.MonitoringAt, i.Updates[1:]
	p.Incidents, p.UpdatedAt = []statuspage.Incident{i}, i.UpdatedAt
	return p
}

// unknown is the same platform when Singapore is not measured any more.
func unknown() statuspage.Page {
	p := allGood()
	for _, c := range []*statuspage.Component{&p.Groups[1].Components[2], &p.Groups[2].Components[2]} {
		c.CheckedAt, c.UnknownSince = ago(14*time.Minute), ago(14*time.Minute)
	}
	return p
}

// dark is the same platform when nothing is measured any more.
func dark() statuspage.Page {
	p := allGood()
	for g := range p.Groups {
		for c := range p.Groups[g].Components {
			p.Groups[g].Components[c].CheckedAt = ago(3 * time.Minute)
			p.Groups[g].Components[c].UnknownSince = ago(3 * time.Minute)
		}
	}
	p.CheckedAt = ago(3 * time.Minute)
	return p
}

// work is the same platform with disks being replaced in Singapore, more of that
// to come, some done, and a false alarm behind it.
func work() statuspage.Page {
	p := allGood()
	p.Status = statuspage.Overall{Indicator: "maintenance", Description: "Service Under Maintenance"}
	p.Groups[2].Status, p.Groups[2].Components[2].Status = "under_maintenance", "under_maintenance"
	ref := statuspage.ComponentName{ID: "c0playsin001", Name: "Playback - HLS playback - Singapore"}
	job := func(id, name string, phase, older statuspage.Update, from time.Time, more ...statuspage.Update) statuspage.Maintenance {
		return statuspage.Maintenance{ID: id, Name: name, Phase: phase.Phase, ScheduledFor: from, ScheduledUntil: from.Add(90 * time.Minute),
			CreatedAt: ago(48 * time.Hour), UpdatedAt: phase.At, Components: []statuspage.ComponentName{ref},
			Updates: append(append([]statuspage.Update{phase}, more...), older)}
	}
	said := statuspage.Update{ID: "u000maint001", Phase: "scheduled", At: ago(48 * time.Hour), Body: "We replace disks & fans. Streams may stall for a moment.", Affected: []statuspage.Affected{{ComponentName: ref, Old: "operational", New: "operational"}}}
	begun := statuspage.Update{ID: "u000maint002", Phase: "in_progress", At: ago(10 * time.Minute), Body: "The scheduled maintenance is in progress.", Affected: []statuspage.Affected{{ComponentName: ref, Old: "operational", New: "under_maintenance"}}}
	done := statuspage.Update{ID: "u000maint003", Phase: "completed", At: ago(24 * time.Hour), Body: "The scheduled maintenance has been completed.", Affected: []statuspage.Affected{{ComponentName: ref, Old: "under_maintenance", New: "operational"}}}
	next := job("m4maint00002", "New fans", said, said, ago(-24*time.Hour))
	next.Updates = next.Updates[:1]
	past := job("m4maint00000", "New cables", done, said, ago(25*time.Hour), begun)
	past.CompletedAt = done.At
	p.Maintenances = []statuspage.Maintenance{job("m4maint00001", "New disks", begun, said, ago(10*time.Minute)), next, past}
	p.Past[0].FalseAlarm = true
	return p
}

// empty is a page on its first second.
func empty() statuspage.Page {
	p := allGood()
	p.Groups, p.Past, p.CheckedAt = nil, nil, time.Time{}
	return p
}

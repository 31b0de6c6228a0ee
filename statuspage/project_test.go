package statuspage

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/incident"
)

var at = time.Date(2026, 11, 22, 6, 40, 0, 0, time.UTC)

func topology() incident.Topology {
	return incident.Topology{
		Installation: "test",
		Page:         incident.PageInfo{Name: "Example", URL: "https://status.example/"},
		Groups:       []incident.Group{{ID: "live", Name: "Live"}, {ID: "ops", Name: "Ops"}},
		Components: []incident.Component{
			{ID: "fra", Name: "Frankfurt", Group: "live", Publish: incident.PublishAuto},
			{ID: "api", Name: "API", Publish: incident.PublishAuto},
			{ID: "nyc", Name: "New York", Group: "live", Publish: incident.PublishAuto},
			{ID: "held", Name: "Held", Group: "live", Publish: incident.PublishHold},
			{ID: "secret", Name: "Internal", Group: "ops", Publish: incident.PublishInternal},
		},
	}
}

// view is a state in which every component has the same status, but for those
// that are given otherwise.
func view(other map[string]incident.Status, open ...incident.Incident) incident.View {
	v := incident.View{At: at, Incidents: open}
	for _, c := range topology().Components {
		s := incident.ComponentState{ID: c.ID, Status: incident.Operational, CreatedAt: at.Add(-time.Hour), UpdatedAt: at.Add(-time.Minute), CheckedAt: at.Add(-time.Second)}
		if o, ok := other[c.ID]; ok {
			s.Status = o
		}
		v.Components = append(v.Components, s)
	}
	return v
}

func opened(impact incident.Impact, components ...string) incident.Incident {
	i := incident.Incident{ID: "n4inc0000001", Name: "Broken", Phase: incident.Investigating, Impact: impact, Public: true,
		StartedAt: at.Add(-time.Minute), CreatedAt: at.Add(-50 * time.Second), UpdatedAt: at, Components: components}
	u := incident.Update{ID: "u1", Phase: incident.Investigating, Body: "It is broken.", At: at.Add(-50 * time.Second)}
	for _, c := range components {
		u.Affected = append(u.Affected, incident.AffectedComponent{Component: c, Old: incident.Operational, New: incident.MajorOutage})
	}
	i.Updates = []incident.Update{u, {ID: "u2", Phase: incident.Investigating, Body: "Still.", At: at.Add(-40 * time.Second)}}
	return i
}

func TestOrderAndGroups(t *testing.T) {
	t.Parallel()
	p := Project(topology(), view(map[string]incident.Status{"nyc": incident.PartialOutage, "fra": incident.DegradedPerformance}), nil)
	if p.URL != "https://status.example" || len(p.Groups) != 2 {
		t.Fatalf("page %+v", p)
	}
	lone, live := p.Groups[0], p.Groups[1]
	if lone.ID != "" || len(lone.Components) != 1 || lone.Components[0].Position != 1 {
		t.Errorf("components without a group: %+v", lone)
	}
	if live.Name != "Live" || live.Position != 2 || live.Status != incident.PartialOutage || len(live.Components) != 3 {
		t.Errorf("group %+v, want Live at 2 with the worst of its children", live)
	}
	if want := at.Add(-time.Second); !p.CheckedAt.Equal(want) {
		t.Errorf("checked %v, want %v", p.CheckedAt, want)
	}
}

func TestOverall(t *testing.T) {
	t.Parallel()
	all := func(s incident.Status) map[string]incident.Status {
		return map[string]incident.Status{"fra": s, "api": s, "nyc": s}
	}
	one := func(s incident.Status) map[string]incident.Status { return map[string]incident.Status{"fra": s} }
	withoutHeld := topology()
	withoutHeld.Components = append(withoutHeld.Components[:3:3], withoutHeld.Components[4])
	monitored := opened(incident.ImpactCritical, "fra")
	monitored.Phase = incident.Monitoring
	for name, c := range map[string]struct {
		statuses map[string]incident.Status
		open     []incident.Incident
		want     Overall
		headline string
	}{
		"good":            {nil, nil, Overall{"none", "All Systems Operational"}, "All Systems Operational"},
		"all major":       {all(incident.MajorOutage), nil, Overall{"critical", "Major System Outage"}, ""},
		"one major":       {one(incident.MajorOutage), nil, Overall{"major", "Partial System Outage"}, ""},
		"all partial":     {all(incident.PartialOutage), nil, Overall{"major", "Partial System Outage"}, ""},
		"one partial":     {one(incident.PartialOutage), nil, Overall{"minor", "Minor Service Outage"}, ""},
		"all degraded":    {all(incident.DegradedPerformance), nil, Overall{"minor", "Degraded System Service"}, ""},
		"one degraded":    {one(incident.DegradedPerformance), nil, Overall{"minor", "Partially Degraded Service"}, ""},
		"maintenance":     {one(incident.UnderMaintenance), nil, Overall{"maintenance", "Service Under Maintenance"}, ""},
		"internal is bad": {map[string]incident.Status{"secret": incident.MajorOutage}, nil, Overall{"none", "All Systems Operational"}, ""},
		"impact is worse": {one(incident.PartialOutage), []incident.Incident{opened(incident.ImpactMajor, "fra")}, Overall{"major", "Partial System Outage"}, ""},
		"impact is less":  {all(incident.MajorOutage), []incident.Incident{opened(incident.ImpactMinor, "fra")}, Overall{"critical", "Major System Outage"}, ""},
		"monitored":       {nil, []incident.Incident{monitored}, Overall{"none", "All Systems Operational"}, "Recovered, still being watched"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := Project(withoutHeld, view(c.statuses, c.open...), nil)
			if p.Status != c.want {
				t.Errorf("got %+v, want %+v", p.Status, c.want)
			}
			if text, _ := p.Headline(); c.headline != "" && text != c.headline {
				t.Errorf("headline %q, want %q", text, c.headline)
			}
		})
	}
}

// TestUnknownIsNotGood: the documents keep the last status, the headline does
// not claim what is not known.
func TestUnknownIsNotGood(t *testing.T) {
	t.Parallel()
	v := view(nil)
	v.Components[1].UnknownSince = at.Add(-time.Hour) // api
	p := Project(topology(), v, nil)
	if text, tone := p.Headline(); text != "No known problem; no data for 1 of 4 components" || tone != ToneUnknown {
		t.Errorf("one unknown: %q, %s", text, tone)
	}
	if p.Status.Indicator != IndicatorNone || p.Groups[0].Components[0].Status != incident.Operational {
		t.Errorf("the last published status was not kept: %+v", p)
	}
	for i := range v.Components {
		v.Components[i].UnknownSince = at.Add(-time.Hour)
	}
	if text, tone := Project(topology(), v, nil).Headline(); text != "Current status unknown" || tone != ToneUnknown {
		t.Errorf("all unknown: %q, %s", text, tone)
	}
	v.Components = nil // a hub on its first second
	if text, _ := Project(topology(), v, nil).Headline(); text != "Current status unknown" {
		t.Errorf("before the first result: %q", text)
	}
}

func TestIncidents(t *testing.T) {
	t.Parallel()
	hidden := opened(incident.ImpactMajor, "fra")
	hidden.ID, hidden.Public = "n4hidden0000", false
	internal := opened(incident.ImpactMajor, "secret")
	internal.ID = "n4internal00"
	mixed := opened(incident.ImpactMajor, "fra", "secret", "no longer configured")
	past := opened(incident.ImpactMinor, "nyc")
	past.ID, past.Phase, past.ResolvedAt = "n4past000000", incident.Resolved, at
	sooner := mixed // the store knows of the resolve before the view does
	sooner.Phase, sooner.ResolvedAt = incident.Resolved, at
	p := Project(topology(), view(nil, hidden, internal, mixed), []incident.Incident{past, sooner, mixed, hidden})
	if len(p.Incidents) != 1 || len(p.Past) != 1 || p.Past[0].ID != past.ID {
		t.Fatalf("open %+v\npast %+v", p.Incidents, p.Past)
	}
	got := p.Incidents[0]
	if len(got.Components) != 1 || got.Components[0].Name != "Live - Frankfurt" {
		t.Errorf("components %+v, want the public one alone", got.Components)
	}
	if len(got.Updates) != 2 || got.Updates[0].ID != "u2" || !got.Updates[0].Repeats || got.Updates[1].Repeats {
		t.Errorf("updates %+v, want the newest first, which repeats the phase", got.Updates)
	}
	if affected := got.Updates[1].Affected; len(affected) != 1 || affected[0].ID != p.Groups[1].Components[0].ID {
		t.Errorf("affected %+v, want the public component alone", affected)
	}
	for _, i := range []incident.Incident{hidden, internal} {
		if _, err := ProjectIncident(topology(), i); !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v, want %v", i.ID, err, ErrNotFound)
		}
	}
	if i, err := ProjectIncident(topology(), past); err != nil || i.Open() || i.Duration(at.Add(time.Hour)) != time.Minute {
		t.Errorf("a past incident: %+v, %v", i, err)
	}
}

// TestHoldWaits: a component whose incidents wait for a person stays green until
// one is published.
func TestHoldWaits(t *testing.T) {
	t.Parallel()
	bad := map[string]incident.Status{"held": incident.MajorOutage}
	held := func(p Page) Component { return p.Groups[1].Components[2] }

	waiting := opened(incident.ImpactMajor, "held")
	waiting.Public = false
	p := Project(topology(), view(bad, waiting), nil)
	if c := held(p); c.Status != incident.Operational || !c.UpdatedAt.Equal(c.CreatedAt) || p.Status.Indicator != IndicatorNone {
		t.Errorf("what waits for a person shows: %+v, %+v", c, p.Status)
	}
	published := opened(incident.ImpactMajor, "held")
	p = Project(topology(), view(bad, published), nil)
	if c := held(p); c.Status != incident.MajorOutage || !c.UpdatedAt.Equal(at.Add(-50*time.Second)) {
		t.Errorf("what was published does not show: %+v", c)
	}
}

// Suspect is for on-call alone: the page is the same with it and without.
func TestSuspectIsNotPublic(t *testing.T) {
	t.Parallel()
	v := view(nil)
	plain := Project(topology(), v, nil)
	for i := range v.Components {
		v.Components[i].SuspectSince = at.Add(-time.Minute)
		v.Components[i].Suspicions = []incident.Suspicion{{Kind: prober.KindPlayback, Since: at.Add(-time.Minute), Share: .4, Evidence: []incident.Evidence{{Site: "secret"}}}}
	}
	if got := Project(topology(), v, nil); !reflect.DeepEqual(got, plain) {
		t.Errorf("%+v\nwant %+v", got, plain)
	}
}

package incident

import (
	"slices"
	"time"

	"streamcanary/prober"
)

// View is what a state says of the present: what the page and on-call show.
type View struct {
	At         time.Time        `json:"at"`         // of the newest input
	Components []ComponentState `json:"components"` // in the topology's order
	Incidents  []Incident       `json:"incidents"`  // unresolved, newest first

	Maintenances []MaintenanceView `json:"maintenances"` // upcoming, running and a few that are over, in the order of their start
	Outcomes     []Outcome         `json:"outcomes"`     // of the newest commands, oldest first

	// Internal: what reports, and what of it was not taken.
	Agents  []AgentView    `json:"agents"`  // by name
	Refused []RefusedCount `json:"refused"` // by cause
}

// AgentView is an agent at present, for on-call.
type AgentView struct {
	ID            string         `json:"id"`
	Site          string         `json:"site"`
	SeenAt        time.Time      `json:"seen_at,omitzero"` // newest result; none is never heard
	Counts        bool           `json:"counts"`           // what it says is evidence
	Silent        bool           `json:"silent"`           // not heard for silent_after
	Sick          bool           `json:"sick"`             // on-call was told that its own controls fail
	Alone         bool           `json:"alone"`            // it alone sees failures; those do not count
	Control       prober.Control `json:"control,omitempty"`
	ControlDetail string         `json:"control_detail,omitempty"`
	Reference     prober.Control `json:"reference,omitempty"` // of the independent reference
	RefDetail     string         `json:"reference_detail,omitempty"`
	Late          uint64         `json:"late"` // results so far that were older than late_after and not weighed
}

// RefusedCount is how many results, commands or edges of windows were not taken, or odd,
// for a cause, since the data directory was new.
type RefusedCount struct {
	Cause string `json:"cause"`
	Count uint64 `json:"count"`
}

// MaintenanceView is a maintenance with the components that it touches.
type MaintenanceView struct {
	Maintenance
	Affected []string `json:"affected"` // ids in the configuration
}

// ComponentState is a component at present.
type ComponentState struct {
	ID           string    `json:"id"` // in the configuration
	Status       Status    `json:"status"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`             // when the status last changed
	CheckedAt    time.Time `json:"checked_at,omitzero"`    // newest evidence on any of its elements
	UnknownSince time.Time `json:"unknown_since,omitzero"` // set while no element of it is known

	// Internal: set while evidence stands against an element of it, and nothing is
	// open for that. The status stays what was published.
	SuspectSince time.Time   `json:"suspect_since,omitzero"`
	Suspicions   []Suspicion `json:"suspicions,omitempty"`
}

// View reads a state for the page.
func (p Policy) View(s State) View {
	v := View{At: s.At, Components: []ComponentState{}, Incidents: []Incident{}, Maintenances: []MaintenanceView{}}
	t := turn{Policy: p, s: &s} // to read with: it changes nothing
	suspicions := t.suspicions()
	for _, c := range p.topology.Components {
		view := p.componentView(s, c)
		view.suspect(c, suspicions)
		v.Components = append(v.Components, view)
	}
	for i := len(s.Incidents) - 1; i >= 0; i-- {
		if o := s.Incidents[i]; o.Announced {
			in := o.Incident.clone()
			in.Cause = t.cause(p.index.target[in.Target], in.Failures) // of now, not of its last word
			v.Incidents = append(v.Incidents, in)
		}
	}
	for _, m := range s.Maintenances {
		v.Maintenances = append(v.Maintenances, MaintenanceView{Maintenance: m.clone(), Affected: p.Touches(m.Window)})
	}
	slices.SortStableFunc(v.Maintenances, func(a, b MaintenanceView) int { return a.StartsAt.Compare(b.StartsAt) })
	v.Outcomes = slices.Clone(s.Outcomes)
	v.Agents, v.Refused = t.agentViews(), []RefusedCount{}
	for _, cause := range sortedKeys(s.Refused) {
		v.Refused = append(v.Refused, RefusedCount{Cause: cause, Count: s.Refused[cause]})
	}
	return v
}

// agentViews are of the topology's agents, by name.
func (t *turn) agentViews() []AgentView {
	all := []AgentView{}
	for _, name := range t.index.agents {
		v := AgentView{ID: name, Site: t.index.site[name]}
		if a := t.s.Agents[name]; a != nil {
			v.SeenAt, v.Silent, v.Sick, v.Alone, v.Counts = a.SeenAt, a.Silent, a.Sick, a.Contradicted, !a.Silent && t.counts(a)
			v.Control, v.ControlDetail, v.Reference, v.RefDetail, v.Late = a.Control, a.ControlDetail, a.Reference, a.ReferenceDetail, a.Late
		}
		all = append(all, v)
	}
	return all
}

func (p Policy) componentView(s State, c Component) ComponentState {
	view := ComponentState{ID: c.ID, Status: Operational, CreatedAt: s.At, UpdatedAt: s.At}
	if state := s.Components[c.ID]; state != nil {
		view.Status, view.CreatedAt, view.UpdatedAt = state.Status, state.CreatedAt, state.UpdatedAt
	}
	oldest := time.Time{}
	for _, e := range c.Elements {
		at := p.checkedAt(s, e)
		if at.After(view.CheckedAt) {
			view.CheckedAt = at
		}
		// The core is seen wherever anything plays: it tells nothing of the rest.
		if e.Type == prober.ElementCore && len(c.Elements) > 1 {
			continue
		}
		if at.IsZero() {
			at = view.CreatedAt
		}
		if oldest.IsZero() || at.Before(oldest) {
			oldest = at
		}
	}
	if view.CheckedAt.IsZero() || s.At.Sub(oldest) > p.settings.UnknownAfter {
		view.UnknownSince = oldest
	}
	return view
}

// checkedAt is when there was evidence on an element last.
func (p Policy) checkedAt(s State, e prober.Element) time.Time {
	var newest time.Time
	for _, kind := range Promises() {
		if sum := s.sum(e, kind); sum != nil && sum.EvidenceAt.After(newest) {
			newest = sum.EvidenceAt
		}
	}
	return newest
}

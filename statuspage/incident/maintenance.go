package incident

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
)

// Window is announced work: when, and on what. It covers the elements of its
// components, in its regions. Without components it is all elements of the
// regions, without regions all of the components.
type Window struct {
	ID         string    `json:"id"`               // public
	Source     string    `json:"source,omitempty"` // internal: id in the configuration; "" is a person's
	Name       string    `json:"name"`
	Body       string    `json:"message"`              // public, plain text
	Components []string  `json:"components,omitempty"` // ids in the configuration
	Regions    []string  `json:"regions,omitempty"`    // ids in the configuration
	StartsAt   time.Time `json:"starts_at"`
	EndsAt     time.Time `json:"ends_at"`
}

// Maintenance is a window and what has become of it.
type Maintenance struct {
	Window
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	BeganAt   time.Time `json:"began_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	Cancelled bool      `json:"cancelled,omitempty"` // by a person, and only known so that its schedule does not bring it again
	Audit     []Audited `json:"audit,omitempty"`     // internal
}

// Running says whether the work has begun and has not ended.
func (m *Maintenance) Running() bool { return !m.BeganAt.IsZero() && m.EndedAt.IsZero() }

// Edge is what becomes of a window.
type Edge string

// The edges. Each may come again and is then nothing new.
const (
	EdgeAnnounced Edge = "announced" // or changed
	EdgeBegan     Edge = "began"
	EdgeEnded     Edge = "ended"
	EdgeCancelled Edge = "cancelled"
)

// MaintenanceEdge is what the schedule of maintenances brings: the engine does
// not know schedules.
type MaintenanceEdge struct {
	Edge   Edge   `json:"edge"`
	Window Window `json:"window"` // of began, ended and cancelled only the id counts
}

// The bounds of maintenances.
const (
	MaxWindow       = 31 * 24 * time.Hour // what is forgotten must not mute for ever
	maxMaintenances = 100                 // that are not over
	keptMaintenance = 10                  // that are
)

// edge takes what the schedule brings.
func (t *turn) edge(e MaintenanceEdge) {
	var r *refusal
	switch e.Edge {
	case EdgeAnnounced:
		r = t.announce(e.Window, nil)
	case EdgeBegan:
		r = t.begin(e.Window.ID)
	case EdgeEnded:
		r = t.endWindow(e.Window.ID, nil)
	case EdgeCancelled:
		r = t.cancel(e.Window.ID, nil)
	default:
		e.Edge, r = "odd", refused(RefusedInvalid, "no such edge")
	}
	if r != nil {
		t.refuseEdge(e, r)
	}
}

// refuseEdge counts an edge that comes to nothing. On-call is told where work is
// muted less than the configuration says; of what is gone there is nothing to end.
func (t *turn) refuseEdge(e MaintenanceEdge, r *refusal) {
	t.s.Refused["maintenance: "+string(e.Edge)+": "+string(r.kind)]++
	how, missed := map[Edge]string{EdgeAnnounced: "announced as the configuration has it", EdgeBegan: "begun"}[e.Edge]
	if !missed || !t.tellWindow(string(e.Edge)+" "+shorten(e.Window.ID)) {
		return
	}
	t.emit(Event{Type: MaintenanceRefused, Key: "maintenance/" + shorten(e.Window.ID),
		Summary: fmt.Sprintf("A maintenance is not %s: %s: %s. What fails in it opens incidents as ever", how, clip(e.Window.Name, MaxName), r.reason)})
}

// tellWindow says whether to tell on-call of what comes to nothing of a window: once a
// day of each, and of no more in a day than may be announced.
func (t *turn) tellWindow(of string) bool {
	const again = 24 * time.Hour
	maps.DeleteFunc(t.s.RefusedWindows, func(_ string, told time.Time) bool { return t.s.At.Sub(told) >= again })
	if _, told := t.s.RefusedWindows[of]; told || len(t.s.RefusedWindows) >= maxMaintenances {
		return false
	}
	if t.s.RefusedWindows == nil {
		t.s.RefusedWindows = map[string]time.Time{}
	}
	t.s.RefusedWindows[of] = t.s.At
	return true
}

func (t *turn) maintenance(id string) *Maintenance {
	i := slices.IndexFunc(t.s.Maintenances, func(m *Maintenance) bool { return m.ID == id })
	if i < 0 {
		return nil
	}
	return t.s.Maintenances[i]
}

// announce adds a window, or changes one that is not over.
func (t *turn) announce(w Window, trail []Audited) *refusal {
	if r := t.checkWindow(w); r != nil {
		return r
	}
	m := t.maintenance(w.ID)
	switch {
	case m == nil:
		if t.waitingMaintenances() >= maxMaintenances {
			return refused(RefusedConflict, "%d maintenances are announced or run already; cancel some", maxMaintenances)
		}
		m = &Maintenance{CreatedAt: t.s.At}
		t.s.Maintenances = append(t.s.Maintenances, m)
	case !m.EndedAt.IsZero():
		return refused(RefusedConflict, "it is over")
	}
	m.Window, m.UpdatedAt = w, t.s.At
	m.Audit = append(m.Audit, trail...)
	t.allDirty = t.allDirty || m.Running() // what it leaves out is worked on no more
	t.tellMaintenance(MaintenanceScheduled, m, "Maintenance is announced: ")
	if m.Running() {
		t.showMaintenance(m)
	}
	return nil
}

func (t *turn) waitingMaintenances() int {
	n := 0
	for _, m := range t.s.Maintenances {
		if m.EndedAt.IsZero() {
			n++
		}
	}
	return n
}

func (t *turn) checkWindow(w Window) *refusal {
	known := func(id string) bool {
		return slices.ContainsFunc(t.topology.Components, func(c Component) bool { return c.ID == id })
	}
	region := func(id string) bool {
		return slices.ContainsFunc(t.topology.Targets, func(t Target) bool {
			return slices.ContainsFunc(t.Regions, func(r Region) bool { return r.ID == id })
		})
	}
	switch {
	case w.ID == "":
		return refused(RefusedInvalid, "the maintenance has no id")
	case strings.TrimSpace(w.Name) == "":
		return refused(RefusedInvalid, "a maintenance needs a name")
	case len(w.Name) > MaxName:
		return refused(RefusedInvalid, "name is longer than %d bytes", MaxName)
	case len(w.Body) > MaxMessage:
		return refused(RefusedInvalid, "message is longer than %d bytes", MaxMessage)
	case !w.EndsAt.After(w.StartsAt):
		return refused(RefusedInvalid, "it has to end after it starts")
	case w.EndsAt.Sub(w.StartsAt) > MaxWindow:
		return refused(RefusedInvalid, "it lasts longer than %d days", int(MaxWindow.Hours())/24)
	case !w.EndsAt.After(t.s.At):
		return refused(RefusedInvalid, "it would be over already")
	case len(w.Components)+len(w.Regions) == 0:
		return refused(RefusedInvalid, "name at least one component or region")
	case len(w.Components)+len(w.Regions) > maxComponents:
		return refused(RefusedInvalid, "there are more than %d components and regions", maxComponents)
	}
	for _, id := range w.Components {
		if !known(id) {
			return t.noComponent(id)
		}
	}
	for _, id := range w.Regions {
		if !region(id) {
			return t.noRegion(id)
		}
	}
	if !slices.ContainsFunc(t.topology.Components, func(c Component) bool { return t.coversAny(w, c) }) {
		return refused(RefusedInvalid, "none of these components has an element in these regions")
	}
	return nil
}

func (t *turn) noRegion(id string) *refusal {
	var all []string
	for _, target := range t.topology.Targets {
		for _, r := range target.Regions {
			all = append(all, r.ID)
		}
	}
	return refused(RefusedInvalid, "there is no region %q; there are %s", shorten(id), clip(strings.Join(all, ", "), maxListed))
}

func (t *turn) begin(id string) *refusal {
	m := t.maintenance(id)
	if m == nil {
		return refused(RefusedUnknown, "no such maintenance")
	}
	if !m.BeganAt.IsZero() || !m.EndedAt.IsZero() {
		return nil
	}
	m.BeganAt, m.UpdatedAt = t.s.At, t.s.At
	t.tellMaintenance(MaintenanceBegan, m, "Maintenance has begun: ")
	t.showMaintenance(m)
	return nil
}

// workOver is for what was worked on and no longer is, by whichever way: what still fails
// opens at once, since its sums stand at the threshold. What a site has seen good last is
// over there, however much failed before; nor does that count which it saw before the
// hub was away. What fails in part has to be seen anew, and is looked at now.
func (t *turn) workOver(sum *sumState) {
	sum.Worked = false
	doubt := false
	for _, site := range sum.Sites {
		doubt = doubt || site.W > 0
		if site.Failing && !site.At.Before(t.s.GraceFrom) {
			continue
		}
		site.W, site.Noise, site.FirstFail = 0, 0, time.Time{}
		site.AloneSince, site.Contradicted = time.Time{}, false
	}
	if doubt {
		t.request(sum.Element.Target)
	}
}

// endWindow ends a window.
func (t *turn) endWindow(id string, trail []Audited) *refusal {
	m := t.maintenance(id)
	if m == nil {
		return refused(RefusedUnknown, "no maintenance has the id %q", shorten(id))
	}
	if !m.EndedAt.IsZero() {
		return nil
	}
	if m.BeganAt.IsZero() {
		m.BeganAt = t.s.At
	}
	m.EndedAt, m.UpdatedAt = t.s.At, t.s.At
	m.Audit = append(m.Audit, trail...)
	t.allDirty = true
	t.tellMaintenance(MaintenanceEnded, m, "Maintenance has ended: ")
	t.showMaintenance(m)
	t.forgetMaintenances()
	return nil
}

func (t *turn) forgetMaintenances() {
	over := len(t.s.Maintenances) - t.waitingMaintenances()
	t.s.Maintenances = slices.DeleteFunc(slices.Clone(t.s.Maintenances), func(m *Maintenance) bool {
		// One that its schedule would bring again has to be known as over.
		gone := !m.EndedAt.IsZero() && (m.Source == "" || !m.EndsAt.After(t.s.At)) && (over > keptMaintenance || m.Cancelled)
		if gone {
			over--
		}
		return gone
	})
}

func (t *turn) cancel(id string, trail []Audited) *refusal {
	m := t.maintenance(id)
	switch {
	case m == nil:
		return refused(RefusedUnknown, "no maintenance has the id %q", shorten(id))
	case !m.EndedAt.IsZero():
		return refused(RefusedConflict, "it is over")
	case !m.BeganAt.IsZero():
		return refused(RefusedConflict, "it has begun; end it")
	}
	m.UpdatedAt = t.s.At
	m.Audit = append(m.Audit, trail...)
	if m.Source != "" && len(trail) > 0 {
		m.EndedAt, m.Cancelled = t.s.At, true
		t.tellMaintenance(MaintenanceCancelled, m, "Maintenance is cancelled: ")
		t.forgetMaintenances()
		return nil
	}
	t.s.Maintenances = slices.DeleteFunc(slices.Clone(t.s.Maintenances), func(other *Maintenance) bool { return other == m })
	t.tellMaintenance(MaintenanceCancelled, m, "Maintenance is cancelled: ")
	return nil
}

func (t *turn) tellMaintenance(kind EventType, m *Maintenance, what string) {
	snapshot := m.clone()
	t.emit(Event{Type: kind, Key: "maintenance/" + m.ID, Summary: what + m.Name, Maintenance: &snapshot})
}

func (m *Maintenance) clone() Maintenance {
	c := *m
	c.Components, c.Regions, c.Audit = slices.Clone(m.Components), slices.Clone(m.Regions), slices.Clone(m.Audit)
	return c
}

// showMaintenance gives the components of a window the status that they have now.
// Those of an incident that is told get it with the incident's next word.
func (t *turn) showMaintenance(m *Maintenance) {
	now := t.componentStatuses()
	for _, c := range t.topology.Components {
		state := t.s.Components[c.ID]
		if state.Status == now[c.ID] || !t.coversAny(m.Window, c) && state.Status != UnderMaintenance {
			continue
		}
		told := false
		for _, o := range t.s.Incidents {
			if o.Announced && t.affects(&o.Incident, c) {
				o.sayBy(t.s.At)
				told = true
			}
		}
		if !told {
			state.Status, state.UpdatedAt = now[c.ID], t.s.At
		}
	}
}

// muted says whether work on an element explains its failing.
func (t *turn) muted(e prober.Element) bool {
	return slices.ContainsFunc(t.s.Maintenances, func(m *Maintenance) bool { return m.Running() && t.covers(m.Window, e) })
}

// maintained says whether any part of a component is being worked on.
func (t *turn) maintained(c Component) bool {
	return slices.ContainsFunc(t.s.Maintenances, func(m *Maintenance) bool { return m.Running() && t.coversAny(m.Window, c) })
}

func (p Policy) coversAny(w Window, c Component) bool {
	if len(w.Components) > 0 && !slices.Contains(w.Components, c.ID) {
		return false
	}
	return slices.ContainsFunc(c.Elements, func(e prober.Element) bool { return p.inRegions(w, e) })
}

func (p Policy) covers(w Window, e prober.Element) bool {
	if !p.inRegions(w, e) {
		return false
	}
	return len(w.Components) == 0 || slices.ContainsFunc(p.topology.Components, func(c Component) bool {
		return slices.Contains(w.Components, c.ID) && slices.Contains(c.Elements, e)
	})
}

// inRegions says whether an element lies in a window's regions. The core and the API
// have none of their own: work on every region of their target is work on them.
func (p Policy) inRegions(w Window, e prober.Element) bool {
	if region := p.index.regions[e]; len(w.Regions) == 0 || region != "" {
		return len(w.Regions) == 0 || slices.Contains(w.Regions, region)
	}
	regions := p.index.target[e.Target].Regions
	return len(regions) > 0 && !slices.ContainsFunc(regions, func(r Region) bool { return !slices.Contains(w.Regions, r.ID) })
}

// Touches lists the components that a window covers at least in part, by id in the
// configuration.
func (p Policy) Touches(w Window) []string {
	all := []string{}
	for _, c := range p.topology.Components {
		if p.coversAny(w, c) {
			all = append(all, c.ID)
		}
	}
	return all
}

func (t *turn) addMaintenance(c Command) (id string, r *refusal) {
	if c.Window == nil {
		return "", refused(RefusedInvalid, "the command names no window")
	}
	w := *c.Window
	w.ID, w.Source = PublicID(t.topology.Installation, "maintenance", t.madeBy(c)), ""
	switch {
	case c.Lasts != 0 && !w.EndsAt.IsZero():
		return "", refused(RefusedInvalid, "it says both when it ends and how long it lasts; leave one out")
	case w.StartsAt.IsZero():
		w.StartsAt = t.s.At.Truncate(time.Second)
	}
	if w.EndsAt.IsZero() {
		w.EndsAt = w.StartsAt.Add(c.Lasts)
	}
	w.StartsAt, w.EndsAt = w.StartsAt.UTC(), w.EndsAt.UTC()
	return w.ID, t.announce(w, audited(nil, t.s.At, c, "", "announced"))
}

func (t *turn) cancelMaintenance(c Command) *refusal {
	return t.cancel(c.Maintenance, audited(nil, t.s.At, c, "announced", "cancelled"))
}

func (t *turn) endMaintenance(c Command) *refusal {
	switch m := t.maintenance(c.Maintenance); {
	case m != nil && !m.EndedAt.IsZero():
		return refused(RefusedConflict, "it is over")
	case m != nil && m.BeganAt.IsZero():
		return refused(RefusedConflict, "it has not begun; cancel it")
	}
	return t.endWindow(c.Maintenance, audited(nil, t.s.At, c, "running", "ended"))
}

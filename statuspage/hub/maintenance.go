package hub

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"streamcanary/prober/schedule"
	"streamcanary/statuspage/incident"
)

// Maintenance is work that the configuration announces: once, or by a schedule.
type Maintenance struct {
	ID         string // permanent
	Name       string
	Message    string
	Components []string // ids in the configuration
	Regions    []string
	StartsAt   time.Time          // of one that is once
	EndsAt     time.Time          // of one that is once
	Schedule   *schedule.Schedule // of the others: when each starts
	Duration   time.Duration      // of the others
	Announce   time.Duration      // of the others: how long before it is shown
}

const (
	maintenanceLook  = time.Second
	maintenanceRetry = 30 * time.Second // after an edge that nothing came of
	maxOccurrences   = 20               // of one schedule at a time
)

// maintain writes into the journal when windows are announced, begin and end. An
// edge has an id of its own, so that two starts of the hub write it once; one that
// was away writes what it has missed.
func (h *Hub) maintain(ctx context.Context) error {
	ticker := time.NewTicker(maintenanceLook)
	defer ticker.Stop()
	written := map[string]time.Time{}
	for {
		now := time.Now()
		for _, e := range edges(h.policy.Topology().Installation, h.maintenances, h.view.Load().Maintenances, now) {
			id := edgeID(e, h.view.Load().Maintenances)
			if now.Sub(written[id]) < maintenanceRetry {
				continue
			}
			written[id] = now
			if _, err := h.enter(ctx, id, incident.Entered{Maintenance: &e}); err != nil && ctx.Err() == nil {
				h.log.Warn("what a maintenance comes to could not be written; trying again", "maintenance", e.Window.Name, "edge", e.Edge, "error", err)
			}
		}
		for id, at := range written {
			if now.Sub(at) > 2*maintenanceRetry {
				delete(written, id)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
}

// edgeID is the same for the same edge of the same state of a window.
func edgeID(e incident.MaintenanceEdge, known []incident.MaintenanceView) string {
	content, _ := json.Marshal(e) // plain values: it cannot fail
	since := int64(0)
	if m := windowOf(known, e.Window.ID); m != nil {
		since = m.UpdatedAt.UnixNano()
	}
	sum := sha256.Sum256(content)
	return fmt.Sprintf("maintenance-%s-%s-%d-%s", e.Edge, e.Window.ID, since, hex.EncodeToString(sum[:8]))
}

func windowOf(known []incident.MaintenanceView, id string) *incident.MaintenanceView {
	if i := slices.IndexFunc(known, func(m incident.MaintenanceView) bool { return m.ID == id }); i >= 0 {
		return &known[i]
	}
	return nil
}

// edges says what has become of maintenances that the engine does not know yet.
func edges(installation string, plans []Maintenance, known []incident.MaintenanceView, now time.Time) []incident.MaintenanceEdge {
	var all []incident.MaintenanceEdge
	planned := map[string]bool{}
	for _, p := range plans {
		for _, w := range p.windows(installation, now) {
			planned[w.ID] = true
			if m := windowOf(known, w.ID); m == nil || m.EndedAt.IsZero() && !sameWindow(m.Window, w) {
				all = append(all, incident.MaintenanceEdge{Edge: incident.EdgeAnnounced, Window: w})
			}
		}
	}
	for _, m := range known {
		if edge := edgeOf(m.Maintenance, m.Source != "" && !planned[m.ID], now); edge != "" {
			all = append(all, incident.MaintenanceEdge{Edge: edge, Window: incident.Window{ID: m.ID, Name: m.Name}})
		}
	}
	return all
}

// edgeOf is what a window has come to; gone is that nothing announces it any more.
func edgeOf(m incident.Maintenance, gone bool, now time.Time) incident.Edge {
	switch {
	case !m.EndedAt.IsZero():
		return ""
	case !now.Before(m.EndsAt):
		return incident.EdgeEnded
	case gone && m.BeganAt.IsZero():
		return incident.EdgeCancelled
	case gone:
		return incident.EdgeEnded
	case m.BeganAt.IsZero() && !now.Before(m.StartsAt):
		return incident.EdgeBegan
	}
	return ""
}

func sameWindow(a, b incident.Window) bool {
	return a.Name == b.Name && a.Body == b.Body && a.StartsAt.Equal(b.StartsAt) && a.EndsAt.Equal(b.EndsAt) &&
		slices.Equal(a.Components, b.Components) && slices.Equal(a.Regions, b.Regions)
}

// windows are those of a plan that run now, or are to be announced.
func (p Maintenance) windows(installation string, now time.Time) []incident.Window {
	if p.Schedule == nil {
		if !p.EndsAt.After(now) {
			return nil
		}
		return []incident.Window{p.window(installation, p.StartsAt, p.EndsAt)}
	}
	var all []incident.Window
	for at := p.Schedule.Next(now.Add(-p.Duration)); len(all) < maxOccurrences && !at.IsZero() && !at.After(now.Add(p.Announce)); at = p.Schedule.Next(at) {
		all = append(all, p.window(installation, at, at.Add(p.Duration)))
	}
	return all
}

func (p Maintenance) window(installation string, from, to time.Time) incident.Window {
	return incident.Window{
		ID:     incident.PublicID(installation, "maintenance", p.ID+"|"+from.UTC().Format(time.RFC3339)),
		Source: p.ID, Name: p.Name, Body: p.Message, Components: p.Components, Regions: p.Regions,
		StartsAt: from.UTC(), EndsAt: to.UTC(),
	}
}

package main

import (
	"strings"
	"testing"
	"time"

	"streamcanary/statuspage/incident"
)

// TestIncidentIsShownWhole: what on-call reads of an incident has the changes with
// the chance of coincidence, and every edit with who, when and the note.
func TestIncidentIsShownWhole(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 22, 6, 40, 0, 0, time.UTC)
	in := incident.Incident{
		ID: "n4inc0000001", Name: "Playback is failing", Phase: incident.Investigating, Impact: incident.ImpactMajor,
		StartedAt: at, CreatedAt: at.Add(8 * time.Second), Public: true, Components: []string{"playback-fra"},
		Changes: []incident.Related{{
			Change: incident.Change{ID: "deploy-42", At: at.Add(-5 * time.Minute), Summary: "media server 4.2\x1b[2J\n"}, Scope: incident.ScopeRegion,
			Lead: 5 * time.Minute, Similar: 3, Over: 72 * time.Hour,
		}},
		Audit: []incident.Audited{{At: at.Add(time.Minute), Who: "ann", Action: incident.ActionImpact, Before: "minor", After: "major", Note: "tickets\ncome in"}},
	}
	var b strings.Builder
	if err := showIncident(&b, in); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"change 2026-11-22T06:35:00Z: media server 4.2",
		"5m0s before the first failure; names a region that failed. By coincidence alone: 1 in 289 (3 such in 3d0h)\n",
		"2026-11-22T06:41:00Z impact by ann: minor -> major (tickets come in)\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
	if strings.Contains(b.String(), "\x1b") {
		t.Error("what a stranger wrote reaches the terminal as it is")
	}
}

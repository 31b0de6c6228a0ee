package alert

import (
	"bytes"
	"encoding/json"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/incident"
)

var update = flag.Bool("update", false, "write what is made into the golden files")

var began = time.Date(2026, 11, 22, 6, 31, 4, 500e6, time.UTC)

// drop is an incident with everything in it.
func drop() *incident.Incident {
	return &incident.Incident{
		ID: "n4inc0000001", Name: "Broadcasts drop", Target: "main", Phase: incident.Investigating,
		Impact: incident.ImpactMajor, StartedAt: began, CreatedAt: began.Add(8 * time.Second), UpdatedAt: began.Add(8 * time.Second),
		Public: true, Components: []string{"ingest-fra"},
		Updates: []incident.Update{{ID: "u0000000001x", Phase: incident.Investigating, Body: "Running broadcasts were disconnected in Frankfurt.", At: began.Add(8 * time.Second)}},
		Failures: []incident.Failure{{
			Element: prober.Element{Target: "main", Type: prober.ElementIngest, ID: "fra"}, Kind: prober.KindCanary,
			FirstFailed: began, OpenedAt: began.Add(8 * time.Second),
			Evidence: []incident.Evidence{
				{Site: "sin", Agent: "sin-1", At: began, Stage: prober.StageIngest, Reason: prober.ReasonConnectionReset, Detail: "198.51.100.7:1935 app live: reset after 12.4 s"},
				{Site: "nyc", Agent: "nyc-1", At: began, Stage: prober.StageIngest, Reason: prober.ReasonConnectionClosed, Detail: "198.51.100.7:1935 app live: closed after 12.4 s"},
			},
		}},
		Changes: []incident.Related{{Change: incident.Change{ID: "d1", At: began.Add(-time.Minute), Summary: "media server 4.2", Source: "ci", Link: "https://ci.example/runs/9"},
			Scope: incident.ScopeEverything, Lead: time.Minute, Similar: 3, Over: 24 * time.Hour}},
		Cause: incident.Cause{Place: incident.PlaceIngest, Words: "ingest fra"},
	}
}

func TestFromEvent(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		event    incident.EventType
		impact   incident.Impact
		action   Action
		severity Severity
	}{
		{incident.IncidentOpened, incident.ImpactCritical, ActionTrigger, SeverityCritical},
		{incident.IncidentOpened, incident.ImpactMajor, ActionTrigger, SeverityError},
		{incident.IncidentOpened, incident.ImpactMinor, ActionTrigger, SeverityWarning},
		{incident.IncidentOpened, incident.ImpactNone, ActionTrigger, SeverityInfo},
		{incident.IncidentUpdated, incident.ImpactMajor, ActionUpdate, SeverityError},
		{incident.IncidentResolved, incident.ImpactMajor, ActionResolve, SeverityInfo},
		{incident.NoAgents, "", ActionTrigger, SeverityCritical},
		{incident.AgentsBack, "", ActionResolve, SeverityInfo},
		{incident.QuorumLost, "", ActionTrigger, SeverityError},
		{incident.QuorumBack, "", ActionResolve, SeverityInfo},
		{incident.AgentSick, "", ActionTrigger, SeverityWarning},
		{incident.AgentSilent, "", ActionTrigger, SeverityWarning},
		{incident.AgentContradicted, "", ActionTrigger, SeverityWarning},
		{incident.AgentRecovered, "", ActionResolve, SeverityInfo},
		{incident.ResultsDropped, "", ActionNotice, SeverityWarning},
		{incident.ResultRefused, "", ActionNotice, SeverityWarning},
		{incident.PlatformRefused, "", ActionTrigger, SeverityWarning},
		{incident.PlatformAccepted, "", ActionResolve, SeverityInfo},
		{incident.BaselineExceeded, "", ActionTrigger, SeverityWarning},
		{incident.BaselineHolds, "", ActionResolve, SeverityInfo},
		{incident.CertificateExpiring, "", ActionNotice, SeverityWarning},
		{incident.ChangeReported, "", ActionNotice, SeverityInfo},
		{incident.IncidentNoted, incident.ImpactCritical, ActionNotice, SeverityInfo},
		{incident.AutomationWaits, incident.ImpactCritical, ActionNotice, SeverityWarning},
		{incident.ApprovalNeeded, incident.ImpactMinor, ActionTrigger, SeverityError},
		{incident.ApprovalOverdue, incident.ImpactMinor, ActionUpdate, SeverityError},
		{incident.ApprovalOver, incident.ImpactMinor, ActionResolve, SeverityInfo},
		{incident.CommandRefused, "", ActionNotice, SeverityInfo},
		{incident.MaintenanceScheduled, "", ActionNotice, SeverityInfo},
		{incident.MaintenanceBegan, "", ActionNotice, SeverityInfo},
		{incident.MaintenanceEnded, "", ActionNotice, SeverityInfo},
		{incident.MaintenanceCancelled, "", ActionNotice, SeverityInfo},
		{incident.MaintenanceRefused, "", ActionNotice, SeverityWarning},
	} {
		e := Event{Seq: 7, Event: incident.Event{ID: "e1", Type: c.event, Key: "k", Summary: "s", At: began}}
		if c.impact != "" {
			e.Event.Incident = drop()
			e.Event.Incident.Impact = c.impact
		}
		a, ok := FromEvent("https://status.example.video", e)
		if !ok || a.Action != c.action || a.Severity != c.severity || a.ID != "e1" || a.Seq != 7 || a.Key != "k" {
			t.Errorf("%s with impact %q: got %+v, %v; want %s, %s", c.event, c.impact, a, ok, c.action, c.severity)
		}
	}
	if a, ok := FromEvent("", Event{Event: incident.Event{Type: incident.ProbeRequested}}); ok {
		t.Errorf("a request to the agents became an alert: %+v", a)
	}
}

// TestEveryEventHasAMeaning reads the engine's source, so that a new type of
// event cannot be forgotten here.
func TestEveryEventHasAMeaning(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", "incident", "input.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "EventType" {
			return true
		}
		value, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		seen++
		if _, ok := meaningOf(incident.EventType(value)); !ok && incident.EventType(value) != incident.ProbeRequested {
			t.Errorf("event type %s has no meaning to on-call: add it to meaningOf", value)
		}
		return true
	})
	if seen < 10 {
		t.Errorf("found only %d event types: is the test still looking in the right place?", seen)
	}
}

func TestBodyGolden(t *testing.T) {
	t.Parallel()
	a, ok := FromEvent("https://status.example.video", Event{Seq: 7, Event: incident.Event{
		ID: "e1", Seq: 4711, Type: incident.IncidentOpened, Key: "incident/n4inc0000001", At: began.Add(8 * time.Second),
		Summary: "Broadcasts drop", Incident: drop(),
	}})
	if !ok {
		t.Fatal("an opening is no alert")
	}
	body, err := Body(a)
	if err != nil {
		t.Fatal(err)
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, body, "", "  "); err != nil {
		t.Fatal(err)
	}
	pretty.WriteByte('\n')
	file := filepath.Join("testdata", "opened.json")
	if *update {
		if err := os.WriteFile(file, pretty.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(pretty.Bytes(), want) {
		t.Errorf("the body changed; look at it, then: go test ./statuspage/alert -update\ngot:\n%s\nwant:\n%s", &pretty, want)
	}
}

// TestNotPublic: an incident that is not public has no page to link to.
func TestNotPublic(t *testing.T) {
	t.Parallel()
	i := drop()
	i.Public, i.Changes = false, nil
	a, _ := FromEvent("https://status.example.video", Event{Event: incident.Event{Type: incident.IncidentOpened, Incident: i}})
	if len(a.Links) != 0 {
		t.Errorf("links of an internal incident: %v", a.Links)
	}
}

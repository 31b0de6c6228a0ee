package alert

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"time"

	"streamcanary/statuspage/incident"
)

// meaning is what an event of some type is to on-call.
type meaning struct {
	name     string // "noun.verb", as Standard Webhooks names events
	action   Action
	severity Severity // "": the incident's impact decides
}

// meaningOf is the table of event types. The second result is false for what is
// not for on-call.
func meaningOf(t incident.EventType) (meaning, bool) {
	switch t {
	case incident.IncidentOpened:
		return meaning{"incident.opened", ActionTrigger, ""}, true
	case incident.IncidentUpdated:
		return meaning{"incident.updated", ActionUpdate, ""}, true
	case incident.IncidentResolved:
		return meaning{"incident.resolved", ActionResolve, SeverityInfo}, true

	case incident.IncidentNoted: // its trigger and its resolve are told by themselves
		return meaning{"incident.noted", ActionNotice, SeverityInfo}, true
	case incident.AutomationWaits: // a person froze it, and may have forgotten
		return meaning{"automation.waits", ActionNotice, SeverityWarning}, true
	case incident.CommandRefused: // its person has the answer; the others may wonder
		return meaning{"command.refused", ActionNotice, SeverityInfo}, true
	case incident.ApprovalNeeded: // users are told nothing until somebody looks
		return meaning{"approval.needed", ActionTrigger, SeverityError}, true
	case incident.ApprovalOverdue:
		return meaning{"approval.overdue", ActionUpdate, SeverityError}, true
	case incident.ApprovalOver:
		return meaning{"approval.over", ActionResolve, SeverityInfo}, true
	case incident.MaintenanceScheduled:
		return meaning{"maintenance.scheduled", ActionNotice, SeverityInfo}, true
	case incident.MaintenanceBegan:
		return meaning{"maintenance.began", ActionNotice, SeverityInfo}, true
	case incident.MaintenanceEnded:
		return meaning{"maintenance.ended", ActionNotice, SeverityInfo}, true
	case incident.MaintenanceCancelled:
		return meaning{"maintenance.cancelled", ActionNotice, SeverityInfo}, true
	case incident.MaintenanceRefused: // work that is not announced mutes nothing
		return meaning{"maintenance.refused", ActionNotice, SeverityWarning}, true

	case incident.NoAgents: // blind: whatever breaks now is seen by nobody
		return meaning{"agents.none", ActionTrigger, SeverityCritical}, true
	case incident.AgentsBack:
		return meaning{"agents.back", ActionResolve, SeverityInfo}, true
	case incident.ReferenceFailed: // agents that are cut off are no longer told from the platform by it
		return meaning{"reference.failed", ActionTrigger, SeverityWarning}, true
	case incident.ReferenceBack:
		return meaning{"reference.back", ActionResolve, SeverityInfo}, true
	case incident.QuorumLost: // an open incident that cannot close by itself
		return meaning{"quorum.lost", ActionTrigger, SeverityError}, true
	case incident.QuorumBack:
		return meaning{"quorum.back", ActionResolve, SeverityInfo}, true

	case incident.AgentSick:
		return meaning{"agent.sick", ActionTrigger, SeverityWarning}, true
	case incident.AgentSilent:
		return meaning{"agent.silent", ActionTrigger, SeverityWarning}, true
	case incident.AgentContradicted:
		return meaning{"agent.contradicted", ActionTrigger, SeverityWarning}, true
	case incident.AgentRecovered:
		return meaning{"agent.recovered", ActionResolve, SeverityInfo}, true

	case incident.ResultsDropped:
		return meaning{"results.dropped", ActionNotice, SeverityWarning}, true
	case incident.ResultRefused:
		return meaning{"result.refused", ActionNotice, SeverityWarning}, true
	case incident.PlatformRefused: // it says nothing of the platform, and nobody else will notice
		return meaning{"platform.refused", ActionTrigger, SeverityWarning}, true
	case incident.PlatformAccepted:
		return meaning{"platform.accepted", ActionResolve, SeverityInfo}, true
	case incident.BaselineExceeded: // something fails too seldom to open, and too often to be noise
		return meaning{"baseline.exceeded", ActionTrigger, SeverityWarning}, true
	case incident.BaselineHolds:
		return meaning{"baseline.holds", ActionResolve, SeverityInfo}, true
	case incident.CertificateExpiring:
		return meaning{"certificate.expiring", ActionNotice, SeverityWarning}, true
	case incident.ChangeReported:
		return meaning{"change.reported", ActionNotice, SeverityInfo}, true

	case incident.ProbeRequested: // for the agents
	}
	return meaning{}, false
}

func severityOf(i incident.Impact) Severity {
	switch i {
	case incident.ImpactCritical:
		return SeverityCritical
	case incident.ImpactMajor:
		return SeverityError
	case incident.ImpactMinor:
		return SeverityWarning
	case incident.ImpactNone:
	}
	return SeverityInfo
}

// FromEvent makes an alert of an event, or returns false when the event is not
// for on-call. pageURL is the public page's, without a trailing slash; with ""
// there is no link to it.
func FromEvent(pageURL string, e Event) (Alert, bool) {
	m, ok := meaningOf(e.Event.Type)
	if !ok {
		return Alert{}, false
	}
	a := Alert{
		ID: e.Event.ID, Seq: e.Seq, Key: e.Event.Key, Type: m.name, Action: m.action, Severity: m.severity,
		Summary: e.Event.Summary, At: e.Event.At.UTC(), Agent: e.Event.Agent, Change: e.Event.Change,
		Maintenance: e.Event.Maintenance, Links: []Link{},
	}
	if i := e.Event.Incident; i != nil {
		a.Incident = fromIncident(*i)
		if a.Severity == "" {
			a.Severity = severityOf(i.Impact)
		}
		if i.Public && pageURL != "" {
			a.Links = append(a.Links, Link{Href: pageURL + "/incidents/" + i.ID, Text: "Status page"})
		}
		for _, c := range i.Changes {
			a.Links = appendChange(a.Links, c.Change)
		}
	}
	if a.Severity == "" {
		a.Severity = SeverityError // an incident's event without its incident: rather too loud
	}
	if a.Change != nil {
		a.Links = appendChange(a.Links, *a.Change)
	}
	return a, true
}

func appendChange(links []Link, c incident.Change) []Link {
	if c.Link == "" {
		return links
	}
	return append(links, Link{Href: c.Link, Text: "Change: " + c.Summary})
}

func fromIncident(i incident.Incident) *Incident {
	a := &Incident{
		ID: i.ID, Name: i.Name, Target: i.Target, Status: i.Phase, Impact: i.Impact, Public: i.Public,
		StartedAt: i.StartedAt.UTC(), CreatedAt: i.CreatedAt.UTC(),
		MonitoringAt: i.MonitoringAt.UTC(), ResolvedAt: i.ResolvedAt.UTC(),
		Frozen: i.Frozen, FalseAlarm: i.FalseAlarm, Withheld: i.Waiting(),
		Components: list(i.Components), Failures: list(i.Failures), Changes: []Change{},
		Elements: []string{}, Sites: []string{},
	}
	if i.Cause.Place != "" {
		a.Cause = &i.Cause
	}
	for _, c := range i.Changes {
		a.Changes = append(a.Changes, Change{Change: c.Change, Scope: c.Scope, Lead: c.Lead.Seconds(), Coincidence: math.Round(c.Coincidence()*1e4) / 1e4, Note: c.Words()})
	}
	if n := len(i.Updates); n > 0 {
		a.Message = i.Updates[n-1].Body
	}
	for _, f := range i.Failures {
		a.Elements = append(a.Elements, f.Element.String())
		for _, e := range f.Evidence {
			a.Sites = append(a.Sites, e.Site)
		}
	}
	a.Elements, a.Sites = set(a.Elements), set(a.Sites)
	return a
}

// list is never nil: a reader should find [] and not null.
func list[T any](s []T) []T { return append([]T{}, s...) }

func set(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}

// Body is an alert as sinks receive it: the envelope of Standard Webhooks
// (type, timestamp, data).
func Body(a Alert) ([]byte, error) {
	body, err := json.Marshal(struct {
		Type      string    `json:"type"`
		Timestamp time.Time `json:"timestamp"`
		Data      Alert     `json:"data"`
	}{a.Type, a.At, a})
	if err != nil {
		return nil, fmt.Errorf("alert %s: encode: %w", a.ID, err)
	}
	return body, nil
}

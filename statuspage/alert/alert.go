// Package alert tells on-call what the engine decided: as a feed to read, and
// through sinks that retry until acknowledged. It must not know how events are
// stored, nor what the public page shows.
package alert

import (
	"time"

	"streamcanary/prober"
	"streamcanary/statuspage/incident"
)

// Action says what an alert does to the one with the same key.
type Action string

// The actions.
const (
	ActionTrigger Action = "trigger" // something is wrong
	ActionUpdate  Action = "update"  // more is known of it
	ActionResolve Action = "resolve" // it is over
	ActionNotice  Action = "notice"  // worth knowing; never resolved
)

// Severity is as PagerDuty's Events API v2 names it.
type Severity string

// The severities, worst first.
const (
	SeverityCritical Severity = "critical"
	SeverityError    Severity = "error"
	SeverityWarning  Severity = "warning"
	SeverityInfo     Severity = "info"
)

// Alert is what on-call reads. It may hold everything but secrets.
type Alert struct {
	ID          string                `json:"id"`            // the event's: the same wherever and whenever it is told
	Seq         int64                 `json:"seq,omitempty"` // in the feed; 0 outside
	Key         string                `json:"key"`           // an opening, its updates and its resolve share it
	Type        string                `json:"type"`          // "incident.opened" and the like
	Action      Action                `json:"action"`
	Severity    Severity              `json:"severity"`
	Summary     string                `json:"summary"`
	At          time.Time             `json:"at"`
	Links       []Link                `json:"links"`
	Agent       string                `json:"agent,omitempty"`
	Change      *incident.Change      `json:"change,omitempty"`
	Incident    *Incident             `json:"incident,omitempty"`
	Maintenance *incident.Maintenance `json:"maintenance,omitempty"`
}

// Link leads to more.
type Link struct {
	Href string `json:"href"`
	Text string `json:"text"`
}

// Incident is an incident with its evidence.
type Incident struct {
	ID           string             `json:"id"`
	Name         string             `json:"name"`
	Target       string             `json:"target"`
	Status       incident.Phase     `json:"status"`
	Impact       incident.Impact    `json:"impact"`
	Public       bool               `json:"public"`
	FalseAlarm   bool               `json:"false_alarm,omitempty"` // a person says so
	Frozen       bool               `json:"frozen,omitempty"`      // a person has its automation stopped
	Withheld     []string           `json:"withheld,omitempty"`    // components that wait for a person, ids in the configuration
	StartedAt    time.Time          `json:"started_at"`
	CreatedAt    time.Time          `json:"created_at"`
	MonitoringAt time.Time          `json:"monitoring_at,omitzero"`
	ResolvedAt   time.Time          `json:"resolved_at,omitzero"`
	Message      string             `json:"message"`         // its newest update
	Components   []string           `json:"components"`      // ids in the configuration
	Elements     []string           `json:"elements"`        // target/type/id, sorted
	Sites        []string           `json:"sites"`           // that gave evidence, sorted
	Failures     []incident.Failure `json:"failures"`        // per element and kind, with each site's evidence
	Cause        *incident.Cause    `json:"cause,omitempty"` // where it lies, as far as tests can tell
	Changes      []Change           `json:"changes"`         // reported shortly before, the nearest first
}

// Change is one that was reported shortly before an incident's first failure. That it
// came before does not make it the cause.
type Change struct {
	incident.Change
	Scope       incident.Scope `json:"scope"`
	Lead        float64        `json:"lead_s"`      // from the change to the first failure; negative is after it
	Coincidence float64        `json:"coincidence"` // 0 to 1: that any moment has such a change as shortly before it
	Note        string         `json:"note"`        // all of that in words
}

// Event is an event of the engine with its place in the feed.
type Event struct {
	Seq   int64 // rises from event to event, from 1
	Event incident.Event
}

// Secret is a token or key; it prints as a placeholder.
type Secret = prober.Secret

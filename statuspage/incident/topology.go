package incident

import (
	"time"

	"streamcanary/prober"
)

// Topology is what is watched, from where, and how the page shows it. It is
// part of the configuration, and so of the policy's hash.
type Topology struct {
	Installation string      `json:"installation"` // salt of every public id
	Page         PageInfo    `json:"page"`
	Targets      []Target    `json:"targets"`
	Sites        []Site      `json:"sites"`
	Groups       []Group     `json:"groups"`
	Components   []Component `json:"components"`
}

// PageInfo names the public page.
type PageInfo struct {
	Name string `json:"name"`
	URL  string `json:"url"` // without a trailing slash
}

// Target is a platform's elements, without addresses or keys.
type Target struct {
	ID        string        `json:"id"`
	Name      string        `json:"name"`
	Regions   []Region      `json:"regions"`
	HasAPI    bool          `json:"has_api"`
	Kinds     []prober.Kind `json:"kinds,omitempty"` // that are probed; empty: all
	Ingests   []Endpoint    `json:"ingests"`
	Playbacks []Endpoint    `json:"playbacks"`
}

// Region is a region of the platform.
type Region struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Endpoint is an ingest or a playback.
type Endpoint struct {
	ID     string `json:"id"`
	Region string `json:"region"`
}

// Site is a vantage point with its agents.
type Site struct {
	ID     string   `json:"id"`
	Agents []string `json:"agents"`
}

// Group puts components under one heading.
type Group struct {
	ID   string `json:"id"`
	Name string `json:"name"`
}

// Component is what the page shows of one or more elements.
type Component struct {
	ID          string           `json:"id"`
	Name        string           `json:"name"`
	Description string           `json:"description,omitempty"`
	Group       string           `json:"group,omitempty"`
	StartDate   string           `json:"start_date,omitempty"` // YYYY-MM-DD
	Elements    []prober.Element `json:"elements"`
	Publish     Publish          `json:"publish"`
}

// Publish says how an incident of a component reaches the public page.
type Publish string

// The ways of publishing.
const (
	PublishAuto     Publish = "auto"
	PublishHold     Publish = "hold"     // kept from the page until a person publishes it
	PublishInternal Publish = "internal" // never public
)

// Status is a component's, as Statuspage names it.
type Status string

// The component statuses, best first.
const (
	Operational         Status = "operational"
	UnderMaintenance    Status = "under_maintenance"
	DegradedPerformance Status = "degraded_performance"
	PartialOutage       Status = "partial_outage"
	MajorOutage         Status = "major_outage"
)

// Impact is an incident's, as Statuspage names it.
type Impact string

// The impacts, least first.
const (
	ImpactNone     Impact = "none"
	ImpactMinor    Impact = "minor"
	ImpactMajor    Impact = "major"
	ImpactCritical Impact = "critical"
)

// Phase is an incident's status, as Statuspage names it.
type Phase string

// The incident statuses.
const (
	Investigating Phase = "investigating"
	Identified    Phase = "identified"
	Monitoring    Phase = "monitoring"
	Resolved      Phase = "resolved"
	Postmortem    Phase = "postmortem"
)

// Incident is one cause's story. Sites, agents, reasons and changes in it are
// for on-call only; package statuspage copies out what may be public.
type Incident struct {
	ID           string    `json:"id"` // public, 12 characters [a-z0-9]
	Name         string    `json:"name"`
	Target       string    `json:"target"`
	Phase        Phase     `json:"phase"`
	Impact       Impact    `json:"impact"`
	StartedAt    time.Time `json:"started_at"` // first failing result of the site that completed the quorum
	CreatedAt    time.Time `json:"created_at"` // opened
	UpdatedAt    time.Time `json:"updated_at"`
	MonitoringAt time.Time `json:"monitoring_at,omitzero"`
	ResolvedAt   time.Time `json:"resolved_at,omitzero"`
	MergedInto   string    `json:"merged_into,omitempty"` // id of the incident in which this one goes on
	Public       bool      `json:"public"`
	Components   []string  `json:"components"`        // ids in the configuration, every one that was ever affected
	Updates      []Update  `json:"updates"`           // oldest first
	Thinned      int       `json:"thinned,omitempty"` // updates that newer ones have replaced
	Failures     []Failure `json:"failures"`          // internal: every element and kind that opened
	Changes      []Related `json:"changes,omitempty"` // internal: reported shortly before
	Cause        Cause     `json:"cause,omitzero"`    // internal: where it lies

	Postmortem   string    `json:"postmortem,omitempty"` // public, Markdown, as a person published it
	PostmortemAt time.Time `json:"postmortem_at,omitzero"`
	Withdrawn    string    `json:"postmortem_withdrawn,omitempty"` // internal: the one that it had until it was reopened

	FalseAlarm bool      `json:"false_alarm,omitempty"` // a person says that it was none; it counts as no outage
	OpenedBy   string    `json:"opened_by,omitempty"`   // internal: the person, if one opened it
	Named      bool      `json:"named,omitempty"`       // a person gave it its name
	Frozen     bool      `json:"frozen,omitempty"`      // internal: its automation waits for release
	Approved   bool      `json:"approved,omitempty"`    // what publish: hold withholds may be public
	Withheld   []string  `json:"withheld,omitempty"`    // internal: components that are not public without that
	KeptBack   []string  `json:"kept_back,omitempty"`   // internal: of them, those that a person keeps from the page
	Audit      []Audited `json:"audit,omitempty"`       // internal: what people did, oldest first
}

// Update is one message of an incident.
type Update struct {
	ID       string              `json:"id"` // public
	Phase    Phase               `json:"phase"`
	Body     string              `json:"body"` // plain text
	At       time.Time           `json:"at"`
	Affected []AffectedComponent `json:"affected"`

	// Kept is why it is not on the page: PublishHold until a person publishes the
	// incident, PublishInternal for ever. Its words are of what was not public.
	Kept Publish `json:"kept,omitempty"`

	Automatic bool `json:"automatic,omitempty"` // of a template; in a long incident newer ones replace it
}

// AffectedComponent is a component's status before and after an update.
type AffectedComponent struct {
	Component string `json:"component"` // id in the configuration
	Old       Status `json:"old"`
	New       Status `json:"new"`
}

// Failure is an element that opened for a kind, with the evidence. Internal.
type Failure struct {
	Element     prober.Element `json:"element"`
	Kind        prober.Kind    `json:"kind"`
	FirstSeen   time.Time      `json:"first_seen,omitzero"` // first failing result of any site that had a part in it
	FirstFailed time.Time      `json:"first_failed"`        // of the site that completed the quorum: fewer could be noise
	LastFailed  time.Time      `json:"last_failed"`         // newest failure that was seen
	OpenedAt    time.Time      `json:"opened_at"`
	RecoveredAt time.Time      `json:"recovered_at,omitzero"`
	Evidence    []Evidence     `json:"evidence"` // the latest of each site
}

// Evidence is what one site saw last. Internal.
type Evidence struct {
	Site    string        `json:"site"`
	Agent   string        `json:"agent"`
	At      time.Time     `json:"at"`
	Stage   prober.Stage  `json:"stage"`
	Reason  prober.Reason `json:"reason"`
	Detail  string        `json:"detail"`
	Partial bool          `json:"partial,omitempty"` // other paths through the element were good
}

// Change is a deploy or the like that was reported. Internal.
type Change struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	Summary string    `json:"summary"`
	Source  string    `json:"source"`
	Link    string    `json:"link,omitempty"`

	// What it concerns, ids in the configuration; without any, everything.
	Components []string `json:"components,omitempty"`
	Regions    []string `json:"regions,omitempty"`
}

// Package statuspage makes the page: the projection of the engine's state that
// may be public. Everything public is built up here, field by field; nothing is
// redacted. It must not know how a page is rendered, stored or transported.
package statuspage

import (
	"errors"
	"time"

	"streamcanary/statuspage/incident"
)

// ErrNotFound says that there is no public incident with an id.
var ErrNotFound = errors.New("no such incident")

// Page is everything about an installation that the public may know at one
// moment. Times are in UTC; ids are public ones.
type Page struct {
	ID        string
	Name      string
	URL       string    // without a trailing slash
	At        time.Time // of the newest thing that was taken into account
	UpdatedAt time.Time // newest public change of a component or an incident
	CheckedAt time.Time // newest evidence on any public component; zero: never
	Status    Overall
	Groups    []Group    // as configured; components without a group come first, in a group without an id
	Incidents []Incident // unresolved, newest first
	Past      []Incident // resolved, newest first

	Maintenances []Maintenance // upcoming and running ones by their start, then a few that are over, newest first
}

// Group is a heading with its components. Status is the worst of theirs.
type Group struct {
	ID         string // "" for the components that have none
	Name       string
	Status     incident.Status
	Position   int // among groups and components without a group, from 1
	CreatedAt  time.Time
	Components []Component
}

// Component is one line of the page.
type Component struct {
	ID           string
	Name         string
	Description  string
	Status       incident.Status // the last published one while nothing is known
	StartDate    string          // YYYY-MM-DD or ""
	Position     int             // in its group, from 1
	CreatedAt    time.Time
	UpdatedAt    time.Time // when the status last changed
	CheckedAt    time.Time // zero: never
	UnknownSince time.Time // zero: something is known
}

// Incident is an incident in the words that were published.
type Incident struct {
	ID           string
	Name         string
	Phase        incident.Phase
	Impact       incident.Impact
	StartedAt    time.Time
	CreatedAt    time.Time
	UpdatedAt    time.Time // newest update
	MonitoringAt time.Time // zero: never
	ResolvedAt   time.Time // zero: not yet
	Components   []ComponentName
	Updates      []Update // newest first
	Postmortem   string   // Markdown; "" is that none is published
	PostmortemAt time.Time
	FalseAlarm   bool // a person says that it was none: it is no outage
}

// Open says whether the incident is unresolved.
func (i Incident) Open() bool {
	return i.Phase != incident.Resolved && i.Phase != incident.Postmortem
}

// ComponentName refers to a component.
type ComponentName struct {
	ID   string
	Name string // "Group - Component", or plain without a group
}

// Update is one message of an incident.
type Update struct {
	ID       string
	Phase    incident.Phase
	Repeats  bool   // the phase is that of the update before
	Body     string // plain text
	At       time.Time
	Affected []Affected
}

// Affected is a component's status before and after an update.
type Affected struct {
	ComponentName
	Old, New incident.Status
}

package incident

import "time"

// View is what a state says of the present: what the page and on-call show.
type View struct {
	At         time.Time        `json:"at"`         // of the newest input
	Components []ComponentState `json:"components"` // in the topology's order
	Incidents  []Incident       `json:"incidents"`  // unresolved, newest first
}

// ComponentState is a component at present.
type ComponentState struct {
	ID           string    `json:"id"` // in the configuration
	Status       Status    `json:"status"`
	CreatedAt    time.Time `json:"created_at"`
	UpdatedAt    time.Time `json:"updated_at"`             // when the status last changed
	CheckedAt    time.Time `json:"checked_at,omitzero"`    // newest evidence on any of its elements
	UnknownSince time.Time `json:"unknown_since,omitzero"` // set while no element of it is known
}

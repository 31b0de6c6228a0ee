package incident

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"streamcanary/prober"
)

// State is all that the engine knows. Its JSON has the same bytes for the same
// journal. A state that was given to Step must not be used again, as a slice
// that was given to append.
type State struct {
	Seq        uint64    `json:"seq"` // of the newest input
	At         time.Time `json:"at"`  // of the newest input; falls only where the clock of the journal was set back
	PolicyHash string    `json:"policy_hash"`
	GraceFrom  time.Time `json:"grace_from"` // silence is counted from here at the earliest

	Agents         map[string]*agentState     `json:"agents"`
	Rounds         map[string]*roundState     `json:"rounds"`
	Broadcasts     map[string]*broadcastState `json:"broadcasts"`
	Sums           map[string]*sumState       `json:"sums"`
	Components     map[string]*componentState `json:"components"`
	Requests       map[string]time.Time       `json:"requests"`               // by target: until when the last request's rounds run
	Incidents      []*openIncident            `json:"incidents"`              // unresolved, oldest first
	Changes        []Change                   `json:"changes"`                // recent, oldest first
	ChangesSince   time.Time                  `json:"changes_since,omitzero"` // from when on all of them are kept
	Refused        map[string]uint64          `json:"refused"`                // results, commands and edges not taken, by cause
	RefusedTold    map[string]time.Time       `json:"refused_told,omitempty"` // when on-call was told of it last, by cause
	NoAgents       bool                       `json:"no_agents"`
	RefusedWindows map[string]time.Time       `json:"refused_windows,omitempty"` // when on-call was told that an edge of a window came to nothing, by edge and id
	Platforms      map[string]*platformState  `json:"platforms,omitempty"`       // by target: of which on-call has been told something

	Outcomes     []Outcome      `json:"outcomes,omitempty"`     // of the newest commands, oldest first
	Maintenances []*Maintenance `json:"maintenances,omitempty"` // upcoming, running, and a few that are over; oldest first

	ReferenceOutUntil time.Time `json:"reference_out_until,omitzero"` // it failed at a quorum of sites
	ReferenceTold     bool      `json:"reference_told,omitempty"`
}

type agentState struct {
	SeenAt        time.Time      `json:"seen_at,omitzero"`
	Boots         []bootState    `json:"boots"` // newest first, at most two
	Control       prober.Control `json:"control"`
	ControlDetail string         `json:"control_detail,omitempty"`
	UnknownSince  time.Time      `json:"unknown_since,omitzero"` // its control

	Reference       prober.Control `json:"reference,omitempty"` // of the independent reference
	ReferenceDetail string         `json:"reference_detail,omitempty"`
	ReferenceSince  time.Time      `json:"reference_since,omitzero"`
	Cut             bool           `json:"cut,omitempty"` // on-call was told that its reference alone fails

	DroppedTold  uint64 `json:"dropped_told"`
	Late         uint64 `json:"late"`
	Sick         bool   `json:"sick"`
	Silent       bool   `json:"silent"`
	Contradicted bool   `json:"contradicted"` // on-call was told that it alone sees failures
}

// bootState is which results of one start of an agent were taken.
type bootState struct {
	Boot   string `json:"boot"`
	Newest uint64 `json:"newest"` // highest sequence
	Window uint64 `json:"window"` // bit i: sequence Newest-i was taken
}

// sumState is the evidence on one element for one kind.
type sumState struct {
	Element    prober.Element      `json:"element"`
	Kind       prober.Kind         `json:"kind"`
	Open       bool                `json:"open"`
	Worked     bool                `json:"worked,omitempty"`     // on, when it was looked at last
	SplitSince time.Time           `json:"split_since,omitzero"` // open, and some sites are sure that it is good again
	EvidenceAt time.Time           `json:"evidence_at,omitzero"` // newest evidence of any site
	Sites      map[string]*siteSum `json:"sites"`
	Baseline   baseline            `json:"baseline,omitzero"`
}

type siteSum struct {
	W         Nats      `json:"w"`                   // towards opening
	V         Nats      `json:"v"`                   // towards recovery, while open
	Failing   bool      `json:"failing"`             // the last evidence was a failure
	Ran       bool      `json:"ran"`                 // was good once in the agent's boot
	FirstFail time.Time `json:"first_fail,omitzero"` // where what it now fails began
	Goods     int       `json:"goods,omitempty"`     // good rounds in a row, as far as they matter
	Noise     uint64    `json:"noise,omitempty"`     // failed rounds in a row, as far as nothing opened
	At        time.Time `json:"at"`
	Last      *Evidence `json:"last,omitempty"` // the last failure
	By        []string  `json:"by,omitempty"`   // its agents whose last evidence was a failure

	AloneSince   time.Time `json:"alone_since,omitzero"`   // it alone sees this fail
	Contradicted bool      `json:"contradicted,omitempty"` // for so long that it does not count
	Strays       []string  `json:"strays,omitempty"`       // of a core: the cells that were red in the latest round although their rows and columns were not
	Dim          *dim      `json:"dim,omitempty"`          // of a core: what its nearly dark rounds have shown
}

type componentState struct {
	Status    Status    `json:"status"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// openIncident is an unresolved incident with the timers that run on it.
type openIncident struct {
	Incident   Incident  `json:"incident"`
	Announced  bool      `json:"announced"`
	Said       string    `json:"said"`                 // what the newest message told
	Scope      string    `json:"scope,omitempty"`      // and of what; a change of that is told at once
	PromisedAt time.Time `json:"promised_at,omitzero"` // the newest message says that the next comes by then
	SayAt      time.Time `json:"say_at,omitzero"`      // when the next message is due
	HoldUntil  time.Time `json:"hold_until,omitzero"`
	QuorumLost bool      `json:"quorum_lost"`
	Relapses   int       `json:"relapses"`

	Statuses      map[string]Status `json:"statuses,omitempty"`   // while frozen: what it shows, by component
	SaidWaits     bool              `json:"said_waits,omitempty"` // while frozen: on-call was told that more fails
	SaidOver      bool              `json:"said_over,omitempty"`  // while frozen: on-call was told that it is over
	ApprovalAsked bool              `json:"approval_asked,omitempty"`
	ApproveBy     time.Time         `json:"approve_by,omitzero"` // then it is told again, or published
}

// platformState is what a target's API says of us, and not of itself.
type platformState struct {
	RefusedBy     []string  `json:"refused_by,omitempty"` // agent and kind of probe, sorted
	CertificateAt time.Time `json:"certificate_at,omitzero"`
}

// NewState is the state before the first input.
func NewState() State {
	return State{
		Agents: map[string]*agentState{}, Rounds: map[string]*roundState{},
		Broadcasts: map[string]*broadcastState{}, Sums: map[string]*sumState{},
		Components: map[string]*componentState{}, Requests: map[string]time.Time{},
		Refused: map[string]uint64{},
	}
}

// Encode writes a state for the store.
func (s State) Encode() ([]byte, error) {
	b, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("engine state: %w", err)
	}
	return b, nil
}

// DecodeState reads what Encode wrote. Nothing at all is a new state.
func DecodeState(b []byte) (State, error) {
	s := NewState()
	if len(b) == 0 {
		return s, nil
	}
	if err := json.Unmarshal(b, &s); err != nil {
		return State{}, fmt.Errorf("engine state: %w: it was not written by this version; restore a backup or start with a new data directory", err)
	}
	return s, nil
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}

package prober

import "time"

// Control is the state of an agent's own controls when a result was made.
type Control string

// The control states.
const (
	ControlPass    Control = "pass"
	ControlFail    Control = "fail"    // the agent cannot even see its own loopback origin: it is sick
	ControlUnknown Control = "unknown" // not known yet
)

// Host is how the agent's own machine and network are, when a result was made:
// its own trouble is told from the platform's by it.
type Host struct {
	CPU         float64       // busy share of all processors of late, 0 to 1; negative is not measured
	ClockOffset time.Duration // reference's clock less ours; valid when ClockKnown
	ClockKnown  bool
	Loss        float64 // share of TCP segments sent again of late, 0 to 1; negative is not measured
	Reference   Control // of the independent public reference; "" when none is configured
	// ReferenceDetail is evidence when Reference is fail.
	ReferenceDetail string
}

// Result is what one run, or one round of a probe that stays up, found on one
// element path. A path with only an ingest is the push side; one with a playback
// is that broadcast pulled there; one with neither is the API.
type Result struct {
	ID    string // unique: boot id and sequence
	Agent string
	Site  string
	Boot  string // changes with each start of the agent
	Seq   uint64 // within the boot, from 1, without gaps

	Kind     Kind
	Target   string
	Ingest   string // id, or ""
	Playback string // id, or ""
	Pusher   string // agent that pushes the broadcast

	Run     string // the broadcast: its marker's run
	Round   string // all results of one turn of one probe at one agent share it
	RoundOf int    // how many results the round has in all; 0 when not known

	Outcome Outcome
	Stage   Stage  // where it ended; "" on pass
	Reason  Reason // "" on pass
	Detail  string // evidence for a person, bounded, without secrets

	Started time.Time // by the agent's clock
	Ended   time.Time
	Age     time.Duration // at sending, by the agent's monotonic clock
	Figures Figures
	// Findings are what was seen besides the verdict, or in support of it, the
	// gravest first, at most MaxFindings.
	Findings []Finding

	Control       Control
	ControlDetail string // evidence when Control is fail
	Host          Host
	Spending      Spending
	Dropped       uint64 // results that this agent has lost at its outbox's bound, ever
}

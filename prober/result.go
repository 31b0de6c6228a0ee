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

	Control       Control
	ControlDetail string // evidence when Control is fail
	Dropped       uint64 // results that this agent has lost at its outbox's bound, ever
}

// Figures are a result's measurements. Durations that were not measured are 0.
type Figures struct {
	Stages           []StageTime   // in the order in which they were passed
	TTFF             time.Duration // from the publish to the first frame that came back
	LatencyFirst     time.Duration // push to pull, first frame of the latest segment
	LatencyLast      time.Duration // push to pull, its last frame
	BytesSent        int64
	BytesReceived    int64
	SendStall        time.Duration // longest time a write was blocked
	Interruptions    int           // of a canary since its start
	InterruptionTime time.Duration // of the interruption that just ended
}

// StageTime is how long a stage took.
type StageTime struct {
	Stage    Stage
	Duration time.Duration
}

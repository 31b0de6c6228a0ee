package prober

import "time"

// Kind is the kind of a probe. Kinds are different promises to users, so they
// never share a verdict.
type Kind string

// The kinds of probe.
const (
	KindCanary    Kind = "canary"    // a broadcast that stays up: shows that running broadcasts drop
	KindGoLive    Kind = "golive"    // a fresh stream each time: shows that new ones cannot start
	KindPlayback  Kind = "playback"  // pulls a broadcast that is up: shows that viewers cannot watch
	KindAPI       Kind = "api"       // HTTP
	KindRecording Kind = "recording" // what is left after a broadcast
)

// Kinds lists every kind in the order in which they are told.
func Kinds() []Kind {
	return []Kind{KindAPI, KindGoLive, KindCanary, KindPlayback, KindRecording}
}

// Probe is one probe that an agent has to run: a kind against a target, on a
// schedule. A round of it covers every ingest (golive, canary) and playback.
type Probe struct {
	Kind     Kind          `json:"kind"`
	Target   string        `json:"target"`
	Schedule string        `json:"schedule"`          // robfig/cron syntax, usually "@every 2s"
	Offset   time.Duration `json:"offset"`            // start of the first round after the schedule's, so that sites do not collide
	Timeout  time.Duration `json:"timeout,omitempty"` // bound of one run; 0 is the kind's default
	Jitter   time.Duration `json:"jitter,omitempty"`  // each round starts up to this much later, by chance

	// Of a canary: its broadcast is replaced when it is this old, without a
	// gap where that can be. 0 is never.
	RotateAfter time.Duration `json:"rotate_after,omitempty"`
	Rotate      Rotation      `json:"rotate,omitempty"` // "" is RotateStream

	Checks    []APICheck      `json:"checks,omitempty"`    // of kind api: at least one
	Pulls     []Pull          `json:"pulls,omitempty"`     // of kind playback: streams that others push; none is the canaries' own
	Recording *RecordingCheck `json:"recording,omitempty"` // of kind recording
}

// APICheck is one HTTP request and what its answer has to be.
type APICheck struct {
	Name            string        `json:"name"` // for people
	Method          string        `json:"method"`
	URL             string        `json:"url"`
	Headers         []Header      `json:"headers,omitempty"`
	Body            string        `json:"body,omitempty"`
	Status          []int         `json:"status"`                     // any of these is right
	Path            string        `json:"path,omitempty"`             // JSONPath of what must be in the answer; "" asks for no JSON
	Want            *string       `json:"want,omitempty"`             // text of what stands there; nil is anything
	MaxLatency      time.Duration `json:"max_latency,omitempty"`      // for the whole answer, else degraded; 0 is any within the timeout
	CertificateDays int           `json:"certificate_days,omitempty"` // fewer days until the certificate expires are degraded; 0 is not looked at
}

// Pull is a stream that we do not push, as one playback gives it.
type Pull struct {
	Name     string `json:"name"`          // for people
	Playback string `json:"playback"`      // id of the playback that is charged
	URL      string `json:"url"`           // of a playlist
	VOD      bool   `json:"vod,omitempty"` // it has an end; else it has to be live
}

// RecordingCheck is a broadcast, and what has to be left of it.
type RecordingCheck struct {
	Broadcast time.Duration `json:"broadcast"`     // how long to push
	Within    time.Duration `json:"within"`        // from the broadcast's end until its recording must play
	Tolerance time.Duration `json:"tolerance"`     // by which it may be longer or shorter than the broadcast
	URL       string        `json:"url,omitempty"` // of its playlist, with {stream} and {id}; "" asks the platform's API
}

// Rotation is what of a canary is replaced at its age.
type Rotation string

// The rotations.
const (
	RotateStream     Rotation = "stream"     // a fresh stream is up before the old one ends
	RotateConnection Rotation = "connection" // the same stream, on a fresh connection: a gap of a few seconds
)

// Assignment is everything an agent is told to do. A newer revision replaces
// the whole of an older one.
type Assignment struct {
	Revision uint64   `json:"revision"`
	Targets  []Target `json:"targets"`
	Probes   []Probe  `json:"probes"`

	Sampling Sampling `json:"sampling,omitzero"` // of other agents' broadcasts
	Budget   int64    `json:"budget,omitempty"`  // bytes an hour, sent and received; 0 is no bound
	Controls Controls `json:"controls,omitzero"`
}

// ProbeNow asks agents for extra rounds at once, started Spacing apart without
// waiting for the last to end.
type ProbeNow struct {
	ID      string        `json:"id"`
	Target  string        `json:"target"`
	Kinds   []Kind        `json:"kinds"`
	Rounds  int           `json:"rounds"`
	Spacing time.Duration `json:"spacing"`
}

package report

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"streamcanary/prober"
)

// Version is the version of the wire form that Encode writes. Decode takes no
// other. Within a version fields may be added: an unknown field is ignored, so
// that an older hub still understands a newer agent. An unknown kind, outcome,
// stage, reason or control is refused, because it would be judged wrongly; so
// the hub is upgraded before its agents.
const Version = 1

// Bounds of the wire form, in bytes.
const (
	MaxResultSize = 16 << 10
	maxNameSize   = 128 // ids, runs, rounds
	maxAgentSize  = 64
	maxStageTimes = 32
	maxWhereSize  = 200
	maxWordSize   = 32
)

// ErrVersion is what Decode returns, wrapped, for a version it does not know.
var ErrVersion = errors.New("unknown version of the wire form")

// wireResult is a result as JSON. A field's name and meaning are forever.
type wireResult struct {
	Version int `json:"version"`

	ID    string `json:"id"`
	Agent string `json:"agent"`
	Site  string `json:"site"`
	Boot  string `json:"boot"`
	Seq   uint64 `json:"seq"`

	Kind     prober.Kind `json:"kind"`
	Target   string      `json:"target"`
	Ingest   string      `json:"ingest,omitempty"`
	Playback string      `json:"playback,omitempty"`
	Pusher   string      `json:"pusher,omitempty"`

	Run     string `json:"run,omitempty"`
	Round   string `json:"round,omitempty"`
	RoundOf int    `json:"round_of,omitempty"`

	Outcome prober.Outcome `json:"outcome"`
	Stage   prober.Stage   `json:"stage,omitempty"`
	Reason  prober.Reason  `json:"reason,omitempty"`
	Detail  string         `json:"detail,omitempty"`

	Started time.Time     `json:"started"` // RFC 3339, UTC, the agent's clock
	Ended   time.Time     `json:"ended"`
	Age     time.Duration `json:"age_ns"` // from Ended to the sending, monotonic
	Figures wireFigures   `json:"figures"`

	Findings []wireFinding `json:"findings,omitempty"`

	Control       prober.Control `json:"control"`
	ControlDetail string         `json:"control_detail,omitempty"`
	Host          *wireHost      `json:"host,omitempty"`
	Spending      wireSpending   `json:"spending,omitzero"`
	Dropped       uint64         `json:"dropped"`
}

type wireFigures struct {
	Stages           []wireStage   `json:"stages,omitempty"`
	TTFF             time.Duration `json:"ttff_ns,omitempty"`
	LatencyFirst     time.Duration `json:"latency_first_ns,omitempty"`
	LatencyLast      time.Duration `json:"latency_last_ns,omitempty"`
	BytesSent        int64         `json:"bytes_sent,omitempty"`
	BytesReceived    int64         `json:"bytes_received,omitempty"`
	SendStall        time.Duration `json:"send_stall_ns,omitempty"`
	Interruptions    int           `json:"interruptions,omitempty"`
	InterruptionTime time.Duration `json:"interruption_time_ns,omitempty"`
	LatencyBy        prober.Means  `json:"latency_by,omitempty"`
	Proof            prober.Means  `json:"proof,omitempty"`
	SendQueue        int64         `json:"send_queue,omitempty"`
	Viewing          wireViewing   `json:"viewing,omitzero"`
	HTTP             wireHTTP      `json:"http,omitzero"`
	PartLatency      time.Duration `json:"part_latency_ns,omitempty"`
	Skipped          int           `json:"skipped,omitempty"`
	Missed           int           `json:"missed,omitempty"`
	Recovered        int           `json:"recovered,omitempty"`

	Renditions []wireRendition `json:"renditions,omitempty"`
}

type wireViewing struct {
	Startup      time.Duration `json:"startup_ns,omitempty"`
	Watched      time.Duration `json:"watched_ns,omitempty"`
	Rebuffers    int           `json:"rebuffers,omitempty"`
	RebufferTime time.Duration `json:"rebuffer_time_ns,omitempty"`
	Latency      time.Duration `json:"latency_ns,omitempty"`
	Drift        time.Duration `json:"drift_ns,omitempty"`
	Buffer       time.Duration `json:"buffer_ns,omitempty"`
}

type wireHTTP struct {
	Resolve   time.Duration `json:"resolve_ns,omitempty"`
	Connect   time.Duration `json:"connect_ns,omitempty"`
	TLS       time.Duration `json:"tls_ns,omitempty"`
	FirstByte time.Duration `json:"first_byte_ns,omitempty"`
	Body      time.Duration `json:"body_ns,omitempty"`
	Protocol  string        `json:"protocol,omitempty"`
	Redirects int           `json:"redirects,omitempty"`
	Cache     string        `json:"cache,omitempty"`
	Age       time.Duration `json:"age_ns,omitempty"`
	Encoding  string        `json:"encoding,omitempty"`
}

type wireFinding struct {
	Rule     string          `json:"rule,omitempty"`
	Section  string          `json:"section,omitempty"`
	Severity prober.Severity `json:"severity"`
	Stage    prober.Stage    `json:"stage"`
	Reason   prober.Reason   `json:"reason"`
	Where    string          `json:"where,omitempty"`
	Detail   string          `json:"detail,omitempty"`
	Count    int             `json:"count"`
}

type wireHost struct {
	CPU         float64        `json:"cpu"`
	ClockOffset time.Duration  `json:"clock_offset_ns,omitempty"`
	ClockKnown  bool           `json:"clock_known,omitempty"`
	Loss        float64        `json:"loss"`
	Reference   prober.Control `json:"reference,omitempty"`

	ReferenceDetail string `json:"reference_detail,omitempty"`
}

type wireSpending struct {
	LastHour int64  `json:"last_hour,omitempty"` // bytes
	Limit    int64  `json:"limit,omitempty"`     // bytes an hour
	Thinned  uint64 `json:"thinned,omitempty"`
}

type wireStage struct {
	Stage    prober.Stage  `json:"stage"`
	Duration time.Duration `json:"ns"`
}

// Encode writes r in the wire form. A detail that is too long or no text is cut
// and cleaned; findings beyond prober.MaxFindings and renditions beyond
// prober.MaxRenditions are left out, and where it is longer than MaxResultSize the
// last of the renditions and then of the findings. Whatever else breaks a rule
// of Check is an error, and a defect of the prober that made the result.
func Encode(r prober.Result) ([]byte, error) {
	r.Detail = prober.Clip(r.Detail, prober.MaxDetail)
	r.ControlDetail = prober.Clip(r.ControlDetail, prober.MaxDetail)
	r.Host.ReferenceDetail = prober.Clip(r.Host.ReferenceDetail, prober.MaxDetail)
	r.Findings = slices.Clone(r.Findings[:min(len(r.Findings), prober.MaxFindings)])
	for i := range r.Findings {
		f := &r.Findings[i]
		f.Where, f.Detail = prober.Clip(f.Where, maxWhereSize), prober.Clip(f.Detail, prober.MaxDetail)
	}
	r.Figures.Renditions = sentRenditions(r.Figures.Renditions)
	if err := Check(r); err != nil {
		return nil, fmt.Errorf("encode result %q: %w", r.ID, err)
	}
	b, err := json.Marshal(toWire(r))
	// JSON makes six bytes of one where a server's words hold control characters.
	for ; err == nil && len(b) > MaxResultSize && len(r.Figures.Renditions)+len(r.Findings) > 0; b, err = json.Marshal(toWire(r)) {
		if n := len(r.Figures.Renditions); n > 0 {
			r.Figures.Renditions = r.Figures.Renditions[:n-1]
		} else {
			r.Findings = r.Findings[:len(r.Findings)-1]
		}
	}
	if err != nil {
		return nil, fmt.Errorf("encode result %q: %w", r.ID, err)
	}
	if len(b) > MaxResultSize {
		return nil, fmt.Errorf("encode result %q: %d bytes, at most %d can be sent", r.ID, len(b), MaxResultSize)
	}
	return b, nil
}

// Decode reads what Encode writes, and takes nothing that Encode would not
// have written but for unknown fields (see Version).
func Decode(b []byte) (prober.Result, error) {
	if len(b) > MaxResultSize {
		return prober.Result{}, fmt.Errorf("decode result: %d bytes, at most %d are taken", len(b), MaxResultSize)
	}
	if !utf8.Valid(b) {
		return prober.Result{}, errors.New("decode result: not UTF-8")
	}
	var version struct {
		Version *int `json:"version"`
	}
	if err := json.Unmarshal(b, &version); err != nil {
		return prober.Result{}, fmt.Errorf("decode result: %w", err)
	}
	if version.Version == nil {
		return prober.Result{}, fmt.Errorf("decode result: %w: it names none", ErrVersion)
	}
	if *version.Version != Version {
		return prober.Result{}, fmt.Errorf("decode result: %w: it has %d, known is %d; upgrade the hub before its agents", ErrVersion, *version.Version, Version)
	}
	var w wireResult
	if err := json.Unmarshal(b, &w); err != nil {
		return prober.Result{}, fmt.Errorf("decode result: %w", err)
	}
	r := fromWire(w)
	if err := Check(r); err != nil {
		return prober.Result{}, fmt.Errorf("decode result %q: %w", r.ID, err)
	}
	return r, nil
}

func toWire(r prober.Result) wireResult {
	f := r.Figures
	w := wireResult{
		Version: Version,
		ID:      r.ID, Agent: r.Agent, Site: r.Site, Boot: r.Boot, Seq: r.Seq,
		Kind: r.Kind, Target: r.Target, Ingest: r.Ingest, Playback: r.Playback, Pusher: r.Pusher,
		Run: r.Run, Round: r.Round, RoundOf: r.RoundOf,
		Outcome: r.Outcome, Stage: r.Stage, Reason: r.Reason, Detail: r.Detail,
		Started: r.Started.UTC(), Ended: r.Ended.UTC(), Age: r.Age,
		Figures: wireFigures{
			TTFF: f.TTFF, LatencyFirst: f.LatencyFirst, LatencyLast: f.LatencyLast,
			BytesSent: f.BytesSent, BytesReceived: f.BytesReceived, SendStall: f.SendStall,
			Interruptions: f.Interruptions, InterruptionTime: f.InterruptionTime,
			LatencyBy: f.LatencyBy, Proof: f.Proof, SendQueue: f.SendQueue,
			Viewing: wireViewing(f.Viewing), HTTP: wireHTTP(f.HTTP),
			PartLatency: f.PartLatency, Skipped: f.Skipped, Missed: f.Missed, Recovered: f.Recovered,
		},
		Control: r.Control, ControlDetail: r.ControlDetail, Spending: wireSpending(r.Spending), Dropped: r.Dropped,
	}
	for _, s := range f.Stages {
		w.Figures.Stages = append(w.Figures.Stages, wireStage(s))
	}
	for _, r := range f.Renditions {
		w.Figures.Renditions = append(w.Figures.Renditions, toWireRendition(r))
	}
	for _, f := range r.Findings {
		w.Findings = append(w.Findings, wireFinding(f))
	}
	if h := wireHost(r.Host); h != (wireHost{}) {
		w.Host = &h
	}
	return w
}

func fromWire(w wireResult) prober.Result {
	f := w.Figures
	r := prober.Result{
		ID: w.ID, Agent: w.Agent, Site: w.Site, Boot: w.Boot, Seq: w.Seq,
		Kind: w.Kind, Target: w.Target, Ingest: w.Ingest, Playback: w.Playback, Pusher: w.Pusher,
		Run: w.Run, Round: w.Round, RoundOf: w.RoundOf,
		Outcome: w.Outcome, Stage: w.Stage, Reason: w.Reason, Detail: w.Detail,
		Started: w.Started.UTC(), Ended: w.Ended.UTC(), Age: w.Age,
		Figures: prober.Figures{
			TTFF: f.TTFF, LatencyFirst: f.LatencyFirst, LatencyLast: f.LatencyLast,
			BytesSent: f.BytesSent, BytesReceived: f.BytesReceived, SendStall: f.SendStall,
			Interruptions: f.Interruptions, InterruptionTime: f.InterruptionTime,
			LatencyBy: f.LatencyBy, Proof: f.Proof, SendQueue: f.SendQueue,
			Viewing: prober.Viewing(f.Viewing), HTTP: prober.HTTPTimes(f.HTTP),
			PartLatency: f.PartLatency, Skipped: f.Skipped, Missed: f.Missed, Recovered: f.Recovered,
		},
		Control: w.Control, ControlDetail: w.ControlDetail, Spending: prober.Spending(w.Spending), Dropped: w.Dropped,
	}
	for _, s := range f.Stages {
		r.Figures.Stages = append(r.Figures.Stages, prober.StageTime(s))
	}
	for _, f := range f.Renditions {
		r.Figures.Renditions = append(r.Figures.Renditions, fromWireRendition(f))
	}
	for _, f := range w.Findings {
		r.Findings = append(r.Findings, prober.Finding(f))
	}
	if w.Host != nil {
		r.Host = prober.Host(*w.Host)
	}
	return r
}

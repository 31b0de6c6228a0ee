package main

import (
	"encoding/json"
	"fmt"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/summary"
)

// probeReport is one result as --json gives it. Durations are in milliseconds.
type probeReport struct {
	At           time.Time          `json:"at"`
	Kind         prober.Kind        `json:"kind"`
	Side         string             `json:"side"` // push or pull
	Outcome      prober.Outcome     `json:"outcome"`
	Stage        prober.Stage       `json:"stage,omitempty"`
	Reason       prober.Reason      `json:"reason,omitempty"`
	Detail       string             `json:"detail,omitempty"`
	Run          string             `json:"run"`
	Stages       map[string]float64 `json:"stages_ms"`
	TTFF         float64            `json:"ttff_ms,omitempty"`
	LatencyFirst float64            `json:"latency_first_ms,omitempty"`
	LatencyLast  float64            `json:"latency_last_ms,omitempty"`
	Sent         int64              `json:"bytes_sent,omitempty"`
	Received     int64              `json:"bytes_received,omitempty"`
	Stall        float64            `json:"send_stall_ms,omitempty"`
	Interrupted  int                `json:"interruptions,omitempty"`
	Interruption float64            `json:"interruption_ms,omitempty"`
	Queue        int64              `json:"send_queue_bytes,omitempty"`
	LatencyBy    prober.Means       `json:"latency_by,omitempty"`
	Proof        prober.Means       `json:"proof,omitempty"` // none: not proven
	Findings     []probeFinding     `json:"findings,omitempty"`
	Viewing      *probeViewing      `json:"viewing,omitempty"`
	HTTP         *probeHTTP         `json:"http,omitempty"`
	PartLatency  float64            `json:"part_latency_ms,omitempty"`
	Skipped      int                `json:"skipped,omitempty"`
	Missed       int                `json:"missed,omitempty"`
	Recovered    int                `json:"recovered,omitempty"`
	Renditions   []probeRendition   `json:"renditions,omitempty"`
}

func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

func (v *probeView) json(r prober.Result) {
	report := probeReport{
		At: r.Ended.UTC(), Kind: r.Kind, Side: string(summary.SideOf(r)), Outcome: r.Outcome, Stage: r.Stage, Reason: r.Reason, Detail: r.Detail, Run: r.Run,
		Stages: map[string]float64{}, TTFF: ms(r.Figures.TTFF), LatencyFirst: ms(r.Figures.LatencyFirst), LatencyLast: ms(r.Figures.LatencyLast),
		Sent: r.Figures.BytesSent, Received: r.Figures.BytesReceived, Stall: ms(r.Figures.SendStall),
		Interrupted: r.Figures.Interruptions, Interruption: ms(r.Figures.InterruptionTime),
		Queue: r.Figures.SendQueue, LatencyBy: r.Figures.LatencyBy, Proof: r.Figures.Proof,
		Findings: findingsOf(r.Findings), Viewing: viewingOf(r.Figures.Viewing), HTTP: httpOf(r.Figures.HTTP),
		PartLatency: ms(r.Figures.PartLatency), Skipped: r.Figures.Skipped, Missed: r.Figures.Missed, Recovered: r.Figures.Recovered,
		Renditions: renditionsOf(r.Figures.Renditions),
	}
	for _, s := range r.Figures.Stages {
		report.Stages[string(s.Stage)] += ms(s.Duration)
	}
	if b, err := json.Marshal(report); err == nil {
		_, _ = fmt.Fprintln(v.w, string(b))
	}
}

// probeFinding is one rule that was seen broken, as --json gives it.
type probeFinding struct {
	Rule     string          `json:"rule,omitempty"`
	Section  string          `json:"section,omitempty"`
	Severity prober.Severity `json:"severity"`
	Stage    prober.Stage    `json:"stage"`
	Reason   prober.Reason   `json:"reason"`
	Where    string          `json:"where,omitempty"`
	Detail   string          `json:"detail,omitempty"`
	Count    int             `json:"count"`
}

// probeViewing is what a viewer would have felt in the round, as --json gives it.
type probeViewing struct {
	Startup   float64 `json:"startup_ms"`
	Watched   float64 `json:"watched_ms"`
	Rebuffers int     `json:"rebuffers"`
	Rebuffer  float64 `json:"rebuffer_ms"`
	Ratio     float64 `json:"rebuffer_ratio"` // 0 to 1
	Latency   float64 `json:"latency_ms"`
	Drift     float64 `json:"drift_ms"`
	Buffer    float64 `json:"buffer_ms"`
}

// probeHTTP is the latest download of a segment, as --json gives it.
type probeHTTP struct {
	Protocol  string  `json:"protocol"`
	Resolve   float64 `json:"resolve_ms"`
	Connect   float64 `json:"connect_ms"`
	TLS       float64 `json:"tls_ms"`
	FirstByte float64 `json:"first_byte_ms"`
	Body      float64 `json:"body_ms"`
	Redirects int     `json:"redirects"`
	Cache     string  `json:"cache,omitempty"`
	Age       float64 `json:"age_ms,omitempty"`
	Encoding  string  `json:"encoding,omitempty"`
}

func findingsOf(found []prober.Finding) []probeFinding {
	var told []probeFinding
	for _, f := range found {
		told = append(told, probeFinding{f.Rule, f.Section, f.Severity, f.Stage, f.Reason, f.Where, f.Detail, f.Count})
	}
	return told
}

// viewingOf is nil when no player ran.
func viewingOf(v prober.Viewing) *probeViewing {
	if v == (prober.Viewing{}) {
		return nil
	}
	return &probeViewing{ms(v.Startup), ms(v.Watched), v.Rebuffers, ms(v.RebufferTime), v.RebufferRatio(), ms(v.Latency), ms(v.Drift), ms(v.Buffer)}
}

// httpOf is nil when nothing was downloaded.
func httpOf(h prober.HTTPTimes) *probeHTTP {
	if h == (prober.HTTPTimes{}) {
		return nil
	}
	return &probeHTTP{h.Protocol, ms(h.Resolve), ms(h.Connect), ms(h.TLS), ms(h.FirstByte), ms(h.Body), h.Redirects, h.Cache, ms(h.Age), h.Encoding}
}

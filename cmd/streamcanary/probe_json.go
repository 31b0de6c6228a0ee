package main

import "streamcanary/prober"

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

// findingsOf tells findings without the ingest's key.
func findingsOf(found []prober.Finding, conceal func(string) string) []probeFinding {
	var told []probeFinding
	for _, f := range found {
		told = append(told, probeFinding{f.Rule, f.Section, f.Severity, f.Stage, f.Reason, conceal(f.Where), conceal(f.Detail), f.Count})
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

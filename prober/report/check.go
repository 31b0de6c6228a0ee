package report

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"streamcanary/prober"
)

// Check says what keeps r from being sent: ids of printable ASCII without
// spaces and at most 128 bytes; an agent that is a token of a NATS subject;
// known kind, outcome, stage, reason and control; a reason unless it passed and
// a stage unless it is inconclusive, neither when it passed; times between
// 1970 and 2200; nothing negative.
func Check(r prober.Result) error {
	return cmp.Or(
		CheckAgent(r.Agent),
		checkNames(r),
		checkCounts(r),
		checkVerdict(r),
		checkTimes(r),
		checkFigures(r.Figures),
		checkFindings(r.Findings),
		checkHost(r.Host),
		checkSpending(r.Spending),
		checkDetail("detail", r.Detail),
		checkDetail("control_detail", r.ControlDetail),
		checkDetail("host.reference_detail", r.Host.ReferenceDetail),
	)
}

// CheckAgent says what keeps an agent's id from being a token of a subject:
// it has 1 to 64 characters of A-Z, a-z, 0-9, "-" and "_".
func CheckAgent(id string) error {
	if id == "" || len(id) > maxAgentSize {
		return fmt.Errorf("agent: %d characters, want 1 to %d", len(id), maxAgentSize)
	}
	for _, c := range []byte(id) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return fmt.Errorf("agent: character %q, want only letters, digits, - and _", c)
		}
	}
	return nil
}

func checkNames(r prober.Result) error {
	for _, f := range []struct {
		name, value string
		required    bool
	}{
		{"id", r.ID, true}, {"site", r.Site, true}, {"boot", r.Boot, true}, {"target", r.Target, true},
		{"ingest", r.Ingest, false}, {"playback", r.Playback, false}, {"pusher", r.Pusher, false},
		{"run", r.Run, false}, {"round", r.Round, false},
	} {
		if f.required && f.value == "" {
			return fmt.Errorf("%s: missing", f.name)
		}
		if len(f.value) > maxNameSize {
			return fmt.Errorf("%s: %d bytes, at most %d", f.name, len(f.value), maxNameSize)
		}
		for _, c := range []byte(f.value) {
			if c <= ' ' || c > '~' {
				return fmt.Errorf("%s: byte %#02x, want printable ASCII without spaces", f.name, c)
			}
		}
	}
	return nil
}

func checkCounts(r prober.Result) error {
	if r.Seq == 0 {
		return errors.New("seq: 0, want 1 or more")
	}
	if r.RoundOf < 0 {
		return fmt.Errorf("round_of: %d, want 0 or more", r.RoundOf)
	}
	return nil
}

func checkVerdict(r prober.Result) error {
	if !slices.Contains(prober.Kinds(), r.Kind) {
		return fmt.Errorf("kind: %s is not known", quote(r.Kind))
	}
	switch r.Control {
	case prober.ControlPass, prober.ControlFail, prober.ControlUnknown:
	default:
		return fmt.Errorf("control: %s is not known", quote(r.Control))
	}
	if r.Stage != "" && !slices.Contains(prober.Stages(), r.Stage) {
		return fmt.Errorf("stage: %s is not known", quote(r.Stage))
	}
	if r.Reason != "" && !slices.Contains(prober.Reasons(), r.Reason) {
		return fmt.Errorf("reason: %s is not known", quote(r.Reason))
	}
	switch r.Outcome {
	case prober.Pass:
		if r.Stage != "" || r.Reason != "" {
			return fmt.Errorf("outcome: pass with stage %q and reason %q, want neither", r.Stage, r.Reason)
		}
	case prober.Fail, prober.Degraded:
		if r.Stage == "" || r.Reason == "" {
			return fmt.Errorf("outcome: %s with stage %q and reason %q, want both", r.Outcome, r.Stage, r.Reason)
		}
	case prober.Inconclusive:
		if r.Reason == "" {
			return errors.New("outcome: inconclusive without a reason")
		}
	default:
		return fmt.Errorf("outcome: %s is not known", quote(r.Outcome))
	}
	return nil
}

func checkTimes(r prober.Result) error {
	if err := checkTime("started", r.Started); err != nil {
		return err
	}
	if err := checkTime("ended", r.Ended); err != nil {
		return err
	}
	if r.Age < 0 {
		return fmt.Errorf("age_ns: %d, want 0 or more", r.Age)
	}
	return nil
}

func checkTime(name string, t time.Time) error {
	if t.IsZero() {
		return fmt.Errorf("%s: missing", name)
	}
	if y := t.UTC().Year(); y < 1970 || y > 2200 {
		return fmt.Errorf("%s: year %d, want 1970 to 2200", name, y)
	}
	return nil
}

func checkFigures(f prober.Figures) error {
	if len(f.Stages) > maxStageTimes {
		return fmt.Errorf("figures.stages: %d, at most %d", len(f.Stages), maxStageTimes)
	}
	for _, s := range f.Stages {
		if !slices.Contains(prober.Stages(), s.Stage) {
			return fmt.Errorf("figures.stages: %s is not known", quote(s.Stage))
		}
		if s.Duration < 0 {
			return fmt.Errorf("figures.stages: %s took %v, want 0 or more", s.Stage, s.Duration)
		}
	}
	// The two latencies compare two machines' clocks, so they may be negative.
	if err := checkCount(
		int64(f.TTFF), f.BytesSent, f.BytesReceived, int64(f.SendStall), f.SendQueue, int64(f.Interruptions), int64(f.InterruptionTime),
		int64(f.Viewing.Startup), int64(f.Viewing.Watched), int64(f.Viewing.Rebuffers), int64(f.Viewing.RebufferTime), int64(f.Viewing.Buffer),
		int64(f.HTTP.Resolve), int64(f.HTTP.Connect), int64(f.HTTP.TLS), int64(f.HTTP.FirstByte), int64(f.HTTP.Body),
		int64(f.HTTP.Redirects), int64(f.HTTP.Age), int64(f.Skipped), int64(f.Missed), int64(f.Recovered),
	); err != nil {
		return fmt.Errorf("figures: %w", err)
	}
	return cmp.Or(
		checkMeans(f.LatencyBy, f.Proof),
		checkRenditions(f.Renditions),
		checkWord("figures.http.protocol", f.HTTP.Protocol),
		checkWord("figures.http.cache", f.HTTP.Cache),
		checkWord("figures.http.encoding", f.HTTP.Encoding),
	)
}

// checkCount wants what is counted, or lasts, to be no less than nothing.
func checkCount(values ...int64) error {
	for _, v := range values {
		if v < 0 {
			return fmt.Errorf("%d, want 0 or more", v)
		}
	}
	return nil
}

func checkMeans(latencyBy, proof prober.Means) error {
	for _, m := range []prober.Means{latencyBy, proof} {
		if m != "" && !slices.Contains(prober.AllMeans(), m) {
			return fmt.Errorf("figures: means %s is not known", quote(m))
		}
	}
	if proof == prober.MeansTimestamps {
		return errors.New("figures.proof: timestamps prove nothing")
	}
	return nil
}

// checkWord bounds a short text of a server's that goes with the figures.
func checkWord(name, s string) error {
	if len(s) > maxWordSize || strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return fmt.Errorf("%s: %s, want at most %d characters of printable ASCII without spaces", name, quote(s), maxWordSize)
	}
	return nil
}

func checkFindings(findings []prober.Finding) error {
	if len(findings) > prober.MaxFindings {
		return fmt.Errorf("findings: %d, at most %d", len(findings), prober.MaxFindings)
	}
	for _, f := range findings {
		switch {
		case !slices.Contains(prober.Severities(), f.Severity):
			return fmt.Errorf("findings: severity %s is not known", quote(f.Severity))
		case !slices.Contains(prober.Stages(), f.Stage):
			return fmt.Errorf("findings: stage %s is not known", quote(f.Stage))
		case !slices.Contains(prober.Reasons(), f.Reason):
			return fmt.Errorf("findings: reason %s is not known", quote(f.Reason))
		case f.Count < 1:
			return fmt.Errorf("findings: count %d, want 1 or more", f.Count)
		case max(len(f.Rule), len(f.Section), len(f.Where)) > maxWhereSize:
			return fmt.Errorf("findings: rule, section and where have at most %d bytes", maxWhereSize)
		}
		if err := cmp.Or(checkDetail("findings.rule", f.Rule), checkDetail("findings.section", f.Section), checkDetail("findings.where", f.Where), checkDetail("findings.detail", f.Detail)); err != nil {
			return err
		}
	}
	return nil
}

func checkHost(h prober.Host) error {
	if !(h.CPU <= 1 && h.CPU >= -1) || !(h.Loss <= 1 && h.Loss >= -1) {
		return fmt.Errorf("host: cpu %v and loss %v, want shares up to 1", h.CPU, h.Loss)
	}
	switch h.Reference {
	case "", prober.ControlPass, prober.ControlFail, prober.ControlUnknown:
		return nil
	}
	return fmt.Errorf("host.reference: %s is not known", quote(h.Reference))
}

func checkSpending(s prober.Spending) error {
	if s.LastHour < 0 || s.Limit < 0 {
		return fmt.Errorf("spending: %d of %d bytes, want 0 or more", s.LastHour, s.Limit)
	}
	return nil
}

func checkDetail(name, s string) error {
	if len(s) > prober.MaxDetail {
		return fmt.Errorf("%s: %d bytes, at most %d", name, len(s), prober.MaxDetail)
	}
	if !utf8.ValidString(s) {
		return fmt.Errorf("%s: not UTF-8", name)
	}
	return nil
}

// quote shows a word that came from outside, cut to a length that fits a log.
func quote[S ~string](s S) string {
	if len(s) > 40 {
		return fmt.Sprintf("%q...", string(s[:40]))
	}
	return fmt.Sprintf("%q", string(s))
}

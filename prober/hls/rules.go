package hls

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
)

// DefaultStaleTolerance is what a new segment may be late beyond 1.5 target
// durations before a playlist counts as stale.
const DefaultStaleTolerance = time.Second

// SeverityOff in Rules.Severity leaves a rule's findings out.
const SeverityOff prober.Severity = "off"

// Rule is one thing that is checked of a stream.
type Rule struct {
	ID       string          // short and stable: configuration sets severities by it
	Section  string          // of rfc8216bis
	Severity prober.Severity // unless configured
	Stage    prober.Stage
	Reason   prober.Reason
	Help     string // one line
}

// Rules are the settings of Analyze. The zero value has the defaults: a live
// broadcast that is up, judged by rfc8216bis.
type Rules struct {
	StaleTolerance time.Duration // 0 is DefaultStaleTolerance; negative is none
	// Severity overrides the severity of rules, by ID or by section ("6.2.1"). An ID
	// goes before a section. SeverityOff leaves the rule out.
	Severity map[string]prober.Severity
}

// Check says what is wrong with the settings.
func (r Rules) Check() error {
	for _, key := range slices.Sorted(maps.Keys(r.Severity)) {
		s := r.Severity[key]
		if s != SeverityOff && !slices.Contains(prober.Severities(), s) {
			return fmt.Errorf("severity of %s: %q, want fail, degraded, note or off", key, s)
		}
		known := func(a Rule) bool { return a.ID == key || a.Section == key }
		if !slices.ContainsFunc(AllRules(), known) {
			return fmt.Errorf("severity of %q: no such rule or section; the rules are %s", key, strings.Join(ruleIDs(), ", "))
		}
	}
	return nil
}

func ruleIDs() []string {
	var ids []string
	for _, a := range AllRules() {
		ids = append(ids, a.ID)
	}
	return ids
}

// severity is how much a rule counts, or SeverityOff.
func (r Rules) severity(a Rule) prober.Severity {
	for _, key := range []string{a.ID, a.Section} {
		if s, ok := r.Severity[key]; ok {
			return s
		}
	}
	return a.Severity
}

// staleAfter is the longest time between two updates (6.2.1), tolerance included.
func (r Rules) staleAfter(target time.Duration) time.Duration {
	tolerance := r.StaleTolerance
	if tolerance == 0 {
		tolerance = DefaultStaleTolerance
	}
	return target*3/2 + max(tolerance, 0)
}

// findings collects what breaks rules.
type findings struct {
	rules Rules
	where string // of all of them, unless told
	list  []prober.Finding
}

// add records that a rule is broken. Once per rule and place: more of the same
// are counted, and the first evidence stays.
func (f *findings) add(id, format string, args ...any) { f.at(f.where, id, format, args...) }

func (f *findings) at(where, id, format string, args ...any) {
	for i := range f.list {
		if g := &f.list[i]; g.Rule == id && g.Where == where {
			g.Count++
			return
		}
	}
	for _, a := range AllRules() {
		if a.ID != id {
			continue
		}
		if severity := f.rules.severity(a); severity != SeverityOff {
			f.list = append(f.list, prober.Finding{
				Rule: a.ID, Section: a.Section, Severity: severity, Stage: a.Stage, Reason: a.Reason,
				Where: where, Detail: prober.Clip(fmt.Sprintf(format, args...), prober.MaxDetail), Count: 1,
			})
		}
		return
	}
}

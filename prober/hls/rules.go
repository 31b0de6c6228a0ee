package hls

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/media"
)

// DefaultStaleTolerance is what a new segment may be late beyond 1.5 target
// durations before a playlist counts as stale.
const DefaultStaleTolerance = time.Second

// SeverityOff in Rules.Severity leaves a rule's findings out.
const SeverityOff prober.Severity = "off"

// Expect is the kind of presentation that a playlist has to be.
type Expect = prober.Expect

// The kinds, see package prober.
const (
	ExpectLive  = prober.ExpectLive
	ExpectEvent = prober.ExpectEvent
	ExpectVOD   = prober.ExpectVOD
	ExpectAny   = prober.ExpectAny
)

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
	// Expect is what kind of presentation it has to be.
	Expect Expect
	// StaleTolerance is what may be late: 0 is DefaultStaleTolerance; negative is none.
	StaleTolerance time.Duration
	// BitrateTolerance is the share by which a measured bitrate may exceed what is
	// declared: 0 is 0.1; negative is none.
	BitrateTolerance float64
	// RFC8216 judges by RFC 8216 of 2017 where rfc8216bis differs: how long a segment
	// has to be there after it was removed from a live playlist.
	RFC8216 bool
	// Severity overrides the severity of findings, by the ID of a rule, its section
	// ("6.2.1") or its reason, in this order. SeverityOff leaves them out.
	Severity map[string]prober.Severity
}

// Check says what is wrong with the settings.
func (r Rules) Check() error {
	if !slices.Contains([]Expect{ExpectLive, ExpectEvent, ExpectVOD, ExpectAny}, r.Expect) {
		return fmt.Errorf("expect: %q, want event, vod, any or nothing", r.Expect)
	}
	for _, key := range slices.Sorted(maps.Keys(r.Severity)) {
		s := r.Severity[key]
		if s != SeverityOff && !slices.Contains(prober.Severities(), s) {
			return fmt.Errorf("severity of %s: %q, want fail, degraded, note or off", key, s)
		}
		known := func(a Rule) bool { return a.ID == key || a.Section == key }
		if !slices.ContainsFunc(AllRules(), known) && !slices.Contains(otherSections(), key) && !slices.Contains(prober.Reasons(), prober.Reason(key)) {
			return fmt.Errorf("severity of %q: no such rule, section or reason; the rules are %s", key, strings.Join(ruleIDs(), ", "))
		}
	}
	return nil
}

// otherSections are those of findings that no rule here makes: of what cannot be
// read, of the media, and of the ladder. Without the name of the document, as Grade compares them.
func otherSections() []string {
	sections := append(failureSections(), ladderSection)
	sections = append(sections, media.Sections()...)
	for i, s := range sections {
		sections[i] = s[strings.LastIndexByte(s, ' ')+1:]
	}
	return sections
}

func ruleIDs() []string {
	var ids []string
	for _, a := range AllRules() {
		ids = append(ids, a.ID)
	}
	return ids
}

// severity is how much a finding counts, or SeverityOff.
func (r Rules) severity(id, section string, reason prober.Reason, otherwise prober.Severity) prober.Severity {
	if len(r.Severity) == 0 {
		return otherwise
	}
	for _, key := range []string{id, section, string(reason)} {
		if s, ok := r.Severity[key]; ok && key != "" {
			return s
		}
	}
	return otherwise
}

// Grade gives findings of others, such as media.Checker's, the severities that
// are configured.
func (r Rules) Grade(list []prober.Finding) []prober.Finding {
	graded := make([]prober.Finding, 0, len(list))
	for _, f := range list {
		section := f.Section[strings.LastIndexByte(f.Section, ' ')+1:] // without the name of the document
		if f.Severity = r.severity(f.Rule, section, f.Reason, f.Severity); f.Severity != SeverityOff {
			graded = append(graded, f)
		}
	}
	return graded
}

// condition gives what is wrong outside of all rules the severity that its section or
// reason is configured with. Nil is what is a note, or off: it is no condition then.
func (r Rules) condition(fail *prober.Failure) *prober.Failure {
	if fail == nil {
		return nil
	}
	otherwise := prober.SeverityFail
	switch fail.Outcome {
	case prober.Fail:
	case prober.Degraded:
		otherwise = prober.SeverityDegraded
	default:
		return fail
	}
	graded := *fail
	switch r.severity("", fail.Section[strings.LastIndexByte(fail.Section, ' ')+1:], fail.Reason, otherwise) {
	case prober.SeverityFail:
		graded.Outcome = prober.Fail
	case prober.SeverityDegraded:
		graded.Outcome = prober.Degraded
	default:
		return nil
	}
	return &graded
}

// lasting is condition of what leaves nothing to show that a broadcast is up. Where
// its reason is a note, or off, it is degraded: no evidence is never good.
func (r Rules) lasting(fail *prober.Failure) *prober.Failure {
	if graded := r.condition(fail); graded != nil || fail == nil {
		return graded
	}
	milder := *fail
	milder.Outcome = prober.Degraded
	return &milder
}

func (r Rules) bitrateTolerance() float64 {
	if r.BitrateTolerance == 0 {
		return 0.1
	}
	return max(r.BitrateTolerance, 0)
}

// staleAfter is the longest time between two updates (6.2.1), tolerance included.
func (r Rules) staleAfter(target time.Duration) time.Duration {
	return target*3/2 + r.tolerance()
}

func (r Rules) tolerance() time.Duration {
	if r.StaleTolerance == 0 {
		return DefaultStaleTolerance
	}
	return max(r.StaleTolerance, 0)
}

// findings collects what breaks rules.
type findings struct {
	rules Rules
	where string // of all of them, unless told
	list  []prober.Finding
	off   map[string]bool // rules that are left out
}

// count adds what the scan found.
func (f *findings) count(broken fault) {
	before := len(f.list)
	f.add(broken.rule, "%s", broken.detail)
	if len(f.list) > before {
		f.list[before].Count = broken.count
	}
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
	if f.off[id] {
		return
	}
	all := AllRules()
	a := all[slices.IndexFunc(all, func(a Rule) bool { return a.ID == id })]
	severity := f.rules.severity(a.ID, a.Section, a.Reason, a.Severity)
	if severity == SeverityOff {
		if f.off == nil {
			f.off = make(map[string]bool)
		}
		f.off[id] = true
		return
	}
	f.list = append(f.list, prober.Finding{
		Rule: a.ID, Section: a.Section, Severity: severity, Stage: a.Stage, Reason: a.Reason,
		Where: where, Detail: prober.Clip(fmt.Sprintf(format, args...), prober.MaxDetail), Count: 1,
	})
}

package prober

import "slices"

// Severity is how much a finding counts.
type Severity string

// The severities.
const (
	SeverityFail     Severity = "fail"     // viewers are, or will be, without pictures or sound
	SeverityDegraded Severity = "degraded" // it plays, but worse than promised
	SeverityNote     Severity = "note"     // a rule is broken that no viewer feels
)

// Severities lists every severity, the gravest first.
func Severities() []Severity { return []Severity{SeverityFail, SeverityDegraded, SeverityNote} }

// MaxFindings bounds the findings that one result carries.
const MaxFindings = 16

// Finding is one rule that was seen broken, with its evidence.
type Finding struct {
	Rule     string // the rule's short id, by which configuration sets its severity; "" has none
	Section  string // where the rule stands: "6.2.1" of rfc8216bis, or "ISO/IEC 13818-1 2.4.3.3"
	Severity Severity
	Stage    Stage
	Reason   Reason
	Where    string // the rendition, segment or connection, for a person; "" is the whole
	Detail   string // evidence, at most MaxDetail bytes, without secrets
	Count    int    // how often since the last result, from 1
}

// same says whether two findings are of one rule broken at one place.
func (f Finding) same(g Finding) bool {
	return f.Rule == g.Rule && f.Section == g.Section && f.Stage == g.Stage && f.Reason == g.Reason && f.Where == g.Where && f.Severity == g.Severity
}

// AddFindings counts more into list, the gravest first, with the latest evidence of
// each. What is beyond the bound is the least grave.
func AddFindings(list []Finding, bound int, more ...Finding) []Finding {
	for _, f := range more {
		f.Count = max(f.Count, 1)
		at := slices.IndexFunc(list, f.same)
		if at < 0 {
			list = append(list, f)
			continue
		}
		list[at].Count += f.Count
		list[at].Detail = f.Detail
	}
	grave := Severities()
	slices.SortStableFunc(list, func(a, b Finding) int {
		return slices.Index(grave, a.Severity) - slices.Index(grave, b.Severity)
	})
	return list[:min(len(list), bound)]
}

// NewFindings is what counts more in now than before, which is of the same
// broadcast.
func NewFindings(before, now []Finding, bound int) []Finding {
	var list []Finding
	for _, f := range now {
		f.Count = max(f.Count, 1)
		if at := slices.IndexFunc(before, f.same); at >= 0 {
			f.Count -= max(before[at].Count, 1)
		}
		if f.Count > 0 {
			list = AddFindings(list, bound, f)
		}
	}
	return list
}

package prober

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

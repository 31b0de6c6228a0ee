package report

import "strings"

// Names in NATS. They are part of the wire form: agents and hubs of different
// versions meet here.
const (
	StreamName       = "STREAMCANARY"
	AssignmentBucket = "streamcanary_assignments" // key: the agent's id

	subjectResults    = "streamcanary.result." // + agent
	subjectTick       = "streamcanary.tick"
	subjectChange     = "streamcanary.change"
	subjectConfig     = "streamcanary.config"
	subjectCommand    = "streamcanary.command"
	subjectProbeNow   = "streamcanary.probe-now"   // to every agent; outside the stream
	subjectBroadcasts = "streamcanary.broadcasts." // + agent: what it has up; outside the stream
	subjectFleet      = "streamcanary.fleet"       // the same, passed on to every agent
	subjectAssignment = "streamcanary.assignment." // + agent: there is a newer one; outside the stream

	assignmentStream  = "KV_" + AssignmentBucket
	assignmentSubject = "$KV." + AssignmentBucket + "." // + agent
	directGet         = "$JS.API.DIRECT.GET." + assignmentStream + "." + assignmentSubject
	inboxPrefix       = "_INBOX_" // + agent
)

// Kind is what an entry of the journal is.
type Kind string

// The kinds of entry.
const (
	KindResult  Kind = "result"
	KindTick    Kind = "tick"
	KindChange  Kind = "change"
	KindConfig  Kind = "config"
	KindCommand Kind = "command"
)

// parseSubject reads a subject of the stream; the kind is "" for one that this
// version does not know.
func parseSubject(subject string) (kind Kind, agent string) {
	switch subject {
	case subjectTick:
		return KindTick, ""
	case subjectChange:
		return KindChange, ""
	case subjectConfig:
		return KindConfig, ""
	case subjectCommand:
		return KindCommand, ""
	}
	if agent, ok := strings.CutPrefix(subject, subjectResults); ok {
		return KindResult, agent
	}
	return "", ""
}

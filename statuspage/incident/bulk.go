package incident

import (
	"slices"
	"strings"
)

// What one incident may come to: every event has all of it.

const (
	maxUpdates     = 500       // of one incident, beyond which people's are refused
	maxUpdateBytes = 256 << 10 // of its updates as JSON, likewise
	maxAuditBytes  = 64 << 10  // of its audit trail as JSON
	maxAuditValue  = 1000      // of what was before and after in one line of it
)

// full says whether people may say no more of an incident, but for its end and what
// comes once after that: a postmortem, and that it was a false alarm.
func (in *Incident) full() bool {
	return len(in.Updates) >= maxUpdates || bytesOf(in.Updates) >= maxUpdateBytes
}

// long says whether the automation adds no more to an incident, so that room is
// left for what people say.
func (in *Incident) long() bool {
	return len(in.Updates) >= maxUpdates/2 || bytesOf(in.Updates) >= maxUpdateBytes/2
}

func (in *Incident) refuseFull() *refusal {
	what := "resolve it, and open another"
	if !in.ResolvedAt.IsZero() {
		what = "open another"
	}
	return refused(RefusedConflict, "it has %d updates of %d KiB, which is all that is kept of one incident; %s", len(in.Updates), bytesOf(in.Updates)>>10, what)
}

// speaks says whether a command adds an update, and may be refused: what lets an
// incident out, or ends it, always has room.
func (c *Command) speaks() bool {
	switch c.Action {
	case ActionUpdate, ActionStatus, ActionComponents:
		return true
	case ActionResolve, ActionFalseAlarm, ActionRelease, ActionMerge: // a merge is for the other one to refuse
		return false
	default:
		return strings.TrimSpace(c.Message) != ""
	}
}

// thin makes room for an automatic update of a long incident: the newest automatic
// one of the same phase goes, so that its beginning stays, and the last of what it
// goes back and forth between. Every end stays: a person has reopened what follows.
func (in *Incident) thin() {
	if in.Phase == Resolved || !in.long() {
		return
	}
	for i := len(in.Updates) - 1; i > 0; i-- {
		if in.Updates[i].Automatic && in.Updates[i].Phase == in.Phase {
			in.Updates = slices.Delete(in.Updates, i, i+1)
			in.Thinned++
			return
		}
	}
}

// bytesOf is about what updates take in an event, and no less.
func bytesOf(updates []Update) int {
	n := 0
	for _, u := range updates {
		n += 250 + quoted(u.Body)
		for _, a := range u.Affected {
			n += 100 + len(a.Component)
		}
	}
	return n
}

func bytesOfAudit(a Audited) int {
	return 250 + quoted(a.Command) + quoted(a.Who) + quoted(a.Note) + quoted(a.Before) + quoted(a.After)
}

// quoted is what a text may take in JSON: most bytes one, some six.
func quoted(text string) int {
	n := len(text)
	for i := range len(text) {
		switch c := text[i]; {
		case c == '\n', c == '"', c == '\\':
			n++
		case c < ' ', c == '<', c == '>', c == '&', c == 0x7f:
			n += 5
		case c == 0xe2: // of a line separator
			n += 3
		}
	}
	return n
}

package incident

import (
	"encoding/json"
	"math"
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

// full says whether people may say no more of an incident.
func (in *Incident) full() bool {
	return len(in.Updates) >= maxUpdates || jsonBytes(in.Updates) >= maxUpdateBytes
}

// long says whether the automation adds no more to an incident, so that room is
// left for what people say.
func (in *Incident) long() bool {
	return len(in.Updates) >= maxUpdates/2 || jsonBytes(in.Updates) >= maxUpdateBytes/2
}

func (in *Incident) refuseFull() *refusal {
	return refused(RefusedConflict, "it has %d updates of %d KiB, which is all that is kept of one incident; resolve it, and open another", len(in.Updates), jsonBytes(in.Updates)>>10)
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

// jsonBytes is the size of what an event holds.
func jsonBytes(v any) int {
	b, err := json.Marshal(v)
	if err != nil {
		return math.MaxInt
	}
	return len(b)
}

package incident

import (
	"slices"
	"time"
)

// Audited is one line of an audit trail. Internal.
type Audited struct {
	At      time.Time `json:"at"`
	Command string    `json:"command"` // its id
	Who     string    `json:"who"`
	Action  Action    `json:"action"`
	Note    string    `json:"note,omitempty"`
	Before  string    `json:"before,omitempty"`
	After   string    `json:"after,omitempty"`
}

// maxAudit bounds the trail of one incident; then the oldest lines go. All of
// them stay in the journal and in the events.
const maxAudit = 200

func audited(trail []Audited, at time.Time, c Command, before, after string) []Audited {
	trail = append(slices.Clone(trail), Audited{
		At: at, Command: c.ID, Who: c.Who, Action: c.Action, Note: c.Note,
		Before: clip(before, maxAuditValue), After: clip(after, maxAuditValue),
	})
	trail = trail[max(0, len(trail)-maxAudit):]
	for len(trail) > 1 && jsonBytes(trail) > maxAuditBytes {
		trail = trail[1:]
	}
	return trail
}

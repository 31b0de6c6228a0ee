package incident

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// What in a draft of a postmortem is for on-call alone stands between these; a text
// with one of them is not published.
const (
	InternalBegin = "<!-- internal -->"
	InternalEnd   = "<!-- /internal -->"
)

// MaxPostmortem bounds a postmortem, in bytes.
const MaxPostmortem = 30_000

// publishPostmortem puts a person's text beside an incident that is over. Again, it
// replaces the last one.
func (t *turn) publishPostmortem(c Command) *refusal {
	if t.announced(c.Incident) != nil {
		return refused(RefusedConflict, "it is not resolved; a postmortem comes after that")
	}
	in, r := over(c)
	if r != nil {
		return r
	}
	before := "none"
	if in.Postmortem != "" {
		before = fmt.Sprintf("%d bytes of %s", len(in.Postmortem), in.PostmortemAt.Format("2006-01-02 15:04:05 UTC"))
	} else {
		in.Phase = Postmortem
		in.Updates = append(in.Updates, t.update(&in, orElse(c.Message, "The postmortem of this incident has been published.")))
	}
	in.Postmortem, in.PostmortemAt, in.UpdatedAt, in.Withdrawn = c.Postmortem, t.s.At, t.s.At, ""
	in.Audit = audited(in.Audit, t.s.At, c, before, fmt.Sprintf("%d bytes", len(c.Postmortem)))
	t.noted(&in)
	return nil
}

// withdraw takes the postmortem of an incident that is open again from the page: it
// tells of an end that was none. Its text is kept for the next one, which a person
// publishes as ever. It says whether there was one.
func (in *Incident) withdraw() bool {
	if in.Postmortem == "" {
		return false
	}
	in.Withdrawn, in.Postmortem, in.PostmortemAt = in.Postmortem, "", time.Time{}
	return true
}

// checkPostmortem wants text, and none that is for on-call.
func checkPostmortem(text string) *refusal {
	switch {
	case strings.TrimSpace(text) == "":
		return refused(RefusedInvalid, "the postmortem is empty")
	case strings.Contains(text, InternalBegin) || strings.Contains(text, InternalEnd):
		return refused(RefusedInvalid, "the text still has %s or %s: take out what is for on-call alone, the marks too", InternalBegin, InternalEnd)
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }):
		return refused(RefusedInvalid, "postmortem has a control character")
	}
	return nil
}

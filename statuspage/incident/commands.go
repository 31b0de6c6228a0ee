package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Action is what a person wants done.
type Action string

// The actions. All but release, keep, publish without words, and those of maintenances
// freeze the automation of the incident that they touch.
const (
	ActionOpen       Action = "open"        // an incident that no probe has found
	ActionUpdate     Action = "update"      // a message
	ActionStatus     Action = "status"      // Phase
	ActionImpact     Action = "impact"      // Impact
	ActionComponents Action = "components"  // Components
	ActionFreeze     Action = "freeze"      // nothing is said or resolved until it is released
	ActionRelease    Action = "release"     // the automation goes on with what is true now
	ActionResolve    Action = "resolve"     // whatever still fails
	ActionReopen     Action = "reopen"      // a resolved one
	ActionFalseAlarm Action = "false_alarm" // resolves, and says that it was none
	ActionMerge      Action = "merge"       // into another one, in which it goes on
	ActionPublish    Action = "publish"     // what publish: hold withholds
	ActionKeep       Action = "keep"        // that from the page: nobody is asked any more

	ActionPostmortem Action = "postmortem" // publishes one of a resolved incident

	ActionMaintenanceAdd    Action = "maintenance_add"
	ActionMaintenanceCancel Action = "maintenance_cancel" // one that has not begun
	ActionMaintenanceEnd    Action = "maintenance_end"    // one that runs
)

// Command is one thing that a person told the hub to do. What stands in it has
// to be checked: it may come from anywhere.
type Command struct {
	ID          string            `json:"id"` // the same command with the same id does nothing more
	Who         string            `json:"who"`
	Note        string            `json:"note,omitempty"` // internal: why
	Action      Action            `json:"action"`
	Incident    string            `json:"incident,omitempty"` // public id
	Name        string            `json:"name,omitempty"`     // of one that is opened
	Message     string            `json:"message,omitempty"`  // public, plain text
	Phase       Phase             `json:"status,omitempty"`
	Impact      Impact            `json:"impact,omitempty"`
	Components  map[string]Status `json:"components,omitempty"` // by id in the configuration
	Into        string            `json:"into,omitempty"`       // public id of the incident that goes on
	Maintenance string            `json:"maintenance,omitempty"`
	Window      *Window           `json:"window,omitempty"`     // without a start it begins now
	Lasts       time.Duration     `json:"lasts_ns,omitempty"`   // of a window without an end
	Postmortem  string            `json:"postmortem,omitempty"` // public, Markdown

	// Resolved is the incident as it was resolved, for what may be done to one
	// that the state does not hold any more. Whoever writes the journal adds it.
	Resolved *Incident `json:"resolved,omitempty"`
}

// RefusalKind says why a command was not carried out.
type RefusalKind string

// The kinds of refusals.
const (
	RefusedUnknown  RefusalKind = "unknown"  // there is no such incident or maintenance, or none that is open
	RefusedConflict RefusalKind = "conflict" // it is so already, or cannot be done now
	RefusedInvalid  RefusalKind = "invalid"  // a value is wrong
)

// Digest tells commands apart that have the same id: it is of all that a person said.
func (c Command) Digest() string {
	c.ID, c.Resolved = "", nil
	said, _ := json.Marshal(c) // it came as JSON: it cannot fail
	sum := sha256.Sum256(said)
	return hex.EncodeToString(sum[:8])
}

// Outcome is what came of a command. A refusal has its reason, for the person.
type Outcome struct {
	Command string      `json:"command"`          // its id
	Digest  string      `json:"digest,omitempty"` // of the command; "" is of an older version's state
	Action  Action      `json:"action,omitempty"`
	Who     string      `json:"who,omitempty"`
	About   string      `json:"about,omitempty"` // public id of the incident or maintenance
	Refused RefusalKind `json:"refused,omitempty"`
	Reason  string      `json:"reason,omitempty"`
}

// Of says whether it is what came of the command with an id and a digest.
func (o Outcome) Of(id, digest string) bool {
	return o.Command == id && (o.Digest == digest || o.Digest == "")
}

// The bounds of a command, in bytes, and of what the state keeps.
const (
	MaxMessage  = 5000
	MaxNote     = 1000
	MaxName     = 255
	maxID       = 100
	maxOutcomes = 64
	maxOpen     = 50 // incidents, beyond which people open none
)

// refusal is why a command is not carried out; nil is that it was.
type refusal struct {
	kind   RefusalKind
	reason string
}

func refused(kind RefusalKind, format string, a ...any) *refusal {
	return &refusal{kind, fmt.Sprintf(format, a...)}
}

// command carries out what a person wants, or says why not. Nothing is changed
// by one that is refused.
func (t *turn) command(c Command) {
	out := Outcome{Command: c.ID, Digest: c.Digest()}
	if slices.ContainsFunc(t.s.Outcomes, func(o Outcome) bool { return o.Of(out.Command, out.Digest) }) {
		return
	}
	r := c.check()
	if r == nil {
		r = t.another(c.ID)
	}
	if r == nil {
		out.About, r = t.carryOut(c)
	}
	out.Action, out.Who = Action(shorten(string(c.Action))), c.Who
	if r != nil {
		out.About, out.Refused, out.Reason = c.Incident+c.Maintenance, r.kind, r.reason
		t.s.Refused["command: "+string(r.kind)]++
		c.Resolved, c.Postmortem = nil, ""
		t.emit(Event{Type: CommandRefused, Key: "command/" + c.ID, Command: &c,
			Summary: fmt.Sprintf("%s of %s was refused: %s", c.Action, c.Who, r.reason)})
	}
	t.s.Outcomes = append(t.s.Outcomes, out)
	if n := len(t.s.Outcomes); n > maxOutcomes {
		t.s.Outcomes = slices.Clone(t.s.Outcomes[n-maxOutcomes:])
	}
}

// another refuses an id that another command had, so that nobody takes that one's
// success for their own. One that was refused has done nothing: its id is free.
func (t *turn) another(id string) *refusal {
	for _, o := range slices.Backward(t.s.Outcomes) {
		if o.Command == id && o.Refused == "" {
			return refused(RefusedConflict, "the id %q was that of another command, %s of %s by %s; send this one with an id of its own", id, o.Action, o.About, o.Who)
		}
	}
	return nil
}

// madeBy is what the public id of something that a command makes derives from. The
// id of a command may come again when the state has forgotten it.
func (t *turn) madeBy(c Command) string {
	return "command|" + c.ID + "|" + strconv.FormatUint(t.seq, 10)
}

// check wants texts that a page can show and an audit trail can keep.
func (c *Command) check() *refusal {
	for _, f := range []struct {
		name, text string
		most       int
		lines      bool
	}{
		{"id", c.ID, maxID, false}, {"who", c.Who, maxID, false}, {"incident", c.Incident, maxID, false},
		{"into", c.Into, maxID, false}, {"maintenance", c.Maintenance, maxID, false},
		{"name", c.Name, MaxName, false}, {"note", c.Note, MaxNote, true}, {"message", c.Message, MaxMessage, true},
	} {
		if len(f.text) > f.most {
			cut(c, f.most)
			return refused(RefusedInvalid, "%s is longer than %d bytes", f.name, f.most)
		}
		if strings.ContainsFunc(f.text, func(r rune) bool { return unicode.IsControl(r) && (!f.lines || r != '\n') }) {
			return refused(RefusedInvalid, "%s has a control character", f.name)
		}
	}
	if len(c.Postmortem) > MaxPostmortem {
		return refused(RefusedInvalid, "postmortem is longer than %d bytes", MaxPostmortem)
	}
	switch {
	case c.ID == "":
		return refused(RefusedInvalid, "the command has no id")
	case strings.TrimSpace(c.Who) == "":
		return refused(RefusedInvalid, "the command does not say whose it is")
	case len(c.Components) > maxComponents:
		c.Components = nil
		return refused(RefusedInvalid, "there are more than %d components", maxComponents)
	}
	return nil
}

// maxComponents bounds the components of one command.
const maxComponents = 200

// cut shortens what is too long, so that a refusal can be kept.
func cut(c *Command, most int) {
	for _, s := range []*string{&c.ID, &c.Who, &c.Incident, &c.Into, &c.Maintenance, &c.Name, &c.Note, &c.Message} {
		if len(*s) > most {
			*s = strings.ToValidUTF8((*s)[:most], "")
		}
	}
}

// carryOut does what is wanted; it returns what that was done to.
func (t *turn) carryOut(c Command) (about string, r *refusal) {
	switch c.Action {
	case ActionOpen:
		return t.openByHand(c)
	case ActionPostmortem:
		if r := checkPostmortem(c.Postmortem); r != nil {
			return "", r
		}
		return c.Incident, t.publishPostmortem(c)
	case ActionReopen:
		return c.Incident, t.reopen(c)
	case ActionMaintenanceAdd:
		return t.addMaintenance(c)
	case ActionMaintenanceCancel:
		return c.Maintenance, t.cancelMaintenance(c)
	case ActionMaintenanceEnd:
		return c.Maintenance, t.endMaintenance(c)
	default:
	}
	if !slices.Contains(editing(), c.Action) {
		return "", refused(RefusedInvalid, "there is no action %q", shorten(string(c.Action)))
	}
	o := t.announced(c.Incident)
	if o == nil && c.Action == ActionFalseAlarm && c.Resolved != nil {
		return c.Incident, t.falseAlarmAfterwards(c)
	}
	if o == nil {
		return "", refused(RefusedUnknown, "no incident with the id %q is open; one that is resolved has to be reopened first", shorten(c.Incident))
	}
	if c.speaks() && o.Incident.full() {
		return "", o.Incident.refuseFull()
	}
	return c.Incident, t.editOne(o, c)
}

// editing lists the actions on an open incident.
func editing() []Action {
	return []Action{
		ActionUpdate, ActionStatus, ActionImpact, ActionComponents, ActionFreeze, ActionRelease,
		ActionResolve, ActionFalseAlarm, ActionMerge, ActionPublish, ActionKeep,
	}
}

// editOne carries out one of them. It is a switch, and no table of functions: a call
// through one would move every turn, of results too, from the stack to the heap.
func (t *turn) editOne(o *openIncident, c Command) *refusal {
	switch c.Action {
	case ActionUpdate:
		return t.postUpdate(o, c)
	case ActionStatus:
		return t.setPhase(o, c)
	case ActionImpact:
		return t.setImpact(o, c)
	case ActionComponents:
		return t.setComponents(o, c)
	case ActionFreeze:
		return t.freezeByHand(o, c)
	case ActionRelease:
		return t.release(o, c)
	case ActionResolve:
		return t.resolveByHand(o, c)
	case ActionFalseAlarm:
		return t.falseAlarm(o, c)
	case ActionMerge:
		return t.mergeByHand(o, c)
	case ActionKeep:
		return t.keepByHand(o, c)
	default:
		return t.approveByHand(o, c)
	}
}

// announced is the open incident with an id, if anybody was told of it.
func (t *turn) announced(id string) *openIncident {
	for _, o := range t.s.Incidents {
		if o.Incident.ID == id && o.Announced {
			return o
		}
	}
	return nil
}

func shorten(text string) string { return clip(text, 60) }

func clip(text string, most int) string {
	if len(text) > most {
		return strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}

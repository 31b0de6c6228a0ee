package postmortem

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"streamcanary/statuspage/incident"
)

// Draft gives an incident's postmortem as far as machines know it. What is for
// on-call alone stands between incident.InternalBegin and incident.InternalEnd; a
// text that still has those marks is not published. What stands before it leaves
// people a third of incident.MaxPostmortem. The same incident gives the same bytes.
func Draft(t incident.Topology, in incident.Incident) string {
	d := draft{topology: t, in: in}
	d.summary()
	d.impact()
	d.affected()
	d.detection()
	d.timeline()
	d.people("Root cause", "What broke, and why. Only what is known: tests see effects, not causes.")
	d.people("What went well", "")
	d.people("What went badly", "")
	d.people("What will be done", "Each with an owner and a date.")
	d.internal()
	return d.b.String()
}

type draft struct {
	topology incident.Topology
	in       incident.Incident
	b        strings.Builder
}

func (d *draft) linef(format string, a ...any) { fmt.Fprintf(&d.b, format+"\n", a...) }

func (d *draft) heading(text string) { d.linef("## %s\n", text) }

func (d *draft) summary() {
	in := d.in
	d.linef("# %s\n", escape(in.Name))
	d.heading("Summary")
	if in.FalseAlarm {
		d.linef("This was a false alarm: the service did not fail.\n")
	}
	d.linef("%s, from %s to %s: %s. Impact: %s.\n", escape(in.Name), second(in.StartedAt), second(in.ResolvedAt), length(in.ResolvedAt.Sub(in.StartedAt)), in.Impact)
}

func (d *draft) impact() {
	d.heading("Impact")
	total := time.Duration(0)
	var rows []string
	for _, c := range d.components() {
		bad := d.bad(c.ID)
		total += bad
		rows = append(rows, fmt.Sprintf("| %s | %s | %s |", escape(c.Name), d.worst(c.ID), length(bad)))
	}
	if d.in.FalseAlarm {
		d.linef("None.\n")
		return
	}
	d.linef("%.1f component-minutes, as the page showed them.\n", total.Minutes())
	if rows = first(rows, mostList, func(n int) string { return fmt.Sprintf("| _and %d more_ | | |", n) }); len(rows) > 0 {
		d.linef("| Component | Worst status | Not operational for |\n|---|---|---|\n%s\n", strings.Join(rows, "\n"))
	}
	d.linef("_How many users, and what they saw: to be written by a person._\n")
}

// components are those of the incident that may be named in public.
func (d *draft) components() []incident.Component {
	var all []incident.Component
	for _, c := range d.topology.Components {
		if slices.Contains(d.in.Components, c.ID) && c.Publish != incident.PublishInternal {
			all = append(all, c)
		}
	}
	return all
}

// bad is for how long the page showed a component as anything but operational.
func (d *draft) bad(component string) time.Duration {
	total, since := time.Duration(0), time.Time{}
	for _, u := range d.in.Updates {
		for _, a := range u.Affected {
			if a.Component != component {
				continue
			}
			down := a.New != incident.Operational && a.New != incident.UnderMaintenance
			switch {
			case down && since.IsZero():
				since = u.At
			case !down && !since.IsZero():
				total, since = total+u.At.Sub(since), time.Time{}
			}
		}
	}
	if !since.IsZero() && d.in.ResolvedAt.After(since) {
		total += d.in.ResolvedAt.Sub(since)
	}
	return total
}

func (d *draft) worst(component string) incident.Status {
	worst := incident.Operational
	for _, u := range d.in.Updates {
		for _, a := range u.Affected {
			if a.Component == component {
				worst = incident.Worse(worst, a.New)
			}
		}
	}
	return worst
}

func (d *draft) affected() {
	d.heading("Affected")
	var names, regions []string
	for _, c := range d.components() {
		names = append(names, escape(c.Name))
		for _, r := range d.regionsOf(c) {
			if !slices.Contains(regions, r) {
				regions = append(regions, r)
			}
		}
	}
	more := func(n int) string { return fmt.Sprintf("_and %d more_", n) }
	d.linef("- Components: %s\n- Regions: %s\n", orNone(first(names, mostList, more)), orNone(first(regions, mostList, more)))
}

// regionsOf names the regions of a component's elements that failed.
func (d *draft) regionsOf(c incident.Component) []string {
	var all []string
	for _, t := range d.topology.Targets {
		for _, r := range t.Regions {
			if d.failedIn(t, r.ID, c) {
				all = append(all, escape(r.Name))
			}
		}
	}
	return all
}

func (d *draft) failedIn(t incident.Target, region string, c incident.Component) bool {
	in := func(endpoints []incident.Endpoint, id string) bool {
		return slices.Contains(endpoints, incident.Endpoint{ID: id, Region: region})
	}
	return slices.ContainsFunc(d.in.Failures, func(f incident.Failure) bool {
		e := f.Element
		return e.Target == t.ID && slices.Contains(c.Elements, e) && (e.Type == "ingest" && in(t.Ingests, e.ID) || e.Type == "playback" && in(t.Playbacks, e.ID))
	})
}

func (d *draft) detection() {
	d.heading("Detection")
	switch in := d.in; {
	case len(in.Failures) == 0:
		d.linef("No test of ours failed. A person opened this incident at %s.\n", second(in.CreatedAt))
	case in.OpenedBy != "":
		d.linef("- First failing result: %s\n- Opened by a person: %s\n", second(d.firstSeen()), second(in.CreatedAt))
	default:
		told := in.CreatedAt
		if len(in.Updates) > 0 {
			told = in.Updates[0].At
		}
		d.linef("- First failing result: %s\n- Seen by as many sites as have to agree: %s\n- Opened by itself: %s\n- First message: %s\n- Delay, from the first failing result to the first message: %s\n",
			second(d.firstSeen()), second(in.StartedAt), second(in.CreatedAt), second(told), length(told.Sub(d.firstSeen())))
	}
}

// firstSeen is the first failing result of any site that had a part in it.
func (d *draft) firstSeen() time.Time {
	first := d.in.StartedAt
	for _, f := range d.in.Failures {
		if !f.FirstSeen.IsZero() && f.FirstSeen.Before(first) {
			first = f.FirstSeen
		}
	}
	return first
}

type moment struct {
	at   time.Time
	text string
}

// timeline is what happened, in public words.
func (d *draft) timeline() {
	d.heading("Timeline")
	var all []moment
	if len(d.in.Failures) > 0 {
		all = append(all, moment{d.firstSeen(), "The first test fails."})
	}
	for _, u := range d.in.Updates {
		if u.Kept != "" && d.in.Public {
			continue
		}
		text := strings.ReplaceAll(escape(u.Body), "\n", " ")
		all = append(all, moment{u.At, fmt.Sprintf("**%s**: %s", u.Phase, text)})
	}
	d.list(ends(lines(all), mostPublic-mostPeople-d.b.Len()))
}

func (d *draft) list(lines []string) {
	for _, line := range lines {
		d.linef("%s", line)
	}
	d.linef("")
}

func lines(all []moment) []string {
	slices.SortStableFunc(all, func(a, b moment) int { return a.at.Compare(b.at) })
	var lines []string
	for _, m := range all {
		lines = append(lines, fmt.Sprintf("- %s: %s", second(m.at), m.text))
	}
	return lines
}

// people leaves room for what only people know.
func (d *draft) people(title, hint string) {
	d.heading(title)
	d.linef("_%s_\n", cmp.Or(strings.TrimSpace(hint+" To be written by a person."), ""))
}

// internal is what must not be published: evidence, edits and changes.
func (d *draft) internal() {
	d.linef("%s\n", incident.InternalBegin)
	d.heading("Internal: take this out before you publish")
	if d.in.Cause.Place != "" {
		d.linef("Where it lies, as far as tests can tell: %s.\n", escape(d.in.Cause.Words))
	}
	d.linef("### Evidence and edits\n")
	var all []moment
	for _, f := range d.in.Failures {
		what := fmt.Sprintf("%s %s", f.Element, f.Kind)
		all = append(all, moment{f.FirstFailed, what + ": first failure"}, moment{f.OpenedAt, what + ": open" + sites(f)})
		if !f.RecoveredAt.IsZero() {
			all = append(all, moment{f.RecoveredAt, what + ": recovered"})
		}
	}
	for _, a := range d.in.Audit {
		all = append(all, moment{a.At, edited(a)})
	}
	d.list(lines(all))
	d.linef("### Possibly related changes\n")
	if len(d.in.Changes) == 0 {
		d.linef("None was reported.\n")
	} else {
		d.linef("That they came before does not make them the cause.\n")
		for _, c := range d.in.Changes {
			d.linef("- %s: %s", second(c.At), strings.ReplaceAll(escape(c.Words()), "\n", " "))
		}
		d.linef("")
	}
	if d.in.Withdrawn != "" {
		d.linef("### The postmortem that was withdrawn when the incident was reopened\n\n%s\n", d.in.Withdrawn)
	}
	d.linef("%s", incident.InternalEnd)
}

func sites(f incident.Failure) string {
	var all []string
	for _, e := range f.Evidence {
		all = append(all, fmt.Sprintf("%s: %s %s", e.Site, e.Stage, e.Reason))
	}
	if len(all) == 0 {
		return ""
	}
	return " (" + escape(strings.Join(all, "; ")) + ")"
}

func edited(a incident.Audited) string {
	text := fmt.Sprintf("%s by %s", a.Action, a.Who)
	if a.Before+a.After != "" {
		text += fmt.Sprintf(": %s -> %s", orDash(a.Before), orDash(a.After))
	}
	if a.Note != "" {
		text += " (" + strings.ReplaceAll(a.Note, "\n", " ") + ")"
	}
	return escape(text)
}

func orDash(s string) string { return cmp.Or(s, "-") }

func orNone(list []string) string {
	if len(list) == 0 {
		return "none that a test names"
	}
	return strings.Join(list, ", ")
}

func second(at time.Time) string {
	if at.IsZero() {
		return "now (it is not resolved)"
	}
	return at.UTC().Format("2006-01-02 15:04:05 UTC")
}

func length(d time.Duration) string {
	if d < 0 {
		return "not over"
	}
	return d.Round(time.Second).String()
}

// escape lets foreign text be text in Markdown.
func escape(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune("\\`*_{}[]<>#|!", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

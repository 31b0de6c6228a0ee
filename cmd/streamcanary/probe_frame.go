package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/summary"

	"github.com/charmbracelet/x/ansi"
)

// probeFrame is all that the live view shows of one moment. It is a value: what it
// looks like follows from it and the terminal's size alone.
type probeFrame struct {
	sum   summary.Summary // of the results so far
	now   probeNow
	at    time.Time
	limit time.Duration // when it ends by itself; 0: it does not
	last  map[summary.Side]prober.Result
}

// ink is how text is painted.
type ink int

const (
	inkPlain ink = iota
	inkDim
	inkTitle
	inkGood
	inkBad
	inkWarn
)

// span is text of one ink.
type span struct {
	text string
	ink  ink
}

// frameLine is a line before it is cut to the terminal's width.
type frameLine []span

// item is a figure and its name, which are not torn apart where lines are broken.
type item struct {
	name, value string
	ink         ink
	minor       bool // left out where there is little room
}

// section is a part of the frame that shows what there is room for.
type section struct {
	title frameLine
	hint  string // what the columns are, said where all of it is shown
	rows  []frameLine
}

// render gives exactly height lines, none wider than width. colour false gives text alone.
func (f probeFrame) render(width, height int, colour bool) string {
	width, height = max(width, 10), max(height, 3)
	// Two lines each of renditions and findings are worth more than addresses and
	// minor figures.
	const rest = 4
	fixed := f.fixed(width, false)
	if len(fixed)+rest > height-1 {
		fixed = f.fixed(width, true)
	}
	foot := frameLine{{"Ctrl-C ends it", inkDim}}
	if room := height - 1; len(fixed) > room {
		fixed = fixed[:room]
	}
	lines := slices.Concat(fixed, share(f.sections(width), height-1-len(fixed)))
	for len(lines) < height-1 {
		lines = append(lines, nil)
	}
	lines = append(lines, foot)
	var out strings.Builder
	for i, l := range lines {
		if i > 0 {
			out.WriteByte('\n')
		}
		out.WriteString(l.paint(width, colour))
	}
	return out.String()
}

// fixed are the lines that are there whatever there is to list below them.
func (f probeFrame) fixed(width int, tight bool) []frameLine {
	lines := f.head(width, tight)
	for _, block := range []struct {
		name  string
		state item
		items []item
	}{
		{"push", f.pushState(), f.pushItems()},
		{"pull", f.pullState(), f.pullItems()},
		{"viewer", item{}, f.viewerItems()},
	} {
		if block.name == "push" && f.sum.Mode == summary.ModePlayback {
			continue
		}
		items := block.items
		if tight {
			items = slices.DeleteFunc(items, func(i item) bool { return i.minor })
		}
		lines = append(lines, flow(block.name, block.state, items, width)...)
	}
	return lines
}

// paint cuts a line to the width, and colours it.
func (l frameLine) paint(width int, colour bool) string {
	var out strings.Builder
	left := width
	for _, s := range l {
		text := ansi.Truncate(s.text, left, "…")
		left -= ansi.StringWidth(text)
		if style := s.ink.style(); colour && style != nil {
			text = style.Styled(text)
		}
		out.WriteString(text)
		if left <= 0 {
			break
		}
	}
	if !colour {
		return strings.TrimRight(out.String(), " ")
	}
	return out.String()
}

func (i ink) style() ansi.Style {
	switch i {
	case inkDim:
		return ansi.Style{}.Faint()
	case inkTitle:
		return ansi.Style{}.Bold()
	case inkGood:
		return ansi.Style{}.ForegroundColor(ansi.Green)
	case inkBad:
		return ansi.Style{}.Bold().ForegroundColor(ansi.Red)
	case inkWarn:
		return ansi.Style{}.ForegroundColor(ansi.Yellow)
	case inkPlain:
	}
	return nil
}

func inkOf(o prober.Outcome) ink {
	switch o {
	case prober.Pass:
		return inkGood
	case prober.Fail:
		return inkBad
	case prober.Degraded, prober.Inconclusive:
		return inkWarn
	}
	return inkDim
}

func (f probeFrame) head(width int, tight bool) []frameLine {
	took := f.at.Sub(f.sum.Began).Round(time.Second).String()
	if f.limit > 0 {
		took += " of at most " + f.limit.Round(time.Second).String()
	}
	title := frameLine{{"streamcanary probe", inkTitle}, {"  " + string(f.sum.Mode) + "  ", inkPlain}, {took, inkDim}}
	lines := []frameLine{title}
	if tight {
		return lines
	}
	if f.sum.Ingest != "" {
		lines = append(lines, frameLine{{"push to    ", inkDim}, {f.sum.Ingest, inkPlain}})
	}
	return append(lines, frameLine{{"pull from  ", inkDim}, {f.sum.Playback, inkPlain}}, frameLine{{strings.Repeat("─", width), inkDim}})
}

// flow lays items out in as many lines as they need. state is said first.
func flow(name string, state item, items []item, width int) []frameLine {
	const margin = 8
	if state.value != "" {
		items = append([]item{state}, items...)
	}
	if len(items) == 0 {
		return nil
	}
	line, used := frameLine{{fmt.Sprintf("%-*s", margin, name), inkTitle}}, margin
	var lines []frameLine
	for i, it := range items {
		text := it.value
		if it.name != "" {
			text = it.name + " " + it.value
		}
		wide := ansi.StringWidth(text)
		if i > 0 && used+2+wide > width {
			lines = append(lines, line)
			line, used = frameLine{{strings.Repeat(" ", margin), inkPlain}}, margin
		} else if i > 0 {
			line, used = append(line, span{"  ", inkPlain}), used+2
		}
		if it.name != "" {
			line = append(line, span{it.name + " ", inkDim})
		}
		line, used = append(line, span{it.value, it.ink}), used+wide
	}
	return append(lines, line)
}

// stateOf says how a side's latest result was.
func (f probeFrame) stateOf(side summary.Side, otherwise string) item {
	r, told := f.last[side]
	switch {
	case !told:
		return item{"", otherwise, inkDim, false}
	case r.Outcome == prober.Pass:
		return item{"", "good", inkGood, false}
	case r.Reason == prober.ReasonNothingPushed:
		return item{"", prober.Clip(r.Detail, 60), inkWarn, false}
	}
	return item{"", fmt.Sprintf("%s at %s: %s", r.Outcome, stageOr(r.Stage, "start"), r.Reason), inkOf(r.Outcome), false}
}

func (f probeFrame) pushState() item {
	if f.now.Pushing {
		return f.stateOf(summary.Push, "on its way")
	}
	return f.stateOf(summary.Push, "connecting")
}

func (f probeFrame) pushItems() []item {
	n := f.now
	items := stageItems(n.Push)
	if n.Sent == 0 {
		return items
	}
	items = append(items, item{"out", summary.Bitrate(n.SentRate), inkPlain, false}, item{"sent", summary.Bytes(n.Sent), inkPlain, true},
		item{"deepest queue", summary.Bytes(n.Queue), inkPlain, false}, item{"longest stall", summary.Took(n.Stall), inkPlain, false})
	if drops := f.sum.Figures.Interruptions; drops > 0 {
		told := strconv.Itoa(drops)
		if f.sum.Away > 0 {
			told += ", " + summary.Seconds(f.sum.Away) + " away"
		}
		items = append(items, item{"interruptions", told, inkWarn, false})
	}
	return items
}

func stageItems(stages []prober.StageTime) []item {
	var items []item
	for _, s := range stages {
		items = append(items, item{string(s.Stage), summary.Took(s.Duration), inkPlain, true})
	}
	return items
}

func (f probeFrame) pullState() item {
	_, told := f.last[summary.Pull]
	switch c := f.now.Condition; {
	case f.now.Played && c != nil && !told: // it is validated: no results come in between
		return item{"", fmt.Sprintf("%s at %s: %s", c.Outcome, c.Stage, c.Reason), inkOf(c.Outcome), false}
	case f.now.Played:
		return f.stateOf(summary.Pull, "it plays")
	case f.now.Condition != nil && f.last[summary.Pull].Outcome == "":
		return item{"", fmt.Sprintf("not yet: %s at %s", f.now.Condition.Reason, f.now.Condition.Stage), inkDim, false}
	}
	return f.stateOf(summary.Pull, "waiting")
}

func (f probeFrame) pullItems() []item {
	n := f.now
	items := stageItems(n.Pull)
	if n.Got > 0 {
		items = append(items, item{"in", summary.Bitrate(n.GotRate), inkPlain, false}, item{"received", summary.Bytes(n.Got), inkPlain, true})
	}
	if n.LatencyBy != "" {
		items = append(items, item{"latency", summary.Took(n.Last), inkPlain, false}, item{"first frame", summary.Took(n.First), inkPlain, true}, item{"by", string(n.LatencyBy), inkPlain, true})
	}
	switch {
	case !n.Played || n.Condition != nil || f.sum.Mode == summary.ModePlayback:
	case n.Proof == "":
		items = append(items, item{"proof", "not proven", inkWarn, false})
	default:
		items = append(items, item{"proof", string(n.Proof), inkGood, false})
	}
	return items
}

func (f probeFrame) viewerItems() []item {
	v := f.now.Viewing
	if v == (prober.Viewing{}) {
		return nil
	}
	felt := inkPlain
	if v.Rebuffers > 0 {
		felt = inkWarn
	}
	items := []item{
		{"startup", summary.Took(v.Startup), inkPlain, true},
		{"buffer", summary.Seconds(v.Buffer), inkPlain, false},
		{"rebuffering", fmt.Sprintf("%d x, %s", v.Rebuffers, summary.Seconds(v.RebufferTime)), felt, false},
		{"ratio", summary.Percent(v.RebufferRatio()), felt, true},
	}
	if v.Latency != 0 {
		items = append(items, item{"live latency", summary.Seconds(v.Latency), inkPlain, false}, item{"drift", summary.Seconds(v.Drift), inkPlain, true})
	}
	return items
}

func (f probeFrame) sections(width int) []section {
	all := []section{f.renditions(width), f.findings(), f.events()}
	used := all[:0]
	for _, s := range all {
		if len(s.title) > 0 {
			used = append(used, s)
		}
	}
	return used
}

func (f probeFrame) renditions(width int) section {
	list := f.now.Renditions
	if len(list) == 0 {
		return section{}
	}
	wide := 4
	for _, r := range list {
		wide = max(wide, ansi.StringWidth(summary.RenditionName(r)))
	}
	wide = min(wide, max(width-34, 6), 24)
	s := section{title: frameLine{{"renditions: " + strconv.Itoa(len(list)), inkTitle}}}
	if width >= 60 {
		s.hint = "  sequence, behind, bitrate, rebuffering, proof"
	}
	for _, r := range list {
		behind := "-"
		if r.LatencyBy != "" {
			behind = summary.Took(r.LatencyLast)
		}
		name := ansi.Truncate(summary.RenditionName(r), wide, "…")
		name += strings.Repeat(" ", wide-ansi.StringWidth(name))
		row := frameLine{{"  " + name, inkPlain}, {fmt.Sprintf(" %7d %8s %12s", r.SegmentSequence, behind, rateOf(r)), inkPlain}}
		if r.Failure != nil {
			row = append(row, span{fmt.Sprintf("  %s at %s", r.Failure.Reason, r.Failure.Stage), inkOf(r.Failure.Outcome)})
		} else {
			row = append(row, span{fmt.Sprintf(" %7s", summary.Percent(r.Viewing.RebufferRatio())), inkPlain}, span{"  " + string(r.Proof), inkGood})
		}
		s.rows = append(s.rows, row)
	}
	return s
}

func rateOf(r prober.Rendition) string {
	if r.AverageBitrate == 0 {
		return "-"
	}
	return summary.Bitrate(r.AverageBitrate)
}

func (f probeFrame) findings() section {
	list := f.now.findings()
	counted := summary.Summary{Findings: list}.FindingCounts()
	s := section{title: frameLine{{"findings: ", inkTitle}, {counted, inkPlain}}}
	for _, found := range list {
		text := fmt.Sprintf("%s at %s", found.Reason, found.Stage)
		if found.Count > 1 {
			text = fmt.Sprintf("%d x %s", found.Count, text)
		}
		if found.Where != "" {
			text += " in " + prober.Clip(found.Where, 60)
		}
		s.rows = append(s.rows, frameLine{{fmt.Sprintf("  %-11s", summary.SeverityWords(found.Severity)), inkOfSeverity(found.Severity)},
			{text, inkPlain}, {"  " + prober.Clip(found.Detail, prober.MaxDetail), inkDim}})
	}
	return s
}

func inkOfSeverity(s prober.Severity) ink {
	switch s {
	case prober.SeverityFail:
		return inkBad
	case prober.SeverityDegraded:
		return inkWarn
	case prober.SeverityNote:
	}
	return inkDim
}

// events are the newest first: the oldest go first where there is no room.
func (f probeFrame) events() section {
	if len(f.sum.Events) == 0 {
		return section{}
	}
	s := section{title: frameLine{{"what changed", inkTitle}}}
	for i := len(f.sum.Events) - 1; i >= 0; i-- {
		e := f.sum.Events[i]
		s.rows = append(s.rows, frameLine{{"  " + summary.Clock(e.At) + " ", inkDim}, {string(e.Side) + "  ", inkDim}, {e.Words(), inkOf(e.Outcome)}})
	}
	return s
}

// share gives the sections the lines that there are, one by one in turn, so that
// none is without while another has many. What does not fit is counted.
func share(all []section, room int) []frameLine {
	given := make([]int, len(all))
	for again := true; again && room > 0; {
		again = false
		for i, s := range all {
			if room > 0 && given[i] < 1+len(s.rows) {
				given[i]++
				room--
				again = true
			}
		}
	}
	var lines []frameLine
	for i, s := range all {
		if given[i] == 0 {
			continue
		}
		title, shown := s.title, given[i]-1
		if shown < len(s.rows) {
			title = append(slices.Clone(title), span{fmt.Sprintf(" (%d of %d shown)", shown, len(s.rows)), inkDim})
		} else if s.hint != "" {
			title = append(slices.Clone(title), span{s.hint, inkDim})
		}
		lines = append(append(lines, title), s.rows[:shown]...)
	}
	return lines
}

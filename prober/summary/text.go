package summary

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"streamcanary/prober"
)

// textWidth is what a report's lines keep to, in columns. A word that is longer
// stands alone.
const textWidth = 100

// Text writes a report to be pasted into a ticket: Markdown that reads as plain text.
func (s Summary) Text(w io.Writer) error {
	out := bufio.NewWriter(w)
	t := text{out}
	fmt.Fprintf(out, "## streamcanary probe: %s\n\n", s.Verdict())
	t.facts(s.head()[1:])
	if len(s.Steps) > 0 {
		t.title("Stages")
		t.steps(s.Steps)
	}
	if len(s.Rounds) > 0 && s.Mode == ModeCanary {
		t.title("Rounds")
		t.rounds(s.Rounds)
	}
	if len(s.Events) > 2 {
		t.title("What changed")
		t.events(s.Events)
	}
	t.title("Findings: " + s.FindingCounts())
	t.findings(s.Findings)
	if figures := s.figures(); len(figures) > 0 {
		t.title("Figures")
		t.facts(figures)
	}
	if len(s.Renditions) > 0 {
		t.title("Renditions")
		t.renditions(s)
	}
	return out.Flush()
}

// text writes Markdown. What fails is told by the writer's Flush.
type text struct{ w *bufio.Writer }

func (t text) title(s string) { fmt.Fprintf(t.w, "\n### %s\n\n", s) }

// facts is a list, its values in one column.
func (t text) facts(facts []fact) {
	widest := 0
	for _, f := range facts {
		widest = max(widest, len(f.Name))
	}
	for _, f := range facts {
		t.wrap("- "+f.Name+": "+strings.Repeat(" ", widest-len(f.Name)), "  ", escape(f.Value))
	}
}

// wrap writes words in lines that keep to the width; what follows the first begins
// with indent.
func (t text) wrap(first, indent, words string) {
	line, empty := first, true
	for word := range strings.FieldsSeq(words) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > textWidth {
			fmt.Fprintln(t.w, strings.TrimRight(line, " "))
			line, empty = indent, true
		}
		if !empty {
			line += " "
		}
		line, empty = line+word, false
	}
	fmt.Fprintln(t.w, strings.TrimRight(line, " "))
}

func (t text) steps(steps []Step) {
	var rows [][]string
	for _, s := range steps {
		how := string(s.Outcome)
		if s.Reason != "" {
			how += ": " + string(s.Reason)
		}
		took := unmeasured
		if s.Duration > 0 {
			took = Took(s.Duration)
		}
		rows = append(rows, []string{string(s.Side), string(s.Stage), took, how})
	}
	t.table([]string{"side", "stage", "time", "outcome"}, rows)
	for _, s := range steps {
		if s.Detail != "" {
			fmt.Fprintln(t.w)
			t.wrap(fmt.Sprintf("%s, %s: ", s.Side, s.Stage), "", code(s.Detail))
		}
	}
}

func (t text) rounds(list []Rounds) {
	var rows [][]string
	for _, r := range list {
		row := []string{string(r.Side)}
		for _, n := range []int{r.All(), r.Pass, r.Degraded, r.Fail, r.Inconclusive} {
			row = append(row, fmt.Sprint(n))
		}
		rows = append(rows, row)
	}
	t.table([]string{"side", "all", "pass", "degraded", "fail", "inconclusive"}, rows)
}

func (t text) events(list []Event) {
	if over := len(list) - maxTold; over > 0 {
		fmt.Fprintf(t.w, "- (%d earlier ones are left out)\n", over)
		list = list[over:]
	}
	for _, e := range list {
		t.wrap(fmt.Sprintf("- %s %s: ", Clock(e.At), e.Side), "  ", escape(e.Words()))
	}
}

// maxTold is how many changes a text tells; the file formats have all of them.
const maxTold = 40

// Words say what happened.
func (e Event) Words() string {
	switch {
	case e.Outcome == prober.Pass && e.Away > 0:
		return "up again after " + Seconds(e.Away) + " away"
	case e.Outcome == prober.Pass:
		return "good"
	case e.Reason == prober.ReasonNothingPushed:
		return plain(e.Detail)
	case e.Stage == "":
		return fmt.Sprintf("%s: %s: %s", e.Outcome, e.Reason, plain(e.Detail))
	}
	return fmt.Sprintf("%s at %s: %s: %s", e.Outcome, e.Stage, e.Reason, plain(e.Detail))
}

func (t text) findings(list []prober.Finding) {
	if len(list) == 0 {
		fmt.Fprintln(t.w, "No rule was seen broken.")
	}
	for i, f := range list {
		number := fmt.Sprintf("%d. ", i+1)
		indent := strings.Repeat(" ", len(number))
		line := heading(f)
		if from := source(f); from != "" {
			line += " (" + from + ")"
		}
		t.wrap(number, indent, "**"+SeverityWords(f.Severity)+"** "+escape(line))
		if f.Detail != "" {
			t.wrap(indent, indent, code(detail(f)))
		}
	}
}

// FindingLine tells a finding in one line.
func FindingLine(f prober.Finding) string {
	line := SeverityWords(f.Severity) + ": " + heading(f)
	if from := source(f); from != "" {
		line += " (" + from + ")"
	}
	if f.Detail != "" {
		line += ": " + detail(f)
	}
	return line
}

// code keeps evidence from being read as Markdown.
func code(evidence string) string { return "`" + strings.ReplaceAll(plain(evidence), "`", "'") + "`" }

// renditions is two tables where one would be too wide.
func (t text) renditions(s Summary) {
	head, rows := s.ladder()
	const half = 8
	left := func(r []string) []string { return r[:half] }
	right := func(r []string) []string { return append([]string{r[0]}, r[half:]...) }
	var first, second [][]string
	for _, r := range rows {
		first, second = append(first, left(r)), append(second, right(r))
	}
	t.table(left(head), first)
	fmt.Fprintln(t.w)
	t.table(right(head), second)
	if remarks := s.remarks(); len(remarks) > 0 {
		fmt.Fprintln(t.w)
		for _, r := range remarks {
			words := escape(r.Words)
			if r.Evidence != "" {
				words += ": " + code(r.Evidence)
			}
			t.wrap("- "+escape(prober.Clip(r.Name, maxName))+": ", "  ", words)
		}
	}
}

// escape keeps words from outside from being read as HTML by who reads Markdown.
func escape(s string) string { return strings.ReplaceAll(s, "<", `\<`) }

// The bounds of a table's first column and of the others: runes. They keep the widest
// table of renditions within textWidth.
const maxName, maxCell = 16, 36

// table is a Markdown table with its columns in line.
func (t text) table(head []string, rows [][]string) {
	widths := make([]int, len(head))
	safe := strings.NewReplacer("|", "/", "`", "'", "<", "(", ">", ")")
	all := [][]string{head}
	for _, row := range rows {
		cells := make([]string, len(row))
		for i, cell := range row {
			limit := maxCell
			if i == 0 {
				limit = maxName
			}
			cells[i] = safe.Replace(prober.Clip(cell, limit))
		}
		all = append(all, cells)
	}
	for _, row := range all {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	line := func(row []string) {
		for i, cell := range row {
			fmt.Fprint(t.w, "| ", cell, strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)), " ")
		}
		fmt.Fprintln(t.w, "|")
	}
	line(all[0])
	for _, width := range widths {
		fmt.Fprint(t.w, "|", strings.Repeat("-", width+2))
	}
	fmt.Fprintln(t.w, "|")
	for _, row := range all[1:] {
		line(row)
	}
}

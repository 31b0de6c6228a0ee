package summary

import (
	"embed"
	"html/template"
	"io"
)

//go:embed report.html.tmpl
var page embed.FS

// HTML writes one file that needs no other: charts are SVG in it, nothing is loaded
// and no script is run, which its Content-Security-Policy says as well.
func (s Summary) HTML(w io.Writer) error {
	t, err := template.New("report.html.tmpl").Funcs(template.FuncMap{
		"at": At, "clock": Clock, "heading": heading, "source": source, "severity": SeverityWords, "plain": plain, "took": Took,
	}).ParseFS(page, "report.html.tmpl")
	if err != nil {
		return err
	}
	head, rows := s.ladder()
	return t.Execute(w, struct {
		Summary
		Head, Measured []fact
		Charts         []chart
		LadderHead     []string
		Ladder         [][]string
		Remarks        []remark
		Width, Height  int
		Canary         bool
	}{s, s.head()[1:], s.figures(), s.charts(), head, rows, s.remarks(), chartWidth, chartHeight, s.Mode == ModeCanary})
}

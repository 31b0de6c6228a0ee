package summary

import (
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"streamcanary/prober"
)

// JUnit writes one test suite as CI systems read it: a case for each stage and for
// each group of rules, the same ones each time, and one for the verdict. A failure is
// what makes the probe fail; what only degrades, and notes, are output of a case that
// passes. A stage that was not come to, or says nothing, is skipped.
func (s Summary) JUnit(w io.Writer) error {
	suite := junitSuite{
		Name: "streamcanary probe " + string(s.Mode), Timestamp: s.Began.UTC().Format("2006-01-02T15:04:05"), Time: junitSeconds(s.Ended.Sub(s.Began)),
	}
	for _, f := range s.head() {
		suite.Properties = append(suite.Properties, junitProperty(f))
	}
	suite.Cases = append(s.stageCases(), s.groupCases()...)
	suite.Cases = append(suite.Cases, s.verdictCase())
	for _, c := range suite.Cases {
		suite.Tests++
		switch {
		case c.Failure != nil:
			suite.Failures++
		case c.Error != nil:
			suite.Errors++
		case c.Skipped != nil:
			suite.Skipped++
		}
	}
	var report strings.Builder
	if err := s.Text(&report); err != nil {
		return err
	}
	suite.Out = &junitText{report.String()}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(junitSuites{Suites: []junitSuite{suite}}); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"` // UTC, without a zone: the schema wants it so
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Out        *junitText      `xml:"system-out"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name    string       `xml:"name,attr"`
	Class   string       `xml:"classname,attr"`
	Time    string       `xml:"time,attr"`
	Skipped *junitReason `xml:"skipped"`
	Error   *junitReason `xml:"error"`
	Failure *junitReason `xml:"failure"`
	Out     *junitText   `xml:"system-out"`
}

type junitReason struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Text    string `xml:",cdata"`
}

type junitText struct {
	Text string `xml:",cdata"`
}

// junitSeconds is how the schema writes a time.
func junitSeconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }

func (s Summary) class(part string) string { return "streamcanary." + string(s.Mode) + "." + part }

// stages are those that a mode passes, each of its side.
func (s Summary) stages() []Step {
	var all []Step
	if s.Mode != ModePlayback {
		for _, stage := range []prober.Stage{prober.StageProvision, prober.StageResolve, prober.StageConnect, prober.StagePublish, prober.StageIngest} {
			all = append(all, Step{Side: Push, Stage: stage})
		}
	}
	for _, stage := range []prober.Stage{prober.StageResolve, prober.StageConnect, prober.StageManifest, prober.StageSegment, prober.StageMedia, prober.StageLatency} {
		all = append(all, Step{Side: Pull, Stage: stage})
	}
	for _, seen := range s.Steps {
		at := slices.IndexFunc(all, func(a Step) bool { return a.Side == seen.Side && a.Stage == seen.Stage })
		if at < 0 {
			all = append(all, seen)
			continue
		}
		all[at] = seen
	}
	return all
}

func (s Summary) stageCases() []junitCase {
	var cases []junitCase
	for _, step := range s.stages() {
		c := junitCase{Name: string(step.Stage), Class: s.class(string(step.Side)), Time: junitSeconds(step.Duration)}
		reason := &junitReason{Message: fmt.Sprintf("%s: %s", step.Reason, plain(step.Detail)), Type: string(step.Reason)}
		switch step.Outcome {
		case prober.Fail:
			reason.Text = fmt.Sprintf("%s side, stage %s: %s\n%s", step.Side, step.Stage, step.Reason, plain(step.Detail))
			c.Failure = reason
		case prober.Degraded:
			c.Out = &junitText{reason.Message}
		case prober.Inconclusive:
			c.Skipped = &junitReason{Message: reason.Message}
		case prober.Pass:
		default:
			c.Skipped = &junitReason{Message: "no result of this stage"}
		}
		cases = append(cases, c)
	}
	return cases
}

// groupCases is one case for each group of rules.
func (s Summary) groupCases() []junitCase {
	var cases []junitCase
	for _, g := range ruleGroups() {
		c := junitCase{Name: g.name, Class: s.class("rules"), Time: junitSeconds(0)}
		var failing, others []string
		var first prober.Finding
		for _, f := range s.Findings {
			if groupOf(f) != g.name {
				continue
			}
			told := fmt.Sprintf("%s: %s (%s)\n  %s", SeverityWords(f.Severity), heading(f), source(f), detail(f))
			if f.Severity != prober.SeverityFail {
				others = append(others, told)
				continue
			}
			if failing = append(failing, told); len(failing) == 1 {
				first = f
			}
		}
		if len(failing) > 0 {
			c.Failure = &junitReason{Message: heading(first), Type: string(first.Reason), Text: strings.Join(failing, "\n")}
		}
		if len(others) > 0 {
			c.Out = &junitText{strings.Join(others, "\n")}
		}
		if g.push && s.Mode == ModePlayback {
			continue
		}
		if c.Failure == nil && c.Out == nil && s.unseen(g) {
			c.Skipped = &junitReason{Message: "nothing was seen to check"}
		}
		cases = append(cases, c)
	}
	return cases
}

// unseen says that nothing came which a group's rules could be held against.
func (s Summary) unseen(g group) bool {
	if g.push {
		return s.Figures.BytesSent == 0
	}
	return s.Figures.BytesReceived == 0
}

func (s Summary) verdictCase() junitCase {
	c := junitCase{Name: "verdict", Class: s.class("probe"), Time: junitSeconds(s.Ended.Sub(s.Began))}
	reason := &junitReason{Message: s.Verdict(), Type: string(s.Reason), Text: plain(s.Detail)}
	switch s.Outcome {
	case prober.Fail:
		c.Failure = reason
	case prober.Inconclusive:
		c.Skipped = &junitReason{Message: reason.Message + ": " + plain(s.Detail)}
	case prober.Pass:
	case prober.Degraded:
		c.Out = &junitText{reason.Message + ": " + plain(s.Detail)}
	default:
		reason.Type = "broken"
		c.Error = reason
	}
	return c
}

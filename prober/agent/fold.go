package agent

import (
	"slices"
	"strings"

	"streamcanary/prober"
)

// part is what one of several things that a round looks at has come to.
type part struct {
	name    string
	failure *prober.Failure // nil is good
	figures prober.Figures

	findings []prober.Finding // rules that were seen broken, whatever it has come to
}

// fold makes one verdict of a round's parts, since a round is one piece of
// evidence: the worst, and in the findings every one that is not good, with what was
// found of each.
func fold(parts []part) (worst part, findings []prober.Finding) {
	for i, p := range parts {
		if i == 0 || rankOf(p.failure) < rankOf(worst.failure) {
			bytes := worst.figures.BytesReceived
			worst = p
			worst.figures.BytesReceived += bytes
		} else {
			worst.figures.BytesReceived += p.figures.BytesReceived
		}
		findings = prober.AddFindings(findings, prober.MaxFindings, p.told()...)
	}
	return worst, findings
}

// told are the findings of a part, each with its name. A verdict that none of them
// tells is one of its own.
func (p part) told() []prober.Finding {
	var list []prober.Finding
	f := p.failure
	known := f == nil || f.Stage == ""
	for _, found := range p.findings {
		known = known || found.Stage == f.Stage && found.Reason == f.Reason && found.Severity == severityOf(f.Outcome)
		found.Where = strings.TrimSpace(p.name + " " + found.Where)
		list = append(list, found)
	}
	if !known {
		list = append(list, prober.Finding{Section: f.Section, Severity: severityOf(f.Outcome), Stage: f.Stage, Reason: f.Reason, Where: p.name, Detail: f.Detail, Count: 1})
	}
	return list
}

// rankOf orders verdicts, the gravest first.
func rankOf(f *prober.Failure) int {
	order := []prober.Outcome{prober.Fail, prober.Inconclusive, prober.Degraded}
	if f == nil {
		return len(order)
	}
	return slices.Index(order, f.Outcome)
}

func severityOf(o prober.Outcome) prober.Severity {
	switch o {
	case prober.Fail:
		return prober.SeverityFail
	case prober.Degraded:
		return prober.SeverityDegraded
	case prober.Pass, prober.Inconclusive:
	}
	return prober.SeverityNote
}

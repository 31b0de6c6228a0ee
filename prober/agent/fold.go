package agent

import (
	"slices"

	"streamcanary/prober"
)

// part is what one of several things that a round looks at has come to.
type part struct {
	name    string
	failure *prober.Failure // nil is good
	figures prober.Figures
}

// fold makes one verdict of a round's parts, since a round is one piece of
// evidence: the worst, and in the findings every one that is not good.
func fold(parts []part) (worst part, findings []prober.Finding) {
	for i, p := range parts {
		if i == 0 || rankOf(p.failure) < rankOf(worst.failure) {
			bytes := worst.figures.BytesReceived
			worst = p
			worst.figures.BytesReceived += bytes
		} else {
			worst.figures.BytesReceived += p.figures.BytesReceived
		}
		if f := p.failure; f != nil && f.Stage != "" && len(findings) < prober.MaxFindings {
			findings = append(findings, prober.Finding{Severity: severityOf(f.Outcome), Stage: f.Stage, Reason: f.Reason, Where: p.name, Detail: f.Detail, Count: 1})
		}
	}
	return worst, findings
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

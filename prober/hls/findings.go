package hls

import (
	"slices"
	"time"

	"streamcanary/prober"
)

// tell puts the findings of one playlist into the state. A regression stays
// until a later playlist goes on as it should.
func (r *rendition) tell(findings []prober.Finding, how relation) {
	worst := worstOf(findings)
	if worst != nil || how == first || how == advanced || !r.state.holds(slotPlaylist, prober.ReasonSequenceRegression) {
		r.state.set(slotPlaylist, worst, time.Now())
	}
	r.found(findings)
	r.state.mu.Lock()
	defer r.state.mu.Unlock()
	r.state.target = r.last.TargetDuration
	o := &r.state.seen
	o.MediaSequence, o.TargetDuration = r.last.MediaSequence, r.last.TargetDuration
}

// found adds findings to this turn, and names the rendition in them.
func (r *rendition) found(findings []prober.Finding) {
	if len(findings) == 0 {
		return
	}
	for i := range findings {
		if f := &findings[i]; f.Where == "" {
			f.Where = r.what.name
		}
	}
	r.state.update(func(o *Observation) { o.Findings = merge(o.Findings, findings) })
}

// worstOf is the gravest condition that findings stand for; nil for none.
func worstOf(findings []prober.Finding) *prober.Failure {
	var worst *prober.Failure
	for i := range findings {
		if g := failureOf(findings[i]); g != nil && (worst == nil || rank(g) < rank(worst)) {
			worst = g
		}
	}
	return worst
}

// failureOf makes a condition of a finding; nil of a note, which no viewer feels.
func failureOf(f prober.Finding) *prober.Failure {
	outcomes := map[prober.Severity]prober.Outcome{prober.SeverityFail: prober.Fail, prober.SeverityDegraded: prober.Degraded}
	outcome, counts := outcomes[f.Severity]
	if !counts {
		return nil
	}
	return &prober.Failure{Outcome: outcome, Stage: f.Stage, Reason: f.Reason, Section: f.Section, Detail: withSection(f.Detail, f.Section)}
}

// maxTold bounds the findings that are kept from one Observe to the next.
const maxTold = 64

// merge counts more in, with the latest evidence of each rule, place and severity.
// What is beyond the bound is the least grave, whatever came first.
func merge(have, more []prober.Finding) []prober.Finding {
	return prober.AddFindings(have, maxTold, more...)
}

// gravest sorts findings and cuts them to what a result carries.
func gravest(list []prober.Finding) []prober.Finding {
	grave := prober.Severities()
	slices.SortStableFunc(list, func(a, b prober.Finding) int {
		return slices.Index(grave, a.Severity) - slices.Index(grave, b.Severity)
	})
	return list[:min(len(list), prober.MaxFindings)]
}

package agent

import (
	"slices"

	"streamcanary/prober"
)

// sameFinding says whether two findings are of one rule broken at one place.
func sameFinding(a, b prober.Finding) bool {
	return a.Rule == b.Rule && a.Section == b.Section && a.Stage == b.Stage && a.Reason == b.Reason && a.Where == b.Where && a.Severity == b.Severity
}

// addFindings counts more into list, the gravest first. What is beyond the bound
// of a result is the least grave.
func addFindings(list []prober.Finding, more ...prober.Finding) []prober.Finding {
	for _, f := range more {
		f.Count = max(f.Count, 1)
		at := slices.IndexFunc(list, func(g prober.Finding) bool { return sameFinding(f, g) })
		if at < 0 {
			list = append(list, f)
			continue
		}
		list[at].Count += f.Count
		list[at].Detail = f.Detail // the latest evidence
	}
	grave := prober.Severities()
	slices.SortStableFunc(list, func(a, b prober.Finding) int {
		return slices.Index(grave, a.Severity) - slices.Index(grave, b.Severity)
	})
	return list[:min(len(list), prober.MaxFindings)]
}

// newFindings is what now counts more than before, which is of the same
// broadcast.
func newFindings(before, now []prober.Finding) []prober.Finding {
	var list []prober.Finding
	for _, f := range now {
		f.Count = max(f.Count, 1)
		if at := slices.IndexFunc(before, func(g prober.Finding) bool { return sameFinding(f, g) }); at >= 0 {
			f.Count -= max(before[at].Count, 1)
		}
		if f.Count > 0 {
			list = addFindings(list, f)
		}
	}
	return list
}

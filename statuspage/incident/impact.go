package incident

import (
	"slices"

	"streamcanary/prober"
)

// The tables by which component status and impact follow from what fails. The
// README shows them.

// elementStatus is what the failing kinds of one element make of it.
func elementStatus(e prober.ElementType, failing []prober.Kind) Status {
	has := func(k prober.Kind) bool { return slices.Contains(failing, k) }
	switch {
	case len(failing) == 0:
		return Operational
	case e == prober.ElementAPI:
		return MajorOutage
	case has(prober.KindPlayback):
		return MajorOutage
	case has(prober.KindCanary) && has(prober.KindGoLive):
		return MajorOutage
	default: // only running broadcasts, or only new ones
		return PartialOutage
	}
}

func rank(s Status) int {
	return slices.Index([]Status{Operational, UnderMaintenance, DegradedPerformance, PartialOutage, MajorOutage}, s)
}

// Worse is the worse of two statuses, in Statuspage's order: operational,
// under_maintenance, degraded_performance, partial_outage, major_outage.
func Worse(a, b Status) Status {
	if rank(b) > rank(a) {
		return b
	}
	return a
}

// componentStatuses gives every component the worst of its elements; where only
// some of several alike elements fail, an outage is partial.
func (t *turn) componentStatuses() map[string]Status {
	kinds := map[prober.Element][]prober.Kind{}
	for _, o := range t.s.Incidents {
		if !o.Announced {
			continue
		}
		for _, f := range o.Incident.Failures {
			if f.RecoveredAt.IsZero() {
				kinds[f.Element] = append(kinds[f.Element], f.Kind)
			}
		}
	}
	all := make(map[string]Status, len(t.topology.Components))
	for _, c := range t.topology.Components {
		all[c.ID] = componentStatus(c, kinds)
	}
	return all
}

// statusesDiffer says whether a component is not what was last published of it.
func (t *turn) statusesDiffer() bool {
	for id, now := range t.componentStatuses() {
		if t.s.Components[id].Status != now {
			return true
		}
	}
	return false
}

func componentStatus(c Component, failing map[prober.Element][]prober.Kind) Status {
	worst := map[prober.ElementType]Status{}
	bad, of := map[prober.ElementType]int{}, map[prober.ElementType]int{}
	for _, e := range c.Elements {
		s := elementStatus(e.Type, failing[e])
		worst[e.Type] = Worse(Operational, Worse(worst[e.Type], s))
		of[e.Type]++
		if s != Operational {
			bad[e.Type]++
		}
	}
	status := Operational
	for _, e := range []prober.ElementType{prober.ElementAPI, prober.ElementIngest, prober.ElementCore, prober.ElementPlayback} {
		s := worst[e]
		if s == MajorOutage && bad[e] < of[e] {
			s = PartialOutage
		}
		if s != "" {
			status = Worse(status, s)
		}
	}
	return status
}

// impact is critical when nobody can go live, or nobody can watch, anywhere on
// the target; major when something is out; minor when one of several regions
// is out in part.
func (t *turn) impact(in *Incident) Impact {
	target := t.index.target[in.Target]
	kinds := map[prober.Element][]prober.Kind{}
	for _, f := range in.Failures {
		if f.RecoveredAt.IsZero() {
			kinds[f.Element] = append(kinds[f.Element], f.Kind)
		}
	}
	tally := func(endpoints []Endpoint, element func(target, id string) prober.Element) (major, out int) {
		for _, e := range endpoints {
			el := element(target.ID, e.ID)
			status := elementStatus(el.Type, kinds[el])
			if status == MajorOutage {
				major++
			}
			if status != Operational {
				out++
			}
		}
		return major, out
	}
	ingestMajor, ingestAny := tally(target.Ingests, ingest)
	playbackMajor, playbackAny := tally(target.Playbacks, playback)
	status := func(e prober.ElementType) Status {
		return elementStatus(e, kinds[prober.Element{Target: target.ID, Type: e}])
	}
	everywhere := func(n int, of []Endpoint) bool { return n > 0 && n == len(of) }
	switch {
	case everywhere(ingestMajor, target.Ingests), everywhere(playbackMajor, target.Playbacks),
		status(prober.ElementCore) == MajorOutage:
		return ImpactCritical
	case ingestMajor+playbackMajor > 0, everywhere(ingestAny, target.Ingests), everywhere(playbackAny, target.Playbacks),
		status(prober.ElementAPI) != Operational, status(prober.ElementCore) != Operational:
		return ImpactMajor
	case ingestAny+playbackAny > 0:
		return ImpactMinor
	}
	return ImpactNone
}

func worseImpact(a, b Impact) Impact {
	order := []Impact{ImpactNone, ImpactMinor, ImpactMajor, ImpactCritical}
	if slices.Index(order, b) > slices.Index(order, a) {
		return b
	}
	return a
}

// affects says whether a component shows an element that the incident has had.
func (t *turn) affects(in *Incident, c Component) bool {
	return slices.ContainsFunc(in.Failures, func(f Failure) bool { return slices.Contains(c.Elements, f.Element) })
}

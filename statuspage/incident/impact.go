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
	case !slices.ContainsFunc(failing, func(k prober.Kind) bool { return k != KindQuality }):
		return DegradedPerformance
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

// weight is the kind by which a failure counts in the table: one that leaves
// other paths good counts as one that leaves running broadcasts good.
func (f Failure) weight() prober.Kind {
	if f.partial() && f.Kind != KindQuality {
		return prober.KindGoLive
	}
	return f.Kind
}

// partial says whether every site saw good paths beside the failing ones.
func (f Failure) partial() bool {
	return len(f.Evidence) > 0 && !slices.ContainsFunc(f.Evidence, func(e Evidence) bool { return !e.Partial })
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
	failing := func(counts func(*Incident) bool) map[prober.Element][]prober.Kind {
		kinds := map[prober.Element][]prober.Kind{}
		for _, o := range t.s.Incidents {
			if o.Announced && !o.Incident.Frozen && counts(&o.Incident) {
				o.Incident.failingKinds(kinds)
			}
		}
		return kinds
	}
	kinds := failing(func(*Incident) bool { return true })
	all := make(map[string]Status, len(t.topology.Components))
	for _, c := range t.topology.Components {
		// What waits for a person must not show through the component's colour.
		if c.Publish == PublishHold {
			all[c.ID] = componentStatus(c, failing(func(in *Incident) bool { return t.shows(in, c) }))
		} else {
			all[c.ID] = componentStatus(c, kinds)
		}
		for _, o := range t.s.Incidents {
			if o.Incident.Frozen && (c.Publish != PublishHold || t.shows(&o.Incident, c)) {
				all[c.ID] = Worse(all[c.ID], o.Statuses[c.ID])
			}
		}
		if t.maintained(c) {
			all[c.ID] = Worse(all[c.ID], UnderMaintenance)
		}
	}
	return all
}

// statusesDiffer says whether a component that messages of an incident are about is
// not what was last published of it.
func (t *turn) statusesDiffer(in *Incident) bool {
	now, reach := t.componentStatuses(), t.reach(in)
	return slices.ContainsFunc(t.topology.Components, func(c Component) bool {
		if !t.affects(in, c) || c.Publish == PublishInternal && reach != PublishInternal {
			return false
		}
		named := slices.Contains(in.Components, c.ID) || c.Publish == PublishHold && !t.shows(in, c)
		return !named || t.s.Components[c.ID].Status != now[c.ID]
	})
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

// impact is critical when every ingest, every playback or the core is out in
// full; major when one of them is, or all of a type are out in part, or the API
// is; minor when some of several are out in part, or something only plays badly.
// It is made of what may be told, as the words are.
func (t *turn) impact(in *Incident) Impact {
	return t.impactOf(in, func(f Failure) bool { return f.RecoveredAt.IsZero() })
}

func (t *turn) impactOf(in *Incident, counts func(Failure) bool) Impact {
	target := t.index.target[in.Target]
	kinds := map[prober.Element][]prober.Kind{}
	for _, f := range t.told(in) {
		if counts(f) {
			kinds[f.Element] = append(kinds[f.Element], f.weight())
		}
	}
	degraded := 0
	tally := func(endpoints []Endpoint, element func(target, id string) prober.Element) (major, out int) {
		for _, e := range endpoints {
			el := element(target.ID, e.ID)
			status := elementStatus(el.Type, kinds[el])
			switch status {
			case MajorOutage:
				major++
				out++
			case PartialOutage:
				out++
			case DegradedPerformance:
				degraded++
			default:
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
		status(prober.ElementAPI) != Operational, rank(status(prober.ElementCore)) >= rank(PartialOutage):
		return ImpactMajor
	case ingestAny+playbackAny+degraded > 0, status(prober.ElementCore) == DegradedPerformance:
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

// affects says whether a component shows an element that the incident has had, or
// one of which a person said so.
func (t *turn) affects(in *Incident, c Component) bool {
	return slices.Contains(in.Components, c.ID) || slices.Contains(in.Withheld, c.ID) ||
		slices.ContainsFunc(in.Failures, func(f Failure) bool { return slices.Contains(c.Elements, f.Element) })
}

package incident

import (
	"slices"
	"time"

	"streamcanary/prober"
)

// One cause, one incident: whether two failures may have one.

// sameCause says whether one cause may explain a failure and what an incident has
// already: they began together, and something explains both. It is measured from
// the incident's beginning, so that a chain of failures, each close to the last,
// does not become one incident.
func (t *turn) sameCause(o *openIncident, f Failure) bool {
	return o.Incident.StartedAt.Sub(f.FirstFailed).Abs() <= t.settings.JoinWindow &&
		slices.ContainsFunc(o.Incident.Failures, func(g Failure) bool { return t.explained(f.Element, g.Element) })
}

// alwaysFailed is how many rounds in a row have to fail at a site until chance no longer
// explains it, where half of everything fails: with three ingests all of a playback is
// red in one round of eight, and in five of them in a row once in 30,000.
const alwaysFailed = 5

// byChance says whether what is open explains that an element reaches its threshold:
// while what lies between ingests and playbacks fails now and then, now and then all
// that is played of one ingest, or at one playback, fails as well. What fails in every
// round at a quorum of sites is a failure of its own.
func (t *turn) byChance(sum *sumState) bool {
	if sum.Kind == prober.KindCanary || sum.Element.Type != prober.ElementIngest && sum.Element.Type != prober.ElementPlayback {
		return false
	}
	if !t.failsInPart(core(sum.Element.Target)) {
		return false
	}
	always := 0
	for id, site := range sum.Sites {
		if site.Noise >= alwaysFailed && t.goodSite(id) {
			always++
		}
	}
	return always < t.settings.Quorum
}

// failsInPart says whether an element is known to fail now and then: by an incident, by
// the latest rounds, or by what a person has resolved and has not been seen good since.
func (t *turn) failsInPart(e prober.Element) bool {
	for _, sum := range t.s.Sums {
		if sum.Element != e || !sum.Open {
			continue
		}
		resolved := t.find(sum) == nil
		for id, site := range sum.Sites {
			if !t.goodSite(id) {
				continue
			}
			if resolved && site.Last != nil && site.Last.Partial || site.Dim != nil && len(site.Dim.Cells) > 0 {
				return true
			}
		}
	}
	return slices.ContainsFunc(t.s.Incidents, func(o *openIncident) bool {
		return slices.ContainsFunc(o.Incident.Failures, func(f Failure) bool {
			return f.Element == e && f.RecoveredAt.IsZero() && slices.ContainsFunc(f.Evidence, func(e Evidence) bool { return e.Partial })
		})
	})
}

// heldByChance lists the sums that what lies between ingests and playbacks keeps from
// opening.
func (t *turn) heldByChance() (held []*sumState) {
	for _, sum := range t.s.Sums {
		if !sum.Open && t.byChance(sum) {
			held = append(held, sum)
		}
	}
	return held
}

// forgetChance takes away what sums have gathered while they were held: its cause is
// over, and what now fails has to be seen anew.
func (t *turn) forgetChance(held []*sumState) {
	for _, sum := range held {
		if t.byChance(sum) {
			continue // it is not over by another kind, or at another target
		}
		for _, site := range sum.Sites {
			site.W, site.Noise, site.FirstFail = 0, 0, time.Time{}
		}
	}
}

// explained says whether a single cause may break both elements. The API and the
// core belong to the whole platform, so what breaks them may break anything. Two
// ingests, or two playbacks, may share what they run; an ingest and a playback
// share only their region. What is left has two causes.
func (t *turn) explained(a, b prober.Element) bool {
	whole := func(e prober.Element) bool { return e.Type == prober.ElementAPI || e.Type == prober.ElementCore }
	if whole(a) || whole(b) || a.Type == b.Type {
		return true
	}
	return t.index.regions[a] == t.index.regions[b]
}

// relapse says whether an incident has the element already.
func (t *turn) relapse(o *openIncident, f Failure) bool { return o.has(f.Element) }

// wide says whether an incident has outgrown what it was when a second one beside
// it was rightly another: everything of a type fails, which one cause explains
// better than several.
func (t *turn) wide(o *openIncident) bool {
	target := t.index.target[o.Incident.Target]
	all := func(endpoints []Endpoint, element func(target, id string) prober.Element) bool {
		return len(endpoints) > 1 && !slices.ContainsFunc(endpoints, func(e Endpoint) bool { return !o.fails(element(target.ID, e.ID)) })
	}
	return all(target.Ingests, ingest) || all(target.Playbacks, playback)
}

// fails says whether an element of the incident has not recovered.
func (o *openIncident) fails(e prober.Element) bool {
	return slices.ContainsFunc(o.Incident.Failures, func(f Failure) bool { return f.Element == e && f.RecoveredAt.IsZero() })
}

// unite puts together what turns out to have one cause: in the first moments of an
// outage its parts open one after the other, and those that came first may not have
// been enough to see what they share.
func (t *turn) unite() {
	for i := 0; i < len(t.s.Incidents); i++ {
		for j := i + 1; j < len(t.s.Incidents); j++ {
			if !t.s.Incidents[i].Incident.Frozen && !t.s.Incidents[j].Incident.Frozen && t.together(t.s.Incidents[i], t.s.Incidents[j]) {
				t.merge(t.s.Incidents[i], t.s.Incidents[j])
				j = i
			}
		}
	}
}

func (t *turn) together(a, b *openIncident) bool {
	if a.Incident.Target != b.Incident.Target || a.Incident.StartedAt.Sub(b.Incident.StartedAt).Abs() > t.settings.JoinWindow {
		return false
	}
	return t.wide(a) || t.wide(b) ||
		slices.ContainsFunc(b.Incident.Failures, func(f Failure) bool { return t.sameCause(a, f) })
}

// merge moves what b has into a, where its story goes on. If b was told, its last
// word says so; it ends there, so that whoever was told of it has its resolve.
func (t *turn) merge(a, b *openIncident) {
	failures := b.Incident.Failures
	t.uniteApproval(&a.Incident, &b.Incident)
	t.s.Incidents = slices.DeleteFunc(t.s.Incidents, func(o *openIncident) bool { return o == b })
	for _, f := range failures {
		known := slices.ContainsFunc(a.Incident.Failures, func(g Failure) bool { return g.Element == f.Element && g.Kind == f.Kind })
		switch {
		case f.RecoveredAt.IsZero():
			t.join(a, f)
		case !known: // over: it wakes nothing
			a.Incident.Failures = append(a.Incident.Failures, f)
		}
	}
	if !b.Announced {
		return
	}
	t.settle(b)
	b.Incident.Frozen = false
	b.Incident.Phase, b.Incident.ResolvedAt, b.Incident.MergedInto = Resolved, t.s.At, a.Incident.ID
	words := "This is part of another incident, in which updates go on."
	if t.reach(&a.Incident) == PublishAuto || t.reach(&b.Incident) != PublishAuto {
		words = "This is part of another incident, in which updates go on: " + t.title(&a.Incident) + "."
	}
	t.publish(b, IncidentResolved, words)
	if a.Announced {
		t.reask(a)
	}
}

// uniteApproval lets a, into which b is merged, show what a person has let out of
// either, and withhold the rest.
func (t *turn) uniteApproval(a, b *Incident) {
	var waiting []string
	for _, c := range t.topology.Components {
		inA, inB := t.affects(a, c), t.affects(b, c)
		out := inA && t.shows(a, c) || inB && t.shows(b, c)
		if c.Publish == PublishHold && (inA || inB) && !out {
			waiting = append(waiting, c.ID)
		}
	}
	a.Approved, a.Withheld, a.KeptBack = a.Approved || b.Approved, waiting, keptBack(a, b, waiting)
}

// reask asks again, or no more, after what is withheld has changed.
func (t *turn) reask(o *openIncident) {
	if len(o.Incident.Waiting()) == 0 {
		t.approvalOver(o, "Nothing of it waits any more: "+o.Incident.Name)
	}
	t.askApproval(o)
}

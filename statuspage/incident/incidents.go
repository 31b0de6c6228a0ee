package incident

import (
	"slices"
	"strconv"
	"time"

	"streamcanary/prober"
)

// decide opens and closes elements by the evidence that this turn brought, and
// says what has become due of each incident.
func (t *turn) decide() {
	for _, key := range t.touched() {
		sum := t.s.Sums[key]
		muted := !sum.Open && t.muted(sum.Element)
		if sum.Worked && !muted {
			t.workOver(sum)
		}
		switch {
		case muted:
			sum.Worked = true
			sum.notNoise() // work on it, not noise
		case !sum.Open && t.reached(sum) && !t.byChance(sum):
			sum.Open = true
			sum.notNoise()
			for _, site := range sum.Sites {
				site.V = 0
			}
			t.opened(t.failure(sum))
		case sum.Open && t.recovered(sum):
			t.closed(sum)
		case sum.Open:
			t.stillFailing(sum)
		}
	}
	if len(t.s.Incidents) == 0 {
		return
	}
	t.unite()
	good := t.goodSites()
	for _, o := range slices.Clone(t.s.Incidents) {
		t.approvalTimer(o)
		if o.Incident.Frozen {
			t.waits(o)
			continue
		}
		t.quorum(o, good)
		if o.due(t.s.At) {
			t.say(o)
		}
		if o.promised(t.s.At) {
			t.keepPromise(o)
		}
		if o.over(t.s.At) && t.stillGood(o) {
			t.resolve(o)
		}
	}
}

// due says whether a message is.
func (o *openIncident) due(at time.Time) bool { return !o.SayAt.IsZero() && !o.SayAt.After(at) }

// over says whether a hold has passed.
func (o *openIncident) over(at time.Time) bool {
	return !o.HoldUntil.IsZero() && !o.HoldUntil.After(at)
}

// opened puts a failure into the incident that shares its cause, or into one of
// its own: an incident of the same target that has the element already (a
// relapse, or another kind of failure there), one that a person opened for it, or
// one of which one cause may explain both.
func (t *turn) opened(f Failure) {
	for _, same := range []func(*openIncident, Failure) bool{t.relapse, t.claims, t.sameCause} {
		for _, o := range t.s.Incidents {
			if o.Incident.Target == f.Element.Target && same(o, f) {
				t.join(o, f)
				return
			}
		}
	}
	key := f.Element.String() + "|" + string(f.Kind) + "|" + strconv.FormatUint(t.seq, 10)
	t.s.Incidents = append(t.s.Incidents, &openIncident{
		Incident: Incident{
			ID: PublicID(t.topology.Installation, "incident", key), Target: f.Element.Target,
			Phase: Investigating, Impact: ImpactNone, StartedAt: f.FirstFailed,
			CreatedAt: t.s.At, UpdatedAt: t.s.At, Failures: []Failure{f},
			Components: []string{}, Updates: []Update{},
		},
		SayAt: t.s.At.Add(t.settings.OpenSettle),
	})
}

func (t *turn) join(o *openIncident, f Failure) {
	i := slices.IndexFunc(o.Incident.Failures, func(g Failure) bool { return g.Element == f.Element && g.Kind == f.Kind })
	again := i >= 0 && !o.Incident.Failures[i].RecoveredAt.IsZero()
	if i >= 0 {
		o.Incident.Failures[i] = f
	} else {
		o.Incident.Failures = append(o.Incident.Failures, f)
	}
	if f.FirstFailed.Before(o.Incident.StartedAt) {
		o.Incident.StartedAt = f.FirstFailed
	}
	// What relapses together, and before it is told, is one relapse.
	if !o.HoldUntil.IsZero() || again && o.SayAt.IsZero() {
		o.Relapses++
	}
	o.HoldUntil = time.Time{}
	if !o.Announced {
		return
	}
	settle := t.settings.UpdateSettle
	if i >= 0 { // what never failed in it before is news, however much else flaps
		settle = o.patience(settle)
	}
	o.sayBy(t.s.At.Add(settle))
}

// patience is how long a message waits. What fails and recovers again and again
// is told less and less often, at last every five minutes.
func (o *openIncident) patience(first time.Duration) time.Duration {
	const most = 5 * time.Minute
	if o.Relapses < 3 {
		return first
	}
	return min(max(first, 5*time.Second)<<min(o.Relapses-2, 10), most)
}

// sayBy makes the next message due no later than at.
func (o *openIncident) sayBy(at time.Time) {
	if o.SayAt.IsZero() || at.Before(o.SayAt) {
		o.SayAt = at
	}
}

// stillFailing keeps the evidence of an open element current.
func (t *turn) stillFailing(sum *sumState) {
	f := t.find(sum)
	if f == nil {
		return
	}
	for _, id := range t.index.sites {
		site := sum.Sites[id]
		if site == nil || site.Last == nil || !site.Last.At.After(f.LastFailed) || !t.goodSite(id) {
			continue
		}
		f.LastFailed = site.Last.At
		i := slices.IndexFunc(f.Evidence, func(e Evidence) bool { return e.Site == id })
		if i >= 0 {
			f.Evidence[i] = *site.Last
		} else {
			f.Evidence = append(f.Evidence, *site.Last)
		}
	}
}

// find gives the open failure that a sum stands for.
func (t *turn) find(sum *sumState) *Failure {
	for _, o := range t.s.Incidents {
		for i := range o.Incident.Failures {
			if f := &o.Incident.Failures[i]; f.Element == sum.Element && f.Kind == sum.Kind && f.RecoveredAt.IsZero() {
				return f
			}
		}
	}
	return nil
}

// closed notes a recovery. When nothing is left failing the incident goes to
// monitoring at once; a partial recovery waits, since more may follow.
func (t *turn) closed(sum *sumState) {
	t.stillFailing(sum)
	var held []*sumState
	if sum.Element.Type == prober.ElementCore {
		held = t.heldByChance()
	}
	if f := t.find(sum); f != nil {
		f.RecoveredAt = t.s.At
	}
	sum.closeSum()
	t.forgetChance(held)
	for _, o := range t.s.Incidents {
		switch {
		case !o.HoldUntil.IsZero():
		case !o.failing():
			o.HoldUntil = t.s.At.Add(t.settings.Hold)
			o.sayBy(t.s.At.Add(o.patience(0)))
		case o.Announced && o.has(sum.Element):
			o.sayBy(t.s.At.Add(o.patience(t.settings.RecoverySettle)))
		}
	}
}

// failing says whether anything of the incident has not recovered.
func (o *openIncident) failing() bool {
	return slices.ContainsFunc(o.Incident.Failures, func(f Failure) bool { return f.RecoveredAt.IsZero() })
}

func (o *openIncident) has(e prober.Element) bool {
	return slices.ContainsFunc(o.Incident.Failures, func(f Failure) bool { return f.Element == e })
}

// dropUnknownFailures closes what a new configuration no longer knows: no
// evidence on it will ever come.
func (t *turn) dropUnknownFailures() {
	for _, o := range t.s.Incidents {
		for i := range o.Incident.Failures {
			if f := &o.Incident.Failures[i]; f.RecoveredAt.IsZero() && !t.index.probed(f.Element, f.Kind) {
				f.RecoveredAt = t.s.At
			}
		}
		if !o.failing() && o.HoldUntil.IsZero() {
			o.HoldUntil = t.s.At.Add(t.settings.Hold)
			o.sayBy(t.s.At)
		}
	}
}

// stillGood says whether, at the end of a hold, enough sites see everything good
// that had failed. What nobody looks at any more is not resolved by time alone.
func (t *turn) stillGood(o *openIncident) bool {
	if t.goodSites() < t.settings.Quorum {
		return false
	}
	for _, f := range o.Incident.Failures {
		if !t.index.probed(f.Element, f.Kind) {
			continue // gone from the configuration
		}
		if sum := t.s.sum(f.Element, f.Kind); sum == nil || t.goodSince(sum, f.RecoveredAt) < t.settings.Quorum {
			return false
		}
	}
	return true
}

// split says whether sites have disagreed for long on whether an element has
// recovered: some are sure, and too few of them to close it.
func (t *turn) split(o *openIncident) bool {
	limit := t.siteCap(t.settings.RecoveryThreshold)
	for _, f := range o.Incident.Failures {
		sum := t.s.sum(f.Element, f.Kind)
		if sum == nil || !sum.Open {
			continue
		}
		sure := false
		for id, site := range sum.Sites {
			sure = sure || site.V >= limit && t.goodSite(id)
		}
		switch {
		case !sure:
			sum.SplitSince = time.Time{}
		case sum.SplitSince.IsZero():
			sum.SplitSince = t.s.At
		case t.s.At.Sub(sum.SplitSince) >= splitAfter:
			return true
		}
	}
	return false
}

// splitAfter is how long sites may disagree before a person is asked.
const splitAfter = 10 * time.Minute

// quorum tells on-call when an incident cannot resolve by itself: too few sites
// are left, they disagree, or nobody sees any more what had failed.
func (t *turn) quorum(o *openIncident, good int) {
	overdue := !o.HoldUntil.IsZero() && t.s.At.Sub(o.HoldUntil) > max(t.settings.UnknownAfter, t.settings.Hold)
	lost := good < t.settings.Quorum || t.split(o) || overdue
	if lost == o.QuorumLost || !o.Announced {
		return
	}
	if !lost && !o.HoldUntil.IsZero() {
		o.HoldUntil = t.s.At.Add(t.settings.Hold) // a hold without anybody watching was none
	}
	o.QuorumLost = lost
	e := Event{Type: QuorumBack, Key: "quorum/" + o.Incident.ID, Summary: "Enough sites are heard again to resolve: " + o.Incident.Name}
	if lost {
		e.Type = QuorumLost
		e.Summary = "It cannot resolve by itself (too few sites are heard, they disagree, or what had failed is no longer seen): " + o.Incident.Name
	}
	t.emit(e)
}

// say publishes what an incident has come to.
func (t *turn) say(o *openIncident) {
	in := &o.Incident
	o.SayAt = time.Time{}
	if !o.Announced && !t.tellsFailing(in) {
		t.sayLate(o)
	}
	t.phase(o)
	kind, said := IncidentUpdated, t.describe(in)
	name, impact := t.headline(in)
	scope := t.scope(in)
	if o.Announced && name == in.Name && impact == in.Impact &&
		in.Phase == in.Updates[len(in.Updates)-1].Phase && !t.statusesDiffer(in) {
		t.keepUp(o)
		if said == o.Said {
			return // nothing that a reader would miss
		}
		if soonest := in.UpdatedAt.Add(t.settings.UpdateGap); scope == o.Scope && t.s.At.Before(soonest) {
			o.sayBy(soonest) // the scope is the same: a reader can wait
			return
		}
	}
	o.Said, o.Scope, in.Name, in.Impact = said, scope, name, impact
	wanted := updated
	if !o.Announced {
		kind, o.Announced, wanted = IncidentOpened, true, opened
	}
	t.publishTold(o, kind, wanted)
}

// phase is monitoring once nothing fails that is told.
func (t *turn) phase(o *openIncident) {
	in := &o.Incident
	switch failing := t.tellsFailing(in); {
	case !failing && in.Phase == Monitoring && o.failing(): // since what else fails is not told
	case !failing:
		in.Phase = Monitoring
		in.MonitoringAt = t.s.At
	case in.Phase == Monitoring:
		in.Phase = Investigating
		in.MonitoringAt = time.Time{}
	}
}

// sayLate opens an incident that was over before a word was said of it, as when
// the hub gets an outage's results all at once: first what failed, then the rest.
func (t *turn) sayLate(o *openIncident) {
	in := &o.Incident
	over := slices.Clone(in.Failures)
	for i := range in.Failures {
		in.Failures[i].RecoveredAt = time.Time{}
	}
	t.say(o)
	copy(in.Failures, over)
}

// resolve ends an incident after a hold without relapse.
func (t *turn) resolve(o *openIncident) {
	in := &o.Incident
	if !o.SayAt.IsZero() {
		t.say(o)
	}
	in.Phase, in.ResolvedAt = Resolved, t.s.At
	t.s.Incidents = slices.DeleteFunc(t.s.Incidents, func(other *openIncident) bool { return other == o })
	t.settle(o)
	t.publishTold(o, IncidentResolved, resolved)
}

// publish appends an update with the components as they are now, and emits the
// incident as it then is.
func (t *turn) publish(o *openIncident, kind EventType, body string) {
	t.publishUpdate(o, kind, Update{Body: body})
}

func (t *turn) publishUpdate(o *openIncident, kind EventType, said Update) {
	in := &o.Incident
	t.goPublic(o)
	u := t.update(in, said.Body)
	u.Automatic, u.Affected = said.Automatic, t.show(in)
	in.Updates = append(in.Updates, u)
	in.UpdatedAt = t.s.At
	t.tell(o, kind)
}

// show makes the components of an incident what they are now, and withholds those that
// wait for a person.
func (t *turn) show(in *Incident) []AffectedComponent {
	affected := []AffectedComponent{}
	now := t.componentStatuses()
	for _, c := range t.topology.Components {
		if !t.affects(in, c) {
			continue
		}
		if c.Publish == PublishHold && !t.shows(in, c) {
			t.withhold(in, c.ID)
			continue
		}
		state := t.s.Components[c.ID]
		old := state.Status
		if now[c.ID] != old {
			state.Status, state.UpdatedAt = now[c.ID], t.s.At
		}
		affected = append(affected, AffectedComponent{Component: c.ID, Old: old, New: state.Status})
		if !slices.Contains(in.Components, c.ID) {
			in.Components = append(in.Components, c.ID)
		}
		in.Public = in.Public || c.Publish != PublishInternal
	}
	return affected
}

// keepUp brings up to date what is no news on the page, internal components and those
// that wait for a person, and tells on-call without a message.
func (t *turn) keepUp(o *openIncident) {
	in := &o.Incident
	known, changed := len(in.Components)+len(in.Withheld), false
	for _, a := range t.show(in) {
		changed = changed || a.Old != a.New
	}
	if changed || len(in.Components)+len(in.Withheld) > known {
		t.tell(o, IncidentUpdated)
	}
}

// tell emits an incident as it is.
func (t *turn) tell(o *openIncident, kind EventType) {
	in := &o.Incident
	in.Changes, in.Cause = t.related(in), t.cause(t.index.target[in.Target], in.Failures)
	snapshot := in.clone()
	t.emit(Event{Type: kind, Key: "incident/" + in.ID, Summary: in.Name, Incident: &snapshot})
	t.askApproval(o)
}

// update is the next message of an incident.
func (t *turn) update(in *Incident, body string) Update {
	return Update{
		ID:    PublicID(t.topology.Installation, "update", in.ID+"|"+strconv.Itoa(len(in.Updates)+in.Thinned)),
		Phase: in.Phase, Body: body, At: t.s.At, Affected: []AffectedComponent{}, Kept: t.keptAs(in),
	}
}

// clone copies an incident, so that what was emitted never changes.
func (in Incident) clone() Incident {
	in.Components = slices.Clone(in.Components)
	in.Changes = slices.Clone(in.Changes)
	in.Withheld, in.KeptBack = slices.Clone(in.Withheld), slices.Clone(in.KeptBack)
	in.Audit = slices.Clone(in.Audit)
	in.Updates = slices.Clone(in.Updates)
	in.Failures = slices.Clone(in.Failures)
	for i := range in.Failures {
		in.Failures[i].Evidence = slices.Clone(in.Failures[i].Evidence)
	}
	return in
}

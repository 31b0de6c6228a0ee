package incident

import (
	"slices"
	"strings"
	"time"
)

// What a message says of the next one is a promise. While nothing changes it is
// kept with a message that says so.

const (
	promiseMargin = 10 * time.Second // a word that comes on the second comes late
	promiseGrace  = 30 * time.Second // after a pause of the hub: first it has to hear what is true
)

// remindAt is when a promised update is made; the zero time is that none is.
func (o *openIncident) remindAt() time.Time {
	if o.PromisedAt.IsZero() {
		return time.Time{}
	}
	return o.PromisedAt.Add(-promiseMargin)
}

func (o *openIncident) promised(at time.Time) bool {
	return !o.PromisedAt.IsZero() && !o.remindAt().After(at)
}

// promiseAfter leaves time to hear how it is before more is said.
func (o *openIncident) promiseAfter(at time.Time) {
	if soonest := at.Add(promiseGrace + promiseMargin); !o.PromisedAt.IsZero() && o.PromisedAt.Before(soonest) {
		o.PromisedAt = soonest
	}
}

// keepPromise says how it is, even if that is nothing new.
func (t *turn) keepPromise(o *openIncident) {
	in := &o.Incident
	wanted := unchanged
	if said := t.describe(in); said != o.Said { // it waits to be told, and need not any more
		t.phase(o)
		o.Said, o.Scope, wanted = said, t.scope(in), updated
		in.Name, in.Impact = t.headline(in)
	}
	t.publishTold(o, IncidentUpdated, wanted)
}

// publishTold publishes what an incident has come to, by template, with the
// promise of the next update.
func (t *turn) publishTold(o *openIncident, kind EventType, wanted message) {
	in := &o.Incident
	tell := t.telling(in)
	tell.Unsure = o.QuorumLost
	in.thin()
	promised := t.promise(in)
	if !promised.IsZero() {
		tell.NextUpdate = promised.Format("15:04 UTC")
		if promised.YearDay() != t.s.At.UTC().YearDay() {
			tell.NextUpdate = promised.Format("15:04 UTC on 2 January")
		}
	}
	t.publishUpdate(o, kind, Update{Body: t.words.phrase(messageOf(in, tell, wanted), tell), Automatic: true})
	o.PromisedAt = promised
}

// promise is by when the next update comes: a whole minute, as people read clocks.
// There is an end to it, so that room is left for what people say.
func (t *turn) promise(in *Incident) time.Time {
	if t.settings.UpdateEvery < time.Minute || in.Phase == Resolved || in.long() {
		return time.Time{}
	}
	return t.s.At.UTC().Add(t.settings.UpdateEvery).Truncate(time.Minute)
}

// scope names what of an incident has not recovered, in an order of its own: what is
// not told is no change of it.
func (t *turn) scope(in *Incident) string {
	var all []string
	for _, f := range t.told(in) {
		if f.RecoveredAt.IsZero() {
			all = append(all, f.Element.String()+" "+string(f.Kind))
		}
	}
	slices.Sort(all)
	return strings.Join(all, "|")
}

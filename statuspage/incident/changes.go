package incident

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// Scope is how near a change is to what failed.
type Scope string

// The scopes, the nearest first.
const (
	ScopeComponent  Scope = "component"  // it names a component that failed
	ScopeRegion     Scope = "region"     // it names a region in which something failed
	ScopeEverything Scope = "everything" // it names neither: it may concern anything
)

// Related is a change that was reported shortly before an incident's first failure.
// Internal: that it came before does not make it the cause.
type Related struct {
	Change
	Scope   Scope         `json:"scope"`
	Lead    time.Duration `json:"lead_ns"` // from the change to the first failure; negative is after it
	Similar int           `json:"similar"` // changes that would be named in its place, it included
	Over    time.Duration `json:"over_ns"` // within so long
}

// Coincidence is the probability that any moment has a change of that scope as
// shortly before it, if changes come at random and as often as they did.
func (r Related) Coincidence() float64 {
	if r.Over <= 0 {
		return 1
	}
	return 1 - math.Exp(-float64(r.Similar)*max(r.Lead.Abs(), time.Second).Seconds()/r.Over.Seconds())
}

// Words say how the change is related, for a person on call.
func (r Related) Words() string {
	names := map[Scope]string{ScopeComponent: "names a component that failed", ScopeRegion: "names a region that failed", ScopeEverything: "names neither component nor region"}
	when := r.Lead.Round(time.Second).String() + " before the first failure"
	if r.Lead < 0 {
		when = (-r.Lead).Round(time.Second).String() + " after the first failure"
	}
	chance := "as likely as not"
	switch p := r.Coincidence(); {
	case p < .001:
		chance = "less than 1 in 1000"
	case p <= .5:
		chance = fmt.Sprintf("1 in %.0f", 1/p)
	case p > .95:
		chance = "nearly certain"
	case p > .6:
		chance = "likelier than not"
	}
	return fmt.Sprintf("%s, %s; %s. By coincidence alone: %s (%d such in %s)", r.Summary, when, names[r.Scope], chance, r.Similar, roughly(r.Over))
}

// roughly is a length of time in the two units that matter.
func roughly(d time.Duration) string {
	if days := d / (24 * time.Hour); days > 0 {
		return fmt.Sprintf("%dd%dh", days, d%(24*time.Hour)/time.Hour)
	}
	return d.Round(time.Second).String()
}

const (
	maxChanges     = 200
	changesKept    = 30 * 24 * time.Hour
	relatedChanges = 10 // of one incident
)

// change notes a deploy, to be named beside an incident that follows it.
func (t *turn) change(c Change) {
	if c.At.IsZero() {
		c.At = t.s.At
	}
	t.s.Changes = append(t.s.Changes, c)
	slices.SortStableFunc(t.s.Changes, func(a, b Change) int { return a.At.Compare(b.At) })
	t.forgetChanges()
	t.emit(Event{Type: ChangeReported, Key: "change/" + c.ID, Summary: "Change reported: " + c.Summary, Change: &c})
}

// forgetChanges bounds what is kept. How often changes come is known of the time from
// which on all of them are.
func (t *turn) forgetChanges() {
	if t.s.ChangesSince.IsZero() {
		t.s.ChangesSince = t.s.At
	}
	if oldest := t.s.At.Add(-changesKept); t.s.ChangesSince.Before(oldest) {
		t.s.ChangesSince = oldest
	}
	t.s.Changes = slices.DeleteFunc(t.s.Changes, func(c Change) bool { return t.s.At.Sub(c.At) > changesKept })
	if n := len(t.s.Changes) - maxChanges; n > 0 {
		t.s.ChangesSince, t.s.Changes = t.s.Changes[n].At, t.s.Changes[n:]
	}
}

// related are the changes reported shortly before an incident's first failure that
// may concern what failed, the nearest first.
func (t *turn) related(in *Incident) []Related {
	if len(t.s.Changes) == 0 {
		return nil
	}
	components, regions := t.failed(in)
	similar := map[Scope]int{}
	var near []Related
	for _, c := range t.s.Changes {
		scope, concerned := scopeOf(c, components, regions)
		if !concerned {
			continue
		}
		similar[scope]++
		lead := in.StartedAt.Sub(c.At)
		if lead <= t.settings.ChangeWindow && lead >= -time.Minute {
			near = append(near, Related{Change: c, Scope: scope, Lead: lead})
		}
	}
	since := t.s.ChangesSince
	if first := t.s.Changes[0].At; first.Before(since) {
		since = first
	}
	for i := range near {
		near[i].Similar, near[i].Over = similar[near[i].Scope], t.s.At.Sub(since)
	}
	order := []Scope{ScopeComponent, ScopeRegion, ScopeEverything}
	slices.SortStableFunc(near, func(a, b Related) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Scope), slices.Index(order, b.Scope)), cmp.Compare(a.Lead.Abs(), b.Lead.Abs()), cmp.Compare(a.ID, b.ID))
	})
	return near[:min(len(near), relatedChanges)]
}

// failed lists the components and regions that an incident concerns.
func (t *turn) failed(in *Incident) (components, regions []string) {
	components = slices.Clone(in.Components)
	for _, f := range in.Failures {
		if r := t.index.regions[f.Element]; r != "" {
			regions = append(regions, r)
		}
		for _, c := range t.topology.Components {
			if slices.Contains(c.Elements, f.Element) {
				components = append(components, c.ID)
			}
		}
	}
	return components, regions
}

func scopeOf(c Change, components, regions []string) (s Scope, concerned bool) {
	names := func(list []string) func(string) bool {
		return func(id string) bool { return slices.Contains(list, id) }
	}
	switch {
	case slices.ContainsFunc(c.Components, names(components)):
		return ScopeComponent, true
	case len(c.Components) == 0 && slices.ContainsFunc(c.Regions, names(regions)):
		return ScopeRegion, true
	case len(c.Components)+len(c.Regions) == 0:
		return ScopeEverything, true
	}
	return "", false
}

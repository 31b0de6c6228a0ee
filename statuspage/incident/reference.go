package incident

import (
	"fmt"
	"time"

	"streamcanary/prober"
)

const (
	// A reference that failed at a quorum of sites says nothing for so long after
	// it last did: sites see it come back one after the other.
	referenceRest = time.Minute
	// On-call is told of an agent whose reference fails once that has lasted: when
	// it fails everywhere, that is not yet known of the first site.
	referenceTold = 45 * time.Second
)

// counts says whether an agent's word does: its own controls pass, and the
// independent reference does, too, unless that fails at so many sites that it is
// out itself.
func (t *turn) counts(a *agentState) bool {
	return a.Control == prober.ControlPass && (a.Reference != prober.ControlFail || t.referenceOut())
}

func (t *turn) referenceOut() bool { return t.s.At.Before(t.s.ReferenceOutUntil) }

// reference notes what an agent says of the independent reference.
func (t *turn) reference(name string, a *agentState, h *prober.Host) {
	if h.Reference == a.Reference {
		a.ReferenceDetail = h.ReferenceDetail
		return
	}
	counted := t.counts(a)
	a.Reference, a.ReferenceDetail, a.ReferenceSince = h.Reference, h.ReferenceDetail, t.s.At
	t.weighReference()
	if now := t.counts(a); now != counted {
		t.allDirty = true
		if !now {
			t.clearSite(t.index.site[name])
		}
	}
}

// weighReference takes the reference out while it fails at a quorum of sites, and at
// so many that it is likelier down itself: at more than half of those that ask it, or
// at so many that the rest is no quorum. Where the rest is one, those that do not reach
// what others do have trouble that they share, and their word does not count.
func (t *turn) weighReference() {
	failing, passing := 0, 0
	for _, site := range t.topology.Sites {
		switch t.referenceAt(site.ID) {
		case prober.ControlFail:
			failing++
		case prober.ControlPass:
			passing++
		case prober.ControlUnknown:
		}
	}
	// One site alone cannot tell its own trouble from the reference's.
	if failing >= max(t.settings.Quorum, 2) && (failing > passing || passing < t.settings.Quorum) {
		t.allDirty = t.allDirty || !t.referenceOut()
		t.s.ReferenceOutUntil = t.s.At.Add(referenceRest)
	}
	if out := t.referenceOut(); out != t.s.ReferenceTold {
		t.s.ReferenceTold, t.allDirty = out, true
		if out {
			t.emit(Event{Type: ReferenceFailed, Key: "reference",
				Summary: fmt.Sprintf("The reference of %d sites fails: it is likelier down itself, and no longer asked whether an agent is well", failing)})
			return
		}
		t.emit(Event{Type: ReferenceBack, Key: "reference", Summary: "The reference is asked again"})
	}
}

// referenceAt is what a site says of the reference: fail, if any agent of it does.
func (t *turn) referenceAt(site string) prober.Control {
	said := prober.ControlUnknown
	for _, name := range t.index.at[site] {
		switch a := t.s.Agents[name]; {
		case a.Silent:
		case a.Reference == prober.ControlFail:
			return prober.ControlFail
		case a.Reference == prober.ControlPass:
			said = prober.ControlPass
		}
	}
	return said
}

// referenceTimers tells on-call of agents whose reference alone fails, and of
// their recovery.
func (t *turn) referenceTimers() {
	t.weighReference()
	for _, name := range t.index.agents {
		a := t.s.Agents[name]
		if a.Silent {
			continue
		}
		alone := a.Reference == prober.ControlFail && !t.referenceOut()
		switch {
		case alone && !a.Cut && t.s.At.Sub(a.ReferenceSince) >= referenceTold:
			a.Cut = true
			t.agentEvent(AgentSick, name, "reference", "Agent "+name+" is not counted: its independent reference fails, and not that of other sites: "+a.ReferenceDetail)
		case !alone && a.Cut:
			a.Cut = false
			t.agentEvent(AgentRecovered, name, "reference", "Agent "+name+" reaches its independent reference again, or that is out itself")
		}
	}
}

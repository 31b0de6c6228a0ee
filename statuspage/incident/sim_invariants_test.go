package incident

import (
	"fmt"
	"slices"
	"time"

	"streamcanary/prober"
)

// by says whether a person's action caused an event.
func by(e Event, actions ...Action) bool {
	n := len(e.Incident.Audit)
	return n > 0 && e.Incident.Audit[n-1].At.Equal(e.At) && slices.Contains(actions, e.Incident.Audit[n-1].Action)
}

// invariants are what must hold after every step, and in the end.
type invariants struct {
	w    *sim
	open map[string]Event // incidents that were told, by id
	seen int              // events

	told   map[string]bool     // what sinks were told, and is not over, by the alerts' keys
	ids    map[string]struct{} // of events: a sink takes each once
	known  map[string]bool     // failures, by element, kind and time
	row    string
	begun  time.Duration   // when the row's fault is at work; 0 is not known
	causes int             // that are at work: so many incidents may be open at a time; 0 is any number
	frozen map[string]bool // incidents that a person held before this step
}

func newInvariants(w *sim) *invariants {
	v := &invariants{w: w, open: map[string]Event{}, told: map[string]bool{}, ids: map[string]struct{}{}, known: map[string]bool{}}
	w.check = func() {
		for ; v.seen < len(w.events); v.seen++ {
			v.event(w.events[v.seen])
		}
		v.state()
	}
	return v
}

func (v *invariants) event(e Event) {
	t := v.w.t
	v.sink(e)
	switch e.Type {
	case IncidentOpened:
		if before, twice := v.open[e.Incident.ID]; twice && (before.Type != IncidentResolved || !by(e, ActionReopen)) {
			t.Errorf("incident %s opened twice", e.Incident.ID)
		}
		v.open[e.Incident.ID] = e
		for _, f := range e.Incident.Failures {
			if len(f.Evidence) < v.w.policy.settings.Quorum {
				t.Errorf("%s opened on the word of %d sites", f.Element, len(f.Evidence))
			}
		}
	case IncidentResolved:
		opened, ok := v.open[e.Incident.ID]
		if !ok || opened.Type != IncidentOpened {
			t.Errorf("incident %s resolved, but it was not open", e.Incident.ID)
		}
		if v.frozen[e.Incident.ID] && !by(e, ActionResolve, ActionFalseAlarm, ActionMerge, ActionRelease) {
			t.Errorf("incident %s resolved by itself, though a person has frozen it", e.Incident.ID)
		}
		v.open[e.Incident.ID] = e
		for _, f := range e.Incident.Failures {
			if f.RecoveredAt.IsZero() && e.Incident.MergedInto == "" && !by(e, ActionResolve, ActionFalseAlarm) {
				t.Errorf("incident %s resolved while %s fails", e.Incident.ID, f.Element)
			}
		}
	default:
	}
}

// sink is what any sink is told: each event has an id of its own, by which it is taken
// once however often it is delivered, and what began ends once before it begins again.
func (v *invariants) sink(e Event) {
	t := v.w.t
	if _, twice := v.ids[e.ID]; twice {
		t.Errorf("two events have the id %s: %s", e.ID, e.Summary)
	}
	v.ids[e.ID] = struct{}{}
	begins := slices.Contains([]EventType{IncidentOpened, AgentSick, AgentSilent, AgentContradicted, NoAgents, QuorumLost, ReferenceFailed, BaselineExceeded}, e.Type)
	ends := slices.Contains([]EventType{IncidentResolved, AgentRecovered, AgentsBack, QuorumBack, ReferenceBack, BaselineHolds}, e.Type)
	switch {
	case begins && v.told[e.Key]:
		t.Errorf("%s is told again, and was not over: %s", e.Key, e.Summary)
	case ends && !v.told[e.Key]:
		t.Errorf("%s is told to be over, and had not begun: %s", e.Key, e.Summary)
	}
	if begins || ends {
		v.told[e.Key] = begins
	}
}

// quorate holds that what has just failed was seen by q sites whose agents are well.
func (v *invariants) quorate(f Failure) {
	key := f.Element.String() + string(f.Kind) + f.OpenedAt.String()
	if v.known[key] {
		return
	}
	v.known[key] = true
	sites := map[string]bool{}
	for _, e := range f.Evidence {
		if a := v.w.state.Agents[e.Agent]; a.Control == prober.ControlPass && !a.Silent && !a.Sick {
			sites[e.Site] = true
		}
	}
	if q := v.w.policy.settings.Quorum; len(sites) < q {
		v.w.t.Errorf("%s fails by the word of %d sites with good controls, not of %d", f.Element, len(sites), q)
	}
}

// recovered holds that what has just recovered had rounds enough without the fault, by
// what the simulation knows and not by what the engine has weighed, and that no quorum
// of sites is still struck by it. Where chance strikes, anything may seem good.
func (v *invariants) recovered(f Failure) {
	w, p := v.w, v.w.policy
	if v.begun == 0 || w.setup.humans {
		return
	}
	if fault := w.setup.fault(v.begun); fault.share != 0 || fault.thin != 0 {
		return
	}
	var most Nats
	well, struck := 0, 0
	for _, a := range w.agents {
		n := a.goods[f.Kind]
		most += min(Nats(n)*p.weights[f.Kind].ok, p.siteCap(p.settings.RecoveryThreshold))
		if n > 0 {
			well++
		} else {
			struck++
		}
	}
	if q := p.settings.Quorum; well < q || struck >= q || most < p.settings.RecoveryThreshold {
		w.t.Errorf("%s: %s has recovered at %s by good rounds of %d sites, of %d nats at most, while %d are struck", v.row, f.Element, clock(f.RecoveredAt), well, most, struck)
	}
}

func (v *invariants) state() {
	t, s, p := v.w.t, v.w.state, v.w.policy
	elements := map[prober.Element]string{}
	v.frozen = map[string]bool{}
	announced := 0
	for _, o := range s.Incidents {
		v.frozen[o.Incident.ID] = o.Incident.Frozen
		if o.Announced {
			announced++
		}
		for _, f := range o.Incident.Failures {
			if f.OpenedAt.Equal(s.At) {
				v.quorate(f)
			}
			if f.RecoveredAt.Equal(s.At) {
				v.recovered(f)
			}
			if other, twice := elements[f.Element]; twice && other != o.Incident.ID && f.RecoveredAt.IsZero() {
				t.Errorf("%s fails in two open incidents, %s and %s", f.Element, other, o.Incident.ID)
			}
			if f.RecoveredAt.IsZero() {
				elements[f.Element] = o.Incident.ID
			}
		}
	}
	if v.causes > 0 && announced > v.causes {
		var names []string
		for _, o := range s.Incidents {
			names = append(names, fmt.Sprintf("%s (%v)", o.Incident.Name, o.Incident.Components))
		}
		t.Errorf("%s: %d incidents are open at a time, of %d causes: %q", v.row, announced, v.causes, names)
		v.causes = announced // said once
	}
	if n := len(s.Rounds); n > maxRounds*len(v.w.agents) {
		t.Errorf("%d rounds are open", n)
	}
	for key, sum := range s.Sums {
		for id, site := range sum.Sites {
			if site.W < 0 || site.W > p.siteCap(p.settings.Threshold) || site.V < 0 || site.V > p.siteCap(p.settings.RecoveryThreshold) {
				t.Errorf("sum %s of %s is out of bounds: %d, %d", key, id, site.W, site.V)
			}
		}
	}
}

// end holds that everything that opened was resolved, once it was long over.
func (v *invariants) end() {
	for id, e := range v.open {
		if e.Type != IncidentResolved {
			v.w.t.Errorf("incident %s (%s) is still open, long after its end", id, e.Summary)
		}
	}
}

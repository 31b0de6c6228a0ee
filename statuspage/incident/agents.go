package incident

import (
	"fmt"
	"time"

	"streamcanary/prober"
)

// result takes one result of an agent, or counts why not.
func (t *turn) result(r prober.Result, now time.Time) {
	site, ok := t.index.site[r.Agent]
	if !ok {
		t.refuse("unknown agent", r)
		return
	}
	if cause := t.stranger(r); cause != "" {
		t.refuse(cause, r)
		return
	}
	a := t.s.Agents[r.Agent]
	if r.Age > t.settings.LateAfter {
		a.Late++
		return
	}
	if !a.take(r.Boot, r.Seq) {
		return
	}
	t.heard(r, a)
	if a.Control == prober.ControlPass {
		t.add(r, site, now.Add(-max(r.Age, 0)))
	}
}

// stranger says what a result names that is not in the topology.
func (t *turn) stranger(r prober.Result) string {
	target, ok := t.index.target[r.Target]
	switch {
	case !ok:
		return "unknown target"
	case r.Ingest != "" && !t.index.elements[ingest(target.ID, r.Ingest)]:
		return "unknown ingest"
	case r.Playback != "" && !t.index.elements[playback(target.ID, r.Playback)]:
		return "unknown playback"
	case t.weights[r.Kind] == weights{}:
		return "unknown kind"
	case r.Age < -t.settings.LateAfter:
		return "negative age"
	case len(t.s.Rounds) > 64*len(t.index.agents):
		return "too many open rounds"
	}
	return ""
}

// refuse counts a result that cannot be weighed, and tells on-call the first.
func (t *turn) refuse(cause string, r prober.Result) {
	t.s.Refused[cause]++
	if t.s.Refused[cause] == 1 {
		t.emit(Event{
			Type: ResultRefused, Key: "refused/" + cause, Agent: r.Agent,
			Summary: fmt.Sprintf("Results are not counted: %s (agent %q, target %q, ingest %q, playback %q). Does the hub's configuration name them?", cause, r.Agent, r.Target, r.Ingest, r.Playback),
		})
	}
}

// take says whether a result of a boot is new. Delivery is at least once.
func (a *agentState) take(boot string, seq uint64) bool {
	if a.Boot != boot {
		a.Boot, a.Newest, a.Window = boot, seq, 1
		return true
	}
	if seq > a.Newest {
		shift := seq - a.Newest
		a.Newest = seq
		if shift > 63 {
			a.Window = 0
		} else {
			a.Window <<= shift
		}
		a.Window |= 1
		return true
	}
	back := a.Newest - seq
	if back > 63 || a.Window>>back&1 == 1 {
		return false
	}
	a.Window |= 1 << back
	return true
}

// heard notes an agent's own state, and tells on-call when it changes.
func (t *turn) heard(r prober.Result, a *agentState) {
	a.SeenAt = t.s.At
	t.allDirty = t.allDirty || a.Silent || a.Control != r.Control
	a.Control, a.ControlDetail = r.Control, r.ControlDetail
	if a.Silent {
		a.Silent = false
		t.agentEvent(AgentRecovered, r.Agent, "silent", "Agent "+r.Agent+" is heard again")
	}
	if sick := r.Control == prober.ControlFail; sick != a.Sick && r.Control != prober.ControlUnknown {
		a.Sick = sick
		if sick {
			t.clearSite(t.index.site[r.Agent])
			t.agentEvent(AgentSick, r.Agent, "sick", "Agent "+r.Agent+" is sick and not counted: its own control fails: "+r.ControlDetail)
		} else {
			t.agentEvent(AgentRecovered, r.Agent, "sick", "Agent "+r.Agent+" is well again")
		}
	}
	if r.Dropped > a.Dropped {
		t.emit(Event{
			Type: ResultsDropped, Key: fmt.Sprintf("agent/%s/dropped/%d", r.Agent, r.Dropped), Agent: r.Agent,
			Summary: fmt.Sprintf("Agent %s has lost %d results because its outbox was full", r.Agent, r.Dropped),
		})
	}
	a.Dropped = r.Dropped
}

func (t *turn) agentEvent(kind EventType, agent, what, summary string) {
	t.emit(Event{Type: kind, Key: "agent/" + agent + "/" + what, Agent: agent, Summary: summary})
}

// clearSite forgets what a site has seen: while it was falling sick, it may
// have seen anything.
func (t *turn) clearSite(id string) {
	for _, sum := range t.s.Sums {
		if site := sum.Sites[id]; site != nil {
			site.W, site.V, site.Failing, site.FirstFail = 0, 0, false, time.Time{}
		}
	}
}

// silentAt is when an agent will have been silent for too long.
func (p Policy) silentAt(s State, a *agentState) time.Time {
	since := s.GraceFrom
	if a.SeenAt.After(since) {
		since = a.SeenAt
	}
	return since.Add(p.settings.SilentAfter)
}

// goodSite says whether a site's word counts: an agent of it is heard, and that
// agent's own controls pass.
func (t *turn) goodSite(id string) bool {
	for agent, site := range t.index.site {
		if a := t.s.Agents[agent]; site == id && !a.Silent && a.Control == prober.ControlPass {
			return true
		}
	}
	return false
}

func (t *turn) goodSites() int {
	n := 0
	for _, site := range t.topology.Sites {
		if t.goodSite(site.ID) {
			n++
		}
	}
	return n
}

// agentTimers tells on-call of agents that fell silent or stand alone.
func (t *turn) agentTimers() {
	silent := 0
	for _, name := range t.index.agents {
		a := t.s.Agents[name]
		if !a.Silent && !t.silentAt(*t.s, a).After(t.s.At) {
			a.Silent, t.allDirty = true, true
			last := "it was never heard"
			if !a.SeenAt.IsZero() {
				last = "last heard " + clock(a.SeenAt)
			}
			t.agentEvent(AgentSilent, name, "silent", "Agent "+name+" is silent: "+last+". What it sees is unknown")
		}
		if a.Silent {
			silent++
		}
	}
	if none := silent == len(t.index.agents) && silent > 0; none != t.s.NoAgents {
		t.s.NoAgents = none
		if none {
			t.emit(Event{Type: NoAgents, Key: "agents", Summary: "No agent is heard: nothing is known of any component"})
		} else {
			t.emit(Event{Type: AgentsBack, Key: "agents", Summary: "Agents are heard again"})
		}
	}
	for _, name := range t.index.agents {
		t.contradicted(name, t.s.Agents[name])
	}
}

// contradicted tells on-call of a site at the limit of its sum on something
// that every other site sees good: more likely its own network.
func (t *turn) contradicted(name string, a *agentState) {
	if !t.alone(t.index.site[name]) {
		a.AloneSince = time.Time{}
		if a.Contradicted {
			a.Contradicted = false
			t.agentEvent(AgentRecovered, name, "alone", "Agent "+name+" sees what the others see again")
		}
		return
	}
	if a.AloneSince.IsZero() {
		a.AloneSince = t.s.At
	}
	if !a.Contradicted && t.s.At.Sub(a.AloneSince) >= t.settings.ContradictedAfter {
		a.Contradicted = true
		t.agentEvent(AgentContradicted, name, "alone", "Agent "+name+" alone sees failures that no other site sees: its own network is the likelier cause")
	}
}

func (t *turn) alone(id string) bool {
	limit := t.siteCap(t.settings.Threshold)
	for _, sum := range t.s.Sums {
		site := sum.Sites[id]
		if sum.Open || site == nil || site.W < limit {
			continue
		}
		others := 0
		for other, s := range sum.Sites {
			if other != id && t.goodSite(other) && s.W == 0 {
				others++
			}
		}
		if others >= t.settings.Quorum {
			return true
		}
	}
	return false
}

package incident

import (
	"fmt"
	"slices"
	"time"

	"streamcanary/prober"
)

// result takes one result of an agent, or counts why not.
func (t *turn) result(r *prober.Result, now time.Time) {
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
	if ahead := r.Ended.Sub(now); ahead > aheadTold {
		t.odd("clock ahead", r, fmt.Sprintf("Agent %s's clock is ahead of the hub's by %s. Its results count, by their age; set its clock", r.Agent, ahead.Round(time.Second)))
	}
	taken, restarted := a.take(r.Boot, r.Seq)
	if !taken {
		return
	}
	if restarted {
		t.forgetBroadcasts(site)
	}
	t.heard(r, a)
	t.refusals(r)
	if t.counts(a) {
		t.add(r, site, now.Add(-max(r.Age, 0)))
	}
}

// stranger says what a result names that is not in the topology.
func (t *turn) stranger(r *prober.Result) string {
	target, ok := t.index.target[r.Target]
	switch {
	case !ok:
		return "unknown target"
	case r.Ingest != "" && !t.index.elements[ingest(target.ID, r.Ingest)]:
		return "unknown ingest"
	case r.Playback != "" && !t.index.elements[playback(target.ID, r.Playback)]:
		return "unknown playback"
	case !slices.Contains(prober.Kinds(), r.Kind):
		return "unknown kind"
	case r.Age < -t.settings.LateAfter:
		return "negative age"
	case r.Age > forgottenAfter:
		return "older than a day"
	case nowhere(r):
		return "neither an ingest nor a playback"
	case contradictory(r):
		return "a stage that its path does not have"
	}
	return ""
}

const (
	forgottenAfter = 24 * time.Hour   // an outbox that held results for longer is news
	aheadTold      = 10 * time.Minute // an agent's clock
)

// nowhere says whether a result names nothing that it looked at, and is not of the API:
// a go-live that got no stream may not know its ingest.
func nowhere(r *prober.Result) bool {
	return r.Ingest == "" && r.Playback == "" && r.Kind != prober.KindAPI && (r.Kind != prober.KindGoLive || r.Stage != prober.StageProvision)
}

// contradictory says whether a result failed at a stage that what it looked at does
// not pass: to weigh it would be to blame the wrong element.
func contradictory(r *prober.Result) bool {
	if r.Outcome != prober.Fail && r.Outcome != prober.Degraded {
		return false
	}
	switch {
	case r.Playback != "":
		return slices.Contains([]prober.Stage{prober.StageProvision, prober.StagePublish, prober.StageIngest, prober.StageRecording}, r.Stage)
	case r.Kind == prober.KindAPI:
		return r.Stage == prober.StagePublish || r.Stage == prober.StageIngest || pulled(r.Stage) || r.Stage == prober.StageRecording
	case r.Kind == prober.KindRecording:
		return false // it is pushed, and then pulled
	}
	return pulled(r.Stage) || r.Stage == prober.StageRecording
}

// refuse counts a result that cannot be weighed, and tells on-call.
func (t *turn) refuse(cause string, r *prober.Result) {
	t.odd(cause, r, fmt.Sprintf("Results are not counted: %s (agent %q, target %q, ingest %q, playback %q, kind %q, stage %q, age %s). "+
		"Does the hub's configuration name them, and has the agent its version?", cause, r.Agent, r.Target, r.Ingest, r.Playback, r.Kind, r.Stage, r.Age.Round(time.Second)))
}

// odd counts what is odd of a result, and tells on-call.
func (t *turn) odd(cause string, r *prober.Result, summary string) {
	if t.counted(cause) {
		t.emit(Event{Type: ResultRefused, Key: "refused/" + cause, Agent: r.Agent, Summary: summary})
	}
}

// counted counts what is not taken, and says whether to tell on-call: of each cause
// once a day. What comes back is news, what goes on for long must not be forgotten.
func (t *turn) counted(cause string) bool {
	const again = 24 * time.Hour
	t.s.Refused[cause]++
	told, ever := t.s.RefusedTold[cause]
	if ever && t.s.At.Sub(told) < again {
		return false
	}
	if t.s.RefusedTold == nil {
		t.s.RefusedTold = map[string]time.Time{}
	}
	t.s.RefusedTold[cause] = t.s.At
	return true
}

// take says whether a result of a boot is new, and whether the boot is. Delivery
// is at least once, and the last results of one boot may come after the first
// of the next.
func (a *agentState) take(boot string, seq uint64) (taken, restarted bool) {
	for i := range a.Boots {
		if a.Boots[i].Boot == boot {
			return a.Boots[i].take(seq), false
		}
	}
	a.Boots = append([]bootState{{Boot: boot, Newest: seq, Window: 1}}, a.Boots...)
	a.Boots = a.Boots[:min(len(a.Boots), 2)]
	return true, true
}

func (b *bootState) take(seq uint64) bool {
	if seq > b.Newest {
		shift := seq - b.Newest
		b.Newest = seq
		b.Window <<= shift // 64 and more leave nothing
		b.Window |= 1
		return true
	}
	back := b.Newest - seq
	if back > 63 || b.Window>>back&1 == 1 {
		return false
	}
	b.Window |= 1 << back
	return true
}

// forgetBroadcasts notes that a site's agent started anew: its broadcasts ended
// with it, and that is nobody's drop.
func (t *turn) forgetBroadcasts(site string) {
	for _, sum := range t.s.Sums {
		if s := sum.Sites[site]; s != nil && sum.Kind == prober.KindCanary && !sum.Open {
			s.Ran = false
		}
	}
}

// heard notes an agent's own state, and tells on-call when it changes.
func (t *turn) heard(r *prober.Result, a *agentState) {
	a.SeenAt = t.s.At
	t.allDirty = t.allDirty || a.Silent || a.Control != r.Control
	a.Control, a.ControlDetail = r.Control, r.ControlDetail
	t.reference(r.Agent, a, &r.Host)
	switch {
	case r.Control != prober.ControlUnknown:
		a.UnknownSince = time.Time{}
	case a.UnknownSince.IsZero():
		a.UnknownSince = t.s.At
	}
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
	// Told at the first loss and at each doubling: a full outbox loses many.
	if r.Dropped > 0 && r.Dropped >= 2*a.DroppedTold {
		a.DroppedTold = r.Dropped
		t.emit(Event{
			Type: ResultsDropped, Key: "agent/" + r.Agent + "/dropped", Agent: r.Agent,
			Summary: fmt.Sprintf("Agent %s has lost %d results because its outbox was full", r.Agent, r.Dropped),
		})
	}
}

func (t *turn) agentEvent(kind EventType, agent, what, summary string) {
	t.emit(Event{Type: kind, Key: "agent/" + agent + "/" + what, Agent: agent, Summary: summary})
}

// clearSite forgets what a site has seen: while it was falling sick, it may
// have seen anything.
func (t *turn) clearSite(id string) {
	for _, sum := range t.s.Sums {
		if site := sum.Sites[id]; site != nil {
			site.forget()
		}
	}
}

// forgetSilent drops what a site that nobody hears from had towards opening anything:
// when it is heard again, that is old, and what fails then it sees anew.
func (t *turn) forgetSilent(id string) {
	for _, agent := range t.index.at[id] {
		if !t.s.Agents[agent].Silent {
			return
		}
	}
	for _, sum := range t.s.Sums {
		if site := sum.Sites[id]; site != nil && !sum.Open {
			site.forget()
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
	for _, agent := range t.index.at[id] {
		if a := t.s.Agents[agent]; !a.Silent && t.counts(a) {
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
			t.forgetSilent(t.index.site[name])
		}
		if a.Silent {
			silent++
		} else {
			t.unknownControl(name, a)
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
	t.referenceTimers()
	t.standAlone()
	for _, name := range t.index.agents {
		t.contradicted(name, t.s.Agents[name])
	}
}

// unknownControl treats an agent that cannot say whether it is well as one that
// is not: nothing it reports is counted.
func (t *turn) unknownControl(name string, a *agentState) {
	if a.Sick || a.UnknownSince.IsZero() || t.s.At.Sub(a.UnknownSince) < 2*t.settings.SilentAfter {
		return
	}
	a.Sick = true
	if site := t.index.site[name]; !t.goodSite(site) {
		t.clearSite(site) // what it saw is old when it is counted again
	}
	t.agentEvent(AgentSick, name, "sick", "Agent "+name+" is not counted: it cannot tell whether its own control passes, since "+clock(a.UnknownSince))
}

// contradicted tells on-call of an agent whose site is at the limit of its sum on
// something that the other sites see good: more likely its own network. Of a site's
// agents it is those that see it fail, not another that sees it good.
func (t *turn) contradicted(name string, a *agentState) {
	site, alone := t.index.site[name], false
	for _, sum := range t.s.Sums {
		s := sum.Sites[site]
		alone = alone || s != nil && s.Contradicted && (a.Contradicted || slices.Contains(s.By, name))
	}
	switch {
	case alone == a.Contradicted:
		return
	case alone:
		t.agentEvent(AgentContradicted, name, "alone", "Agent "+name+" alone sees failures that no other site sees: its own network is the likelier cause")
	default:
		t.agentEvent(AgentRecovered, name, "alone", "Agent "+name+" stands no longer alone with what it sees")
	}
	a.Contradicted = alone
}

// standAlone looks at each sum for a site that has stood alone for too long, and for
// one that does no more: what it says of that one thing counts, or does not.
func (t *turn) standAlone() {
	limit := t.siteCap(t.settings.Threshold)
	for key, sum := range t.s.Sums {
		for id, site := range sum.Sites {
			before := site.Contradicted
			switch {
			case sum.Open || site.W < limit || t.muted(sum.Element): // of what is worked on, failing says nothing
				site.AloneSince, site.Contradicted = time.Time{}, false
			case site.Contradicted:
				site.Contradicted = !t.agreed(sum, id)
			case !t.alone(sum, id):
				site.AloneSince = time.Time{}
			case site.AloneSince.IsZero():
				site.AloneSince = t.s.At
			default:
				site.Contradicted = t.s.At.Sub(site.AloneSince) >= t.settings.ContradictedAfter
			}
			if before && !site.Contradicted {
				site.AloneSince = time.Time{}
				t.touch(key)
			}
		}
	}
}

// alone says whether a quorum of other sites sees good what a site sees fail, and
// none of them is suspicious of it: a failed round or two are noise.
func (t *turn) alone(sum *sumState, id string) bool {
	half := Nats(suspectShare * float64(t.siteCap(t.settings.Threshold)))
	others := 0
	for other, site := range sum.Sites {
		switch {
		case other == id || !t.goodSite(other):
		case site.W >= half:
			return false
		case site.W == 0:
			others++
		}
	}
	return others >= t.settings.Quorum
}

// agreed says whether another site is as sure of what a site sees fail. A blip of
// another site does not make a site right that stood alone.
func (t *turn) agreed(sum *sumState, id string) bool {
	limit := t.siteCap(t.settings.Threshold)
	for other, site := range sum.Sites {
		if other != id && site.W >= limit && t.goodSite(other) {
			return true
		}
	}
	return false
}

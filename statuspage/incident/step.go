package incident

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"streamcanary/prober"
)

// Step folds one input into the state and says what it decided. It depends on
// nothing but its arguments: the same inputs give the same bytes. An input
// whose sequence is not above the state's was folded already and is ignored.
// The state that is passed must not be used again.
func (p Policy) Step(s State, in Input) (State, []Event) {
	if in.Seq <= s.Seq && s.Seq != 0 {
		return s, nil
	}
	t := &turn{Policy: p, s: &s, seq: in.Seq, before: s.At}
	met := s.PolicyHash == p.hash // what the topology names has its room already
	s.Seq, s.PolicyHash = in.Seq, p.hash
	t.clock(in.At.UTC())
	if !met {
		t.known()
	}
	switch {
	case in.Result != nil:
		t.result(in.Result, s.At)
	case in.Change != nil:
		t.change(*in.Change)
	case in.Config != nil:
		t.resume()
	case in.Command != nil:
		t.command(*in.Command)
	case in.Maintenance != nil:
		t.edge(*in.Maintenance)
	}
	t.timers()
	return s, t.events
}

// Next says when a tick is due if nothing else is heard until then; the zero
// time says never.
func (p Policy) Next(s State) time.Time {
	var next time.Time
	due := func(at time.Time) {
		if !at.IsZero() && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for _, r := range s.Rounds {
		due(r.Deadline)
	}
	for _, name := range p.index.agents {
		if a := s.Agents[name]; a != nil && !a.Silent {
			due(p.silentAt(s, a).Truncate(time.Second).Add(time.Second)) // agents are looked at once a second
		}
	}
	for _, o := range s.Incidents {
		due(o.SayAt)
		due(o.remindAt())
		due(o.ApproveBy)
		if o.HoldUntil.After(s.At) {
			due(o.HoldUntil)
		} else if !o.HoldUntil.IsZero() && !o.SaidOver {
			due(s.At.Add(time.Second)) // over, but too few sites are heard
		}
	}
	return next
}

// turn is one Step under way. It lies on the stack.
type turn struct {
	Policy
	s        *State
	seq      uint64
	before   time.Time // the state's time before this input
	dirty    []string  // sums that got evidence
	allDirty bool      // an agent's word began or ceased to count
	events   []Event
}

// emit adds an event. Its id derives from its type, what it is about, and the
// place in the journal of what caused it.
func (t *turn) emit(e Event) {
	e.Seq, e.At, e.PolicyHash = t.seq, t.s.At, t.hash
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%d\x00%d", t.topology.Installation, e.Type, e.Key, t.seq, len(t.events)))
	e.ID = hex.EncodeToString(sum[:12])
	t.events = append(t.events, e)
}

// known makes room in the state for what the topology names, and forgets what
// it no longer does.
func (t *turn) known() {
	if t.s.GraceFrom.IsZero() {
		t.s.GraceFrom = t.s.At
	}
	for _, name := range t.index.agents {
		if t.s.Agents[name] == nil {
			t.s.Agents[name] = &agentState{Control: prober.ControlUnknown}
		}
	}
	if len(t.s.Agents) > len(t.index.agents) {
		for name := range t.s.Agents {
			if _, ok := t.index.site[name]; !ok {
				delete(t.s.Agents, name)
			}
		}
	}
	for _, c := range t.topology.Components {
		if t.s.Components[c.ID] == nil {
			t.s.Components[c.ID] = &componentState{Status: Operational, CreatedAt: t.s.At, UpdatedAt: t.s.At}
		}
	}
}

// resume is what a start of the hub or another policy means: nobody could be
// heard meanwhile, so silence and holds are counted from now.
func (t *turn) resume() {
	t.s.GraceFrom = t.s.At
	t.forget()
	for _, o := range t.s.Incidents {
		if !o.HoldUntil.IsZero() {
			o.HoldUntil = t.s.At.Add(t.settings.Hold)
		}
		o.promiseAfter(t.s.At)
	}
	t.dropUnknownFailures()
}

// clock moves the state's time. It never falls by itself: a journal's clock that
// was set back would keep every timer waiting, so the timers go back with it. A
// gap that no tick filled means that the hub was away.
func (t *turn) clock(at time.Time) {
	const (
		jitter = time.Second
		away   = 30 * time.Second // a hub that is up looks at the clock every ten seconds
	)
	switch gap := at.Sub(t.s.At); {
	case t.s.At.IsZero():
		t.s.At, t.s.ChangesSince = at, at
	case gap < -jitter:
		t.s.rewind(-gap)
		t.s.At = at
	case gap > max(away, 2*t.settings.SilentAfter):
		t.s.At = at
		t.resume()
	case gap > 0:
		t.s.At = at
	}
}

// rewind moves every time that is yet to come, or that is compared with now.
func (s *State) rewind(by time.Duration) {
	back := func(at *time.Time) {
		if !at.IsZero() {
			*at = at.Add(-by)
		}
	}
	back(&s.GraceFrom)
	back(&s.ReferenceOutUntil)
	for _, p := range s.Platforms {
		back(&p.CertificateAt)
	}
	for _, a := range s.Agents {
		back(&a.SeenAt)
		back(&a.UnknownSince)
		back(&a.ReferenceSince)
	}
	for _, r := range s.Rounds {
		back(&r.Deadline)
		for i := range r.Cells {
			back(&r.Cells[i].Evidence.At)
		}
		if r.Refused != nil {
			back(&r.Refused.At)
		}
	}
	for _, b := range s.Broadcasts {
		for _, seen := range []map[string]time.Time{b.Seen, b.Failing, b.Failed} {
			for place, at := range seen {
				seen[place] = at.Add(-by)
			}
		}
	}
	for _, sum := range s.Sums {
		back(&sum.EvidenceAt)
		back(&sum.SplitSince)
		for _, site := range sum.Sites {
			back(&site.At)
			back(&site.AloneSince)
			back(&site.FirstFail)
			if site.Last != nil {
				back(&site.Last.At)
			}
		}
	}
	for target, until := range s.Requests {
		s.Requests[target] = until.Add(-by)
	}
	for cause, told := range s.RefusedTold {
		s.RefusedTold[cause] = told.Add(-by)
	}
	for window, told := range s.RefusedWindows {
		s.RefusedWindows[window] = told.Add(-by)
	}
	for _, o := range s.Incidents {
		back(&o.SayAt)
		back(&o.PromisedAt)
		back(&o.HoldUntil)
		back(&o.ApproveBy)
		o.Incident.rewind(back)
	}
}

// rewind moves the times of an open incident that new ones are compared with. What is
// in its messages was told so, and stays.
func (in *Incident) rewind(back func(*time.Time)) {
	back(&in.StartedAt)
	back(&in.UpdatedAt)
	back(&in.MonitoringAt)
	for i := range in.Failures {
		f := &in.Failures[i]
		for _, at := range []*time.Time{&f.FirstSeen, &f.FirstFailed, &f.LastFailed, &f.OpenedAt, &f.RecoveredAt} {
			back(at)
		}
		for j := range f.Evidence {
			back(&f.Evidence[j].At)
		}
	}
}

// forget drops what the configuration no longer names: no evidence on it will
// come.
func (t *turn) forget() {
	var gone []string
	for key, sum := range t.s.Sums {
		if !t.index.probed(sum.Element, sum.Kind) {
			gone = append(gone, key)
			continue
		}
		for id := range sum.Sites {
			if !slices.ContainsFunc(t.topology.Sites, func(s Site) bool { return s.ID == id }) {
				delete(sum.Sites, id)
			}
		}
	}
	slices.Sort(gone)
	for _, key := range gone {
		t.unmeasured(key, t.s.Sums[key])
		delete(t.s.Sums, key)
	}
	t.forgetRefusals()
	for id := range t.s.Components {
		if !slices.ContainsFunc(t.topology.Components, func(c Component) bool { return c.ID == id }) {
			delete(t.s.Components, id)
		}
	}
}

// timers does whatever became due by now.
func (t *turn) timers() {
	for _, key := range t.dueRounds() {
		switch r := t.s.Rounds[key]; {
		case r.Deadline.After(t.s.At):
		case r.Judged:
			delete(t.s.Rounds, key)
		default:
			t.judge(r)
			r.Judged, r.Cells, r.Deadline = true, nil, t.s.At.Add(t.settings.RoundTimeout[r.Kind])
		}
	}
	if second := t.s.At.Truncate(time.Second); !second.Equal(t.before.Truncate(time.Second)) {
		t.agentTimers()
		t.prune()
	}
	t.decide()
}

// dueRounds lists the rounds whose time is over, in an order of their own.
func (t *turn) dueRounds() []string {
	var due []string
	for key, r := range t.s.Rounds {
		if !r.Deadline.After(t.s.At) {
			due = append(due, key)
		}
	}
	slices.Sort(due)
	return due
}

// prune keeps the state bounded.
func (t *turn) prune() {
	const keep = time.Minute
	for run, b := range t.s.Broadcasts {
		if b.forget(t.s.At.Add(-keep)) {
			delete(t.s.Broadcasts, run)
		}
	}
	for target, until := range t.s.Requests {
		if !until.After(t.s.At) {
			delete(t.s.Requests, target)
		}
	}
}

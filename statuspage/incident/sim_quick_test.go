package incident

import (
	"slices"
	"time"

	"streamcanary/prober"
)

// A round that is all good, while nothing is open, lowers some sums, is counted in
// their baselines, and moves clocks and counters; nothing else. Where it is known
// to be good such a round is taken at once, and not result by result: TestSkip shows
// that the state has the same bytes.

// quickRound is what a good round of an agent and kind adds evidence to.
type quickRound struct {
	results int
	sums    []quickSum
	runs    []string // of running broadcasts, which are noted as seen
	places  []string // where each of them is
}

type quickSum struct {
	sum  *sumState
	site *siteSum
	all  []*siteSum
}

// good says whether a round that begins now is known to be.
func (w *sim) good(a *simAgent, kind prober.Kind) bool {
	if !w.skips || w.setup.fault != nil || w.setup.foreign || w.setup.twice || w.setup.mixed || w.now.Before(a.burstUntil) {
		return false
	}
	for i := range w.setup.regions {
		if w.noisyAt(a, kind, w.now, drawRow+i) || kind != prober.KindCanary && w.noisyAt(a, kind, w.now, drawColumn+i) {
			return false
		}
	}
	return true
}

// quickly delivers a good round: at once, or all of its results one by one where
// something is not as it has to be for that.
func (w *sim) quickly(a *simAgent, kind prober.Kind) {
	began, after := w.now, w.way(a, kind)
	if kind == prober.KindGoLive {
		after += goLiveLasts
	}
	w.flying++
	w.after(after, func() {
		w.flying--
		if w.takeQuick(a, kind) {
			return
		}
		for _, r := range w.passes(a, kind, began) {
			w.receive(a, r)
		}
	})
}

// passes are the results of a good round that began at a time.
func (w *sim) passes(a *simAgent, kind prober.Kind, began time.Time) []prober.Result {
	var all []prober.Result
	now := w.now
	w.collect, w.now = &all, began
	w.results(a, kind)
	w.collect, w.now = nil, now
	return all
}

// takeQuick folds a good round, if nothing is under way.
func (w *sim) takeQuick(a *simAgent, kind prober.Kind) bool {
	s, known := &w.state, w.state.Agents[a.id]
	if known == nil || len(s.Incidents)+len(s.Rounds)+len(s.Platforms) > 0 || a.control != prober.ControlPass ||
		known.Control != prober.ControlPass || known.Reference != prober.ControlPass || known.Silent || known.Sick || !known.UnknownSince.IsZero() ||
		len(known.Boots) != 1 || known.Boots[0].Window != ^uint64(0) {
		return false
	}
	q := a.quick[kind]
	if q == nil {
		if q = w.learn(a, kind); q == nil {
			return false
		}
		a.quick[kind] = q
	}
	doubted := w.policy.doubted()
	for _, e := range q.sums {
		if e.site.W >= doubted { // rounds are asked for
			return false
		}
		total := Nats(0)
		for _, site := range e.all {
			total += site.W
		}
		if e.sum.Open || len(e.sum.Sites) != len(e.all) || !e.site.Ran || total >= w.policy.settings.Threshold {
			return false
		}
	}
	second := w.now.Unix() != s.At.Unix()
	timers := second && (!w.idle(w.now) || !w.agreed()) // agents are looked at once a second
	if timers && w.setup.regions > 1 {
		return false // between the results of a round
	}
	n := uint64(q.results)
	a.seq += n
	w.seq += n
	w.skipped += n
	turn := &w.turn
	turn.Policy, turn.s, turn.seq, turn.before, turn.events, turn.dirty, turn.allDirty = w.policy, s, w.seq, s.At, nil, nil, false
	turn.clock(w.now)
	s.Seq, known.SeenAt = w.seq, w.now
	known.Boots[0].Newest += n
	if timers && q.results > 1 {
		turn.timers() // with the first result, and it is the last that counts
	}
	for i, run := range q.runs {
		b := s.Broadcasts[run]
		if b == nil {
			b = &broadcastState{Target: "live", Ingest: w.region(i), Seen: map[string]time.Time{}}
			s.Broadcasts[run] = b
		}
		for _, place := range q.places {
			b.note(place, true, w.now)
		}
	}
	for _, e := range q.sums {
		e.sum.EvidenceAt, e.site.At = w.now, w.now
		e.site.Failing, e.site.Dim, e.site.Strays, e.site.By, e.site.Goods, e.site.W = false, nil, nil, nil, min(e.site.Goods+1, goodsAgain), max(e.site.W-w.policy.weights[e.sum.Kind].ok, 0)
		if e.site.Noise > 0 || e.sum.Baseline.Told {
			turn.measure(sumKey(e.sum.Element, e.sum.Kind), e.sum, e.site.Noise)
			e.site.Noise = 0
		} else {
			e.sum.Baseline.good(w.policy.p0s[e.sum.Kind], 0)
		}
	}
	switch {
	case timers && q.results == 1:
		turn.timers()
	case second && !timers:
		turn.prune()
	}
	w.told(turn.events)
	return true
}

// idle says whether nothing becomes due until a time.
func (w *sim) idle(until time.Time) bool {
	s := &w.state
	if len(s.Incidents)+len(s.Rounds) > 0 || s.ReferenceTold || len(s.Agents) < len(w.agents) {
		return false
	}
	soonest := until.Add(time.Second - w.policy.settings.SilentAfter)
	for _, a := range w.agents {
		if a.known == nil {
			a.known = s.Agents[a.id]
		}
		if a.known.Silent || !a.known.SeenAt.After(soonest) || a.known.Control != prober.ControlPass {
			return false
		}
	}
	return true
}

// agreed says whether no agent stands alone with what it sees.
func (w *sim) agreed() bool {
	w.remember()
	for _, a := range w.agents {
		if a.known.Contradicted {
			return false
		}
	}
	limit := w.policy.siteCap(w.policy.settings.Threshold)
	return !slices.ContainsFunc(w.sites, func(s *siteSum) bool { return s.W >= limit || !s.AloneSince.IsZero() })
}

// learn finds what a good round of an agent does, on a copy of the state; nil is
// too early to know.
func (w *sim) learn(a *simAgent, kind prober.Kind) *quickRound {
	w.t.Helper()
	b, err := w.state.Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	s, err := DecodeState(b)
	if err != nil {
		w.t.Fatal(err)
	}
	q, site, seq := &quickRound{}, w.policy.index.site[a.id], a.seq
	for _, r := range w.passes(a, kind, w.now) {
		seq++
		r.Seq, r.Control, r.Agent, r.Boot, r.Site, r.Target, r.Host.Reference = seq, prober.ControlPass, a.id, "boot", "s", "live", prober.ControlPass
		s, _ = w.policy.Step(s, Input{Seq: s.Seq + 1, At: w.now.Add(time.Hour), Result: &r})
		q.results++
		if kind == prober.KindPlayback && !slices.Contains(q.runs, r.Run) {
			q.runs = append(q.runs, r.Run)
		}
		if place := site + "|" + r.Playback; kind == prober.KindPlayback && len(q.places) < w.setup.regions {
			q.places = append(q.places, place)
		}
	}
	for _, key := range sortedKeys(s.Sums) {
		if known := s.Sums[key].Sites[site]; known == nil || !known.At.Equal(w.now.Add(time.Hour)) {
			continue
		}
		sum := w.state.Sums[key]
		if sum == nil || sum.Sites[site] == nil || len(sum.Sites) < len(w.agents) {
			return nil
		}
		e := quickSum{sum: sum, site: sum.Sites[site]}
		for _, id := range sortedKeys(sum.Sites) {
			e.all = append(e.all, sum.Sites[id])
		}
		q.sums = append(q.sums, e)
	}
	return q
}

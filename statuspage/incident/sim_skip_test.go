package incident

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"streamcanary/prober"
)

// Years are simulated by skipping what is known to change nothing: while all is
// well, every sum stands at its floor, and a round that is all good moves nothing
// but clocks and counters. TestSkip shows that the state has the same bytes.

// skip moves a settled fleet to shortly before the next round that is not all good,
// or before whatever else is due, and says whether it did. The last rounds of each
// kind are always run.
func (w *sim) skip(end time.Time) bool {
	if !w.skips || w.flying > 0 || w.setup.fault != nil || !w.settled() {
		return false
	}
	until := end
	if len(w.queue) > 0 && w.queue[0].at.Before(until) {
		until = w.queue[0].at
	}
	longest := time.Duration(0)
	for _, r := range w.rounds {
		longest = max(longest, r.period)
		if noisy := w.noisy(r, until); noisy.Before(until) {
			until = noisy
		}
	}
	// A round's results are at the journal 6 s and the way after it at the latest.
	until = until.Add(-2*longest - 10*time.Second - w.setup.latency)
	if until.Sub(w.now) < longest {
		return false
	}
	w.first = nil
	for _, r := range w.rounds {
		n := uint64(0)
		if r.next.Before(until) {
			n = uint64((until.Sub(r.next) + r.period - 1) / r.period)
		}
		r.next = r.next.Add(time.Duration(n) * r.period)
		w.measured(r.kind, n)
		inputs := n * uint64(r.results)
		r.agent.seq += inputs
		w.seq += inputs
		w.skipped += inputs
		w.state.Agents[r.agent.id].Boots[0].Newest += inputs
	}
	w.now = until
	w.state.Seq, w.state.At = w.seq, until
	for _, a := range w.state.Agents {
		a.SeenAt = until
	}
	return true
}

// measured counts good rounds of a kind into the baselines: one for each sum of the
// kind, and for those of quality if the round plays anything.
func (w *sim) measured(kind prober.Kind, rounds uint64) {
	for _, sum := range w.state.Sums {
		if sum.Kind == kind || sum.Kind == KindQuality && kind != prober.KindCanary {
			for range rounds {
				sum.Baseline.good(w.policy.p0s[sum.Kind], 0)
			}
		}
	}
}

// settled says whether good rounds would change nothing but clocks and counters.
func (w *sim) settled() bool {
	s := w.state
	if len(s.Incidents)+len(s.Rounds)+len(s.Requests) > 0 || len(s.Agents) == 0 || slices.ContainsFunc(w.sites, func(s *siteSum) bool { return s.W != 0 }) {
		return false
	}
	for _, a := range w.agents {
		if a.known == nil {
			a.known = s.Agents[a.id]
		}
		known := a.known
		if known == nil || a.control != prober.ControlPass || w.now.Before(a.burstUntil) || len(a.held) > 0 ||
			known.Control != prober.ControlPass || known.Silent || known.Sick || known.Contradicted ||
			len(known.Boots) != 1 || known.Boots[0].Window != ^uint64(0) {
			return false
		}
	}
	w.remember()
	for _, sum := range w.sums {
		if sum.Open || len(sum.Sites) < len(w.agents) {
			return false
		}
	}
	for _, site := range w.sites {
		if site.W != 0 || site.V != 0 || site.Failing || site.Goods < goodsAgain || !site.AloneSince.IsZero() {
			return false
		}
	}
	return true
}

// remember keeps the sums at hand.
func (w *sim) remember() {
	if len(w.sums) == len(w.state.Sums) && len(w.sites) == len(w.sums)*len(w.agents) {
		return
	}
	w.sums, w.sites = w.sums[:0], w.sites[:0]
	for _, sum := range w.state.Sums {
		w.sums = append(w.sums, sum)
		for _, site := range sum.Sites {
			w.sites = append(w.sites, site)
		}
	}
}

// noisy is the first round from now on that is not all good, as far as until.
func (w *sim) noisy(r *simRounds, until time.Time) time.Time {
	at := r.next
	if r.noisy.After(at) {
		at = r.noisy
	}
	for ; at.Before(until); at = at.Add(r.period) {
		for i := range w.setup.regions {
			if w.noisyAt(r.agent, r.kind, at, drawRow+i) || r.kind != prober.KindCanary && w.noisyAt(r.agent, r.kind, at, drawColumn+i) {
				r.noisy = at
				return at
			}
		}
	}
	r.noisy = at
	return at
}

// TestSkip runs the same time with and without skipping; the long version does so for
// ten days.
func TestSkip(t *testing.T) {
	t.Parallel()
	for _, c := range []simSetup{
		{seed: 1, sites: 3, regions: 2, canary: 2 * time.Second, pulls: 20 * time.Second, golive: time.Minute, noise: .003, api: true, latency: 300 * time.Millisecond},
		{seed: 2, sites: 5, regions: 1, canary: 2 * time.Second, pulls: 20 * time.Second, golive: time.Minute, noise: .001, drops: 1e-5},
		{seed: 3, sites: 4, regions: 2, canary: 2 * time.Second, pulls: 20 * time.Second, golive: time.Minute, noise: .0005, drops: 1e-5, latency: time.Second,
			bursts: &simBursts{mean: 20 * time.Second, share: .002, seen: .9, fails: .9}},
		calm(3, 2, func(s *simSetup) { s.seed, s.noise = 4, .03 }),
		calm(4, 3, func(s *simSetup) {
			s.seed, s.noise, s.bursts = 5, .001, &simBursts{mean: 20 * time.Second, share: .01, seen: .5, pairs: .3, fails: .95}
		}),
	} {
		all, some := newSim(t, c), newSim(t, c)
		some.skips = true
		parts, part := 4, 30*time.Minute
		if *long {
			parts, part = 40, 6*time.Hour
		}
		for range parts {
			all.run(part)
			some.run(part)
			a, err := all.state.Encode()
			if err != nil {
				t.Fatal(err)
			}
			b, err := some.state.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(a, b) {
				t.Fatalf("seed %d, after %v: skipping changes the state\n%s\n%s", c.seed, all.now.Sub(all.start), a, b)
			}
		}
		if len(all.events) != len(some.events) {
			t.Errorf("seed %d: %d events, with skipping %d", c.seed, len(all.events), len(some.events))
		}
		if some.skipped == 0 || some.steps > all.steps/2 {
			t.Errorf("seed %d: %d of %d steps were left, %d inputs skipped: the test shows little", c.seed, some.steps, all.steps, some.skipped)
		}
		t.Logf("seed %d: %d steps, with skipping %d", c.seed, all.steps, some.steps)
	}
}

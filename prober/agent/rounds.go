package agent

import (
	"time"

	"streamcanary/prober"
)

// canaryRound tells of every ingest's broadcast.
func (u *unit) canaryRound(since time.Time) {
	canaries, _ := u.snapshot()
	round := u.env.newRound(prober.KindCanary)
	results := make([]prober.Result, 0, len(canaries))
	for _, c := range canaries {
		results = append(results, c.pushResult(round, len(canaries), since))
	}
	u.env.report(results...)
}

// playbackRound tells of every cell: each ingest's broadcast at each playback,
// and what samples of other agents' broadcasts have come in since the last, which
// say more beside the cells of the same ingests and playbacks.
func (u *unit) playbackRound(since time.Time) {
	canaries, playbacks := u.snapshot()
	samples := u.sampler.take(time.Now())
	of := len(canaries)*len(playbacks) + len(samples)
	round := u.env.newRound(prober.KindPlayback)
	results := make([]prober.Result, 0, of)
	for _, r := range samples {
		r.Round, r.RoundOf = round, of
		results = append(results, r)
	}
	for _, c := range canaries {
		for _, p := range playbacks {
			results = append(results, c.pullResult(p, round, of, since))
		}
	}
	u.env.report(results...)
}

// snapshot is the canaries in the order of the target's ingests, and its playbacks.
func (u *unit) snapshot() ([]*canary, []prober.Playback) {
	u.mu.Lock()
	defer u.mu.Unlock()
	canaries := make([]*canary, 0, len(u.canaries))
	for _, in := range u.target.Ingests {
		if c := u.canaries[in.ID]; c != nil {
			canaries = append(canaries, c.canary)
		}
	}
	return canaries, u.target.Playbacks
}

// goLiveRound starts one run for every ingest and does not wait for them, so
// that rounds overlap; beyond a bound a round says only that it did not run.
func (u *unit) goLiveRound() {
	u.mu.Lock()
	target, probe := u.target, u.kinds[prober.KindGoLive]
	u.mu.Unlock()
	round := u.env.newRound(prober.KindGoLive)
	runs := make([]*goLive, 0, len(target.Ingests))
	for _, in := range target.Ingests {
		runs = append(runs, newGoLive(u, target, in, round, probe.Timeout))
	}
	if !u.env.budget.allowGoLive() {
		for _, g := range runs {
			g.pushFailed(nothing(prober.ReasonBudget, "the agent's bytes of the hour are spent"))
		}
		return
	}
	select {
	case u.rounds <- struct{}{}:
	default:
		for _, g := range runs {
			g.pushFailed(nothing(prober.ReasonOverlap, "too many earlier rounds are still running"))
		}
		return
	}
	u.running.Go(func() {
		defer func() { <-u.rounds }()
		runAll(u.ctx, runs)
	})
}

package agent

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"streamcanary/prober"
)

const (
	pullBound   = 20 * time.Second // until a stream must have shown that it plays, or pullPatience
	pullSlack   = 10 * time.Second
	pullTarget  = 2 * time.Minute  // the longest target duration that is waited for
	pullSegment = 30 * time.Second // in which a follower has a segment, or says why not
	pullLook    = 500 * time.Millisecond
	vodSamples  = 4 // segments of a VOD that are downloaded
)

// pullRound plays the streams that others push, all at once, and tells one
// result of each playback.
func (u *unit) pullRound() {
	probe := u.probe(prober.KindPlayback)
	began := time.Now()
	parts := make([]part, len(probe.Pulls))
	may := u.env.budget.allowGoLive()
	var wg sync.WaitGroup
	for i, p := range probe.Pulls {
		if !may {
			parts[i] = part{name: p.Name, failure: nothing(prober.ReasonBudget, "the agent's bytes of the hour are spent")}
			continue
		}
		wg.Go(func() { parts[i] = u.pull(p, probe.Timeout) })
	}
	wg.Wait()
	var at []string // playbacks, in the order of the probe
	for _, p := range probe.Pulls {
		if !slices.Contains(at, p.Playback) {
			at = append(at, p.Playback)
		}
	}
	round := u.env.newRound(prober.KindPlayback)
	results := make([]prober.Result, 0, len(at))
	for _, id := range at {
		var here []part
		for i, p := range probe.Pulls {
			if p.Playback == id {
				here = append(here, parts[i])
			}
		}
		worst, findings := fold(here)
		r := prober.Result{Kind: prober.KindPlayback, Target: probe.Target, Playback: id, Round: round, RoundOf: len(at),
			Started: began, Figures: worst.figures, Findings: findings}
		results = append(results, judged(r, worst.failure))
	}
	u.env.report(results...)
}

// pull plays one stream for as long as it takes to tell, or for a timeout; 0 is none.
func (u *unit) pull(p prober.Pull, timeout time.Duration) part {
	ctx, cancel := context.WithCancel(u.ctx)
	defer cancel()
	wait := newPullPatience(timeout, cancel)
	defer wait.expire.Stop()
	found := part{name: p.Name}
	if p.VOD {
		found.failure, found.figures = u.pullVOD(ctx, p)
	} else {
		found.failure, found.figures, found.findings = u.pullLive(ctx, p, wait)
	}
	switch f := found.failure; {
	case u.ctx.Err() != nil:
		found.failure = nothing(prober.ReasonCancelled, "the agent stopped")
	case f != nil:
		named := *f
		named.Detail = prober.Clip(p.Name+": "+f.Detail, prober.MaxDetail)
		found.failure = &named
	}
	return found
}

func (u *unit) pullVOD(ctx context.Context, p prober.Pull) (*prober.Failure, prober.Figures) {
	if u.env.Replay == nil {
		return broken(prober.StageManifest, fmt.Errorf("this agent cannot play VOD")), prober.Figures{}
	}
	found, err := u.env.Replay(ctx, Replay{URL: p.URL, Pull: u.playback(p.Playback).Pull, Sample: vodSamples})
	if err != nil {
		found.Failure = broken(prober.StageManifest, err)
	}
	if ctx.Err() != nil && (found.Failure == nil || found.Failure.Reason == prober.ReasonCancelled) {
		found.Failure = &prober.Failure{Outcome: prober.Fail, Stage: prober.StageSegment, Reason: prober.ReasonHTTPTimeout,
			Detail: fmt.Sprintf("%d segments did not come in time", vodSamples)}
	}
	return found.Failure, prober.Figures{BytesReceived: found.Bytes}
}

// playback is one of the target's by its id.
func (u *unit) playback(id string) prober.Playback {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, p := range u.target.Playbacks {
		if p.ID == id {
			return p
		}
	}
	return prober.Playback{ID: id}
}

// pushed is what is broadcast to one of the target's ingests, by its id.
func (u *unit) pushed(id string) prober.Signal {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, in := range u.target.Ingests {
		if in.ID == id {
			return in.Signal
		}
	}
	return prober.Signal{}
}

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
	pullBound  = 20 * time.Second // until a stream must have shown that it plays, or pullPatience
	pullSlack  = 10 * time.Second
	pullTarget = 2 * time.Minute // the longest target duration that is waited for
	pullLook   = 500 * time.Millisecond
	liveProof  = 2 // segments: the second came while we watched, so it is live
	vodSamples = 4 // segments of a VOD that are downloaded
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

// pullPatience is how long one stream is played for: as configured, or until a second
// segment must have come.
type pullPatience struct {
	fixed  bool
	bound  time.Duration
	began  time.Time
	expire *time.Timer
}

// of knows the stream's target duration. A playlist that has not changed is asked for
// again after half of that, and one that has after all of it (RFC 8216bis 6.3.4).
func (p *pullPatience) of(target time.Duration) {
	if bound := enough(target); !p.fixed && bound > p.bound && p.expire.Reset(time.Until(p.began.Add(bound))) {
		p.bound = bound
	}
}

// enough is when a second segment has come to whoever reloads as a player does.
func enough(target time.Duration) time.Duration { return 2*min(target, pullTarget) + pullSlack }

// pull plays one stream for as long as it takes to tell, or for a timeout; 0 is none.
func (u *unit) pull(p prober.Pull, timeout time.Duration) part {
	ctx, cancel := context.WithCancel(u.ctx)
	defer cancel()
	wait := &pullPatience{fixed: timeout > 0, bound: timeout, began: time.Now()}
	if !wait.fixed {
		wait.bound = pullBound
	}
	wait.expire = time.AfterFunc(wait.bound, cancel)
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

// pullLive follows a stream until a segment has come that was not there at first.
func (u *unit) pullLive(ctx context.Context, p prober.Pull, wait *pullPatience) (fail *prober.Failure, figures prober.Figures, findings []prober.Finding) {
	playback := u.playback(p.Playback)
	follower := u.env.Follower(playback, p.URL, "", prober.Signal{})
	running, stop := context.WithCancel(ctx)
	var broke error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		broke = follower.Run(running)
	}()
	defer func() {
		stop()
		<-ended
		u.env.budget.spend(follower.Observe(time.Now()).Bytes) // after the verdict
	}()
	segments := 0
	var failedAt time.Time // since when it fails; zero: it does not
	for {
		alive := sleep(ctx, pullLook)
		obs := follower.Observe(time.Now())
		segments += obs.Segments
		failing := obs.Failure != nil && obs.Failure.Outcome == prober.Fail
		if !failing {
			wait.of(obs.Target)
			failedAt = time.Time{}
		} else if failedAt.IsZero() {
			failedAt = time.Now()
		}
		figures.BytesReceived += obs.Bytes
		figures.Stages, figures.HTTP = obs.Stages, obs.HTTP
		findings = prober.AddFindings(findings, prober.MaxFindings, obs.Findings...)
		select {
		case <-ended:
			if broke != nil && u.ctx.Err() == nil {
				return broken(prober.StageManifest, broke), figures, findings
			}
		default:
		}
		switch {
		case obs.Failure == nil && obs.Ended && segments > 0 && playback.Pull.MayEnd():
			return nil, figures, findings
		case obs.Failure == nil && obs.Ended:
			return &prober.Failure{Outcome: prober.Fail, Stage: prober.StageManifest, Reason: prober.ReasonStreamEnded,
				Detail: "it has an end, and has to be live"}, figures, findings
		case obs.Failure == nil && segments >= liveProof:
			return nil, figures, findings
		case failing && !wait.fixed && time.Since(wait.began) >= pullBound && time.Since(failedAt) >= pullSlack:
			return obs.Failure, figures, findings // it has had the time to heal
		case alive:
		case obs.Failure != nil:
			return obs.Failure, figures, findings
		case segments > 0 && wait.bound < 2*obs.Target+min(obs.Target, pullSlack):
			return nothing(prober.ReasonConfiguration, fmt.Sprintf("no second segment need come within %s, where the target duration is %s: give the probe a timeout of twice that and up to %s",
				wait.bound, obs.Target, pullSlack)), figures, findings
		default:
			return &prober.Failure{Outcome: prober.Fail, Stage: prober.StageManifest, Reason: prober.ReasonPlaylistStale,
				Detail: fmt.Sprintf("%d segments in %s: no new one came", segments, wait.bound)}, figures, findings
		}
	}
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

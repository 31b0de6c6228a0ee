package agent

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"streamcanary/prober"
)

const (
	pullBound   = 20 * time.Second // until a stream must have shown that it plays, or pullPatience
	pullHeals   = 10 * time.Second // in which what fails may heal
	pullSegment = 30 * time.Second // in which a follower has a segment, or says why not
	pullLook    = 500 * time.Millisecond
	pullGrace   = 2 * pullLook // in which streams that fail alike are told together
	vodSamples  = 4            // segments of a VOD that are downloaded
)

// pullTurns are the turns of the streams that others push: one for each playback, so
// that none waits for another's streams, in the order of the probe.
func (u *unit) pullTurns(probe prober.Probe) []func(since time.Time) {
	at := map[string][]prober.Pull{}
	var turns []func(time.Time)
	for _, p := range probe.Pulls {
		if at[p.Playback] == nil {
			turns = append(turns, func(time.Time) { u.pullTurn(probe, p.Playback, at[p.Playback]) })
		}
		at[p.Playback] = append(at[p.Playback], p)
	}
	return turns
}

// pullTurn plays the streams at one playback, all at once, and tells one result: a round
// of its own, since the engine waits for the rest of one no longer than seconds.
func (u *unit) pullTurn(probe prober.Probe, playback string, pulls []prober.Pull) {
	began := time.Now()
	var parts []part
	if u.env.budget.allowGoLive() {
		parts = u.pullAll(pulls, probe.Timeout)
	} else {
		for _, p := range pulls {
			parts = append(parts, part{name: p.Name, failure: nothing(prober.ReasonBudget, "the agent's bytes of the hour are spent")})
		}
	}
	worst, findings := fold(parts)
	r := prober.Result{Kind: prober.KindPlayback, Target: probe.Target, Playback: playback, Round: u.env.newRound(prober.KindPlayback), RoundOf: 1,
		Started: began, Figures: worst.figures, Findings: findings}
	u.env.report(judged(r, worst.failure))
}

var errNotAwaited = errors.New("not waited for: another stream at this playback has failed")

// pullAll plays streams at once. Where one has failed, which is then the verdict, those
// that need more time than pullBound are not waited for.
func (u *unit) pullAll(pulls []prober.Pull, timeout time.Duration) []part {
	ctx, stop := context.WithCancelCause(u.ctx)
	defer stop(nil)
	began := time.Now()
	parts := make([]part, len(pulls))
	failed := make(chan struct{}, len(pulls))
	var running sync.WaitGroup
	for i, p := range pulls {
		running.Go(func() {
			parts[i] = u.pull(ctx, p, timeout)
			if f := parts[i].failure; f != nil && f.Outcome == prober.Fail {
				failed <- struct{}{}
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		running.Wait()
	}()
	select {
	case <-ended:
		return parts
	case <-failed:
	}
	select {
	case <-ended:
	case <-time.After(max(time.Until(began.Add(pullBound)), 0) + pullGrace):
		stop(errNotAwaited)
		<-ended
	}
	return parts
}

// pull plays one stream for as long as it takes to tell, or for a timeout; 0 is none.
func (u *unit) pull(all context.Context, p prober.Pull, timeout time.Duration) part {
	ctx, cancel := context.WithCancel(all)
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
	case all.Err() != nil:
		found.failure = nothing(prober.ReasonCancelled, context.Cause(all).Error())
		found.failure.Stage = prober.StageManifest // where it would be told that nothing new comes
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

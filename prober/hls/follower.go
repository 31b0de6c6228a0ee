package hls

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
	"time"

	"streamcanary/prober"
)

// Follower follows one live broadcast as a player does. From a multivariant
// playlist it picks one variant: the first that can be played and is not audio
// alone. It downloads playlists and segments one after the other in one
// goroutine, starts at the last complete segment and stays at the live edge.
type Follower struct {
	cfg     Config
	tag     prober.Tag
	fetch   fetcher
	ran     atomic.Bool
	started time.Time
	state   state

	// Of Run's goroutine alone.
	top      *url.URL // Config.URL
	media    *url.URL // the media playlist that is followed; nil until chosen
	last     *Playlist
	base     *url.URL // that last's URIs are relative to
	pollAt   time.Time
	failures int // of polls, in a row
	queue    queue
	init     initSection
	playlist []byte // buffers that are used again
	segment  []byte
}

// NewFollower makes a follower; Run starts it.
func NewFollower(cfg Config) *Follower {
	cfg = cfg.withDefaults()
	f := &Follower{cfg: cfg, tag: prober.RunTag(cfg.Run), started: time.Now()}
	f.state.first = make(chan struct{})
	return f
}

// Run follows the broadcast until ctx ends, and then returns nil. What the
// platform does wrong is Observe's to tell; an error means that the follower
// cannot work: a bad URL, or a second Run.
func (f *Follower) Run(ctx context.Context) error {
	if f.ran.Swap(true) {
		return errors.New("hls: this follower has already run; make a new one")
	}
	top, err := f.cfg.playbackURL()
	if err != nil {
		return err
	}
	transport := f.cfg.Transport
	if transport == nil {
		own := NewTransport()
		defer own.CloseIdleConnections()
		transport = own
	}
	f.top, f.fetch = top, fetcher{client: newClient(transport), stall: f.cfg.StallTimeout}
	return f.loop(ctx)
}

func (f *Follower) loop(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		if !time.Now().Before(f.pollAt) {
			f.poll(ctx)
		}
		if f.failures == 0 {
			f.download(ctx)
		}
		next := f.pollAt
		if f.failures == 0 && f.queue.waiting() && f.queue.retryAt.Before(next) {
			next = f.queue.retryAt
		}
		timer.Reset(time.Until(next))
	}
}

// poll loads the playlist once and sets pollAt (6.3.4): a target duration after
// the start of a request that brought a change, half of one after no change.
func (f *Follower) poll(ctx context.Context) {
	start := time.Now()
	p, fail := f.load(ctx)
	if ctx.Err() != nil {
		return
	}
	if fail != nil {
		f.state.set(slotPoll, fail, time.Now())
		f.pollFailed()
		return
	}
	findings := f.cfg.Rules.Analyze(f.last, p, start)
	how := f.accept(p)
	f.tell(findings, how)
	over := p.EndList || len(p.Segments) == 0
	if over {
		f.queue.segments = nil
	}
	if !f.queue.waiting() { // otherwise it is the next segment that heals
		f.state.set(slotPoll, nil, time.Now())
	}
	if over {
		f.pollFailed() // nothing to wait for by the rules; look again soon
		return
	}
	f.failures = 0
	wait := p.TargetDuration
	if how == unchanged || how == olderCopy {
		wait /= 2
	}
	f.pollAt = start.Add(min(max(wait, minReloadDelay), maxReloadDelay))
}

// pollFailed plans a quick retry. The first one asks the same URL again; later
// ones begin at the top, since a restarted origin may name its playlists anew.
func (f *Follower) pollFailed() {
	if f.failures++; f.failures > 1 {
		f.media = nil
	}
	delay := backoff(f.cfg.RetryDelay, f.failures)
	if !f.state.playing() {
		delay = min(delay, maxStartDelay)
	}
	f.pollAt = time.Now().Add(delay)
	f.init = initSection{}
}

func backoff(delay time.Duration, failures int) time.Duration {
	for ; failures > 1 && delay < maxRetryDelay; failures-- {
		delay *= 2
	}
	return min(delay, maxRetryDelay)
}

// accept makes p the playlist that is followed, unless it is an older copy.
func (f *Follower) accept(p *Playlist) relation {
	how := compare(f.last, p)
	now := time.Now()
	switch how {
	case olderCopy:
		return how
	case unchanged:
		p.Updated = f.last.Updated
	case regressed:
		f.queue, f.init = queue{}, initSection{}
		p.Updated = now
	case first, advanced:
		p.Updated = now
	}
	f.last = p
	if !p.EndList {
		skipped := f.queue.add(p, f.cfg.MaxBehind)
		f.state.update(func(o *Observation) { o.Skipped += skipped })
	}
	return how
}

// tell puts the findings of one playlist into the state. A regression stays
// until a later playlist goes on as it should.
func (f *Follower) tell(findings []prober.Finding, how relation) {
	now := time.Now()
	var worst *prober.Failure
	for i := range findings {
		if g := failureOf(findings[i]); g != nil && (worst == nil || rank(g) < rank(worst)) {
			worst = g
		}
	}
	if worst != nil || how == first || how == advanced || !f.state.holds(slotPlaylist, prober.ReasonSequenceRegression) {
		f.state.set(slotPlaylist, worst, now)
	}
	f.state.mu.Lock()
	defer f.state.mu.Unlock()
	f.state.target = f.last.TargetDuration
	o := &f.state.seen
	o.MediaSequence, o.TargetDuration = f.last.MediaSequence, f.last.TargetDuration
	o.Findings = merge(o.Findings, findings)
}

// failureOf makes a condition of a finding; nil of a note, which no viewer feels.
func failureOf(f prober.Finding) *prober.Failure {
	outcomes := map[prober.Severity]prober.Outcome{prober.SeverityFail: prober.Fail, prober.SeverityDegraded: prober.Degraded}
	outcome, counts := outcomes[f.Severity]
	if !counts {
		return nil
	}
	return &prober.Failure{Outcome: outcome, Stage: f.Stage, Reason: f.Reason, Detail: prober.Clip(fmt.Sprintf("%s (%s)", f.Detail, f.Section), prober.MaxDetail)}
}

// merge keeps the latest finding of each rule, and counts.
func merge(have, more []prober.Finding) []prober.Finding {
	for _, m := range more {
		replaced := false
		for i := range have {
			if have[i].Rule == m.Rule && have[i].Section == m.Section && have[i].Reason == m.Reason && have[i].Where == m.Where {
				m.Count += have[i].Count
				have[i], replaced = m, true
			}
		}
		if !replaced {
			have = append(have, m)
		}
	}
	return have
}

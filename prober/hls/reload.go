package hls

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"streamcanary/prober"
)

const (
	unblockedFor = 30 * time.Second       // plain reloads after a blocking one went wrong, at most
	minPartDelay = 100 * time.Millisecond // between two reloads, whatever the server answers at once
	hintEvery    = 5 * time.Second        // from one hinted part that is fetched to the next
)

// blocks says whether the next reload asks the server to hold it until there is
// something new (6.2.5.2).
func (r *rendition) blocks(now time.Time) bool {
	return r.last != nil && r.failures == 0 && !r.last.EndList && r.last.ServerControl != nil &&
		r.last.ServerControl.CanBlockReload && len(r.last.Segments) > 0 && !now.Before(r.plainUntil)
}

// skips says whether the next reload asks for a delta update: only where one is
// offered, and the last version is young enough for it (6.2.5.1).
func (r *rendition) skips(now time.Time) bool {
	return r.f.cfg.DeltaUpdates && r.last != nil && r.failures == 0 && r.last.ServerControl != nil &&
		now.Sub(r.loadedAt) < r.last.ServerControl.CanSkipUntil/2 && !now.Before(r.wholeUntil)
}

// wanted is what a blocking reload asks for: the part, or the segment, after the
// last one.
func (p *Playlist) wanted() (msn uint64, part int) {
	of, index, has := p.lastPart()
	switch {
	case has && len(p.Parts) > 0:
		return of, index + 1
	case p.PartTarget > 0:
		return p.nextSequence(), 0
	}
	return p.nextSequence(), -1
}

// directives adds delivery directives to a playlist's URL (6.2.5).
func directives(u *url.URL, msn uint64, part int, block, skip bool) *url.URL {
	at := *u
	q := at.Query()
	if block {
		q.Set("_HLS_msn", strconv.FormatUint(msn, 10))
		if part >= 0 {
			q.Set("_HLS_part", strconv.Itoa(part))
		}
	}
	if skip {
		q.Set("_HLS_skip", "YES")
	}
	at.RawQuery = q.Encode()
	return &at
}

// reload loads the playlist that is followed, by a blocking reload and as a delta
// update where that is offered. What goes wrong there is told, and the playlist is
// loaded as any other.
func (r *rendition) reload(ctx context.Context) (*Playlist, *url.URL, *prober.Failure) {
	now := time.Now()
	block, skip := r.blocks(now), r.skips(now)
	r.blocked = false
	if !block && !skip {
		return r.whole(ctx)
	}
	if block {
		r.state.held(now)
	}
	msn, part := r.last.wanted()
	p, base, status, fail := r.f.load(ctx, directives(r.media, msn, part, block, skip), r.patience(block), &r.state)
	if ctx.Err() != nil {
		return p, base, fail // the answer may have come all the same
	}
	if block {
		r.judgeReload(Reload{MSN: msn, HasMSN: true, Part: part, Sent: now, Answered: time.Now(), Status: status, Before: r.last, Answer: p})
	}
	if fail == nil && p.Skipped > 0 {
		p, fail = Apply(r.last, p)
	}
	if fail == nil && (p.Multivariant || compare(r.last, p) == regressed) {
		return p, base, nil
	}
	if fail != nil {
		if block {
			r.plain(fail.Reason == prober.ReasonHTTPTimeout)
		}
		if skip {
			r.wholeUntil = time.Now().Add(unblockedFor)
		}
		return r.whole(ctx)
	}
	if block && !p.has(msn, part) {
		r.plain(false) // it does not block: asking at once again would flood it
		return p, base, nil
	}
	r.blocked, r.loadedAt = block, now
	if block {
		r.askPartAlone(ctx)
	}
	return p, base, nil
}

// plain leaves blocking reloads out for a while, as one went wrong: for a target
// duration, so that a single failure is no verdict for longer than that, then for twice
// as long and so on. One that hung costs too much for that.
func (r *rendition) plain(hung bool) {
	now := time.Now()
	if now.Sub(r.plainUntil) > unblockedFor {
		r.refused = 0 // that was long ago
	}
	wait := min(max(r.last.TargetDuration, time.Second)<<min(r.refused, 5), unblockedFor)
	if hung {
		wait = unblockedFor
	}
	r.plainUntil = now.Add(wait)
	r.refused++
}

// whole loads the playlist without any directive.
func (r *rendition) whole(ctx context.Context) (*Playlist, *url.URL, *prober.Failure) {
	start := time.Now()
	p, base, _, fail := r.f.load(ctx, r.media, 0, &r.state)
	if fail == nil {
		r.loadedAt = start
	}
	return p, base, fail
}

// patience is how long an answer may take: a server may hold a blocking reload
// for three target durations (6.2.5.2).
func (r *rendition) patience(block bool) time.Duration {
	if !block {
		return 0
	}
	return min(3*r.last.TargetDuration+r.f.cfg.Rules.tolerance()+r.f.cfg.PlaylistTimeout, maxSegmentTime)
}

// judgeReload tells what the server made of a blocking reload.
func (r *rendition) judgeReload(l Reload) {
	found := r.f.cfg.Rules.Reload(r.what.name, l)
	r.state.set(slotReload, worstOf(found), l.Answered)
	r.found(found)
}

// hint fetches a part that is hinted, now and then: the request is to be held
// until the part is there (6.2.6), and its media is the newest that can be had.
func (r *rendition) hint(ctx context.Context) {
	now := time.Now()
	if !r.blocked || now.Before(r.hintAt) || r.every == 0 {
		return
	}
	for _, h := range r.last.PreloadHints {
		if h.Type == "PART" && h.URI != "" {
			came := r.fetchHint(ctx, h)
			if !came || !r.followsParts() {
				r.hintAt = now.Add(hintEvery)
			}
			if !came {
				r.partHung(now)
			}
			return
		}
	}
}

// fetchHint says whether the part came.
func (r *rendition) fetchHint(ctx context.Context, h PreloadHint) bool {
	u, fail := resolveURL(r.base, h.URI)
	if fail != nil {
		return false // Parse would have named it
	}
	init, fail := r.initFor(ctx, r.last.Next)
	if fail != nil {
		return false // the next part that is listed tells it
	}
	timeout := r.partPatience()
	got, fail := r.f.fetch.get(ctx, request{
		url: u, stage: prober.StageSegment, limit: r.f.cfg.SegmentBytes, timeout: timeout, stall: timeout, part: h.Range,
	})
	r.state.count(got)
	if ctx.Err() != nil {
		return false
	}
	r.hinted = &Hinted{Hint: h, Status: got.status}
	if fail != nil {
		return false // what it means is known when the part is listed, or is not
	}
	defer got.release()
	early := &hintedPart{hint: h, with: r.last.Next.Init, at: time.Now()}
	early.summary, early.err = r.f.cfg.Inspect(got.body, init)
	r.hintCame(early)
	return true
}

// partPatience is how long a part may take: the playlist waits meanwhile.
func (r *rendition) partPatience() time.Duration {
	return min(3*r.last.PartTarget+r.f.cfg.Rules.tolerance(), maxSegmentTime)
}

// judgeHint holds a hint that was fetched against the playlist that follows.
func (r *rendition) judgeHint(p *Playlist) {
	if r.hinted == nil {
		return
	}
	r.hinted.Appeared = p.lists(r.hinted.Hint.URI)
	r.found(r.f.cfg.Rules.Hinted(r.what.name, *r.hinted))
	r.hinted = nil
}

// lists says whether a part stands in a playlist.
func (p *Playlist) lists(uri string) bool {
	for _, part := range p.Parts {
		if part.URI == uri {
			return true
		}
	}
	for _, s := range p.Segments {
		for _, part := range s.Parts {
			if part.URI == uri {
				return true
			}
		}
	}
	return false
}

// partsSince is when the newest part of p was first observed.
func (p *Playlist) partsSince(before *Playlist, now time.Time) time.Time {
	if before == nil {
		return now
	}
	wasOf, was, had := before.lastPart()
	isOf, is, has := p.lastPart()
	if had && has && isOf == wasOf && is == was {
		return before.PartsUpdated
	}
	return now
}

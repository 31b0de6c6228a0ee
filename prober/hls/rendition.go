package hls

import (
	"context"
	"net/url"
	"sync/atomic"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/media"
)

// rendition follows one media playlist and its segments, one after the other in
// one goroutine. It starts at the last complete segment and stays at the live edge.
type rendition struct {
	f       *Follower // what all renditions of a follower share
	what    listing   // as it was first listed: see listing
	variant atomic.Pointer[Variant]
	every   int // of the segments, each nth is downloaded; 0: none
	started time.Time
	state   state
	moved   chan *url.URL // a new place for the playlist; holds the newest only
	stop    context.CancelFunc
	located bool // its URI can be fetched

	listedAt string // its URI as last listed; of the follower's goroutine alone

	// Of run's goroutine alone.
	media    *url.URL
	given    *Playlist // the first playlist, where it has been loaded already
	last     *Playlist
	base     *url.URL // that last's URIs are relative to
	pollAt   time.Time
	loadedAt time.Time // when the last playlist was asked for, by which a delta update is allowed
	askedAt  time.Time // when the last playlist that came was asked for

	blocked    bool      // the server held the last reload until there was something new
	plainUntil time.Time // no blocking reloads
	wholeUntil time.Time // no delta updates
	hintAt     time.Time // when the next hinted part is fetched
	hinted     *Hinted   // that was fetched, and is not judged yet
	refused    int       // blocking reloads that went wrong of late
	parts      partsFollowed

	watched *watchedSegment // until it is removed
	askAt   time.Time       // when the next removed segment is asked for

	failures int // of polls, in a row
	queue    queue
	init     initSection
	lost     *prober.Failure // of the segment that is tried again
	ended    bool            // EXT-X-ENDLIST, where that is as it should be
	ring     keyring
	facts    []Loaded  // of the latest segments
	declared *Variant  // what they are held against
	since    uint64    // the first of them
	glanceAt time.Time // when the next look is due
	checker  media.Checker
	looked   bool // into a segment, and the last one's sequence number
	lookedAt uint64
	marked   bool // our markers have come through, ever
}

func newRendition(f *Follower, what listing, at *url.URL) *rendition {
	now := time.Now()
	r := &rendition{
		f: f, what: what, media: at, every: f.cfg.sampling(what.name), started: now, state: state{player: viewer{asked: now}}, moved: make(chan *url.URL, 1),
		stop: func() {}, located: at != nil, listedAt: what.uri,
	}
	r.variant.Store(&what.variant)
	r.declared = &what.variant
	return r
}

// listing is what it is listed as by now: a server may change CODECS and BANDWIDTH of
// a variant.
func (r *rendition) listing() listing {
	l := r.what
	l.variant = *r.variant.Load()
	return l
}

// relist takes what a variant is listed as now.
func (r *rendition) relist(l listing) {
	if *r.variant.Load() != l.variant {
		r.variant.Store(&l.variant)
	}
}

// move tells a running rendition that its playlist is elsewhere now.
func (r *rendition) move(to *url.URL) {
	for {
		select {
		case r.moved <- to:
			return
		default:
		}
		select {
		case <-r.moved:
		default:
		}
	}
}

func (r *rendition) run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case r.media = <-r.moved:
			r.pollAt = time.Time{}
		case <-timer.C:
		}
		if !time.Now().Before(r.pollAt) {
			r.poll(ctx)
		}
		if r.failures == 0 {
			r.takeParts(ctx)
			r.download(ctx)
			r.hint(ctx)
		}
		next := r.pollAt
		if r.failures == 0 && r.queue.waiting() && r.queue.retryAt.Before(next) {
			next = r.queue.retryAt
		}
		timer.Reset(time.Until(next))
	}
}

// poll loads the playlist once and sets pollAt (6.3.4): a target duration after
// the start of a request that brought a change, half of one after no change.
func (r *rendition) poll(ctx context.Context) {
	start, before := time.Now(), r.askedAt
	defer r.state.held(time.Time{}) // once what the answer says is told
	p, fail := r.load(ctx)
	if ctx.Err() != nil {
		return
	}
	if fail != nil {
		r.state.set(slotPoll, r.f.cfg.Rules.condition(fail), time.Now())
		r.pollFailed()
		return
	}
	findings := append(r.f.cfg.Rules.Analyze(r.last, p, start), r.checkParts(p)...)
	r.state.observed(Observed{Name: r.what.name, URL: r.base, Subtitles: r.what.kind == kindSubtitles, Playlist: p, At: start})
	how := r.accept(p)
	r.watch(ctx, p, how, before)
	r.tell(findings, how)
	r.askedAt = start
	over := p.EndList && !r.ended || len(p.Segments) == 0
	if over {
		r.queue.drop(len(r.queue.segments))
	}
	if !r.queue.waiting() { // otherwise it is the next segment that heals
		r.state.set(slotPoll, nil, time.Now())
	}
	if over {
		r.pollFailed() // nothing to wait for by the rules; look again soon
		return
	}
	r.failures = 0
	if r.ended {
		r.pollAt = start.Add(forever) // 6.3.4: what has ended is not loaded again
		return
	}
	if r.blocked || how == first && r.blocks(time.Now()) { // the server holds the next one
		r.pollAt = start.Add(minPartDelay)
		return
	}
	wait := min(p.TargetDuration, maxTarget)
	if how == unchanged || how == olderCopy {
		wait /= 2
	}
	r.pollAt = start.Add(max(wait, minReloadDelay))
}

// pollFailed plans a quick retry. The first one asks the same URL again; for
// later ones the follower begins at the top, since a restarted origin may name
// its playlists anew.
func (r *rendition) pollFailed() {
	if r.failures++; r.failures > 1 {
		r.f.askAgain()
	}
	delay := backoff(r.f.cfg.RetryDelay, r.failures)
	if !r.state.playing() {
		delay = min(delay, maxStartDelay)
	}
	r.pollAt = time.Now().Add(delay)
	r.init = initSection{}
}

func backoff(delay time.Duration, failures int) time.Duration {
	for ; failures > 1 && delay < maxRetryDelay; failures-- {
		delay *= 2
	}
	return min(delay, maxRetryDelay)
}

// load brings the media playlist.
func (r *rendition) load(ctx context.Context) (*Playlist, *prober.Failure) {
	if p := r.given; p != nil {
		r.given = nil
		return p, nil
	}
	p, base, fail := r.reload(ctx)
	if fail != nil {
		return nil, fail
	}
	if p.Multivariant {
		if r.what.kind == kindAlone {
			fail := manifest(prober.ReasonNotAPlaylist, "%s: a multivariant playlist where a media playlist was before", place(base))
			r.f.becameMultivariant(r, fail)
			return nil, fail
		}
		return nil, manifest(prober.ReasonNoRenditionPlayable, "%s: a multivariant playlist inside another", place(base))
	}
	r.base = base
	return p, nil
}

// accept makes p the playlist that is followed, unless it is an older copy.
func (r *rendition) accept(p *Playlist) relation {
	how := compare(r.last, p)
	now := time.Now()
	if len(p.Segments) == 0 && r.last != nil && len(r.last.Segments) > 0 {
		return how // what comes after it is compared with what was before
	}
	p.PartsUpdated = p.partsSince(r.last, now)
	r.judgeHint(p)
	switch how {
	case olderCopy:
		return how
	case unchanged:
		p.Updated = r.last.Updated
	case regressed:
		r.queue, r.init, r.since, r.parts = queue{}, initSection{}, 0, partsFollowed{}
		r.state.noParts()
		p.Updated = now
	case first, advanced:
		p.Updated = now
	}
	r.last = p
	r.ended = p.EndList && r.f.cfg.mayEnd()
	var a added
	switch {
	case r.ended:
		a = r.queue.rest(p, r.every)
	case !p.EndList:
		a = r.queue.add(p, r.every, r.f.cfg.MaxBehind)
	}
	r.state.update(func(o *Observation) { o.Skipped += a.skipped })
	r.state.listed(p, a.fresh, r.ended)
	for _, s := range a.listed {
		r.unloaded(s, now)
	}
	return how
}

// unloaded takes a segment that is listed and not downloaded as had: a sample has
// to stand for it.
func (r *rendition) unloaded(s Segment, at time.Time) {
	v := timed(s)
	v.at, v.play = at, r.arrival(s, at, v.end)
	r.endsAt(s, v.end, at)
	r.state.had(v, r.every == 0, r.ended)
	if r.every == 0 && r.f.cfg.unproven() {
		r.f.played()
	}
}

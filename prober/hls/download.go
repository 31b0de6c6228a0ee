package hls

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"streamcanary/prober"
)

// queue holds the segments that are still to be downloaded, oldest first.
type queue struct {
	segments []Segment
	next     uint64 // sequence number of the next segment that is new
	started  bool
	attempts int // on segments[0]
	retryAt  time.Time
	newer    bool // another one was listed since it failed
}

func (q *queue) waiting() bool { return len(q.segments) > 0 }

// added is what a playlist brought.
type added struct {
	fresh   int       // new
	skipped int       // fell too far behind
	listed  []Segment // new, and not to be downloaded
}

// maxWaiting bounds the segments that wait, where they are absurdly short.
const maxWaiting = 500

// add takes the new segments of a live playlist of which every nth is wanted: at
// first only the last complete one. Later it stays at the live edge: what waits is
// at most keep segments, or as many more as last for the hold-back of three target
// durations that players have ahead (4.4.3.8). A reload brings a target duration of
// segments, however many those are, and a viewer gets them all.
func (q *queue) add(p *Playlist, every, keep int) added {
	var a added
	before, begun := len(q.segments), q.started
	fresh := q.fresh(p)
	if !begun && len(fresh) > 0 {
		fresh = fresh[len(fresh)-1:]
	}
	a.fresh = len(fresh)
	for _, s := range fresh {
		if wanted(s, every, begun) {
			q.segments = append(q.segments, s)
		} else {
			a.listed = append(a.listed, s)
		}
	}
	if excess := q.excess(keep, 3*min(max(p.TargetDuration, time.Second), maxTarget)); excess > 0 {
		a.skipped = excess
		q.drop(excess)
	} else if before > 0 && q.attempts > 0 && len(q.segments) > before {
		q.retryAt, q.newer = time.Time{}, true // something newer to try instead
	}
	return a
}

// excess is how many of the oldest that wait are left out: behind them come enough
// segments, which last for the hold-back.
func (q *queue) excess(keep int, holdBack time.Duration) int {
	newer, lasting := 0, time.Duration(0)
	for i := len(q.segments) - 1; i >= 0; i-- {
		if newer >= maxWaiting || newer >= keep && lasting >= holdBack {
			return i + 1
		}
		newer++
		lasting += q.segments[i].Duration
	}
	return 0
}

// rest takes all new segments of a playlist that has ended.
func (q *queue) rest(p *Playlist, every int) added {
	begun := q.started
	fresh := q.fresh(p)
	a := added{fresh: len(fresh)}
	for i, s := range fresh {
		if wanted(s, every, begun || i > 0) {
			q.segments = append(q.segments, s)
		} else {
			a.listed = append(a.listed, s)
		}
	}
	return a
}

// wanted says whether a segment is to be downloaded: every nth, the first one
// always, and none where every is 0.
func wanted(s Segment, every int, begun bool) bool {
	return every > 0 && (!begun || s.Sequence%uint64(every) == 0)
}

// fresh gives the segments that were not listed before, and marks them as listed.
func (q *queue) fresh(p *Playlist) []Segment {
	var fresh []Segment
	for _, s := range p.Segments {
		if !s.Gap && (!q.started || s.Sequence >= q.next) {
			fresh = append(fresh, s)
		}
	}
	if len(fresh) > 0 {
		q.next, q.started = fresh[len(fresh)-1].Sequence+1, true
	}
	return fresh
}

// drop takes the first ones off. Nothing moves up: a recording may list very many.
func (q *queue) drop(n int) {
	clear(q.segments[:n])
	if q.segments = q.segments[n:]; len(q.segments) == 0 {
		q.segments = nil
	}
	q.attempts, q.retryAt, q.newer = 0, time.Time{}, false
}

// maxAhead is how much of a recording is downloaded before it is played, as
// players do.
const maxAhead = 30 * time.Second

// download fetches and judges what is queued, and returns early when the
// playlist is due: it must not starve. A segment that fails is tried again until
// a newer one is listed, or for maxAttempts where others wait behind it.
func (r *rendition) download(ctx context.Context) {
	q := &r.queue
	for q.waiting() && ctx.Err() == nil {
		if r.giveUp() {
			continue
		}
		now := time.Now()
		if now.Before(q.retryAt) {
			return
		}
		if ahead := r.state.buffered(now); r.ended && ahead > maxAhead && !r.f.cfg.Thorough && r.state.edgeNow().renewed { // what is had unloaded shows nothing
			q.retryAt = now.Add(ahead - maxAhead)
			return
		}
		fail := r.take(ctx, q.segments[0])
		if ctx.Err() != nil {
			return
		}
		now = time.Now()
		r.state.set(slotSegment, r.f.cfg.Rules.condition(fail), now)
		r.state.set(slotPoll, nil, now)
		if fail != nil && fail.Stage != prober.StageMedia {
			r.lost = fail
			if fail.Reason == prober.ReasonTooLarge {
				r.miss() // it will be no smaller, and costs as much each time
			} else {
				q.attempts++
				q.retryAt = now.Add(backoff(r.f.cfg.RetryDelay, q.attempts))
			}
		} else {
			q.drop(1)
		}
		if !now.Before(r.pollAt) {
			return
		}
	}
	if r.ended && !q.waiting() {
		r.state.over()
	}
}

// maxAttempts bounds how often a segment is asked for, unless it is the newest of a
// live playlist.
const maxAttempts = 3

// giveUp leaves a segment that cannot be had where there is a newer one.
func (r *rendition) giveUp() bool {
	q := &r.queue
	if q.attempts < maxAttempts && !q.newer || !r.ended && len(q.segments) < 2 {
		return false
	}
	r.miss()
	return true
}

// miss leaves the oldest segment for good. A listed segment has to be there
// (6.2.1), so it is told.
func (r *rendition) miss() {
	s := r.queue.segments[0]
	r.queue.drop(1)
	r.state.update(func(o *Observation) { o.Missed++ })
	r.found(r.f.cfg.Rules.Grade([]prober.Finding{{
		Section: "RFC 8216bis 6.2.1", Severity: prober.SeverityFail, Stage: r.lost.Stage, Reason: r.lost.Reason,
		Detail: prober.Clip(fmt.Sprintf("segment %d is listed and cannot be had: %s", s.Sequence, r.lost.Detail), prober.MaxDetail), Count: 1,
	}}))
}

// take downloads one segment and judges it, and once more with a fresh key where
// it cannot be read with the one that was kept.
func (r *rendition) take(ctx context.Context, s Segment) *prober.Failure {
	kept := r.hasKey(s)
	fail := r.takeOnce(ctx, s)
	if unreadable(fail) && r.rekey(s, kept) {
		fail = r.takeOnce(ctx, s)
	}
	return fail
}

// unreadable says whether a wrong key could be why a segment is not good.
func unreadable(fail *prober.Failure) bool {
	return fail != nil && (fail.Reason == prober.ReasonMediaEncrypted || fail.Reason == prober.ReasonNotMedia)
}

// takeOnce downloads one segment, with its initialization section, and judges it.
func (r *rendition) takeOnce(ctx context.Context, s Segment) *prober.Failure {
	u, fail := resolveURL(r.base, s.URI)
	if fail != nil {
		return fail
	}
	init, fail := r.initFor(ctx, s)
	if fail != nil {
		return fail
	}
	cfg := &r.f.cfg
	got, fail := r.f.fetch.get(ctx, request{
		url: u, stage: prober.StageSegment, limit: cfg.SegmentBytes, part: s.Range,
		timeout: min(max(cfg.SegmentTimeout, s.Duration), maxSegmentTime),
	})
	r.state.count(got)
	if fail != nil {
		return fail
	}
	defer got.release()
	at := time.Now()
	r.state.timed(got)
	r.loaded(s, got)
	body, fail := r.decrypt(ctx, s, got.body)
	if fail != nil {
		return fail
	}
	seen, fail := r.judge(got.url, s, body, init, at)
	if fail != nil {
		if fail.Reason == prober.ReasonNotMedia {
			r.init = initSection{} // a restarted origin may have a new one under the same URI
		}
		return fail
	}
	r.endsAt(s, seen.end, at)
	r.state.good(seen, got.timing.Total)
	if seen.proof != "" || r.f.cfg.unproven() {
		r.f.played()
	}
	return nil
}

// maxInit bounds an initialization section, which is kept: bytes.
const maxInit = 1 << 20

// initSection is the initialization section in use.
type initSection struct {
	url  string
	of   Init
	body []byte
}

// initFor fetches the segment's initialization section once per URI, range and key.
func (r *rendition) initFor(ctx context.Context, s Segment) ([]byte, *prober.Failure) {
	if s.Init.URI == "" {
		return nil, nil
	}
	u, fail := resolveURL(r.base, s.Init.URI)
	if fail != nil {
		return nil, fail
	}
	if r.init.url == u.String() && r.init.of == s.Init {
		return r.init.body, nil
	}
	cfg := &r.f.cfg
	got, fail := r.f.fetch.get(ctx, request{
		url: u, stage: prober.StageSegment, limit: min(cfg.SegmentBytes, maxInit), timeout: cfg.SegmentTimeout, part: s.Init.Range,
	})
	r.state.count(got)
	if fail != nil {
		fail.Detail = prober.Clip("initialization section "+fail.Detail, prober.MaxDetail)
		return nil, fail
	}
	defer got.release()
	plain, fail := clearInit(s.Init, s.Sequence, got.body, func(k Key) ([]byte, *prober.Failure) { return r.key(ctx, k) })
	if fail != nil {
		return nil, fail
	}
	r.init = initSection{url: u.String(), of: s.Init, body: bytes.Clone(plain)}
	return r.init.body, nil
}

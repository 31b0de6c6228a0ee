package hls

import (
	"context"
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
}

func (q *queue) waiting() bool { return len(q.segments) > 0 }

// add takes the new segments of p: at first only the last complete one, later at
// most keep; it says how many had to be skipped to stay at the live edge.
func (q *queue) add(p *Playlist, keep int) (skipped int) {
	before := len(q.segments)
	for _, s := range p.Segments {
		if !s.Gap && (!q.started || s.Sequence >= q.next) {
			q.segments = append(q.segments, s)
		}
	}
	if len(q.segments) == 0 {
		return 0
	}
	q.next = q.segments[len(q.segments)-1].Sequence + 1
	if !q.started {
		q.started = true
		q.segments = append([]Segment(nil), q.segments[len(q.segments)-1])
		return 0
	}
	if excess := len(q.segments) - keep; excess > 0 {
		skipped = excess
		q.drop(excess)
	} else if before > 0 && q.attempts > 0 && len(q.segments) > before {
		q.retryAt = time.Time{} // something newer to try instead
	}
	return skipped
}

func (q *queue) drop(n int) {
	q.segments = append(q.segments[:0], q.segments[n:]...)
	q.attempts, q.retryAt = 0, time.Time{}
}

// download fetches and judges what is queued, and returns early when the
// playlist is due: it must not starve. A segment that fails is tried again until
// a newer one is listed.
func (r *rendition) download(ctx context.Context) {
	q := &r.queue
	for q.waiting() && ctx.Err() == nil {
		if q.attempts > 0 && len(q.segments) > 1 {
			q.drop(1)
			r.state.update(func(o *Observation) { o.Missed++ })
			continue
		}
		if time.Now().Before(q.retryAt) {
			return
		}
		fail := r.take(ctx, q.segments[0])
		if ctx.Err() != nil {
			return
		}
		now := time.Now()
		r.state.set(slotSegment, fail, now)
		r.state.set(slotPoll, nil, now)
		if fail != nil && fail.Stage != prober.StageMedia {
			q.attempts++
			q.retryAt = now.Add(backoff(r.f.cfg.RetryDelay, q.attempts))
		} else {
			q.drop(1)
		}
		if !now.Before(r.pollAt) {
			return
		}
	}
}

// take downloads one segment, with its initialization section, and judges it.
func (r *rendition) take(ctx context.Context, s Segment) *prober.Failure {
	if s.Encryption != "" {
		return &prober.Failure{Outcome: prober.Inconclusive, Stage: prober.StageMedia, Reason: prober.ReasonConfiguration,
			Detail: prober.Clip("segments are encrypted with "+s.Encryption+": nothing can be said of what is inside", prober.MaxDetail)}
	}
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
	}, r.segment)
	if fail != nil {
		return fail
	}
	at := time.Now()
	r.segment = reuse(got.body)
	r.state.count(got)
	seen, fail := r.judge(got.url, s, got.body, init, at)
	if fail != nil {
		if fail.Reason == prober.ReasonNotMedia {
			r.init = initSection{} // a restarted origin may have a new one under the same URI
		}
		return fail
	}
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
	part ByteRange
	body []byte
}

// initFor fetches the segment's initialization section once per URI and range.
func (r *rendition) initFor(ctx context.Context, s Segment) ([]byte, *prober.Failure) {
	if s.Init.URI == "" {
		return nil, nil
	}
	u, fail := resolveURL(r.base, s.Init.URI)
	if fail != nil {
		return nil, fail
	}
	if r.init.url == u.String() && r.init.part == s.Init.Range {
		return r.init.body, nil
	}
	cfg := &r.f.cfg
	got, fail := r.f.fetch.get(ctx, request{
		url: u, stage: prober.StageSegment, limit: min(cfg.SegmentBytes, maxInit), timeout: cfg.SegmentTimeout, part: s.Init.Range,
	}, nil)
	if fail != nil {
		fail.Detail = prober.Clip("initialization section "+fail.Detail, prober.MaxDetail)
		return nil, fail
	}
	r.state.count(got)
	r.init = initSection{url: u.String(), part: s.Init.Range, body: got.body}
	return r.init.body, nil
}

package hls

import (
	"bytes"
	"context"
	"time"

	"streamcanary/prober"
)

// Looker decodes the beginning of a segment. init is its initialization section,
// or nil. The error says why nothing can be said.
type Looker func(ctx context.Context, segment, init []byte) (prober.Look, error)

// maxGlance bounds a segment that is kept to be decoded: bytes.
const maxGlance = 8 << 20

// glance is a segment that is to be decoded, since its pictures or its sound have no marker.
type glance struct {
	r             *rendition
	segment, init []byte
	at            time.Time // when its last byte had come
	duration      time.Duration
	maxAge        time.Duration // from which on pictures of ours are not live any more
	proven        bool          // by markers already: the look is for what it shows
}

// offer hands a segment over to be decoded, where one is due and nothing else
// is waiting: a look must never delay who follows.
func (r *rendition) offer(s Segment, segment, init []byte, at time.Time, proven bool) {
	f := r.f
	due := r.glanceAt
	if r.state.shownBefore(f.started) {
		due = due.Add(min(lookAgain-f.cfg.LookEvery, 0))
	}
	if at.Before(due) || len(segment) > maxGlance || len(f.glances) == cap(f.glances) {
		return
	}
	select {
	case f.glances <- glance{r: r, segment: bytes.Clone(segment), init: bytes.Clone(init), at: at, duration: s.Duration, maxAge: f.cfg.markerAge(r.last.TargetDuration), proven: proven}:
		r.glanceAt = at.Add(f.cfg.LookEvery)
	default:
	}
}

// glanceAll decodes what is offered, one after the other, until ctx ends.
func (f *Follower) glanceAll(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case g := <-f.glances:
			f.glance(ctx, g)
		}
	}
}

func (f *Follower) glance(ctx context.Context, g glance) {
	look, err := f.cfg.Look(ctx, g.segment, g.init)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		g.r.state.glanced(glimpse{blind: true, until: g.at.Add(glimpseHolds * f.cfg.LookEvery)})
		return
	}
	means, fail := look.Judge(prober.Sought{
		Tag: f.tag, At: g.at, MaxAge: g.maxAge, Video: g.r.what.kind != kindAudio, Audio: true,
	})
	if g.proven {
		g.r.state.set(slotLook, g.r.f.cfg.Rules.condition(fail), time.Now())
		return
	}
	s := glimpse{means: means, until: g.at.Add(glimpseHolds * f.cfg.LookEvery), at: g.at, duration: g.duration}
	for _, b := range look.Barcodes {
		if b.Matches(f.tag) {
			s.marker = prober.Marker{Tag: f.tag, Seq: uint64(b.Seq), Clock: b.At(g.at)}
			break
		}
	}
	g.r.state.glanced(s)
	g.r.state.set(slotLook, g.r.f.cfg.Rules.condition(fail), time.Now())
	if means != "" {
		f.played()
	}
}

// lookAgain is from one look to the next while what was seen is from before we
// came: whoever waits for what is new must not wait for the next look's turn.
const lookAgain = time.Second

// shownBefore says whether the latest look showed a picture of ours from before
// that.
func (s *state) shownBefore(t time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.glimpse
	return g.means != "" && !g.marker.Clock.IsZero() && g.marker.Clock.Before(t)
}

// glimpseHolds is for how many intervals between two looks the last one counts.
const glimpseHolds = 3

// glimpse is what the latest look at a rendition showed.
type glimpse struct {
	blind    bool // it could not be decoded by us: nothing is known
	means    prober.Means
	marker   prober.Marker // read from the first picture of ours
	at       time.Time     // when the segment had come
	duration time.Duration // of it
	until    time.Time     // it counts
}

// glanced records a look.
func (s *state) glanced(g glimpse) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.glimpse = g
	if g.means == "" {
		return
	}
	s.proven = true
	o := &s.seen
	o.Proof, o.LatencyBy = g.means, g.means
	o.FirstMarker, o.LastMarker, o.ReceivedAt = g.marker, g.marker, g.at
	o.LatencyFirst = g.at.Sub(g.marker.Clock)
	o.LatencyLast = o.LatencyFirst - g.duration
}

// blind says whether the latest look could tell nothing.
func (s *state) blind() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.glimpse.blind
}

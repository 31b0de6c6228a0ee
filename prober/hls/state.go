package hls

import (
	"slices"
	"sync"
	"time"

	"streamcanary/prober"
)

// slot is where a condition was seen. A slot holds its latest condition until
// the same place is seen good again.
type slot int

const (
	slotPoll     slot = iota // the latest attempt to load a playlist
	slotPlaylist             // what Analyze found in the latest one
	slotSegment              // the latest segment
	slotMedia                // what is inside it
	slotLoaded               // how it came
	slotReload               // what became of a blocking reload
	slotLook                 // what decoding one showed
	slotPart                 // the latest part
	slotRemoved              // whether the last removed segment was still there
	slots
)

// condition is what is wrong at a slot now.
type condition struct {
	failure  *prober.Failure // nil is good
	since    time.Time
	reported bool // Observe has shown it
}

// state is what Run tells and Observe reads.
type state struct {
	mu         sync.Mutex
	conditions [slots]condition
	seen       Observation // figures, as of now
	player     viewer
	parts      map[uint64]time.Duration // had of segments by their parts; nil: parts are not followed
	partsFrom  uint64                   // the first such segment
	partsLeft  bool                     // no more of them come
	felt       felt
	figures    prober.Rendition // what this package's Observation does not have
	rated      bool             // a bitrate was measured in this turn
	facts      []Loaded         // of the latest segments
	latest     Observed         // playlist
	glimpse    glimpse
	stamp      Stamp // of the latest segment with a date
	sent       sent
	edge       edge
	proven     bool // by a segment, ever
	lastGood   time.Time
	heldSince  time.Time // when the blocking reload that is not answered yet was sent
	target     time.Duration
}

// set replaces the condition of a slot. What heals before it was shown is
// counted, so that a blip is neither a failure nor lost.
func (s *state) set(at slot, fail *prober.Failure, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := &s.conditions[at]
	switch {
	case fail == nil && c.failure != nil:
		if s.seen.Playing && !c.reported && c.failure.Outcome == prober.Fail {
			s.seen.Recovered++
			s.seen.LastRecovered = c.failure.Detail
		}
		*c = condition{}
	case fail != nil && c.failure != nil && c.failure.Stage == fail.Stage && c.failure.Reason == fail.Reason:
		c.reported = c.reported && rank(fail) >= rank(c.failure) // that it was milder says nothing of what it is
		c.failure = fail                                         // since stays
	case fail != nil:
		*c = condition{failure: fail, since: now}
	}
}

// update changes figures under the lock.
func (s *state) update(change func(*Observation)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change(&s.seen)
}

// good records a segment that plays: ours and live, as far as can be known.
func (s *state) good(v sight, segmentTime time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastGood = v.at
	s.arrive(v.play)
	s.edge.had(v.play.sequence)
	o := &s.seen
	o.Segments++
	if v.proof != "" || s.glimpse.means == "" || v.at.After(s.glimpse.until) { // otherwise a look tells more
		o.FirstMarker, o.LastMarker, o.ReceivedAt = v.first, v.last, v.at
		s.proven = s.proven || v.proof != ""
		o.Proof, o.LatencyBy, o.LatencyFirst, o.LatencyLast = v.proof, v.by, 0, 0
		if v.by != "" {
			o.LatencyFirst, o.LatencyLast = v.at.Sub(v.begin), v.at.Sub(v.end)
		}
	}
	o.SegmentSequence = v.sequence
	if !o.Playing {
		o.Playing, o.PlayingSince = true, v.at
	}
	o.SegmentTime = segmentTime
}

// worst picks the condition to show: a failure before anything milder, and the
// earliest stage first, since a run ends at the first stage that fails.
func (s *state) worst() *condition {
	var worst *condition
	for i := range s.conditions {
		c := &s.conditions[i]
		if c.failure != nil && (worst == nil || rank(c.failure) < rank(worst.failure)) {
			worst = c
		}
	}
	return worst
}

func rank(f *prober.Failure) int {
	outcomes := []prober.Outcome{prober.Fail, prober.Inconclusive, prober.Degraded}
	stages := prober.Stages()
	return slices.Index(outcomes, f.Outcome)*len(stages) + slices.Index(stages, f.Stage)
}

func (s *state) playing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen.Playing
}

// holds says whether a slot's condition has this reason.
func (s *state) holds(at slot, reason prober.Reason) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.conditions[at].failure
	return c != nil && c.Reason == reason
}

// fails says whether something fails here now.
func (s *state) fails() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.worst()
	return c != nil && c.failure.Outcome == prober.Fail
}

// count adds one answer to the figures, good or not.
func (s *state) count(r response) {
	s.update(func(o *Observation) {
		o.BytesReceived += r.bytes
		if r.timing.Connect > 0 {
			o.Resolve, o.Connect, o.TLS = r.timing.Resolve, r.timing.Connect, r.timing.TLS
		}
	})
}

func (s *state) wasProven() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proven
}

// timed keeps the times of a segment's download. How the playlist was packed stays.
func (s *state) timed(r response) {
	s.update(func(o *Observation) {
		packed := o.HTTP.Encoding
		o.HTTP = r.http
		o.HTTP.Encoding = packed
	})
}

// observed keeps the latest playlist, for rules between renditions.
func (s *state) observed(o Observed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.latest = o
}

// stamped keeps where the latest segment lies on its timeline.
func (s *state) stamped(at Stamp) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stamp = at
}

// had takes a segment as had that was not downloaded. Where none is downloaded it
// shows that the rendition is up.
func (s *state) had(v sight, counts, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.arrive(v.play)
	if counts || !ended {
		s.edge.had(v.play.sequence)
	}
	if !counts {
		return
	}
	s.lastGood = v.at
	if o := &s.seen; !o.Playing {
		o.Playing, o.PlayingSince = true, v.at
	}
}

// joined says whether the virtual player has something to show.
func (s *state) joined() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.player.started
}

// buffered is how much the virtual player has ahead.
func (s *state) buffered(now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.player.advance(now)
	return s.player.buffer
}

// over says that the stream has ended and all of it was had.
func (s *state) over() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen.Ended = true
}

// held says since when the server holds a reload; zero is that it holds none.
func (s *state) held(since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.heldSince = since
}

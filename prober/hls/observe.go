package hls

import (
	"time"

	"streamcanary/prober"
)

// Observation is what a follower found in one turn: since the last Observe.
type Observation struct {
	// Failure is the present condition: the worst that has not healed, nil when
	// all is good and our fresh marker was seen in time. Its outcome may be
	// Degraded. Before Playing it says what is seen in place of the broadcast (a
	// 404 is normal then); the caller decides by a deadline of its own.
	Failure *prober.Failure
	Since   time.Time // when that condition was first seen
	Playing bool      // our fresh marker has been seen, ever
	Ended   bool      // the stream has an end, and all of it was had

	PlayingSince            time.Time     // when it was first seen: for the time to first frame
	FirstMarker, LastMarker prober.Marker // ours, of the latest good segment
	ReceivedAt              time.Time     // when its last byte had come
	LatencyFirst            time.Duration // ReceivedAt less FirstMarker's clock; negative if the pusher's clock is ahead
	LatencyLast             time.Duration // ReceivedAt less LastMarker's clock
	PartLatency             time.Duration // of the latest part's last frame that was fetched; 0: none was
	SegmentSequence         uint64        // of the latest good segment
	MediaSequence           uint64        // of the latest playlist
	TargetDuration          time.Duration // of the latest playlist

	// Proof is the weakest means by which the renditions that are followed were
	// proven to be ours and live; "" while one of them is not proven.
	Proof     prober.Means
	LatencyBy prober.Means     // what the latencies were taken from
	Viewing   prober.Viewing   // what a viewer would have felt; counts are of this turn
	HTTP      prober.HTTPTimes // of the latest segment

	Resolve, Connect, TLS time.Duration // of the latest connection made
	ManifestTime          time.Duration // of the latest playlist
	SegmentTime           time.Duration // of the latest good segment

	// In this turn:
	BytesReceived int64            // bodies of playlists, segments and initialization sections
	Segments      int              // good ones
	Skipped       int              // fell too far behind to be downloaded
	Missed        int              // could not be downloaded
	Recovered     int              // failures that came and healed without being shown
	LastRecovered string           // detail of the last of them
	Findings      []prober.Finding // one per rule

	// Renditions are what a multivariant playlist lists and is followed, one by one,
	// or the media playlist that the playback URL is.
	Renditions []prober.Rendition
	// Unrenewed are those of them, by name, that have not shown that they go on: see edge.
	Unrenewed []string
}

// observe gives a rendition's present condition and what was found since the
// last call.
func (r *rendition) observe(now time.Time) (Observation, prober.Rendition) {
	s := &r.state
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.take()
	figures := s.takeFigures()
	if s.seen.Ended {
		s.player.ended(now)
	}
	o.Viewing = s.player.take(now)
	if held := r.heldTooLong(now); len(held) > 0 {
		o.Findings = merge(o.Findings, held)
		if fail := worstOf(held); fail != nil && (o.Failure == nil || rank(fail) < rank(o.Failure)) {
			o.Failure, o.Since = fail, s.heldSince
		}
	}
	if o.Failure == nil || o.Failure.Outcome == prober.Degraded {
		if fail, since := r.overdue(now); fail != nil && (o.Failure == nil || rank(fail) < rank(o.Failure)) {
			o.Failure, o.Since = fail, since
		}
	}
	r.feel(now, &o)
	return o, figures
}

// heldTooLong is that a blocking reload, which is answered as soon as there is
// something new, is not while a segment has to come (6.2.1): players get none
// then, and wait as we do, for much longer than that. The lock is held.
func (r *rendition) heldTooLong(now time.Time) []prober.Finding {
	s := &r.state
	bound := r.f.cfg.Rules.staleAfter(min(s.target, maxTarget))
	if s.heldSince.IsZero() || !s.seen.Playing || now.Sub(s.heldSince) <= bound {
		return nil
	}
	f := findings{rules: r.f.cfg.Rules, where: r.what.name}
	f.add(ruleStale, "no new segment: a blocking reload is not answered for %s, bound %s", now.Sub(s.heldSince).Round(100*time.Millisecond), bound)
	return f.list
}

// take gives what was seen, and begins a new turn. The lock is held.
func (s *state) take() Observation {
	o := s.seen
	if c := s.worst(); c != nil {
		shown := *c.failure
		o.Failure, o.Since = &shown, c.since
	}
	for i := range s.conditions {
		s.conditions[i].reported = true
	}
	s.seen.BytesReceived, s.seen.Segments, s.seen.Skipped, s.seen.Missed, s.seen.Recovered = 0, 0, 0, 0, 0
	s.seen.LastRecovered, s.seen.Findings = "", nil
	return o
}

// overdue is the last guard against good news without evidence: nothing is wrong
// that we saw, but no good segment came either. The bound is above everything
// that has a reason of its own, and grows with the share that is sampled.
func (r *rendition) overdue(now time.Time) (*prober.Failure, time.Time) {
	s := &r.state
	if !s.seen.Playing {
		return r.f.nothingYet(), r.started
	}
	cfg := &r.f.cfg
	target := min(s.target, maxTarget)
	bound := cfg.Rules.staleAfter(target) + time.Duration(1+max(r.every, 1))*target + cfg.PlaylistTimeout + cfg.SegmentTimeout
	if since := now.Sub(s.lastGood); since > bound && !s.seen.Ended {
		fail := failf(prober.StageMedia, prober.ReasonMarkerMissing, "no %s for %s, bound %s", r.f.sought(), since.Round(time.Second), bound)
		return cfg.Rules.condition(fail), s.lastGood
	}
	return nil, time.Time{}
}

func (f *Follower) nothingYet() *prober.Failure {
	return f.cfg.Rules.lasting(failf(prober.StageMedia, prober.ReasonMarkerMissing, "no %s has come yet", f.sought()))
}

// sought is what has to come.
func (f *Follower) sought() string {
	if f.cfg.foreign() {
		return "good segment"
	}
	return "segment with our marker"
}

// Stages gives the times of the latest connection, playlist and good segment,
// in the order in which a run passes them. What was not measured is left out.
func (o Observation) Stages() []prober.StageTime {
	var stages []prober.StageTime
	for _, s := range []prober.StageTime{
		{Stage: prober.StageResolve, Duration: o.Resolve},
		{Stage: prober.StageConnect, Duration: o.Connect + o.TLS},
		{Stage: prober.StageManifest, Duration: o.ManifestTime},
		{Stage: prober.StageSegment, Duration: o.SegmentTime},
	} {
		if s.Duration > 0 {
			stages = append(stages, s)
		}
	}
	return stages
}

package hls

import (
	"fmt"
	"time"

	"streamcanary/prober"
)

const (
	// DefaultMaxRebuffering is the share of half a minute that playback may stand
	// still: six seconds. Healthy servers have a rebuffer or none, of less than a second.
	DefaultMaxRebuffering = 0.2

	feltWindow  = 30 * time.Second
	feltSettles = 15 * time.Second // from the first frame on; until then a stream may stutter as it starts
	feltLate    = 10 * time.Second // that a latency has to last
)

// defaultMaxLatency is what a viewer may be behind: the hold-back of three target
// durations, one in which a segment is made, another for the way, and ten seconds
// for what transcodes it.
func defaultMaxLatency(target time.Duration) time.Duration { return 5*target + 10*time.Second }

// felt grades what a viewer felt of one rendition. It is pure.
type felt struct {
	turns   []feltTurn
	excused bool      // what stands still since a failure follows from it
	late    time.Time // since when the latency is above its bound; zero: it is not
	since   time.Time // when it was first worse than granted; zero: it is not
	told    [2]bool   // of rebuffering and latency, since they began
}

// feltTurn is what was felt in one turn.
type feltTurn struct {
	at    time.Time
	stood time.Duration
}

// feltBounds are what is granted to a rendition now.
type feltBounds struct {
	latency     time.Duration // 0 is not judged
	rebuffering float64
}

// turn takes what was felt in a turn in which the rendition failed or not, and
// gives what is worse than granted. A failure says it all: what stands still until
// playback has recovered from it counts for nothing more.
func (f *felt) turn(now time.Time, v prober.Viewing, playing time.Duration, failing bool, bounds feltBounds) []prober.Finding {
	switch {
	case failing || playing < feltSettles:
		*f = felt{excused: failing || f.excused}
		return nil
	case f.excused && v.RebufferTime > 0:
		return nil
	}
	f.excused = false
	var found []prober.Finding
	stood := f.stood(now, v.RebufferTime)
	if share := float64(stood) / float64(feltWindow); share > bounds.rebuffering {
		found = append(found, feltFinding(prober.StageMedia, prober.ReasonRebuffering,
			"playback stood still for %s of the last %s, more than %.0f %%", stood.Round(10*time.Millisecond), feltWindow, 100*bounds.rebuffering))
	}
	if f.latency(now, v.Latency, bounds.latency) {
		found = append(found, feltFinding(prober.StageLatency, prober.ReasonLatencyHigh,
			"a viewer is %s behind the broadcaster, for %s or more; bound %s", v.Latency.Round(10*time.Millisecond), feltLate, bounds.latency.Round(10*time.Millisecond)))
	}
	return found
}

// stood is how long playback stood still in the window.
func (f *felt) stood(now time.Time, more time.Duration) time.Duration {
	if more > 0 {
		f.turns = append(f.turns, feltTurn{now, more})
	}
	var sum time.Duration
	kept := f.turns[:0]
	for _, t := range f.turns {
		if now.Sub(t.at) < feltWindow {
			kept, sum = append(kept, t), sum+t.stood
		}
	}
	f.turns = kept
	return sum
}

// latency says whether the latency has been above its bound for long.
func (f *felt) latency(now time.Time, is, bound time.Duration) bool {
	if bound <= 0 || is <= bound {
		f.late = time.Time{}
		return false
	}
	if f.late.IsZero() {
		f.late = now
	}
	return now.Sub(f.late) >= feltLate
}

func feltFinding(stage prober.Stage, reason prober.Reason, format string, args ...any) prober.Finding {
	return prober.Finding{Severity: prober.SeverityDegraded, Stage: stage, Reason: reason,
		Detail: prober.Clip(fmt.Sprintf(format, args...), prober.MaxDetail), Count: 1}
}

// news are the findings that were not there the turn before: they are told once,
// as long as they last.
func (f *felt) news(found []prober.Finding) []prober.Finding {
	var fresh []prober.Finding
	var now [2]bool
	for _, g := range found {
		i := 0
		if g.Reason == prober.ReasonLatencyHigh {
			i = 1
		}
		if now[i] = true; !f.told[i] {
			fresh = append(fresh, g)
		}
	}
	f.told = now
	return fresh
}

// feel grades what a viewer felt of a rendition since the last Observe, and puts
// it into the observation: before what is degraded otherwise, since it is what
// comes of that. The lock is held.
func (r *rendition) feel(now time.Time, o *Observation) {
	s := &r.state
	if s.figures.EndList || o.PlayingSince.IsZero() {
		return // what has an end is played from wherever it is
	}
	cfg := &r.f.cfg
	bounds := feltBounds{latency: cfg.MaxLatency, rebuffering: cfg.MaxRebuffering}
	if bounds.latency == 0 && !cfg.foreign() { // what dates a stream of others is not known
		bounds.latency = defaultMaxLatency(min(s.target, maxTarget))
	}
	found := cfg.Rules.Grade(s.felt.turn(now, o.Viewing, now.Sub(o.PlayingSince), failing(o.Failure), bounds))
	for i := range found {
		found[i].Where = r.what.name
	}
	o.Findings = merge(o.Findings, s.felt.news(found))
	worst := worstOf(found)
	switch {
	case worst == nil:
		s.felt.since = time.Time{}
	case s.felt.since.IsZero():
		s.felt.since = now
	}
	if worst != nil && (o.Failure == nil || rank(worst) < rank(o.Failure) || o.Failure.Outcome == prober.Degraded) {
		o.Failure, o.Since = worst, s.felt.since
	}
}

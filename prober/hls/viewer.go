package hls

import (
	"time"

	"streamcanary/prober"
)

// viewer is a virtual player of one rendition: times and arrivals in, and out
// comes what a viewer would have felt. It is pure. Its rules, which are those of
// common players:
//
//   - it joins a live broadcast at the hold-back (4.4.3.8: three target durations
//     from the end, unless the server says otherwise), or at the beginning where
//     less is listed. What is listed between there and the first segment that is
//     downloaded is taken as had;
//   - playback starts with the first segment, since players start as soon as
//     they have something to show;
//   - when it has run dry it stands still until two target durations are there:
//     with one it would be dry again just as the next segment comes, and stutter
//     for ever on a healthy broadcast that it joined at the very edge;
//   - it never changes its speed, and leaps over what is missing: its place is
//     that of what comes next.
type viewer struct {
	asked    time.Time // for the playlist
	started  bool
	standing bool      // it has run dry
	at       time.Time // up to when it has played
	buffer   time.Duration
	resume   time.Duration // what has to be there before it goes on
	edge     time.Time     // the broadcaster's clock at the end of the buffer; zero: not known
	joined   time.Duration // the first live latency that was known
	known    bool
	felt     prober.Viewing
}

// arrival is media that has come whole.
type arrival struct {
	sequence uint64
	at       time.Time
	duration time.Duration
	before   time.Duration // listed from the hold-back up to it, for the first one
	target   time.Duration // target duration
	edge     time.Time     // the broadcaster's clock at its end; zero: not known
}

// arrive takes media that follows on what is in the buffer.
func (v *viewer) arrive(a arrival) {
	v.resume = 2 * a.target
	if !v.started {
		v.started, v.at = true, a.at
		v.felt.Startup = a.at.Sub(v.asked)
		v.buffer = a.before
	}
	v.advance(a.at)
	v.buffer += a.duration
	switch {
	case a.edge.After(v.edge):
		v.edge = a.edge
	case !a.edge.IsZero(): // a hole is filled
	case !v.edge.IsZero():
		v.edge = v.edge.Add(a.duration)
	}
	if v.standing && v.buffer >= v.resume {
		v.standing = false
	}
	v.locate()
}

// advance lets time pass.
func (v *viewer) advance(to time.Time) {
	passed := to.Sub(v.at)
	if !v.started || passed <= 0 {
		return
	}
	v.at = to
	if !v.standing {
		played := min(passed, v.buffer)
		v.buffer -= played
		v.felt.Watched += played
		passed -= played
		if passed > 0 {
			v.standing = true
			v.felt.Rebuffers++
		}
	}
	v.felt.RebufferTime += passed
	v.locate()
}

// locate finds the playhead's place behind the broadcaster.
func (v *viewer) locate() {
	if v.edge.IsZero() {
		return
	}
	v.felt.Latency = v.at.Sub(v.edge.Add(-v.buffer))
	if !v.known {
		v.known, v.joined = true, v.felt.Latency
	}
	v.felt.Drift = v.felt.Latency - v.joined
}

// ended says that nothing follows, so that playing to the end is no rebuffering.
func (v *viewer) ended(at time.Time) {
	if !v.started {
		return
	}
	v.advance(minTime(at, v.at.Add(v.buffer)))
	if v.buffer == 0 {
		v.started = false
	}
}

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// take gives what was felt up to now, and begins a new turn: what is counted is
// of one turn, the rest stands.
func (v *viewer) take(now time.Time) prober.Viewing {
	v.advance(now)
	felt := v.felt
	felt.Buffer = v.buffer
	v.felt.Watched, v.felt.Rebuffers, v.felt.RebufferTime = 0, 0, 0
	return felt
}

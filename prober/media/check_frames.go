package media

import (
	"slices"
	"time"

	"streamcanary/prober"
)

// series are the markers of a track, and when their frames are shown.
type series struct {
	markers   []prober.Marker
	times     []time.Duration // as many, or none where that is not known
	container Container
}

// pace is what is usual from one marker to the next.
type pace struct {
	frames uint64        // in the sequence; 0: not known
	media  time.Duration // on the media timeline
	frame  time.Duration // time of one frame of the sequence, by the pusher's clock
}

// pace takes the medians: of what is missing there is less than of what is there.
func (s series) pace() pace {
	var frames []uint64
	var times []time.Duration
	for i := 1; i < len(s.markers); i++ {
		a, b := s.markers[i-1], s.markers[i]
		if a.Tag != b.Tag || b.Seq <= a.Seq {
			continue
		}
		frames = append(frames, b.Seq-a.Seq)
		if s.timed() {
			times = append(times, s.times[i]-s.times[i-1])
		}
	}
	if len(frames) == 0 {
		return pace{}
	}
	p := pace{frames: median(frames)}
	if len(times) > 0 {
		p.media = median(times)
	}
	first, last := s.markers[0], s.markers[len(s.markers)-1]
	if last.Tag == first.Tag && last.Seq > first.Seq {
		p.frame = last.Clock.Sub(first.Clock) / time.Duration(min(last.Seq-first.Seq, 1<<32))
	}
	return p
}

func median[T uint64 | time.Duration](v []T) T {
	slices.Sort(v)
	return v[len(v)/2]
}

func (s series) timed() bool { return len(s.times) == len(s.markers) && len(s.times) > 0 }

// frames finds frames that are missing or come again, by the sequence of their
// markers, and gives the time of those that are missing.
//
// A skipped number alone shows nothing: at half the frame rate, or 25 frames a second
// of 30, each second or sixth is left out on purpose, and time goes on evenly. Frames
// are missing where time has a hole too, or where it was closed up over them, so that
// media runs ahead of the clock at which it was sent.
func (c *Checker) frames(name string, s series, was continued) (lost time.Duration) {
	p := s.pace()
	if p.frames == 0 || p.frame <= 0 {
		p = was.pace
	}
	var back uint64
	repeated := 0
	pair := func(a, b prober.Marker, step time.Duration, timed bool) {
		switch {
		case a.Tag != b.Tag:
		case b.Seq < a.Seq:
			repeated, back = repeated+1, b.Seq
		case p.frames > 0 && p.frame > 0 && b.Seq > a.Seq+p.frames:
			lost += p.missing(b.Seq-a.Seq, step, timed, c.limits.GapNote)
		}
	}
	if was.marked && len(s.markers) > 0 {
		timed := s.timed() && was.timed && was.continual && c.before.container == s.container
		step := time.Duration(0)
		if timed {
			step = nearest(s.times[0]-was.markedAt, s.container)
		}
		pair(was.marker, s.markers[0], step, timed)
	}
	for i := 1; i < len(s.markers); i++ {
		step := time.Duration(0)
		if s.timed() {
			step = s.times[i] - s.times[i-1]
		}
		pair(s.markers[i-1], s.markers[i], step, s.timed())
	}
	if repeated > 0 {
		c.find("", prober.SeverityDegraded, prober.ReasonFramesRepeated, "%s: the sequence of our frames goes back %d times, to frame %d at last", name, repeated, back)
	}
	if lost = min(lost, 24*time.Hour); lost > 0 {
		c.find("", graded(lost > c.limits.MissingDegraded), prober.ReasonFramesMissing, "%s: about %d of our frames are missing (%v) up to frame %d",
			name, (lost+p.frame/2)/p.frame, short(lost), s.markers[len(s.markers)-1].Seq)
	}
	return lost
}

// missing is the time of the frames that are missing in a step of so many numbers
// of the sequence and so much media time, which are more than usual.
func (p pace) missing(frames uint64, step time.Duration, timed bool, tolerated time.Duration) time.Duration {
	const most = 1 << 20 // frames: beyond that it does not matter
	skipped := time.Duration(min(frames-p.frames, most)) * min(p.frame, time.Second)
	if !timed {
		return skipped
	}
	if hole := step - p.media; hole > p.frame/2 {
		return min(hole, skipped)
	}
	if closed := skipped + p.media - step; closed > tolerated {
		return min(closed, skipped)
	}
	return 0
}

package media

import (
	"fmt"
	"time"

	"streamcanary/prober"
)

// changes names what is different about a track, of what is known of both.
func (t Track) changes(to Track) []string {
	var changes []string
	if t.Codec != "" && to.Codec != "" && t.Codec != to.Codec {
		changes = append(changes, t.Codec+" to "+to.Codec)
	}
	if t.Width > 0 && to.Width > 0 && (t.Width != to.Width || t.Height != to.Height) {
		changes = append(changes, fmt.Sprintf("%dx%d to %dx%d", t.Width, t.Height, to.Width, to.Height))
	}
	if t.SampleRate > 0 && to.SampleRate > 0 && (t.SampleRate != to.SampleRate || t.Channels != to.Channels) {
		changes = append(changes, fmt.Sprintf("%d Hz, %d channels to %d Hz, %d channels", t.SampleRate, t.Channels, to.SampleRate, to.Channels))
	}
	return changes
}

// duration compares a segment's media with what its EXTINF says.
func (c *Checker) duration(s Summary, e Expected) {
	has := s.Duration()
	if e.Duration <= 0 || has <= 0 {
		return
	}
	note := c.limits.DurationNote
	if !s.HasVideo {
		note = c.limits.DurationSound
	}
	if off := (has - e.Duration).Abs(); off > note {
		const share = 4 // a player's idea of where it is goes wrong by as much as a quarter
		c.find("RFC 8216bis 4.4.4.1", graded(off > min(c.limits.DurationDegraded, e.Duration/share)), prober.ReasonDurationMismatch, "its media lasts %v, its EXTINF is %v", short(has), short(e.Duration))
	}
}

// wrap is the period of MPEG-TS's clock, 1<<33 ticks of 1/90000 s.
const wrap = (1 << 33) * time.Second / 90000

// nearest is the step d of a clock that may have wrapped.
func nearest(d time.Duration, container Container) time.Duration {
	if container != MPEGTS && container != PackedAudio {
		return d
	}
	d %= wrap
	if d > wrap/2 {
		d -= wrap
	} else if d < -wrap/2 {
		d += wrap
	}
	return d
}

// continuity says whether frames and times go on, within the segment and from the
// one before.
func (c *Checker) continuity(s Summary) {
	for _, k := range []struct {
		kind    Kind
		name    string
		markers []prober.Marker
		times   []time.Duration
		was     continued
	}{{Video, "picture", s.Markers, s.MarkerTimes, c.before.video}, {Audio, "sound", s.AudioMarkers, s.AudioMarkerTimes, c.before.audio}} {
		t, ok := s.first(k.kind)
		if !ok {
			continue
		}
		lost := c.frames(k.name, series{k.markers, k.times, s.Container}, k.was)
		inside := t.Gap
		if k.kind == Video && (len(k.markers) > 0 || inside+t.UnitTime <= c.limits.PictureGap) {
			inside = 0
		}
		if k.was.continual && c.before.container == s.Container {
			c.step(k.name, nearest(t.First-k.was.track.End, s.Container), lost)
		}
		c.inside(k.name, inside, t, lost)
	}
}

// step judges the time from the end of the segment before to this one's begin.
// What is explained by frames that are missing is said already.
func (c *Checker) step(name string, step, lost time.Duration) {
	const section = "RFC 8216bis 3.1"
	off := step.Abs()
	switch {
	case off > c.limits.Jump:
		c.find(section, prober.SeverityFail, prober.ReasonTimestampJump, "%s: its time is %v from where the segment before ended, without EXT-X-DISCONTINUITY", name, short(step))
	case off <= c.limits.GapNote || step > 0 && lost > 0 && step <= lost+c.limits.GapNote:
	case step > 0:
		c.find(section, graded(off > c.limits.GapDegraded), prober.ReasonTimestampGap, "%s: %v are missing between the segment before and this one", name, short(off))
	default:
		c.find(section, graded(off > c.limits.GapDegraded), prober.ReasonTimestampOverlap, "%s: begins %v before the end of the segment before", name, short(off))
	}
}

// inside judges the times within a segment.
func (c *Checker) inside(name string, gap time.Duration, t Track, lost time.Duration) {
	const section = "ISO/IEC 13818-1 2.7.4"
	if gap > c.limits.GapNote && (lost == 0 || gap > lost+c.limits.GapNote) {
		c.find(section, graded(gap > c.limits.GapDegraded), prober.ReasonTimestampGap, "%s: a hole of %v, %v behind its begin", name, short(gap), short(t.GapAt-t.First))
	}
	if t.Overlap > c.limits.GapNote {
		c.find(section, graded(t.Overlap > c.limits.GapDegraded), prober.ReasonTimestampOverlap, "%s: its time goes %v back within the segment", name, short(t.Overlap))
	}
}

// syncSection is where what is acceptable between sound and picture stands.
const syncSection = "ITU-R BT.1359-1"

// Sync judges how far sound and picture that were sent together are apart (see
// Apart): of one segment, or of two renditions.
func (l Limits) Sync(where string, offset time.Duration) (f prober.Finding, wrong bool) {
	l = l.withDefaults()
	c := Checker{where: where}
	switch {
	case offset > l.Late:
		c.find(syncSection, prober.SeverityDegraded, prober.ReasonAVOffset, "sound is %v behind the picture that it was sent with", short(offset))
	case offset < -l.Early:
		c.find(syncSection, prober.SeverityDegraded, prober.ReasonAVOffset, "sound is %v ahead of the picture that it was sent with", short(-offset))
	default:
		return f, false
	}
	return c.found[0], true
}

// sync says whether sound and picture belong together.
func (c *Checker) sync(s Summary) {
	v, hasVideo := s.Video()
	a, hasAudio := s.Audio()
	if !hasVideo || !hasAudio {
		return
	}
	if s.AVKnown {
		if f, wrong := c.limits.Sync(c.where, s.AVOffset); wrong {
			c.found = append(c.found, f)
		}
		return
	}
	begin, end := a.First-v.First, a.End-v.End
	if begin > c.limits.Skew && end > c.limits.Skew || begin < -c.limits.Skew && end < -c.limits.Skew {
		c.find(syncSection, prober.SeverityNote, prober.ReasonAVOffset, "the segment's sound begins %v and ends %v from its pictures; it is not known whether they are sent so", short(begin), short(end))
	}
}

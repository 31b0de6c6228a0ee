package media

import (
	"fmt"
	"time"

	"streamcanary/prober"
)

// Expected is what a playlist says of a segment, and what its follower knows.
type Expected struct {
	Where         string        // names rendition and segment in findings, without secrets
	Duration      time.Duration // EXTINF, or DURATION of EXT-X-PART; 0: not known
	First         bool          // the segment before was not looked into: a sample, one that was skipped or not to be had
	Discontinuity bool          // EXT-X-DISCONTINUITY (or a new EXT-X-MAP behind one) is before it
	Independent   bool          // EXT-X-INDEPENDENT-SEGMENTS, or INDEPENDENT=YES of a part
	Part          bool          // a partial segment: may begin anywhere, and hold one track only
	Video, Audio  bool          // CODECS, or what was pushed, says that there are pictures, is sound
	Encrypted     bool          // EXT-X-KEY with SAMPLE-AES or SAMPLE-AES-CTR is in force
	// Tag is that of our run, when the broadcast is ours. Zero: whose the media is
	// is not asked.
	Tag prober.Tag
	// Oldest is the oldest clock that a marker of ours may have to be live. Zero:
	// not asked.
	Oldest time.Time
}

// Checker judges the segments of one rendition, in their order. It is pure: the
// same segments give the same findings. The zero value is ready. It is not safe for
// concurrent use.
type Checker struct {
	Limits Limits

	limits Limits // with defaults
	where  string
	found  []prober.Finding
	before previous
	// carried says that markers came through in pictures, in sound, ever. keyless is
	// how much media without a keyframe there was since the last one.
	carried map[Kind]bool
	keyless time.Duration
}

// previous is what is kept of the segment before.
type previous struct {
	known        bool
	container    Container
	video, audio continued
}

// continued is what is kept of a track.
type continued struct {
	there     bool // in the segment before, or in the last that was long enough to tell
	track     Track
	marked    bool
	marker    prober.Marker // the last
	timed     bool
	markedAt  time.Duration // when that is shown, valid when timed
	pace      pace          // from marker to marker
	continual bool          // track.End is that of the segment before
}

// Check judges a segment that Inspect has read, and gives each rule that it
// breaks once. What Inspect refused with an error has no place here; call Skip.
func (c *Checker) Check(s Summary, e Expected) []prober.Finding {
	c.limits, c.where, c.found = c.Limits.withDefaults(), e.Where, nil
	if e.First || e.Discontinuity || !c.before.known {
		c.forget(e)
	}
	c.identity(s, e)
	c.encryption(s, e)
	c.transport(s.TS, e)
	c.fragments(s.MP4)
	c.timed(s)
	c.unmarked(s)
	c.presence(s, e)
	c.keyframe(s, e)
	c.duration(s, e)
	c.encoding(s, e)
	c.continuity(s)
	c.sync(s)
	c.keep(s)
	return c.found
}

// Skip tells that a segment could not be looked into: the next one does not
// follow on what was seen last.
func (c *Checker) Skip() { c.forget(Expected{First: true}) }

// forget drops what does not go on. Behind a discontinuity timestamps, tracks
// and codecs may be others (RFC 8216bis 4.4.4.3); markers go on, for the frames are ours.
func (c *Checker) forget(e Expected) {
	c.before.video.continual, c.before.audio.continual = false, false
	if e.Discontinuity {
		c.before.known = false
		c.before.video.there, c.before.audio.there = false, false
	}
	if e.First {
		c.before.video.marked, c.before.audio.marked = false, false
	}
}

// keep remembers a segment.
func (c *Checker) keep(s Summary) {
	c.before.known, c.before.container = true, s.Container
	c.before.video.keep(s, Video, series{s.Markers, s.MarkerTimes, s.Container}, c.limits)
	c.before.audio.keep(s, Audio, series{s.AudioMarkers, s.AudioMarkerTimes, s.Container}, c.limits)
}

func (k *continued) keep(s Summary, kind Kind, m series, l Limits) {
	t, ok := s.first(kind)
	if ok {
		k.there, k.track = true, t
	} else if s.Duration() >= l.Short {
		k.there = false
	}
	k.continual = ok && !s.Untimed
	if last := len(m.markers) - 1; last >= 0 {
		k.marked, k.marker, k.timed = true, m.markers[last], m.timed()
		if k.timed {
			k.markedAt = m.times[last]
		}
		if p := m.pace(); p.frames > 0 && p.frame > 0 {
			k.pace = p
		}
	}
}

// find adds a finding.
func (c *Checker) find(section string, severity prober.Severity, reason prober.Reason, format string, a ...any) {
	c.found = append(c.found, prober.Finding{
		Section: section, Severity: severity, Stage: prober.StageMedia, Reason: reason, Where: c.where,
		Detail: prober.Clip(fmt.Sprintf(format, a...), prober.MaxDetail), Count: 1,
	})
}

// graded gives degraded from a bound on, else note.
func graded(degraded bool) prober.Severity {
	if degraded {
		return prober.SeverityDegraded
	}
	return prober.SeverityNote
}

func short(d time.Duration) time.Duration { return d.Round(time.Millisecond) }

// Sections lists the sections of all findings of a Checker, with their documents.
func Sections() []string {
	return []string{
		"ISO/IEC 13818-1 2.4.3.3", "ISO/IEC 13818-1 2.4.3.6", "ISO/IEC 13818-1 2.4.4", "ISO/IEC 13818-1 2.7.2", "ISO/IEC 13818-1 2.7.4",
		"ISO/IEC 14496-12 8.8", syncSection,
		"RFC 8216bis 3", "RFC 8216bis 3.1", "RFC 8216bis 3.2", "RFC 8216bis 3.3", "RFC 8216bis 3.4",
		"RFC 8216bis 4.4.2.1", "RFC 8216bis 4.4.4.1", "RFC 8216bis 4.4.4.3", "RFC 8216bis 4.4.4.4",
	}
}

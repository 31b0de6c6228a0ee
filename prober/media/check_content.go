package media

import (
	"strings"
	"time"

	"streamcanary/prober"
)

// identity says whether media is ours, and from now.
func (c *Checker) identity(s Summary, e Expected) {
	if e.Tag == (prober.Tag{}) {
		return
	}
	if len(s.Markers)+len(s.AudioMarkers) == 0 {
		if !e.Part {
			c.find("", prober.SeverityFail, prober.ReasonNoMarker, "media without any marker of ours")
		}
		return
	}
	last, ours := lastOurs(s.Markers, e.Tag)
	if sound, ok := lastOurs(s.AudioMarkers, e.Tag); ok && (!ours || sound.Clock.After(last.Clock)) {
		last, ours = sound, true
	}
	switch {
	case !ours:
		c.find("", prober.SeverityFail, prober.ReasonNotOurs, "another broadcast's media")
	case !e.Oldest.IsZero() && last.Clock.Before(e.Oldest):
		c.find("", prober.SeverityFail, prober.ReasonMarkerStale, "our media, but sent %v before what is still live (frame %d)", e.Oldest.Sub(last.Clock).Round(time.Second), last.Seq)
	}
}

// unmarked says whether markers went away from pictures or sound that carried
// them: a slate, or something that makes them anew, is in their place.
func (c *Checker) unmarked(s Summary) {
	for _, k := range []struct {
		kind    Kind
		name    string
		markers []prober.Marker
	}{{Video, "pictures", s.Markers}, {Audio, "sound", s.AudioMarkers}} {
		t, ok := s.first(k.kind)
		switch {
		case len(k.markers) > 0:
			if c.carried == nil {
				c.carried = map[Kind]bool{}
			}
			c.carried[k.kind] = true
		case ok && c.carried[k.kind] && t.Duration() >= c.limits.Short:
			c.find("", prober.SeverityDegraded, prober.ReasonNoMarker, "%s without markers, where they came through before: they are not those that were pushed", k.name)
		}
	}
}

func lastOurs(markers []prober.Marker, tag prober.Tag) (last prober.Marker, ok bool) {
	for _, m := range markers {
		if m.Tag == tag {
			last, ok = m, true
		}
	}
	return last, ok
}

// encryption says whether what nobody can decode is at least announced.
func (c *Checker) encryption(s Summary, e Expected) {
	if s.Encryption != Clear && !e.Encrypted {
		c.find("RFC 8216bis 4.4.4.4", prober.SeverityFail, prober.ReasonMediaEncrypted, "the samples are encrypted (%s), and no EXT-X-KEY says so", s.Encryption)
	}
}

// timed says whether packed audio tells its time: without it nothing lines it up
// with the pictures of another rendition.
func (c *Checker) timed(s Summary) {
	if s.Untimed {
		c.find("RFC 8216bis 3.4", prober.SeverityDegraded, prober.ReasonMediaMalformed, "packed audio without its timestamp (ID3 PRIV com.apple.streaming.transportStreamTimestamp)")
	}
}

// transport judges the packets of MPEG-TS.
func (c *Checker) transport(t TransportStats, e Expected) {
	if t.Packets == 0 {
		return
	}
	if lost := t.ContinuityErrors + t.ErrorPackets + t.SyncLosses; lost > 0 {
		c.find("ISO/IEC 13818-1 2.4.3.3", prober.SeverityDegraded, prober.ReasonContinuityError,
			"%d continuity errors, %d packets marked as damaged, %d lost sync bytes in %d packets", t.ContinuityErrors, t.ErrorPackets, t.SyncLosses, t.Packets)
	}
	if t.TableErrors > 0 {
		c.find("ISO/IEC 13818-1 2.4.4", prober.SeverityDegraded, prober.ReasonMediaMalformed, "%d program tables with a wrong checksum", t.TableErrors)
	}
	if t.BadTimes > 0 {
		c.find("ISO/IEC 13818-1 2.4.3.6", prober.SeverityDegraded, prober.ReasonMediaMalformed, "%d PES packets with a damaged header, or a PTS before the DTS", t.BadTimes)
	}
	if !t.TablesFirst && !e.Part {
		c.find("RFC 8216bis 3.2", prober.SeverityNote, prober.ReasonMediaMalformed, "media comes before the program tables")
	}
	c.clock(t, e)
}

// clock judges the program clock reference. No HLS player lives by it.
func (c *Checker) clock(t TransportStats, e Expected) {
	const section = "ISO/IEC 13818-1 2.7.2"
	switch {
	case t.PCRs == 0 && !e.Part:
		c.find(section, prober.SeverityNote, prober.ReasonClockReference, "no program clock reference")
	case t.PCRJumps > 0:
		c.find(section, prober.SeverityNote, prober.ReasonClockReference, "the program clock reference jumps %d times without discontinuity_indicator", t.PCRJumps)
	case t.PCRInterval > c.limits.PCRInterval:
		c.find(section, prober.SeverityNote, prober.ReasonClockReference, "%v between two program clock references", short(t.PCRInterval))
	}
}

// fragments judges the boxes of fMP4.
func (c *Checker) fragments(f FragmentStats) {
	const section = "ISO/IEC 14496-12 8.8"
	if f.SamplesOutside > 0 {
		c.find(section, prober.SeverityFail, prober.ReasonMediaMalformed, "%d samples lie outside of the segment", f.SamplesOutside)
	}
	if f.UnknownTracks > 0 && f.InitWasReadable {
		c.find(section, prober.SeverityDegraded, prober.ReasonMediaMalformed, "%d track fragments of tracks that the initialization section does not have", f.UnknownTracks)
	}
	if f.NoDecodeTime > 0 {
		c.find("RFC 8216bis 3.3", prober.SeverityDegraded, prober.ReasonMediaMalformed, "%d track fragments without decode time (tfdt)", f.NoDecodeTime)
	}
}

// presence says whether pictures and sound are missing that have to be there: by
// CODECS, or since the segments before had them.
func (c *Checker) presence(s Summary, e Expected) {
	if e.Part || e.Duration > 0 && e.Duration < c.limits.Short {
		return
	}
	if has := s.Duration(); has > 0 && has < c.limits.Short { // cut short: that is told
		return
	}
	if s.Container != MPEGTS && s.Container != FMP4 || s.Container == FMP4 && !s.MP4.InitWasReadable {
		return
	}
	if !s.HasVideo && (e.Video || c.before.video.there) {
		c.find("RFC 8216bis 3.1", prober.SeverityFail, prober.ReasonVideoMissing, "no picture in it: %s", missingBecause(e.Video))
	}
	if !s.HasAudio && (e.Audio || c.before.audio.there) {
		c.find("RFC 8216bis 3.1", prober.SeverityFail, prober.ReasonAudioMissing, "no sound in it: %s", missingBecause(e.Audio))
	}
}

func missingBecause(said bool) string {
	if said {
		return "the playlist, or what was pushed, has it"
	}
	return "the segments before had it"
}

// keyframe says whether decoding can begin with the segment. Without
// EXT-X-INDEPENDENT-SEGMENTS it should, but need not.
func (c *Checker) keyframe(s Summary, e Expected) {
	t, ok := s.Video()
	if t.Keyframes > 0 || e.First {
		c.keyless = 0
	}
	if !ok || t.Codec == "" && !t.Headless || e.Part && !e.Independent {
		return
	}
	what := ""
	switch {
	case t.Headless && s.Keyframe:
		what = "it begins with a keyframe, but has no parameter sets to decode it with"
	case s.Keyframe:
		return
	case t.Keyframes == 0:
		what = "no keyframe in it: who joins here has to wait for a later segment"
	default:
		what = "it does not begin with a keyframe"
	}
	if t.Keyframes == 0 && !e.First {
		c.keyless += t.Duration()
	}
	if c.keyless > c.limits.Keyless {
		c.find("RFC 8216bis 3", prober.SeverityDegraded, prober.ReasonNoKeyframe, "no keyframe for %v: nobody can join", short(c.keyless))
		return
	}
	if e.Independent {
		c.find("RFC 8216bis 4.4.2.1", prober.SeverityDegraded, prober.ReasonNoKeyframe, "said to be independent, but %s", what)
		return
	}
	c.find("RFC 8216bis 3", prober.SeverityNote, prober.ReasonNoKeyframe, "%s", what)
}

// encoding says whether tracks and formats stay as they are (6.2.1).
func (c *Checker) encoding(s Summary, e Expected) {
	if !c.before.known || e.Discontinuity {
		return
	}
	var changes []string
	if c.before.container != s.Container {
		changes = append(changes, "container "+string(c.before.container)+" to "+string(s.Container))
	}
	for _, k := range []struct {
		kind Kind
		was  continued
	}{{Video, c.before.video}, {Audio, c.before.audio}} {
		if t, ok := s.first(k.kind); ok && k.was.there {
			changes = append(changes, k.was.track.changes(t)...)
		}
	}
	if len(changes) > 0 {
		c.find("RFC 8216bis 4.4.4.3", prober.SeverityDegraded, prober.ReasonEncodingChanged, "without EXT-X-DISCONTINUITY: %s", strings.Join(changes, ", "))
	}
}

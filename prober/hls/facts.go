package hls

import (
	"net/http"
	"strings"
	"time"

	"streamcanary/prober"
)

// Loaded is what is known of one segment that was downloaded.
type Loaded struct {
	Sequence uint64
	Duration time.Duration // EXTINF
	Bytes    int64         // of the segment, without its initialization section
	Bitrate  int64         // EXT-X-BITRATE in force where the segment is a resource of its own, bits per second; 0 is none
	Took     time.Duration // from the request to the last byte
}

// Loaded checks one segment: is it there at the full speed of the link (6.2.1), and
// does its size fit EXT-X-BITRATE (4.4.4.8). The speed of the link is not known, so
// only what a viewer would feel counts.
func (r Rules) Loaded(where string, s Loaded) []prober.Finding {
	f := &findings{rules: r, where: where}
	const tooShort = time.Second // that little is lost in the noise of a network
	if s.Duration > 0 && s.Took > tooShort/2 && s.Took > s.Duration*8/10 {
		f.add(ruleSlow, "segment %d of %s took %s for %d bytes", s.Sequence, s.Duration, s.Took.Round(time.Millisecond), s.Bytes)
	}
	if s.Bitrate > 0 && s.Duration > 0 {
		is := rate(s.Bytes, s.Duration)
		// EXT-X-BITRATE counts whole kilobits.
		if is*9/10 > s.Bitrate+1000 || is*11/10 < s.Bitrate-1000 {
			f.add(ruleBitrate, "segment %d has %d kbit/s, and EXT-X-BITRATE is %d", s.Sequence, is/1000, s.Bitrate/1000)
		}
	}
	return f.list
}

func rate(bytes int64, over time.Duration) int64 {
	return int64(float64(bytes) * 8 / over.Seconds())
}

// Peak is the peak segment bitrate in bits per second (3): of contiguous segments
// that together last 0.5 to 1.5 target durations. ok is false when there are none.
func Peak(segments []Loaded, target time.Duration) (bps int64, ok bool) {
	const most = 100 // segments together: a bound where durations are absurd
	for i := range segments {
		var bytes int64
		var sum time.Duration
		for j := i; j < len(segments) && j < i+most; j++ {
			if j > i && segments[j].Sequence != segments[j-1].Sequence+1 {
				break // sampled: not contiguous
			}
			bytes, sum = bytes+segments[j].Bytes, sum+segments[j].Duration
			if sum > target*3/2 {
				break
			}
			if sum > 0 && sum >= target/2 {
				bps, ok = max(bps, rate(bytes, sum)), true
			}
		}
	}
	return bps, ok
}

// average is the bitrate over all segments that were loaded; 0 is not known.
func average(segments []Loaded) int64 {
	var bytes int64
	var sum time.Duration
	for _, s := range segments {
		bytes, sum = bytes+s.Bytes, sum+s.Duration
	}
	if sum <= 0 {
		return 0
	}
	return rate(bytes, sum)
}

// Bandwidth checks BANDWIDTH and AVERAGE-BANDWIDTH of a variant (4.4.6.2) against
// what its renditions measured: its own playlist, and the largest of each group
// that plays with it. A lower rate than declared breaks no rule of a live stream.
func (r Rules) Bandwidth(where string, v Variant, target time.Duration, renditions ...[]Loaded) []prober.Finding {
	f := &findings{rules: r, where: where}
	var peak, mean int64
	for _, segments := range renditions {
		p, known := Peak(segments, target)
		m := average(segments)
		if !known {
			return nil
		}
		peak, mean = peak+p, mean+m
	}
	over := func(is, declared int64) bool {
		return declared > 0 && float64(is) > float64(declared)*(1+r.bitrateTolerance())
	}
	rule := ruleBandwidthOver
	if len(renditions) > 1 {
		rule = ruleGroupsOver // servers that count pictures alone are common, and sound is little
	}
	if over(peak, v.Bandwidth) {
		f.add(rule, "measured a peak of %d bit/s, and BANDWIDTH is %d", peak, v.Bandwidth)
	}
	// An average of a few segments says little.
	const enough = 10
	if len(renditions) > 0 && len(renditions[0]) >= enough && over(mean, v.AverageBandwidth) {
		f.add(ruleAverageOver, "measured %d bit/s over %d segments, and AVERAGE-BANDWIDTH is %d", mean, len(renditions[0]), v.AverageBandwidth)
	}
	return f.list
}

// Codecs checks that CODECS of a variant names every format that is in its segments
// (6.2.4): has is what media.Summary.Codecs found. Profiles and levels are not
// compared: players do not mind them.
func (r Rules) Codecs(where string, v Variant, has []string) []prober.Finding {
	f := &findings{rules: r, where: where}
	if v.Codecs == "" {
		return nil // a rule of its own
	}
	declared := make(map[string]bool)
	for c := range strings.SplitSeq(v.Codecs, ",") {
		declared[format(c)] = true
	}
	for _, c := range has {
		if !declared[format(c)] {
			f.add(ruleVariantCodecs, "CODECS=%q does not name %s", cutShort(v.Codecs), cutShort(c))
		}
	}
	return f.list
}

// format is the sample format of a codec (RFC 6381); two names of one are one.
func format(codec string) string {
	name, _, _ := strings.Cut(strings.TrimSpace(codec), ".")
	same := map[string]string{"avc3": "avc1", "hev1": "hvc1", "opus": "Opus", "fLaC": "flac"}
	if to, ok := same[name]; ok {
		return to
	}
	return name
}

// Asked is one download of a segment that was removed from a playlist.
type Asked struct {
	Sequence    uint64
	Duration    time.Duration // EXTINF
	FirstListed time.Time     // when it was first seen in the playlist
	Removed     time.Time     // when it was first seen gone
	Longest     time.Duration // of the playlists that listed it
	EndList     bool          // the playlist had EXT-X-ENDLIST when it was removed
	At          time.Time     // of the request
	Status      int           // of the answer
}

// Removed checks that a removed segment can be loaded for as long as a viewer may
// need it (6.2.2): in a live playlist from its first appearance on, by RFC 8216
// from its removal on.
func (r Rules) Removed(where string, s Asked) []prober.Finding {
	f := &findings{rules: r, where: where}
	from := s.FirstListed
	if s.EndList || r.RFC8216 {
		from = s.Removed
	}
	until := from.Add(s.Duration + s.Longest)
	if s.Status/100 != 2 && s.At.Before(until) {
		f.add(ruleGone, "segment %d: status %d, %s after its removal; it is to be there for %s more", s.Sequence, s.Status,
			s.At.Sub(s.Removed).Round(time.Millisecond), until.Sub(s.At).Round(time.Millisecond))
	}
	return f.list
}

// Stamp is where one moment lies on a rendition's media timeline.
type Stamp struct {
	Name          string        // of the rendition
	Moment        time.Time     // EXT-X-PROGRAM-DATE-TIME of the segment, or the clock of a marker in it
	At            time.Duration // the media timestamp of that moment
	Discontinuity uint64        // discontinuity sequence number
}

// Stamps checks that matching content has matching timestamps (6.2.4). All must
// take their moments from the same kind of clock.
func (r Rules) Stamps(all []Stamp) []prober.Finding {
	f := &findings{rules: r}
	const wrap = (1 << 33) * time.Second / 90000 // the clock of MPEG-TS begins anew
	for i := 1; i < len(all); i++ {
		a, b := all[0], all[i]
		if a.Discontinuity != b.Discontinuity {
			continue
		}
		off := (b.At - a.At - b.Moment.Sub(a.Moment)) % wrap
		if off > wrap/2 {
			off -= wrap
		} else if off < -wrap/2 {
			off += wrap
		}
		const allowed = 500 * time.Millisecond
		if off.Abs() > allowed {
			f.at(b.Name, ruleVariantTimes, "its timestamps are %s apart from %s", off.Round(time.Millisecond), a.Name)
		}
	}
	return f.list
}

// Reload is one blocking playlist reload (6.2.5.2).
type Reload struct {
	MSN      uint64
	HasMSN   bool
	Part     int // -1: _HLS_part was not sent
	Sent     time.Time
	Answered time.Time
	Status   int
	Before   *Playlist // the playlist that the request was made from
	Answer   *Playlist // nil where it was no playlist
}

// Reload checks what the server made of a blocking reload.
func (r Rules) Reload(where string, l Reload) []prober.Finding {
	f := &findings{rules: r, where: where}
	good := l.Status/100 == 2
	took := l.Answered.Sub(l.Sent)
	offered := l.Before != nil && l.Before.ServerControl != nil && l.Before.ServerControl.CanBlockReload
	switch {
	case l.Part >= 0 && !l.HasMSN:
		if good && offered {
			f.add(rulePartAlone, "_HLS_part=%d without _HLS_msn was answered with %d", l.Part, l.Status)
		}
	case !offered || !l.HasMSN || l.Before.EndList:
	case !good && l.Status >= http.StatusBadRequest && !l.far() && l.Status != http.StatusServiceUnavailable:
		f.add(ruleReloadRefused, "_HLS_msn=%d&_HLS_part=%d was answered with %d after %s", l.MSN, l.Part, l.Status, took.Round(time.Millisecond))
	case good && l.Answer != nil && !l.Answer.EndList && !l.Answer.has(l.MSN, l.Part):
		f.add(ruleReloadEarly, "_HLS_msn=%d&_HLS_part=%d was answered after %s with %s", l.MSN, l.Part, took.Round(time.Millisecond), window(l.Answer))
	}
	if offered && took > 3*l.Before.TargetDuration+r.tolerance() {
		f.add(ruleReloadLate, "_HLS_msn=%d was held for %s, more than three target durations of %s", l.MSN, took.Round(time.Millisecond), l.Before.TargetDuration)
	}
	return f.list
}

// far says whether more was asked for than a server has to wait for.
func (l Reload) far() bool {
	newest, ok := l.Before.newest()
	return ok && l.MSN > newest+2
}

// has says whether a playlist holds what a reload asked for, or something later.
func (p *Playlist) has(msn uint64, part int) bool {
	newest, ok := p.newest()
	if ok && newest >= msn {
		return true
	}
	of, last, hasPart := p.lastPart()
	return part >= 0 && hasPart && (of > msn || of == msn && last >= part)
}

// Hinted is one request of a hinted resource (6.2.6).
type Hinted struct {
	Hint     PreloadHint
	Status   int
	Appeared bool // a later playlist listed the resource: the plan did not change
}

// Hinted checks that a hinted resource could be requested when it was hinted.
func (r Rules) Hinted(where string, h Hinted) []prober.Finding {
	f := &findings{rules: r, where: where}
	if h.Appeared && h.Status/100 != 2 {
		f.add(ruleHintGone, "%s %q: status %d", h.Hint.Type, cutShort(nameOf(h.Hint.URI)), h.Status)
	}
	return f.list
}

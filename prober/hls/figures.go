package hls

import (
	"slices"
	"strings"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/media"
)

// listed notes what a rendition's playlist says, how many segments are new, and whether
// it has ended as it may.
func (s *state) listed(p *Playlist, fresh int, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.edge.listed(p, ended)
	f := &s.figures
	f.Segments += fresh
	f.TargetDuration, f.PartTarget = p.TargetDuration, p.PartTarget
	f.PlaylistType, f.EndList = p.Type, p.EndList
	var sum time.Duration
	count := 0
	for i := range p.Segments {
		segment := &p.Segments[i]
		if segment.Gap {
			continue
		}
		if d := segment.Duration; count == 0 {
			f.ShortestEXTINF, f.LongestEXTINF = d, d
		} else {
			f.ShortestEXTINF, f.LongestEXTINF = min(f.ShortestEXTINF, d), max(f.LongestEXTINF, d)
		}
		sum += segment.Duration
		count++
		f.Encryption = segment.Encryption
	}
	if count > 0 {
		f.MeanEXTINF = sum / time.Duration(count)
	}
}

// lookedInto notes what is in a segment that is good.
func (s *state) lookedInto(summary media.Summary) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := &s.figures
	f.Container = string(summary.Container)
	video, has := summary.Video()
	if has && video.Keyframe {
		f.Keyframes++
	}
	f.Seen.Width, f.Seen.Height, f.Seen.FrameRate = video.Width, video.Height, video.FrameRate
	codecs := summary.Codecs()
	slices.Sort(codecs)
	f.Seen.Codecs = strings.Join(slices.Compact(codecs), ",")
}

// rate notes the bitrate of the latest segments.
func (s *state) rate(facts []Loaded, target time.Duration) {
	peak, _ := Peak(facts, target)
	mean := average(facts)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.facts = append(s.facts[:0], facts...)
	if s.rated {
		peak = max(peak, s.figures.PeakBitrate)
	}
	s.figures.PeakBitrate, s.figures.AverageBitrate, s.rated = peak, mean, true
}

// takeFigures gives the figures, and begins a new turn. The lock is held.
func (s *state) takeFigures() prober.Rendition {
	f := s.figures
	s.figures.Segments, s.figures.Keyframes, s.rated = 0, 0, false
	return f
}

// types are the types of what is followed.
func (k listedKind) renditionType() prober.RenditionType {
	switch k {
	case kindAudio:
		return prober.RenditionAudio
	case kindVideo:
		return prober.RenditionVideo
	case kindSubtitles:
		return prober.RenditionSubtitles
	case kindAlone, kindVariant:
	}
	return prober.RenditionVariant
}

// followed is what is told of each rendition.
func followed(views []view) []prober.Rendition {
	all := make([]prober.Rendition, 0, len(views))
	for i := range views {
		v := &views[i]
		r := v.figures
		r.Name, r.Type, r.Announced = v.name, v.kind.renditionType(), announced(v.variant)
		r.Failure, r.Playing, r.Ended, r.Proof = v.Failure, v.Playing, v.Ended, v.Proof
		r.Downloaded, r.Skipped, r.Missed = v.Segments, v.Skipped, v.Missed
		r.MediaSequence, r.SegmentSequence = v.MediaSequence, v.SegmentSequence
		r.LatencyLast, r.PartLatency, r.LatencyBy, r.Viewing = v.LatencyLast, v.PartLatency, v.LatencyBy, v.Viewing
		if v.kind == kindVariant {
			r.PeakBitrate += largest(views, v.variant, func(r prober.Rendition) int64 { return r.PeakBitrate })
			r.AverageBitrate += largest(views, v.variant, func(r prober.Rendition) int64 { return r.AverageBitrate })
			r.Seen.Codecs = codecsWith(views, v)
		}
		all = append(all, r)
	}
	return all
}

// announced is what the multivariant playlist says of a variant.
func announced(v Variant) prober.Encoding {
	width, height, _ := resolution(v.Resolution)
	return prober.Encoding{Bandwidth: v.Bandwidth, AverageBandwidth: v.AverageBandwidth, Width: width, Height: height,
		FrameRate: v.FrameRate, Codecs: prober.Clip(v.Codecs, maxCodecs)}
}

// maxCodecs bounds what is told of a CODECS attribute: bytes.
const maxCodecs = 100

// codecsWith are the codecs of a variant and of the groups that play with it.
func codecsWith(views []view, of *view) string {
	all := strings.Split(of.figures.Seen.Codecs, ",")
	for i := range views {
		v := &views[i]
		audio, video := v.kind == kindAudio && v.group == of.variant.Audio, v.kind == kindVideo && v.group == of.variant.Video
		if audio || video {
			all = append(all, strings.Split(v.figures.Seen.Codecs, ",")...)
		}
	}
	slices.Sort(all)
	all = slices.DeleteFunc(slices.Compact(all), func(codec string) bool { return codec == "" })
	return strings.Join(all, ",")
}

// largest adds up the largest renditions of the groups that play with a variant
// (4.4.6.2: BANDWIDTH is of every playable combination).
func largest(views []view, of Variant, figure func(prober.Rendition) int64) int64 {
	var sum int64
	for kind, group := range map[listedKind]string{kindAudio: of.Audio, kindVideo: of.Video} {
		var most int64
		for i := range views {
			if v := &views[i]; group != "" && v.kind == kind && v.group == group {
				most = max(most, figure(v.figures))
			}
		}
		sum += most
	}
	return sum
}

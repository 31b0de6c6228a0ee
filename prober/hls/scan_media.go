package hls

import (
	"strings"
	"time"

	"streamcanary/prober"
)

// readHeader reads the tags that apply to a whole media playlist (4.4.3), and
// metadata (4.4.5). Any other tag is nobody's business.
func (s *scan) readHeader(tag, value string) (keep bool, fail *prober.Failure) {
	ok := true
	switch tag {
	case "#EXT-X-TARGETDURATION":
		s.TargetDuration, ok = parseSeconds(value)
		s.hasTarget = true
		if s.TargetDuration < time.Second || s.TargetDuration%time.Second != 0 {
			s.seen.fault(ruleTarget, "line %d: EXT-X-TARGETDURATION:%s", s.line, cutShort(value))
		}
		keep = true
	case "#EXT-X-MEDIA-SEQUENCE":
		s.MediaSequence, ok = parseInteger(value)
		s.seen.hasSequence = true
		s.late(tag, len(s.Segments) > 0)
	case "#EXT-X-DISCONTINUITY-SEQUENCE":
		s.DiscontinuitySequence, ok = parseInteger(value)
		s.seen.hasDSN = true
		s.late(tag, len(s.Segments) > 0 || s.next.Discontinuity)
	case "#EXT-X-ENDLIST":
		s.EndList = true
	case "#EXT-X-PLAYLIST-TYPE":
		s.readType(value)
	case "#EXT-X-I-FRAMES-ONLY":
		s.IFramesOnly = true
		s.seen.needs(4, "EXT-X-I-FRAMES-ONLY")
	case "#EXT-X-PART-INF":
		s.PartTarget = s.list(tag, value).seconds("PART-TARGET")
		if s.PartTarget == 0 {
			s.seen.fault(rulePartInf, "line %d: EXT-X-PART-INF without PART-TARGET", s.line)
		}
	case "#EXT-X-SERVER-CONTROL":
		s.readServerControl(tag, value)
	default:
		return false, s.readMetadata(tag, value)
	}
	if !ok {
		return false, s.malformed("4.4.3", "%s:%s is not a number in range", tag, cutShort(value))
	}
	s.count(tag)
	s.media = tag
	return keep, nil
}

// late notes a tag that has to stand before the first segment.
func (s *scan) late(tag string, late bool) {
	if late {
		s.seen.fault(ruleLate, "line %d: %s after the first segment or EXT-X-DISCONTINUITY", s.line, tag)
	}
}

func (s *scan) readType(value string) {
	switch value = strings.TrimSpace(value); value {
	case "EVENT", "VOD":
		s.Type = value
	default:
		s.seen.fault(ruleAttributes, "line %d: EXT-X-PLAYLIST-TYPE:%s, want EVENT or VOD (4.4.3.5)", s.line, cutShort(value))
	}
}

func (s *scan) readInf(value string) *prober.Failure {
	s.media = "#EXTINF"
	if s.pending != "" {
		return s.malformed("4.1", "EXTINF where the URI of %s should be", s.pending)
	}
	seconds, _, _ := strings.Cut(value, ",")
	d, ok := parseSeconds(seconds)
	if !ok {
		return s.malformed("4.4.4.1", "EXTINF:%s is not a duration", cutShort(value))
	}
	if len(s.Segments) == maxSegments {
		return manifest(prober.ReasonTooLarge, "more than %d segments", maxSegments)
	}
	if strings.Contains(seconds, ".") {
		s.seen.needs(3, "EXTINF with a fraction")
	}
	s.next.Duration = d
	s.pending = "EXTINF"
	return nil
}

// endSegment is a segment's URI line. What goes on applying stays in next.
func (s *scan) endSegment(uri string) {
	s.next.URI = uri
	s.Segments = append(s.Segments, s.next)
	s.next.Duration, s.next.ProgramDateTime, s.next.Parts = 0, time.Time{}, nil
	s.next.Discontinuity, s.next.Gap = false, false
	s.next.URI, s.next.Init = "", Init{} // what goes on of the latter is carried on later
	s.rangeOf = ""
}

// readSegmentTag reads what applies to segments (4.4.4). Ranges and EXT-X-MAP are
// the library's to read.
func (s *scan) readSegmentTag(tag, value string) (keep, known bool, fail *prober.Failure) {
	switch tag {
	case "#EXT-X-BYTERANGE":
		if _, _, ok := parseRange(value); !ok {
			return false, true, s.malformed("4.4.4.2", "EXT-X-BYTERANGE:%s is not a range", cutShort(value))
		}
		s.seen.needs(4, "EXT-X-BYTERANGE")
		keep = true
	case "#EXT-X-MAP":
		fail = s.readMap(tag, value)
		keep = true
	case "#EXT-X-DISCONTINUITY":
		s.next.Discontinuity, keep = true, true
	case "#EXT-X-GAP":
		s.next.Gap, keep = true, true
	case "#EXT-X-KEY":
		s.readKey(tag, value)
	case "#EXT-X-PROGRAM-DATE-TIME":
		if at, ok := parseDate(value); ok {
			s.next.ProgramDateTime, s.seen.hasDate = at, true
		} else {
			s.seen.fault(ruleDate, "line %d: EXT-X-PROGRAM-DATE-TIME:%s", s.line, cutShort(value))
		}
	case "#EXT-X-BITRATE":
		rate, _ := parseInteger(value)
		s.next.Bitrate = int64(min(rate, 1<<40)) * 1000
		s.media = tag
		if s.seen.oldBitrate < 0 {
			s.seen.oldBitrate = len(s.Segments)
		}
		return false, true, nil
	case "#EXT-X-PART":
		fail = s.readPart(tag, value)
	default:
		return false, false, nil
	}
	s.media = tag
	return keep, true, fail
}

func (s *scan) readMap(tag, value string) *prober.Failure {
	a := s.list(tag, value)
	uri, ok := a.get("URI")
	if !ok || uri == "" {
		return s.malformed("4.4.4.5", "EXT-X-MAP without URI")
	}
	s.next.Init = Init{URI: uri}
	if r, has := a.get("BYTERANGE"); has {
		part, offset, ok := parseRange(r)
		if !ok || !offset {
			s.seen.fault(ruleMap, "line %d: BYTERANGE=%q, want n@o", s.line, cutShort(r))
		}
		s.next.Init.Range = byteRange(part.Offset, part.Length)
	}
	for _, k := range s.next.Keys {
		if k.Method != methodAES128 {
			continue
		}
		if s.next.Init.Key.Method == "" || k.KeyFormat == "identity" {
			s.next.Init.Key = k
		}
		if k.IV == "" {
			s.seen.fault(ruleMap, "line %d: an EXT-X-MAP that is encrypted with AES-128 needs the IV of its EXT-X-KEY", s.line)
		}
	}
	s.needsMap = true
	return nil
}

// finishMedia is what can be said once all lines are read.
func (s *scan) finishMedia() {
	for i := range s.Segments {
		s.Segments[i].Sequence = s.MediaSequence + s.Skipped + uint64(i)
	}
	s.Parts, s.Next = s.next.Parts, s.next
	s.Next.Sequence, s.Next.Parts = s.nextSequence(), nil
	if s.needsMap && s.IFramesOnly {
		s.seen.needs(5, "EXT-X-MAP with EXT-X-I-FRAMES-ONLY")
	} else if s.needsMap {
		s.seen.needs(6, "EXT-X-MAP")
	}
	if s.seen.oldKeys < 0 {
		s.seen.oldKeys = len(s.Segments) + 1 // Next too
	}
	if s.seen.oldBitrate < 0 {
		s.seen.oldBitrate = len(s.Segments) + 1
	}
}

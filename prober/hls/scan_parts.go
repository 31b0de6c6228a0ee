package hls

import (
	"slices"
	"strconv"

	"streamcanary/prober"
)

func (s *scan) readServerControl(tag, value string) {
	a := s.list(tag, value)
	s.ServerControl = &ServerControl{
		CanBlockReload: a.yes("CAN-BLOCK-RELOAD"), CanSkipUntil: a.seconds("CAN-SKIP-UNTIL"), CanSkipDateRanges: a.yes("CAN-SKIP-DATERANGES"),
		HoldBack: a.seconds("HOLD-BACK"), PartHoldBack: a.seconds("PART-HOLD-BACK"),
	}
	for _, name := range []string{"CAN-SKIP-UNTIL", "HOLD-BACK", "PART-HOLD-BACK"} {
		if v, has := a.get(name); has {
			if _, ok := parseSeconds(v); !ok {
				s.seen.fault(ruleAttributes, "line %d: %s=%s is no duration (4.4.3.8)", s.line, name, cutShort(v))
			}
		}
	}
}

// readPart reads EXT-X-PART of the segment that comes next (4.4.4.9).
func (s *scan) readPart(tag, value string) *prober.Failure {
	if s.parts++; s.parts > maxParts {
		return manifest(prober.ReasonTooLarge, "more than %d partial segments", maxParts)
	}
	a := s.list(tag, value)
	p := Part{URI: a.text("URI"), Duration: a.seconds("DURATION"), Independent: a.yes("INDEPENDENT"), Gap: a.yes("GAP")}
	if p.URI == "" || p.Duration == 0 {
		s.seen.fault(rulePart, "line %d: EXT-X-PART without URI or DURATION", s.line)
		return nil
	}
	if v, has := a.get("BYTERANGE"); has {
		r, known, ok := parseRange(v)
		switch {
		case !ok:
			s.seen.fault(rulePart, "line %d: BYTERANGE=%q is not a range", s.line, cutShort(v))
		case !known && s.rangeOf == p.URI:
			r.Offset = s.rangeEnd
		}
		p.Range = byteRange(r.Offset, r.Length)
		s.rangeOf, s.rangeEnd = p.URI, p.Range.Offset+p.Range.Length
	}
	s.next.Parts = append(s.next.Parts, p)
	return nil
}

// readMetadata reads the tags of 4.4.5.
func (s *scan) readMetadata(tag, value string) *prober.Failure {
	switch tag {
	case "#EXT-X-DATERANGE":
		return s.readDateRange(tag, value)
	case "#EXT-X-SKIP":
		return s.readSkip(tag, value)
	case "#EXT-X-PRELOAD-HINT":
		s.readHint(tag, value)
	case "#EXT-X-RENDITION-REPORT":
		s.readReport(tag, value)
	default:
		return nil
	}
	s.media = tag
	return nil
}

func (s *scan) readHint(tag, value string) {
	a := s.list(tag, value)
	h := PreloadHint{Type: a.text("TYPE"), URI: a.text("URI"), Range: byteRange(a.integer("BYTERANGE-START"), a.integer("BYTERANGE-LENGTH"))}
	same := func(o PreloadHint) bool { return o.Type == h.Type }
	switch {
	case h.URI == "" || h.Type == "":
		s.seen.fault(ruleHint, "line %d: EXT-X-PRELOAD-HINT without TYPE or URI (4.4.5.3)", s.line)
		return
	case slices.ContainsFunc(s.PreloadHints, same):
		s.seen.fault(ruleHint, "line %d: a second EXT-X-PRELOAD-HINT of TYPE=%s (6.2.6)", s.line, cutShort(h.Type))
	}
	if len(s.PreloadHints) < maxHints {
		s.PreloadHints = append(s.PreloadHints, h)
	}
}

func (s *scan) readReport(tag, value string) {
	a := s.list(tag, value)
	r := RenditionReport{URI: a.text("URI"), LastPart: -1}
	if r.URI == "" {
		s.seen.fault(ruleReport, "line %d: EXT-X-RENDITION-REPORT without URI", s.line)
		return
	}
	r.LastMSN, r.HasMSN = parseInteger(a.text("LAST-MSN"))
	if n, err := strconv.ParseInt(a.text("LAST-PART"), 10, 32); err == nil && n >= 0 {
		r.LastPart = int(n)
	}
	if len(s.RenditionReports) < maxReports {
		s.RenditionReports = append(s.RenditionReports, r)
	}
}

// readSkip reads EXT-X-SKIP: what it left out, Apply brings back.
func (s *scan) readSkip(tag, value string) *prober.Failure {
	a := s.list(tag, value)
	n, ok := parseInteger(a.text("SKIPPED-SEGMENTS"))
	if !ok || n > maxSegments {
		return s.malformed("4.4.5.2", "EXT-X-SKIP without SKIPPED-SEGMENTS up to %d", maxSegments)
	}
	if len(s.Segments) > 0 {
		return s.malformed("4.4.5.2", "EXT-X-SKIP after a segment")
	}
	s.count(tag)
	s.media = tag
	s.Skipped, s.RemovedDateRanges = n, a.text("RECENTLY-REMOVED-DATERANGES")
	s.seen.oldKeys, s.seen.oldBitrate = -1, -1 // until a tag of their own
	s.seen.needs(9, "EXT-X-SKIP")
	if _, has := a.get("RECENTLY-REMOVED-DATERANGES"); has {
		s.seen.needs(10, "EXT-X-SKIP of date ranges")
	}
	return nil
}

func (s *scan) readDateRange(tag, value string) *prober.Failure {
	s.media = tag
	a := s.list(tag, value)
	id := a.text("ID")
	if id == "" {
		s.seen.fault(ruleDateRange, "line %d: EXT-X-DATERANGE without ID", s.line)
		return nil
	}
	at, known := s.ranges[id]
	if !known {
		if len(s.DateRanges) == maxDateRanges {
			return manifest(prober.ReasonTooLarge, "more than %d date ranges", maxDateRanges)
		}
		if s.ranges == nil {
			s.ranges = make(map[string]int)
		}
		at = len(s.DateRanges)
		s.ranges[id] = at
		s.DateRanges = append(s.DateRanges, DateRange{ID: id})
	}
	if conflict := s.DateRanges[at].add(a); conflict != "" {
		s.seen.fault(ruleDateRangeConflict, "line %d: EXT-X-DATERANGE %q has another %s than before", s.line, cutShort(id), cutShort(conflict))
	}
	return nil
}

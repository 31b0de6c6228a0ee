package hls

import (
	"strconv"

	"streamcanary/prober"
)

func (s *scan) readVariant(tag, value string) *prober.Failure {
	s.multi = tag
	if s.pending != "" {
		return s.malformed("4.1", "%s where the URI of %s should be", tag, s.pending)
	}
	if len(s.Variants)+len(s.IFrames) == maxVariants {
		return manifest(prober.ReasonTooLarge, "more than %d variants", maxVariants)
	}
	a := s.list(tag, value)
	v := Variant{
		URI: a.text("URI"), Bandwidth: a.integer("BANDWIDTH"), AverageBandwidth: a.integer("AVERAGE-BANDWIDTH"),
		Codecs: a.text("CODECS"), Resolution: a.text("RESOLUTION"), Audio: a.text("AUDIO"), Video: a.text("VIDEO"),
		Subtitles: a.text("SUBTITLES"), ClosedCaptions: a.text("CLOSED-CAPTIONS"), Pathway: a.text("PATHWAY-ID"),
	}
	v.FrameRate, _ = strconv.ParseFloat(a.text("FRAME-RATE"), 64)
	if !(v.FrameRate > 0 && v.FrameRate < 1000) {
		v.FrameRate = 0
	}
	if v.Bandwidth == 0 {
		s.seen.fault(ruleBandwidth, "line %d: %s without BANDWIDTH", s.line, tag)
	}
	if v.Codecs == "" {
		s.seen.fault(ruleCodecs, "line %d: %s without CODECS", s.line, tag)
	}
	if tag == "#EXT-X-I-FRAME-STREAM-INF" {
		if v.URI == "" {
			s.seen.fault(ruleAttributes, "line %d: EXT-X-I-FRAME-STREAM-INF without URI (4.4.6.3)", s.line)
		}
		s.IFrames = append(s.IFrames, v)
		return nil
	}
	s.Variants = append(s.Variants, v)
	s.pending = "EXT-X-STREAM-INF"
	return nil
}

func (s *scan) readRendition(tag, value string) *prober.Failure {
	s.multi = tag
	if len(s.Renditions) == maxRenditions {
		return manifest(prober.ReasonTooLarge, "more than %d renditions", maxRenditions)
	}
	a := s.list(tag, value)
	r := Rendition{
		Type: a.text("TYPE"), Group: a.text("GROUP-ID"), Name: a.text("NAME"), Language: a.text("LANGUAGE"), URI: a.text("URI"),
		Default: a.yes("DEFAULT"), AutoSelect: a.yes("AUTOSELECT"), Forced: a.yes("FORCED"), Instream: a.text("INSTREAM-ID"), Channels: a.text("CHANNELS"),
	}
	if wrong := r.fault(a); wrong != "" {
		s.seen.fault(ruleMedia, "line %d: EXT-X-MEDIA: %s", s.line, wrong)
	}
	if len(r.Instream) > 2 && r.Instream[:2] != "CC" {
		s.seen.needs(7, "INSTREAM-ID of a SERVICE")
	}
	s.Renditions = append(s.Renditions, r)
	return nil
}

// fault says which rule of 4.4.6.1 a rendition breaks; "" is none.
func (r Rendition) fault(a attributes) string {
	_, hasURI := a.get("URI")
	_, hasForced := a.get("FORCED")
	auto, hasAuto := a.get("AUTOSELECT")
	switch {
	case r.Type == "" || r.Group == "" || r.Name == "":
		return "TYPE, GROUP-ID or NAME is missing"
	case r.Type == "CLOSED-CAPTIONS" && hasURI:
		return "CLOSED-CAPTIONS with URI"
	case r.Type == "CLOSED-CAPTIONS" && r.Instream == "":
		return "CLOSED-CAPTIONS without INSTREAM-ID"
	case r.Type == "SUBTITLES" && r.URI == "":
		return "SUBTITLES without URI (4.4.6.2.1)"
	case hasForced && r.Type != "SUBTITLES":
		return "FORCED, though TYPE is not SUBTITLES"
	case r.Default && hasAuto && auto != "YES":
		return "DEFAULT=YES with AUTOSELECT=NO"
	}
	return ""
}

// finishMultivariant checks what the tags say of each other.
func (s *scan) finishMultivariant() {
	s.checkGroups()
	s.checkReferences()
}

// checkGroups holds the rules for groups of renditions (4.4.6.1.1).
func (s *scan) checkGroups() {
	type group struct{ kind, id string }
	names := make(map[group]map[string]bool)
	defaults := make(map[group]bool)
	for _, r := range s.Renditions {
		g := group{r.Type, r.Group}
		if names[g] == nil {
			names[g] = make(map[string]bool)
		}
		if names[g][r.Name] {
			s.seen.fault(ruleGroup, "two renditions of the %s group %q are named %q", r.Type, cutShort(r.Group), cutShort(r.Name))
		}
		if r.Default && defaults[g] {
			s.seen.fault(ruleGroup, "two renditions of the %s group %q are DEFAULT=YES", r.Type, cutShort(r.Group))
		}
		names[g][r.Name], defaults[g] = true, defaults[g] || r.Default
	}
	sizes := make(map[string]int)
	for _, r := range s.Renditions {
		members := names[group{r.Type, r.Group}]
		if n, seen := sizes[r.Type]; seen && n != len(members) {
			s.seen.fault(ruleGroupMembers, "%s groups have %d and %d renditions", r.Type, n, len(members))
			return
		}
		sizes[r.Type] = len(members)
	}
}

// checkReferences says which variants name a group that is not there (4.4.6.2).
func (s *scan) checkReferences() {
	there := make(map[[2]string]bool)
	for _, r := range s.Renditions {
		there[[2]string{r.Type, r.Group}] = true
	}
	none := 0
	for _, v := range s.Variants {
		for _, named := range [][2]string{{"AUDIO", v.Audio}, {"VIDEO", v.Video}, {"SUBTITLES", v.Subtitles}, {"CLOSED-CAPTIONS", v.ClosedCaptions}} {
			switch {
			case named == [2]string{"CLOSED-CAPTIONS", "NONE"}:
				none++
			case named[1] != "" && !there[named]:
				s.seen.fault(ruleReference, "%s=%q names no group of renditions", named[0], cutShort(named[1]))
			}
		}
	}
	if none > 0 && none < len(s.Variants) {
		s.seen.fault(ruleCaptions, "CLOSED-CAPTIONS=NONE in %d of %d variants", none, len(s.Variants))
	}
}

package hls

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"streamcanary/prober"
)

// Bounds on what one playlist may list. The library attaches every rendition
// to every variant, so these two multiply.
const (
	maxSegments   = 50_000
	maxVariants   = 200
	maxRenditions = 1000
	maxDuration   = 24 * time.Hour
)

const header = "#EXTM3U"

// scan is what one pass over a playlist's lines found before the library sees
// it: the library forgives what we must name, and panics on what it should
// forgive.
type scan struct {
	clean          []byte // without blank lines
	media, multi   string // the first tag that only such a playlist may hold
	infs           []time.Duration
	variants       int
	renditions     int
	targetDuration time.Duration
	hasTarget      bool
	sequence       uint64
	discontinuity  uint64

	line    int
	pending string // EXTINF or EXT-X-STREAM-INF that waits for its URI
}

// scanPlaylist checks body line by line (4.1) and copies what is not blank.
func scanPlaylist(body []byte) (*scan, *prober.Failure) {
	if fail := checkHeader(body); fail != nil {
		return nil, fail
	}
	s := &scan{clean: make([]byte, 0, len(body)+1)}
	for len(body) > 0 {
		var line []byte
		line, body, _ = bytes.Cut(body, []byte("\n"))
		s.line++
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if fail := s.read(string(line)); fail != nil {
			return nil, fail
		}
		s.clean = append(append(s.clean, line...), '\n')
	}
	return s, s.finish()
}

// checkHeader tells an empty body, and a body of another kind, from a playlist
// (4.4.1.1: the first line is the tag, with no byte order mark before it).
func checkHeader(body []byte) *prober.Failure {
	if len(bytes.TrimSpace(body)) == 0 {
		return manifest(prober.ReasonEmptyBody, "the answer has no content (%d bytes)", len(body))
	}
	first, _, _ := bytes.Cut(body, []byte("\n"))
	if string(bytes.TrimRight(first, " \t\r")) != header {
		return manifest(prober.ReasonNotAPlaylist, "the first line is not %s (4.4.1.1) but begins with %q", header, first[:min(len(first), 40)])
	}
	return nil
}

func (s *scan) read(line string) *prober.Failure {
	if !strings.HasPrefix(line, "#") {
		if s.pending == "" {
			return s.malformed("a URI without EXTINF or EXT-X-STREAM-INF before it (4.1)")
		}
		s.pending = ""
		return nil
	}
	tag, value, _ := strings.Cut(line, ":")
	switch tag {
	case "#EXTINF":
		return s.readInf(value)
	case "#EXT-X-STREAM-INF", "#EXT-X-I-FRAME-STREAM-INF":
		return s.readVariant(tag)
	case "#EXT-X-MEDIA":
		s.multi = tag
		if s.renditions++; s.renditions > maxRenditions {
			return manifest(prober.ReasonTooLarge, "more than %d renditions", maxRenditions)
		}
	case "#EXT-X-SESSION-DATA", "#EXT-X-SESSION-KEY", "#EXT-X-CONTENT-STEERING":
		s.multi = tag
	case "#EXT-X-SKIP":
		return s.malformed("EXT-X-SKIP, but no delta update was asked for (6.2.5.1)")
	default:
		return s.readHeader(tag, value)
	}
	return nil
}

// readHeader reads the tags of a media playlist that the follower relies on;
// any other tag is left to the library.
func (s *scan) readHeader(tag, value string) *prober.Failure {
	var ok bool
	switch tag {
	case "#EXT-X-TARGETDURATION":
		s.targetDuration, ok = parseSeconds(value)
		s.hasTarget = true
	case "#EXT-X-MEDIA-SEQUENCE":
		s.sequence, ok = parseInteger(value)
	case "#EXT-X-DISCONTINUITY-SEQUENCE":
		s.discontinuity, ok = parseInteger(value)
	case "#EXT-X-ENDLIST", "#EXT-X-PLAYLIST-TYPE", "#EXT-X-I-FRAMES-ONLY", "#EXT-X-PART-INF",
		"#EXT-X-SERVER-CONTROL", "#EXT-X-MAP", "#EXT-X-KEY", "#EXT-X-BYTERANGE", "#EXT-X-GAP",
		"#EXT-X-DISCONTINUITY", "#EXT-X-PROGRAM-DATE-TIME", "#EXT-X-PART", "#EXT-X-PRELOAD-HINT":
		ok = true
	default:
		return nil
	}
	if !ok {
		return s.malformed("%s:%.40s is not a number in range (4.4.3)", tag, value)
	}
	s.media = tag
	return nil
}

func (s *scan) readInf(value string) *prober.Failure {
	s.media = "#EXTINF"
	if s.pending != "" {
		return s.malformed("EXTINF where the URI of %s should be (4.1)", s.pending)
	}
	seconds, _, _ := strings.Cut(value, ",")
	d, ok := parseSeconds(seconds)
	if !ok {
		return s.malformed("EXTINF:%.40s is not a duration (4.4.4.1)", value)
	}
	if len(s.infs) == maxSegments {
		return manifest(prober.ReasonTooLarge, "more than %d segments", maxSegments)
	}
	s.infs = append(s.infs, d)
	s.pending = "EXTINF"
	return nil
}

func (s *scan) readVariant(tag string) *prober.Failure {
	s.multi = tag
	if s.pending != "" {
		return s.malformed("%s where the URI of %s should be (4.1)", tag, s.pending)
	}
	if s.variants++; s.variants > maxVariants {
		return manifest(prober.ReasonTooLarge, "more than %d variants", maxVariants)
	}
	if tag == "#EXT-X-STREAM-INF" {
		s.pending = "EXT-X-STREAM-INF"
	}
	return nil
}

func (s *scan) finish() *prober.Failure {
	switch {
	case s.pending != "":
		return s.malformed("ends where the URI of %s should be (4.1)", s.pending)
	case s.media != "" && s.multi != "":
		return manifest(prober.ReasonPlaylistMalformed, "holds both %s and %s: neither a media nor a multivariant playlist (4.1)", s.media, s.multi)
	case s.multi == "" && len(s.infs) == 0:
		return nil // nothing to play yet; Analyze names it
	case s.multi == "" && !s.hasTarget:
		return manifest(prober.ReasonPlaylistMalformed, "no EXT-X-TARGETDURATION (4.4.3.1)")
	case s.sequence > math.MaxUint64-maxSegments:
		return manifest(prober.ReasonPlaylistMalformed, "EXT-X-MEDIA-SEQUENCE:%d would wrap (6.2.2)", s.sequence)
	}
	return nil
}

func (s *scan) malformed(format string, args ...any) *prober.Failure {
	f := manifest(prober.ReasonPlaylistMalformed, format, args...)
	f.Detail = prober.Clip("line "+strconv.Itoa(s.line)+": "+f.Detail, prober.MaxDetail)
	return f
}

// parseSeconds reads a decimal duration from 0 to a day.
func parseSeconds(s string) (time.Duration, bool) {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || math.IsNaN(v) || v < 0 || v > maxDuration.Seconds() {
		return 0, false
	}
	return time.Duration(math.Round(v * float64(time.Second))), true
}

func parseInteger(s string) (uint64, bool) {
	v, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	return v, err == nil
}

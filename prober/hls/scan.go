package hls

import (
	"bytes"
	"math"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"streamcanary/prober"
)

// Bounds on what one playlist may list. The library attaches every rendition
// to every variant, so these two multiply.
const (
	maxSegments   = 50_000
	maxParts      = 50_000
	maxVariants   = 200
	maxRenditions = 1000
	maxDateRanges = 10_000
	maxHints      = 100
	maxReports    = 1000
	maxKeys       = 8 // that apply to one segment: one for each KEYFORMAT
	maxSession    = 100
	maxLine       = 64 << 10 // bytes, of a tag or URI: it is in force for many segments, and compared with as many
	maxNumber     = 64       // bytes, of a number or date
	maxDuration   = 24 * time.Hour
)

const (
	header        = "#EXTM3U"
	headerSection = "4.4.1.1"
)

// scan is what one pass over a playlist's lines found before the library sees
// it: the library forgives what we must name, panics on what it should forgive,
// and does not know most tags.
type scan struct {
	source       Source
	clean        []byte // lines for the library
	media, multi string // the first tag that only such a playlist may hold

	Playlist  // all that the scan reads itself
	hasTarget bool
	needsMap  bool            // EXT-X-MAP is there
	once      map[string]bool // tags that may stand there once and did
	ranges    map[string]int  // date ranges by ID
	parts     int

	next     Segment // what applies to the next segment
	rangeEnd int64   // where the last part's range ended, and of what
	rangeOf  string

	defines  map[string]string
	query    url.Values // of source, once it is asked for
	imports  bool
	expanded int

	line    int
	pending string // EXTINF or EXT-X-STREAM-INF that waits for its URI
}

// scanPlaylist checks body line by line (4.1) and reads what the library does not.
func scanPlaylist(body []byte, source Source) (*scan, *prober.Failure) {
	if fail := checkHeader(body); fail != nil {
		return nil, fail
	}
	s := &scan{source: source, clean: make([]byte, 0, len(body)+1), once: make(map[string]bool)}
	s.Version = 1
	if !utf8.Valid(body) {
		s.seen.fault(ruleText, "it is not UTF-8")
	}
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
	}
	return s, s.finish()
}

// checkHeader tells an empty body, and a body of another kind, from a playlist
// (4.4.1.1: the first line is the tag, with no byte order mark before it).
func checkHeader(body []byte) *prober.Failure {
	if len(bytes.TrimSpace(body)) == 0 {
		return against(headerSection, prober.ReasonEmptyBody, "the answer has no content (%d bytes)", len(body))
	}
	first, _, _ := bytes.Cut(body, []byte("\n"))
	if string(bytes.TrimRight(first, " \t\r")) != header {
		return against(headerSection, prober.ReasonNotAPlaylist, "the first line is not %s but begins with %q", header, cutShort(string(first[:min(len(first), maxLine)])))
	}
	return nil
}

func (s *scan) read(line string) *prober.Failure {
	tagged := strings.HasPrefix(line, "#")
	if tagged && !strings.HasPrefix(line, "#EXT") {
		return nil // a comment
	}
	if hasControl(line) {
		s.seen.fault(ruleText, "line %d holds a control character", s.line)
	}
	if tag, _, _ := strings.Cut(line, ":"); tagged && !known(tag) {
		return nil // as clients do, however long it is (6.3.1)
	}
	line, fail := s.substitute(line)
	if fail != nil {
		return fail
	}
	if len(line) > maxLine {
		return manifest(prober.ReasonTooLarge, "line %d has %d bytes, more than %d", s.line, len(line), maxLine)
	}
	if !tagged {
		return s.readURI(line)
	}
	tag, value, _ := strings.Cut(line, ":")
	keep, fail := s.readTag(tag, value)
	if keep {
		s.keep(line)
	}
	return fail
}

// known says whether a tag is one of RFC 8216bis: others are not to be looked at.
func known(tag string) bool {
	switch tag {
	case header,
		"#EXT-X-BITRATE", "#EXT-X-BYTERANGE", "#EXT-X-CONTENT-STEERING", "#EXT-X-DATERANGE", "#EXT-X-DEFINE",
		"#EXT-X-DISCONTINUITY", "#EXT-X-DISCONTINUITY-SEQUENCE", "#EXT-X-ENDLIST", "#EXT-X-GAP", "#EXT-X-I-FRAME-STREAM-INF",
		"#EXT-X-I-FRAMES-ONLY", "#EXT-X-INDEPENDENT-SEGMENTS", "#EXT-X-KEY", "#EXT-X-MAP", "#EXT-X-MEDIA",
		"#EXT-X-MEDIA-SEQUENCE", "#EXT-X-PART", "#EXT-X-PART-INF", "#EXT-X-PLAYLIST-TYPE", "#EXT-X-PRELOAD-HINT",
		"#EXT-X-PROGRAM-DATE-TIME", "#EXT-X-RENDITION-REPORT", "#EXT-X-SERVER-CONTROL", "#EXT-X-SESSION-DATA", "#EXT-X-SESSION-KEY",
		"#EXT-X-SKIP", "#EXT-X-START", "#EXT-X-STREAM-INF", "#EXT-X-TARGETDURATION", "#EXT-X-VERSION",
		"#EXTINF":
		return true
	}
	return false
}

// hasControl finds what a playlist must not contain (4.1): U+0000 to U+001F, and
// U+007F to U+009F, of which those from U+0080 on are two bytes. A tab is found in
// EXT-X-SKIP. It goes by bytes, since each line of each playlist is looked at.
func hasControl(line string) bool {
	for i := range len(line) {
		switch c := line[i]; {
		case c < ' ' && c != '\t' || c == 0x7f:
			return true
		case c == 0xc2 && i+1 < len(line) && line[i+1] <= 0x9f:
			return true
		}
	}
	return false
}

func (s *scan) keep(line string) { s.clean = append(append(s.clean, line...), '\n') }

func (s *scan) readURI(line string) *prober.Failure {
	if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
		return s.malformed("4.3", "variables make no URI of the line")
	}
	switch s.pending {
	case "":
		return s.malformed("4.1", "a URI without EXTINF or EXT-X-STREAM-INF before it")
	case "EXTINF":
		s.endSegment(line)
	}
	s.pending = ""
	s.keep(line)
	return nil
}

// readTag says whether the library needs the line too.
func (s *scan) readTag(tag, value string) (keep bool, fail *prober.Failure) {
	switch tag {
	case header:
		return true, nil
	case "#EXTINF":
		return true, s.readInf(value)
	case "#EXT-X-VERSION":
		v, ok := parseInteger(value)
		if s.count(tag); ok && v >= 1 && v <= math.MaxInt32 {
			s.Version, s.seen.hasVersion = int(v), true
		}
		return true, nil
	case "#EXT-X-INDEPENDENT-SEGMENTS":
		s.IndependentSegments = true
		s.count(tag)
	case "#EXT-X-START":
		s.readStart(tag, value)
	case "#EXT-X-DEFINE":
		return false, s.define(s.list(tag, value))
	case "#EXT-X-STREAM-INF":
		return true, s.readVariant(tag, value)
	case "#EXT-X-I-FRAME-STREAM-INF":
		return false, s.readVariant(tag, value)
	case "#EXT-X-MEDIA":
		return false, s.readRendition(tag, value)
	case "#EXT-X-SESSION-KEY":
		s.multi = tag
		s.readSessionKey(tag, value)
	case "#EXT-X-SESSION-DATA", "#EXT-X-CONTENT-STEERING":
		s.multi = tag
		s.list(tag, value)
	default:
		if keep, known, fail := s.readSegmentTag(tag, value); known {
			return keep, fail
		}
		return s.readHeader(tag, value)
	}
	return false, nil
}

// list reads a tag's attribute list, and notes what is wrong with it.
func (s *scan) list(tag, value string) attributes {
	a, fault := parseAttributes(value)
	if fault != "" {
		s.seen.fault(ruleAttributes, "line %d: %s: %s", s.line, tag, fault)
	}
	return a
}

// count notes a tag that may stand there only once (4.4.2, 4.4.3).
func (s *scan) count(tag string) {
	if s.once[tag] {
		s.seen.fault(ruleTwice, "line %d: %s for the second time", s.line, tag)
	}
	s.once[tag] = true
}

func (s *scan) readStart(tag, value string) {
	s.count(tag)
	offset, err := strconv.ParseFloat(s.list(tag, value).text("TIME-OFFSET"), 64)
	if err != nil || math.IsNaN(offset) || math.IsInf(offset, 0) {
		s.seen.fault(ruleAttributes, "line %d: EXT-X-START without a TIME-OFFSET that is a number (4.4.2.2)", s.line)
		return
	}
	s.seen.hasStart, s.seen.start = true, offset
}

func (s *scan) finish() *prober.Failure {
	switch {
	case s.pending != "":
		return s.malformed("4.1", "ends where the URI of %s should be", s.pending)
	case s.media != "" && s.multi != "":
		return against("4.1", prober.ReasonPlaylistMalformed, "holds both %s and %s: neither a media nor a multivariant playlist", s.media, s.multi)
	case s.multi != "" && s.imports:
		return against("4.4.2.3", prober.ReasonPlaylistMalformed, "EXT-X-DEFINE with IMPORT in a multivariant playlist")
	case s.multi != "":
		s.Multivariant, s.Defines = true, s.defines
		s.finishMultivariant()
		return nil
	case len(s.Segments) == 0 && s.Skipped == 0:
		return nil // nothing to play yet; Analyze names it
	case !s.hasTarget:
		return against("4.4.3.1", prober.ReasonPlaylistMalformed, "no EXT-X-TARGETDURATION")
	case s.MediaSequence > math.MaxUint64-2*maxSegments:
		return against("6.2.2", prober.ReasonPlaylistMalformed, "EXT-X-MEDIA-SEQUENCE:%d would wrap", s.MediaSequence)
	}
	s.finishMedia()
	return nil
}

// malformed is against a section of rfc8216bis, at the line at hand.
func (s *scan) malformed(section, format string, args ...any) *prober.Failure {
	return against(section, prober.ReasonPlaylistMalformed, "line %d: "+format, append([]any{s.line}, args...)...)
}

// parseSeconds reads a decimal duration from 0 to a day.
func parseSeconds(s string) (time.Duration, bool) {
	if s = strings.TrimSpace(s); len(s) > maxNumber {
		return 0, false
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || v < 0 || v > maxDuration.Seconds() {
		return 0, false
	}
	return time.Duration(math.Round(v * float64(time.Second))), true
}

func parseInteger(s string) (uint64, bool) {
	v, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	return v, err == nil
}

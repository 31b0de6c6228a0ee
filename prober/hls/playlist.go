package hls

import "time"

// Playlist is a parsed multivariant or media playlist in the words of
// rfc8216bis. Fields of the other kind are zero. Nobody may change it once it is
// parsed: what stays in force for several segments is shared between them.
type Playlist struct {
	Multivariant        bool
	Version             int               // 4.4.1.2; 1 when not given
	IndependentSegments bool              // 4.4.2.1
	Defines             map[string]string // 4.4.2.3, of a multivariant playlist: what its media playlists may import

	Variants    []Variant   // of a multivariant playlist, without I-frame variants
	IFrames     []Variant   // EXT-X-I-FRAME-STREAM-INF (4.4.6.3)
	Renditions  []Rendition // EXT-X-MEDIA (4.4.6.1)
	SessionKeys []Key       // 4.4.6.5

	TargetDuration        time.Duration // 4.4.3.1
	MediaSequence         uint64        // 4.4.3.2, of Segments[0], or of the first one skipped
	DiscontinuitySequence uint64        // 4.4.3.3
	EndList               bool          // 4.4.3.4
	Type                  string        // 4.4.3.5: "EVENT", "VOD" or ""
	IFramesOnly           bool          // 4.4.3.6
	PartTarget            time.Duration // 4.4.3.7; 0 is none
	ServerControl         *ServerControl
	Segments              []Segment
	Parts                 []Part  // after the last segment: of the one that is being made
	Next                  Segment // that one, as far as it is listed: what stands before Parts, or is in force
	DateRanges            []DateRange
	Skipped               uint64 // segments that a delta update left out (4.4.5.2): see Apply
	RemovedDateRanges     string // RECENTLY-REMOVED-DATERANGES of EXT-X-SKIP, separated by tabs
	PreloadHints          []PreloadHint
	RenditionReports      []RenditionReport

	// Updated is when the newest segment was first observed. The parser knows no
	// time: whoever observes playlists sets it, and Analyze reads the previous one's.
	Updated time.Time
	// PartsUpdated is the same of the newest partial segment; zero is not observed.
	PartsUpdated time.Time

	seen scanned // what no field above holds
}

// Variant is one EXT-X-STREAM-INF (4.4.6.2) or EXT-X-I-FRAME-STREAM-INF.
type Variant struct {
	URI              string // as listed
	Bandwidth        int64  // peak, bits per second
	AverageBandwidth int64  // bits per second, 0 when not given
	Codecs           string
	Resolution       string
	FrameRate        float64 // 0 when not given
	// The GROUP-IDs of its renditions; "" for none.
	Audio, Video, Subtitles, ClosedCaptions string
	Pathway                                 string // PATHWAY-ID (7)
}

// Rendition is one EXT-X-MEDIA (4.4.6.1).
type Rendition struct {
	Type       string // AUDIO, VIDEO, SUBTITLES or CLOSED-CAPTIONS
	Group      string // GROUP-ID
	Name       string
	Language   string
	URI        string // as listed; "" is inside the variant's own playlist
	Default    bool
	AutoSelect bool
	Forced     bool
	Instream   string // INSTREAM-ID
	Channels   string
}

// Segment is one media segment (4.4.4).
type Segment struct {
	Sequence        uint64 // media sequence number (6.2.2)
	URI             string // as listed
	Duration        time.Duration
	ProgramDateTime time.Time // zero when not given
	Discontinuity   bool
	Gap             bool      // 4.4.4.7: must not be loaded
	Range           ByteRange // zero is the whole resource
	Init            Init      // EXT-X-MAP in force (4.4.4.5); zero is none
	Encryption      string    // METHOD of the first EXT-X-KEY in force, "" for NONE
	Keys            []Key     // all EXT-X-KEY in force, one for each KEYFORMAT
	Bitrate         int64     // EXT-X-BITRATE in force (4.4.4.8), bits per second; 0 is none
	Parts           []Part    // of this segment (4.4.4.9)
}

// Key is an EXT-X-KEY or EXT-X-SESSION-KEY (4.4.4.4).
type Key struct {
	Method            string // AES-128, SAMPLE-AES, SAMPLE-AES-CTR, AES-256-GCM
	URI               string // as listed
	IV                string // 0x and hexadecimal digits; "" is the media sequence number (5.2)
	KeyFormat         string // "identity" when not given
	KeyFormatVersions string // "1" when not given
}

// Init locates a media initialization section.
type Init struct {
	URI   string // as listed
	Range ByteRange
	Key   Key // that it is encrypted with as a whole: AES-128, in force at EXT-X-MAP (4.4.4.5); zero is none
}

// ByteRange is a part of a resource in bytes. Length 0 is the whole of it.
type ByteRange struct{ Offset, Length int64 }

// newest is the media sequence number of the last segment; ok is false when
// there is none.
func (p *Playlist) newest() (sequence uint64, ok bool) {
	if len(p.Segments) == 0 {
		return 0, false
	}
	return p.Segments[len(p.Segments)-1].Sequence, true
}

// segment finds a segment by its media sequence number.
func (p *Playlist) segment(sequence uint64) (Segment, bool) {
	if len(p.Segments) == 0 {
		return Segment{}, false
	}
	first := p.Segments[0].Sequence
	if sequence < first || sequence-first >= uint64(len(p.Segments)) {
		return Segment{}, false
	}
	return p.Segments[sequence-first], true
}

// Duration is how long the listed segments play.
func (p *Playlist) Duration() time.Duration {
	var sum time.Duration
	for i := range p.Segments {
		sum += p.Segments[i].Duration
	}
	return sum
}

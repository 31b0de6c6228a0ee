package hls

import "time"

// Playlist is a parsed multivariant or media playlist in the words of RFC 8216.
// Fields of the other kind are zero.
type Playlist struct {
	Multivariant bool
	Variants     []Variant // of a multivariant playlist, without I-frame variants

	TargetDuration        time.Duration // 4.4.3.1
	MediaSequence         uint64        // 4.4.3.2, of Segments[0]
	DiscontinuitySequence uint64        // 4.4.3.3
	EndList               bool          // 4.4.3.4
	Type                  string        // 4.4.3.5: "EVENT", "VOD" or ""
	Segments              []Segment

	// Updated is when the newest segment was first observed. The parser knows no
	// time: whoever observes playlists sets it, and Analyze reads the previous one's.
	Updated time.Time
}

// Variant is one EXT-X-STREAM-INF (4.4.6.2).
type Variant struct {
	URI        string // as listed
	Bandwidth  int64  // peak, bits per second
	Codecs     string
	Resolution string
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
	Encryption      string    // METHOD of the EXT-X-KEY in force, "" for NONE
}

// Init locates a media initialization section.
type Init struct {
	URI   string // as listed
	Range ByteRange
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

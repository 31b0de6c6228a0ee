package hls

import (
	"bytes"
	"strings"

	"github.com/grafov/m3u8"

	"streamcanary/prober"
)

// Parse reads a playlist. It gives either a playlist or the failure (stage
// manifest: empty_body, not_a_playlist, playlist_malformed, too_large) that
// names what is wrong with the bytes. It never panics. URIs are as listed; the
// caller bounds the size of body.
//
// This is the only file that knows github.com/grafov/m3u8. The library ignores
// what it cannot read, panics on some legal input, forgets that EXT-X-MAP and
// EXT-X-KEY stay in force, and takes quadratic time to guess the playlist's
// kind; scanPlaylist keeps all that from it, and recover is the last guard.
func Parse(body []byte) (p *Playlist, fail *prober.Failure) {
	s, fail := scanPlaylist(body)
	if fail != nil {
		return nil, fail
	}
	defer func() {
		if r := recover(); r != nil {
			p, fail = nil, manifest(prober.ReasonPlaylistMalformed, "%s: %v", parserPanicked, r)
		}
	}()
	if s.multi != "" {
		return readMultivariant(s)
	}
	return readMedia(s)
}

const parserPanicked = "the parser gave up"

func readMultivariant(s *scan) (*Playlist, *prober.Failure) {
	master := m3u8.NewMasterPlaylist()
	if err := master.DecodeFrom(bytes.NewReader(s.clean), false); err != nil {
		return nil, manifest(prober.ReasonPlaylistMalformed, "multivariant playlist: %v", err)
	}
	p := &Playlist{Multivariant: true}
	for _, v := range master.Variants {
		if v == nil || v.Iframe || v.URI == "" {
			continue
		}
		p.Variants = append(p.Variants, Variant{
			URI: v.URI, Bandwidth: int64(v.Bandwidth), Codecs: v.Codecs, Resolution: v.Resolution,
		})
	}
	return p, nil
}

func readMedia(s *scan) (*Playlist, *prober.Failure) {
	p := &Playlist{
		TargetDuration:        s.targetDuration,
		MediaSequence:         s.sequence,
		DiscontinuitySequence: s.discontinuity,
		EndList:               bytes.Contains(s.clean, []byte("\n#EXT-X-ENDLIST\n")),
	}
	if len(s.infs) == 0 {
		return p, nil
	}
	list, kind, err := m3u8.DecodeWith(bytes.NewReader(s.clean), false, customDecoders())
	media, ok := list.(*m3u8.MediaPlaylist)
	if err != nil || kind != m3u8.MEDIA || !ok {
		return nil, manifest(prober.ReasonPlaylistMalformed, "media playlist: %v", err)
	}
	switch media.MediaType {
	case m3u8.EVENT:
		p.Type = "EVENT"
	case m3u8.VOD:
		p.Type = "VOD"
	}
	p.Segments = readSegments(media.Segments, s)
	if len(p.Segments) != len(s.infs) {
		return nil, manifest(prober.ReasonPlaylistMalformed, "lists %d segments, of which %d can be read", len(s.infs), len(p.Segments))
	}
	return p, nil
}

// readSegments carries EXT-X-MAP and EXT-X-KEY forward to every segment they
// apply to, which the library does not.
func readSegments(listed []*m3u8.MediaSegment, s *scan) []Segment {
	segments := make([]Segment, 0, len(s.infs))
	var state Segment // what stays in force
	for _, m := range listed {
		if m == nil || len(segments) == len(s.infs) {
			continue // the library keeps free slots as nil entries
		}
		if m.Map != nil {
			state.Init = Init{URI: m.Map.URI, Range: byteRange(m.Map.Offset, m.Map.Limit)}
		}
		if m.Key != nil {
			state.Encryption = strings.TrimPrefix(m.Key.Method, "NONE")
		}
		segment := Segment{
			Sequence:        s.sequence + uint64(len(segments)),
			URI:             m.URI,
			Duration:        s.infs[len(segments)],
			ProgramDateTime: m.ProgramDateTime,
			Discontinuity:   m.Discontinuity,
			Gap:             m.Custom[tagGap] != nil,
			Range:           readRange(m, segments),
			Init:            state.Init,
			Encryption:      state.Encryption,
		}
		segments = append(segments, segment)
	}
	return segments
}

// readRange reads EXT-X-BYTERANGE: without an offset it goes on where the
// previous range of the same resource ended (4.4.4.2).
func readRange(m *m3u8.MediaSegment, before []Segment) ByteRange {
	raw, ok := m.Custom[tagRange].(rawTag)
	if !ok {
		return ByteRange{}
	}
	r := byteRange(m.Offset, m.Limit)
	if strings.Contains(raw.line, "@") || len(before) == 0 {
		return r
	}
	if last := before[len(before)-1]; last.URI == m.URI {
		r = byteRange(last.Range.Offset+last.Range.Length, m.Limit)
	}
	return r
}

// byteRange keeps a listed range where sums cannot overflow; a server answers
// what is out of its resource with a status of its own.
func byteRange(offset, length int64) ByteRange {
	const most = 1 << 50
	return ByteRange{Offset: min(max(offset, 0), most), Length: min(max(length, 0), most)}
}

const (
	tagGap   = "#EXT-X-GAP"
	tagRange = "#EXT-X-BYTERANGE:"
)

// customDecoders reads what the library ignores or loses. It keeps one entry
// per tag name and segment, which is enough for tags that may stand there once.
func customDecoders() []m3u8.CustomDecoder {
	return []m3u8.CustomDecoder{rawTag{name: tagGap}, rawTag{name: tagRange}}
}

// rawTag is a segment's tag, line and all.
type rawTag struct{ name, line string }

func (t rawTag) TagName() string                            { return t.name }
func (t rawTag) SegmentTag() bool                           { return true }
func (t rawTag) String() string                             { return t.line }
func (t rawTag) Encode() *bytes.Buffer                      { return bytes.NewBufferString(t.line) }
func (t rawTag) Decode(line string) (m3u8.CustomTag, error) { return rawTag{t.name, line}, nil }

package hls

import (
	"bytes"
	"strings"

	"github.com/grafov/m3u8"

	"streamcanary/prober"
)

// Parse reads a playlist whose variables need no source: see ParseFrom.
func Parse(body []byte) (*Playlist, *prober.Failure) { return ParseFrom(body, Source{}) }

// ParseFrom reads a playlist. It gives either a playlist or the failure (stage
// manifest: empty_body, not_a_playlist, playlist_malformed, too_large) that
// names what is wrong with the bytes. It never panics. URIs are as listed, with
// variables replaced; the caller bounds the size of body. What is merely against
// a rule is no failure: Analyze names it.
//
// This is the only file that knows github.com/grafov/m3u8. The library ignores
// what it cannot read, panics on some legal input, forgets that EXT-X-MAP and
// EXT-X-KEY stay in force, and takes quadratic time to guess the playlist's
// kind; scanPlaylist keeps all that from it, reads most tags, and gives it the
// lines that it reads well: URIs, ranges, EXT-X-MAP, gaps and discontinuities.
// Recover is the last guard.
func ParseFrom(body []byte, source Source) (p *Playlist, fail *prober.Failure) {
	s, fail := scanPlaylist(body, source)
	if fail != nil {
		return nil, fail
	}
	defer func() {
		if r := recover(); r != nil {
			p, fail = nil, manifest(prober.ReasonPlaylistMalformed, "%s: %v", parserPanicked, r)
		}
	}()
	p = &s.Playlist
	if p.Multivariant {
		fail = readMultivariant(p, s.clean)
	} else {
		fail = readMedia(p, s.clean)
	}
	if fail != nil {
		return nil, fail
	}
	kept := *p // without what the scan needed besides
	return &kept, nil
}

const parserPanicked = "the parser gave up"

func readMultivariant(p *Playlist, clean []byte) *prober.Failure {
	master := m3u8.NewMasterPlaylist()
	if err := master.DecodeFrom(bytes.NewReader(clean), false); err != nil {
		return manifest(prober.ReasonPlaylistMalformed, "multivariant playlist: %v", err)
	}
	n := 0
	for _, v := range master.Variants {
		if v == nil || v.URI == "" {
			continue
		}
		if n < len(p.Variants) {
			p.Variants[n].URI = v.URI
		}
		n++
	}
	if n != len(p.Variants) {
		return manifest(prober.ReasonPlaylistMalformed, "lists %d variants, of which %d can be read", len(p.Variants), n)
	}
	return nil
}

func readMedia(p *Playlist, clean []byte) *prober.Failure {
	if len(p.Segments) == 0 {
		return nil
	}
	list, kind, err := m3u8.DecodeWith(bytes.NewReader(clean), false, customDecoders())
	media, ok := list.(*m3u8.MediaPlaylist)
	if err != nil || kind != m3u8.MEDIA || !ok {
		return manifest(prober.ReasonPlaylistMalformed, "media playlist: %v", err)
	}
	if n := readSegments(p, media.Segments); n != len(p.Segments) {
		return manifest(prober.ReasonPlaylistMalformed, "lists %d segments, of which %d can be read", len(p.Segments), n)
	}
	return nil
}

// readSegments adds to the scan's segments what the library read of them, and
// carries EXT-X-MAP forward to every segment it applies to.
func readSegments(p *Playlist, listed []*m3u8.MediaSegment) (read int) {
	var init Init
	for _, m := range listed {
		if m == nil || read == len(p.Segments) {
			continue // the library keeps free slots as nil entries
		}
		if m.Map != nil {
			init = Init{URI: m.Map.URI, Range: byteRange(m.Map.Offset, m.Map.Limit), Key: p.Segments[read].Init.Key}
		}
		s := &p.Segments[read]
		s.URI, s.Init, s.Discontinuity, s.Gap = m.URI, init, m.Discontinuity, m.Custom[tagGap] != nil
		s.Range = readRange(m, p, read)
		read++
	}
	if p.Next.Init == (Init{}) {
		p.Next.Init = init
	}
	return read
}

// readRange reads EXT-X-BYTERANGE: without an offset it goes on where the
// previous range of the same resource ended (4.4.4.2).
func readRange(m *m3u8.MediaSegment, p *Playlist, index int) ByteRange {
	raw, ok := m.Custom[tagRange].(rawTag)
	if !ok {
		return ByteRange{}
	}
	r := byteRange(m.Offset, m.Limit)
	if strings.Contains(raw.line, "@") {
		return r
	}
	switch {
	case index > 0 && p.Segments[index-1].URI == m.URI && p.Segments[index-1].Range.Length > 0:
		last := p.Segments[index-1].Range
		if p.seen.oldRanges == index && p.Skipped > 0 {
			p.seen.oldRanges++
		}
		return byteRange(last.Offset+last.Length, m.Limit)
	case index == 0 && p.Skipped > 0:
		p.seen.oldRanges = 1 // Apply knows where it begins
	default:
		p.seen.fault(ruleRange, "segment %d: EXT-X-BYTERANGE without an offset, and no range of %q before it", p.Segments[index].Sequence, cutShort(pathOf(m.URI)))
	}
	return byteRange(0, m.Limit)
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

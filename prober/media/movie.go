package media

import (
	"errors"
	"fmt"
)

// maxInit bounds the initialization section that is read.
const maxInit = 1 << 20

// movie is what an initialization section says (ISO/IEC 14496-12, 8.2).
type movie struct {
	tracks    []movieTrack
	scale     int64 // of the movie, for empty edits
	encrypted bool
}

// movieTrack is one of its tracks.
type movieTrack struct {
	stream
	shift    int64 // of presentation against composition time (elst), in the track's ticks
	empty    int64 // time before the first edit with media, in the movie's ticks
	defaults sampleDefaults
}

// sampleDefaults are those of trex and tfhd.
type sampleDefaults struct {
	duration, size, flags uint32
}

// readMovie reads an initialization section. Boxes that are not known are passed
// over, tracks beyond a bound too.
func readMovie(init []byte) (movie, error) {
	var m movie
	if len(init) > maxInit {
		return m, fmt.Errorf("%d bytes long, the bound is %d", len(init), maxInit)
	}
	if !isBoxes(init) {
		return m, errors.New("is no fMP4")
	}
	err := walk(init, func(b box) error {
		if b.kind == "moov" {
			return walk(b.data, m.take)
		}
		return nil
	})
	switch {
	case err != nil:
		return m, fmt.Errorf("is %w", err)
	case len(m.tracks) == 0:
		return m, errors.New("has no track (moov, trak)")
	}
	return m, nil
}

func (m *movie) take(b box) error {
	switch b.kind {
	case "mvhd":
		m.scale = int64(headerField(b.data, 12, 20))
	case "trak":
		if len(m.tracks) == maxStreams {
			return nil
		}
		t := movieTrack{}
		if err := walk(b.data, func(b box) error { return t.take(b, m, 0) }); err != nil {
			return err
		}
		if m.scale > 0 {
			t.shift += t.empty * t.scale / m.scale
		}
		m.tracks = append(m.tracks, t)
	case "mvex":
		return walk(b.data, m.extends)
	}
	return nil
}

// extends reads trex (8.8.3), which may stand before or behind its track.
func (m *movie) extends(b box) error {
	if b.kind != "trex" || len(b.data) < 24 {
		return nil
	}
	for i := range m.tracks {
		if t := &m.tracks[i]; t.ID == int(be32(b.data[4:])) {
			t.defaults = sampleDefaults{duration: be32(b.data[12:]), size: be32(b.data[16:]), flags: be32(b.data[20:])}
		}
	}
	return nil
}

// find gives a track by its id, or nil.
func (m *movie) find(id uint32) *movieTrack {
	for i := range m.tracks {
		if m.tracks[i].ID == int(id) {
			return &m.tracks[i]
		}
	}
	return nil
}

func (m *movie) streams() []stream {
	streams := make([]stream, len(m.tracks))
	for i := range m.tracks {
		streams[i] = m.tracks[i].stream
	}
	return streams
}

// deepest is how many boxes of a track stand around those that matter: mdia, minf, stbl.
const deepest = 3

// take reads a box of a track that has so many boxes around it there, and those within it
// that matter.
func (t *movieTrack) take(b box, m *movie, around int) error {
	switch b.kind {
	case "edts", "mdia", "minf", "stbl":
		if around == deepest {
			return nil
		}
		return walk(b.data, func(b box) error { return t.take(b, m, around+1) })
	case "tkhd":
		t.ID = int(headerField(b.data, 12, 20))
	case "mdhd":
		t.scale = int64(headerField(b.data, 12, 20))
	case "hdlr":
		if len(b.data) >= 12 {
			t.Kind = handlerKind(string(b.data[8:12]))
		}
	case "elst":
		t.edits(b.data)
	case "stsd":
		if len(b.data) >= 8 {
			return walk(b.data[8:], func(b box) error { return t.entry(b, m) })
		}
	}
	return nil
}

// headerField reads 32 bits of a full box, whose place depends on its version.
func headerField(b []byte, at0, at1 int) uint32 {
	at := at0
	if len(b) > 0 && b[0] == 1 {
		at = at1
	}
	if len(b) < at+4 {
		return 0
	}
	return be32(b[at:])
}

func handlerKind(handler string) Kind {
	switch handler {
	case "vide":
		return Video
	case "soun":
		return Audio
	case "subt", "text", "sbtl", "clcp":
		return Text
	}
	return Data
}

// edits reads an edit list (8.6.6), up to its first edit with media: an encoder's
// priming, and the delay of B pictures, are cut off by it.
func (t *movieTrack) edits(b []byte) {
	const most, far = 1 << 30, 1 << 53 // ticks: what is longer is no edit
	if len(b) < 8 {
		return
	}
	long := b[0] == 1
	r := reader{data: b[8:]}
	for count := be32(b[4:]); count > 0 && r.err == nil; count-- {
		lasts, start := r.wide(long), r.wide(long)
		r.next() // media_rate
		if !long {
			start = int64(int32(start)) //nolint:gosec // the sign is meant
		}
		if r.err == nil && start >= 0 {
			t.shift = -min(start, far)
			return
		}
		t.empty = min(t.empty+max(min(lasts, most), 0), most)
	}
}

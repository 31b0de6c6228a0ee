package media

import (
	"encoding/binary"
	"errors"
)

// Flags of tfhd and trun (ISO/IEC 14496-12, 8.8.7 and 8.8.8).
const (
	tfhdBaseOffset      = 0x1
	tfhdDescription     = 0x2
	tfhdDuration        = 0x8
	tfhdSize            = 0x10
	trunDataOffset      = 0x1
	trunFirstFlags      = 0x4
	trunDuration        = 0x100
	trunSize            = 0x200
	trunFlags           = 0x400
	trunCompositionTime = 0x800
)

var errFragment = errors.New("a fragment's boxes are malformed")

// fragments reads the movie fragments of a segment.
type fragments struct {
	segment   []byte
	tracks    map[uint32]track
	moofs     []box
	firstMoof int
	hasInit   bool
	hasMdat   bool

	units    []unit
	samples  int
	keyframe bool
	hasAudio bool
}

// top takes a box of the segment.
func (f *fragments) top(b box) error {
	switch b.kind {
	case "moov":
		f.hasInit = true
	case "mdat":
		f.hasMdat = true
	case "moof":
		if len(f.moofs) == 0 {
			f.firstMoof = b.at
		}
		f.moofs = append(f.moofs, b)
	}
	return nil
}

// moof reads one fragment.
func (f *fragments) moof(moof box) error {
	return walk(moof.data, func(b box) error {
		if b.kind != "traf" {
			return nil
		}
		t := fragmentTrack{fragments: f, base: moof.at}
		return walk(b.data, t.take)
	})
}

// fragmentTrack reads one track of a fragment (traf).
type fragmentTrack struct {
	*fragments
	track
	base           int    // where data offsets count from, in the segment
	at             int    // where the next sample is
	time           int64  // of decoding the next sample
	duration, size uint32 // of a sample, by default
}

func (t *fragmentTrack) take(b box) error {
	if len(b.data) < 4 {
		return nil
	}
	flags := be32(b.data) & 0xffffff
	d := b.data[4:]
	switch b.kind {
	case "tfhd":
		return t.header(flags, d)
	case "tfdt":
		switch {
		case b.data[0] == 1 && len(d) >= 8:
			t.time = int64(binary.BigEndian.Uint64(d) &^ (1 << 63)) //nolint:gosec // without the sign bit
		case len(d) >= 4:
			t.time = int64(be32(d))
		}
	case "trun":
		return t.run(flags, b.data[0], d)
	}
	return nil
}

func (t *fragmentTrack) header(flags uint32, d []byte) error {
	r := reader{data: d}
	t.track = t.tracks[r.next()]
	if flags&tfhdBaseOffset != 0 {
		r.next()
		r.next() // counts from the start of a file that nobody has; the moof is what is meant
	}
	if flags&tfhdDescription != 0 {
		r.next()
	}
	if flags&tfhdDuration != 0 {
		t.duration = r.next()
	}
	if flags&tfhdSize != 0 {
		t.size = r.next()
	}
	return r.err
}

// run reads the samples of a track run.
func (t *fragmentTrack) run(flags uint32, version byte, d []byte) error {
	r := reader{data: d}
	count := r.next()
	if flags&trunDataOffset != 0 {
		t.at = t.base + int(int32(r.next())) //nolint:gosec // the sign is meant
	}
	if flags&trunFirstFlags != 0 {
		r.next()
	}
	for range count {
		if t.samples++; t.samples > maxUnits {
			return errors.New("more samples than any segment has")
		}
		duration, size, composition := t.duration, t.size, int64(0)
		if flags&trunDuration != 0 {
			duration = r.next()
		}
		if flags&trunSize != 0 {
			size = r.next()
		}
		if flags&trunFlags != 0 {
			r.next()
		}
		if flags&trunCompositionTime != 0 {
			v := r.next()
			composition = int64(v)
			if version > 0 {
				composition = int64(int32(v)) //nolint:gosec // the sign is meant
			}
		}
		if r.err != nil {
			return r.err
		}
		t.sample(size, composition)
		t.time += int64(duration)
	}
	return nil
}

// sample takes one sample. One that lies outside of the segment has a time, but
// no data.
func (t *fragmentTrack) sample(size uint32, composition int64) {
	if !t.video {
		t.hasAudio = t.hasAudio || t.timescale > 0
		return
	}
	var data []byte
	if end := t.at + int(size); t.at >= 0 && end <= len(t.segment) {
		data = t.segment[t.at:end]
		t.at = end
	}
	if len(t.units) == 0 {
		t.keyframe = startsWithKeyframe(t.codec, lengthPrefixed(data))
	}
	t.units = append(t.units, unit{pts: scaled(t.time+composition, t.timescale), data: data})
}

// reader reads 32-bit fields.
type reader struct {
	data []byte
	err  error
}

func (r *reader) next() uint32 {
	if len(r.data) < 4 {
		r.err = errFragment
		return 0
	}
	v := be32(r.data)
	r.data = r.data[4:]
	return v
}

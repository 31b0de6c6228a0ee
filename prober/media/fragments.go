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
	tfhdFlags           = 0x20
	trunDataOffset      = 0x1
	trunFirstFlags      = 0x4
	trunDuration        = 0x100
	trunSize            = 0x200
	trunFlags           = 0x400
	trunCompositionTime = 0x800
	sampleIsNoSync      = 1 << 16
)

var errFragment = errors.New("a fragment's boxes are malformed")

// fragments reads the movie fragments of a segment.
type fragments struct {
	segment   []byte
	movie     movie
	moofs     int
	firstMoof int
	hasInit   bool
	hasMdat   bool
	samples   int
	seen      int // bytes of samples: hostile runs lead to the same bytes again and again
	stats     FragmentStats
}

// top takes a box of the segment.
func (f *fragments) top(b box) error {
	switch b.kind {
	case "moov":
		f.hasInit = true
	case "mdat":
		f.hasMdat = true
	case "moof":
		if f.moofs++; f.moofs > maxFragments {
			return errors.New("with more fragments than any segment has")
		}
		if f.moofs == 1 {
			f.firstMoof = b.at
		}
	}
	return nil
}

// all reads the fragments, whose movie is known by now. They are looked for once more,
// since nobody knows how many there are. It gives the first error.
func (f *fragments) all() (first error) {
	left := f.moofs
	_ = walk(f.segment, func(b box) error { // what is cut short is told by the first walk
		if b.kind == "moof" && left > 0 {
			left--
			if err := f.moof(b); first == nil {
				first = err
			}
		}
		return nil
	})
	return first
}

// moof reads one fragment.
func (f *fragments) moof(moof box) error {
	f.stats.Fragments++
	end := moof.at
	return walk(moof.data, func(b box) error {
		switch {
		case b.kind == "mfhd" && len(b.data) >= 8:
			f.stats.LastSequence = be32(b.data[4:])
			if f.stats.Fragments == 1 {
				f.stats.FirstSequence = f.stats.LastSequence
			}
		case b.kind == "traf":
			t := fragmentTrack{fragments: f, base: moof.at, at: end}
			if err := walk(b.data, t.take); err != nil {
				return err
			}
			end = t.at
			if !t.timed {
				f.stats.NoDecodeTime++
			}
		}
		return nil
	})
}

// fragmentTrack reads one track of a fragment (traf).
type fragmentTrack struct {
	*fragments
	track    *movieTrack // nil: not known
	base     int         // where data offsets count from, in the segment
	at       int         // where the next sample is
	time     int64       // of decoding the next sample
	timed    bool
	defaults sampleDefaults
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
			t.time, t.timed = int64(binary.BigEndian.Uint64(d)&(1<<62-1)), true
		case len(d) >= 4:
			t.time, t.timed = int64(be32(d)), true
		}
	case "trun":
		return t.run(flags, b.data[0], d)
	}
	return nil
}

func (t *fragmentTrack) header(flags uint32, d []byte) error {
	r := reader{data: d}
	id := r.next()
	if t.track = t.movie.find(id); t.track == nil {
		t.stats.UnknownTracks++
	} else {
		t.defaults = t.track.defaults
	}
	if flags&tfhdBaseOffset != 0 {
		r.wide(true) // counts from the start of a file that nobody has; the moof is what is meant
	}
	if flags&tfhdDescription != 0 {
		r.next()
	}
	for _, f := range []struct {
		flag uint32
		to   *uint32
	}{{tfhdDuration, &t.defaults.duration}, {tfhdSize, &t.defaults.size}, {tfhdFlags, &t.defaults.flags}} {
		if flags&f.flag != 0 {
			*f.to = r.next()
		}
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
	first, firstFlags := flags&trunFirstFlags != 0, uint32(0)
	if first {
		firstFlags = r.next()
	}
	most := min(maxUnits, len(t.segment)) // each has a byte at least, though a run need not say so
	for range count {
		if t.samples++; t.samples > most {
			return errors.New("more samples than any segment has")
		}
		s, composition := t.defaults, int64(0)
		if flags&trunDuration != 0 {
			s.duration = r.next()
		}
		if flags&trunSize != 0 {
			s.size = r.next()
		}
		if flags&trunFlags != 0 {
			s.flags = r.next()
		}
		if first {
			s.flags, first = firstFlags, false
		}
		if flags&trunCompositionTime != 0 {
			composition = int64(r.next())
			if version > 0 {
				composition = int64(int32(composition)) //nolint:gosec // the sign is meant
			}
		}
		if r.err != nil {
			return r.err
		}
		t.sample(s, composition)
		t.time += int64(s.duration)
	}
	return nil
}

// sample takes one sample. One that lies outside of the segment has a time, but
// no data.
func (t *fragmentTrack) sample(s sampleDefaults, composition int64) {
	var data []byte
	if end := t.at + int(s.size); t.at >= 0 && end <= len(t.segment) && t.seen <= len(t.segment) {
		data = t.segment[t.at:end]
		t.at = end
		t.seen += len(data)
	} else {
		t.stats.SamplesOutside++
	}
	if t.track == nil || t.track.scale <= 0 {
		return
	}
	pts := t.time + composition + t.track.shift
	switch t.track.Kind {
	case Video:
		t.track.picture(data, pts, s.flags&sampleIsNoSync == 0)
	case Audio:
		t.track.mark(data, pts)
	default:
	}
	t.track.add(unit{pts: pts, duration: int64(s.duration)}, t.time, len(data))
}

// reader reads fields of 32 bits.
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

// wide reads 32 bits, or 64.
func (r *reader) wide(long bool) int64 {
	v := uint64(r.next())
	if long {
		v = v<<32 | uint64(r.next())
	}
	return int64(v) //nolint:gosec // the sign is meant
}

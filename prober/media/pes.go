package media

// elementary assembles the PES packets of a stream, one at a time.
type elementary struct {
	bound   bool // stream is known
	stream  int  // index of the stream, -1: none
	buffer  []byte
	open    bool // buffer holds a packet's begin
	random  bool // it is marked as a random access point
	lastPTS int64
	sounds  sounds
}

// media takes a packet of a stream.
func (d *demuxer) media(state *pidState, payload []byte, begins, random bool) {
	e := &state.elementary
	if begins {
		d.flush(state)
		e.open, e.random = true, random
	}
	if e.open { // what is before the first begin belongs to the segment before
		e.buffer = append(e.buffer, payload...)
	}
}

// flush reads the PES packet that was assembled.
func (d *demuxer) flush(state *pidState) {
	e := &state.elementary
	if !e.open {
		return
	}
	e.open = false
	h, payload, ok := pes(e.buffer)
	e.buffer = e.buffer[:0]
	if !ok || h.damaged {
		d.stats.BadTimes++
	}
	if !ok {
		return
	}
	d.unit(e, &d.streams[e.stream], h, payload)
}

// unit hands a PES packet to its stream.
func (d *demuxer) unit(e *elementary, s *stream, h pesHeader, payload []byte) {
	timed := h.pts >= 0
	pts, dts := d.unwrap(h.pts), d.unwrap(h.dts)
	if timed && pts < dts {
		d.stats.BadTimes++ // shown before it can be decoded
	}
	if !timed {
		pts, dts = e.lastPTS, s.lastDTS // a further piece of what was before
	}
	e.lastPTS = pts
	if len(s.units) >= maxUnits {
		return
	}
	switch s.Kind {
	case Audio:
		e.sounds.packet(s, payload, pts, timed)
	case Video:
		s.picture(payload, pts, e.random)
		s.addTimed(unit{pts: pts}, dts, len(payload), timed)
	default:
		s.addTimed(unit{pts: pts}, dts, len(payload), timed)
	}
}

// addTimed adds a unit, or what belongs to the one before.
func (s *stream) addTimed(u unit, dts int64, size int, timed bool) {
	if timed || len(s.units) == 0 {
		s.add(u, dts, size)
		return
	}
	s.Bytes += int64(size)
}

// unwrap gives the time nearest to the segment's first that is equal modulo 1<<33.
func (d *demuxer) unwrap(v int64) int64 {
	if v < 0 {
		return 0
	}
	if !d.started {
		d.base, d.started = v, true
	}
	return d.base + (v-d.base)<<31>>31
}

// pesHeader is what matters of a PES packet's header: times in 1/90000 s, -1 is
// none.
type pesHeader struct {
	pts, dts int64
	damaged  bool // its marker bits are not as they have to be
}

// pes reads a PES packet (2.4.3.6). Without a DTS that is the PTS.
func pes(b []byte) (h pesHeader, payload []byte, ok bool) {
	h = pesHeader{pts: -1, dts: -1}
	if len(b) < 9 || b[0] != 0 || b[1] != 0 || b[2] != 1 || len(b) < 9+int(b[8]) {
		return h, nil, false
	}
	payload = b[9+int(b[8]):]
	flags := b[7] >> 6
	h.damaged = b[6]&0xc0 != 0x80 || flags == 1
	if flags >= 2 && b[8] >= 5 {
		h.pts = timestamp(b[9:14])
		h.damaged = h.damaged || !marked(b[9:14], flags)
		h.dts = h.pts
	}
	if flags == 3 && b[8] >= 10 {
		h.dts = timestamp(b[14:19])
		h.damaged = h.damaged || !marked(b[14:19], 1)
	}
	return h, payload, true
}

func timestamp(b []byte) int64 {
	return int64(b[0]&0x0e)<<29 | int64(b[1])<<22 | int64(b[2]&0xfe)<<14 | int64(b[3])<<7 | int64(b[4])>>1
}

// marked checks the fixed bits of a time.
func marked(b []byte, prefix byte) bool {
	return b[0]>>4 == prefix && b[0]&b[2]&b[4]&1 == 1
}

package media

import (
	"errors"
	"fmt"
	"time"
)

const (
	packetSize = 188
	syncByte   = 0x47
	syncSearch = 8 * packetSize // players look for the first packet about so far
)

// syncAt finds the first packet of a transport stream: three sync bytes in a
// row, or as many as there is room for.
func syncAt(b []byte) (at int, ok bool) {
	for at := range min(len(b)-packetSize+1, syncSearch) {
		if b[at] == syncByte && (at+packetSize >= len(b) || b[at+packetSize] == syncByte) &&
			(at+2*packetSize >= len(b) || b[at+2*packetSize] == syncByte) {
			return at, true
		}
	}
	return 0, false
}

// demuxer takes the first video stream out of a transport stream.
type demuxer struct {
	tables
	video    []byte // its PES packets, one behind the other
	starts   []int  // where each begins in video
	random   bool   // the first is marked as a random access point
	hasAudio bool
}

func (s *Summary) inspectTS(segment, init []byte) error {
	d := demuxer{video: make([]byte, 0, len(segment))}
	if _, ok := syncAt(init); ok {
		for ; len(init) >= packetSize && init[0] == syncByte; init = init[packetSize:] {
			d.packet(init[:packetSize])
		}
	}
	rest := segment
	for ; len(rest) >= packetSize; rest = rest[packetSize:] {
		if rest[0] != syncByte {
			break
		}
		d.packet(rest[:packetSize])
	}
	units := d.units()
	s.take(units)
	s.HasAudio = d.hasAudio
	s.Keyframe = len(units) > 0 && (d.random || startsWithKeyframe(d.videoCodec, annexB(firstUnit(d))))
	return d.complaint(segment, rest)
}

// firstUnit is the payload of the first picture.
func firstUnit(d demuxer) []byte {
	end := len(d.video)
	if len(d.starts) > 1 {
		end = d.starts[1]
	}
	_, payload, _ := pes(d.video[d.starts[0]:end])
	return payload
}

// complaint says what is wrong with a transport stream that was read up to rest.
func (d *demuxer) complaint(segment, rest []byte) error {
	at := len(segment) - len(rest)
	switch {
	case len(rest) >= packetSize:
		return fmt.Errorf("not media: MPEG-TS that turns into something else at byte %d of %d", at, len(segment))
	case len(rest) > 0:
		return fmt.Errorf("not media: MPEG-TS cut short: %d bytes behind the last whole packet at byte %d", len(rest), at)
	case !d.havePAT:
		return errors.New("not media: MPEG-TS without a program association table: no player knows what is in it")
	case !d.havePMT:
		return errors.New("not media: MPEG-TS without a program map table: no player knows what is in it")
	case len(d.starts) == 0 && !d.hasAudio:
		return errors.New("not media: MPEG-TS without any picture or sound in it")
	}
	return nil
}

// packet takes one transport packet (2.4.3.2).
func (d *demuxer) packet(p []byte) {
	begins := p[1]&0x40 != 0 // payload_unit_start_indicator
	pid := int(p[1]&0x1f)<<8 | int(p[2])
	payload, random := p[4:], false
	if p[3]&0x20 != 0 { // adaptation field
		n := 1 + int(p[4])
		if n > len(payload) {
			return
		}
		random = n > 1 && p[5]&0x40 != 0 // random_access_indicator
		payload = payload[n:]
	}
	switch {
	case p[1]&0x80 != 0 || p[3]&0xc0 != 0 || p[3]&0x10 == 0: // damaged, scrambled, no payload
	case d.havePMT && pid == d.videoPID && pid != 0:
		d.picture(payload, begins, random)
	case d.havePMT && d.isAudio(pid):
		d.hasAudio = d.hasAudio || begins
	default:
		d.table(pid, payload, begins)
	}
}

func (d *demuxer) picture(payload []byte, begins, random bool) {
	if begins {
		if len(d.starts) == 0 {
			d.random = random
		}
		if len(d.starts) == maxUnits {
			return
		}
		d.starts = append(d.starts, len(d.video))
	}
	if len(d.starts) > 0 { // what is before the first start belongs to the segment before
		d.video = append(d.video, payload...)
	}
}

// units takes the PES packets apart. Times are unwrapped around the first.
func (d *demuxer) units() []unit {
	units := make([]unit, 0, len(d.starts))
	first, last := int64(-1), int64(0)
	for i, start := range d.starts {
		end := len(d.video)
		if i+1 < len(d.starts) {
			end = d.starts[i+1]
		}
		pts, payload, ok := pes(d.video[start:end])
		if !ok {
			continue
		}
		switch {
		case pts < 0: // no time of its own: a further piece of the picture before
			pts = last
		case first < 0:
			first = pts
		default:
			pts = first + (pts-first)<<31>>31 // the nearest of those that are equal modulo 1<<33
		}
		last = pts
		units = append(units, unit{pts: (time.Duration(pts) * time.Millisecond / 90).Truncate(time.Microsecond), data: payload})
	}
	return units
}

// pes reads a PES packet (2.4.3.6): its PTS in 1/90000 s, or -1, and its payload.
func pes(b []byte) (pts int64, payload []byte, ok bool) {
	if len(b) < 9 || b[0] != 0 || b[1] != 0 || b[2] != 1 || len(b) < 9+int(b[8]) {
		return 0, nil, false
	}
	payload, pts = b[9+int(b[8]):], -1
	if b[7]&0x80 != 0 && b[8] >= 5 {
		pts = int64(b[9]&0x0e)<<29 | int64(b[10])<<22 | int64(b[11]&0xfe)<<14 | int64(b[12])<<7 | int64(b[13])>>1
	}
	return pts, payload, true
}

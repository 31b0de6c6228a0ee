package media

import "bytes"

// sounds cuts the packets of a track of sound into frames. The time of a frame is
// that of the packet in which it begins, plus the frames before it there.
type sounds struct {
	anchor  int64 // PTS that the present frames count from
	samples int64 // since then
	tail    []byte
	lost    int // bytes that may have begun a frame and did not
}

// maxLost bounds them: what has more is not sound that was damaged.
const maxLost = maxUnits

// maxFrame is more than any frame of sound has: 13 bits in ADTS, 4096 bytes in E-AC-3.
const maxFrame = 1 << 13

// packet takes the payload of a PES packet. Without a time of its own it goes on.
func (f *sounds) packet(s *stream, data []byte, pts int64, timed bool) {
	switch s.codec {
	case codecAAC, codecMP3, codecAC3:
		f.cut(s, data, pts, timed)
	case codecOpus:
		f.opus(s, data, pts, timed)
	default:
		if timed && len(s.units) < maxUnits {
			s.add(unit{pts: pts}, pts, len(data))
		}
	}
}

// frame adds one frame.
func (f *sounds) frame(s *stream, h frameHeader, data []byte) {
	if s.SampleRate == 0 {
		s.SampleRate, s.Channels, s.Codec = h.rate, h.channels, h.codec
	}
	rate := int64(max(s.SampleRate, 1))
	begin := f.anchor + f.samples*s.scale/rate
	f.samples += h.samples
	s.add(unit{pts: begin, duration: f.anchor + f.samples*s.scale/rate - begin}, begin, len(data))
	s.mark(data, begin)
}

// cut reads frames that follow each other, and may go over packets' ends.
func (f *sounds) cut(s *stream, data []byte, pts int64, timed bool) {
	if len(f.tail) > 0 {
		data = f.finishTail(s, data)
	}
	if timed {
		f.anchor, f.samples = pts, 0
	}
	for len(data) > 0 && len(s.units) < maxUnits {
		h := headOf(s.codec, data)
		if h.length == 0 && len(data) >= headLength && f.lost < maxLost { // out of step: the next that may be one
			f.lost++
			data = data[nextFrame(s.codec, data):]
			continue
		}
		if h.length == 0 || h.length > len(data) {
			f.tail = append(f.tail[:0], data[:min(len(data), maxFrame)]...)
			return
		}
		f.frame(s, h, data[:h.length])
		data = data[h.length:]
	}
}

// nextFrame is where the next frame may begin, beyond the first byte.
func nextFrame(c codec, b []byte) int {
	sync := byte(0xff)
	if c == codecAC3 {
		sync = 0x0b
	}
	if at := bytes.IndexByte(b[1:], sync); at >= 0 {
		return 1 + at
	}
	return len(b)
}

// finishTail joins the frame that began in the packet before with its end, and
// gives what comes after it.
func (f *sounds) finishTail(s *stream, data []byte) []byte {
	had := len(f.tail)
	f.tail = append(f.tail, data[:min(len(data), maxFrame)]...)
	h := headOf(s.codec, f.tail)
	switch {
	case len(f.tail) < headLength || h.length > len(f.tail) && len(f.tail) < maxFrame: // still not whole
		return nil
	case h.length < had || h.length > len(f.tail): // no frame
		f.tail = f.tail[:0]
		return data
	}
	f.frame(s, h, f.tail[:h.length])
	f.tail = f.tail[:0]
	return data[h.length-had:]
}

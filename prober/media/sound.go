package media

const (
	adtsHeader      = 7
	samplesPerFrame = 1024 // of AAC (14496-3, 4.5.1.1)
	opusRate        = 48000
)

// sounds cuts the packets of a track of sound into frames. The time of a frame is
// that of the packet in which it begins, plus the frames before it there.
type sounds struct {
	anchor int64 // PTS that the present frames count from
	frames int64 // since then, in samples
	tail   []byte
}

// packet takes the payload of a PES packet. Without a time of its own it goes on.
func (f *sounds) packet(s *stream, data []byte, pts int64, timed bool) {
	switch s.codec {
	case codecAAC:
		f.adts(s, data, pts, timed)
	case codecOpus:
		f.opus(s, data, pts, timed)
	default:
		if timed && len(s.units) < maxUnits {
			s.add(unit{pts: pts}, pts, len(data))
		}
	}
}

// frame adds one frame of so many samples.
func (f *sounds) frame(s *stream, samples int64, data []byte) {
	rate := int64(max(s.SampleRate, 1))
	begin := f.anchor + f.frames*s.scale/rate
	f.frames += samples
	s.add(unit{pts: begin, duration: f.anchor + f.frames*s.scale/rate - begin}, begin, len(data))
	s.mark(data, begin)
}

// adts reads frames of AAC (14496-3, 1.A.2.2), which may go over packets' ends.
func (f *sounds) adts(s *stream, data []byte, pts int64, timed bool) {
	if len(f.tail) > 0 {
		data = f.finishTail(s, data)
	}
	if timed {
		f.anchor, f.frames = pts, 0
	}
	for len(data) > 0 && len(s.units) < maxUnits {
		at := adtsAt(data)
		data = data[at:]
		n := adtsLength(data)
		if n == 0 || n > len(data) {
			f.tail = append(f.tail[:0], data[:min(len(data), maxFrame)]...)
			return
		}
		s.adtsHeader(data)
		f.frame(s, samplesPerFrame*int64(data[6]&3+1), data[:n])
		data = data[n:]
	}
}

// maxFrame is what a frame's length can say: 13 bits.
const maxFrame = 1 << 13

// finishTail joins the frame that began in the packet before with its end, and
// gives what comes after it.
func (f *sounds) finishTail(s *stream, data []byte) []byte {
	had := len(f.tail)
	f.tail = append(f.tail, data[:min(len(data), maxFrame)]...)
	n := adtsLength(f.tail)
	switch {
	case len(f.tail) < adtsHeader || n > len(f.tail) && len(f.tail) < maxFrame: // still not whole
		return nil
	case n < had || n > len(f.tail): // no frame
		f.tail = f.tail[:0]
		return data
	}
	s.adtsHeader(f.tail)
	f.frame(s, samplesPerFrame*int64(f.tail[6]&3+1), f.tail[:n])
	f.tail = f.tail[:0]
	return data[n-had:]
}

// adtsAt finds the next frame: 12 bits of sync, layer 0.
func adtsAt(b []byte) int {
	for i := range len(b) - 1 {
		if b[i] == 0xff && b[i+1]&0xf6 == 0xf0 {
			return i
		}
	}
	return max(len(b)-1, 0)
}

// adtsLength is that of the frame at b's begin, 0 when it is none or cut off.
func adtsLength(b []byte) int {
	if len(b) < adtsHeader || b[0] != 0xff || b[1]&0xf6 != 0xf0 {
		return 0
	}
	n := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5])>>5
	if n < adtsHeader {
		return 0
	}
	return n
}

// adtsHeader takes the format from the first frame.
func (s *stream) adtsHeader(b []byte) {
	if s.SampleRate == 0 {
		s.Codec = aacString(b[2]>>6 + 1)
		s.SampleRate = samplingRate(b[2] >> 2 & 0xf)
		s.Channels = channelCount(b[2]&1<<2 | b[3]>>6)
	}
}

// opus reads access units behind their control headers (Opus in MPEG-TS, ETSI TS
// 103 420 names it; the form is that of libavformat).
func (f *sounds) opus(s *stream, data []byte, pts int64, timed bool) {
	if timed {
		f.anchor, f.frames = pts, 0
	}
	s.Codec, s.SampleRate = "opus", opusRate
	for len(data) > 3 && data[0] == 0x7f && data[1]&0xe0 == 0xe0 && len(s.units) < maxUnits {
		flags, size := data[1], 0
		data = data[2:]
		for len(data) > 0 {
			n := data[0]
			data = data[1:]
			if size += int(n); n < 255 {
				break
			}
		}
		if flags&0x10 != 0 { // start trim
			data = data[min(2, len(data)):]
		}
		if flags&0x08 != 0 { // end trim
			data = data[min(2, len(data)):]
		}
		if size == 0 || size > len(data) {
			return
		}
		f.frame(s, opusSamples(data[:size]), data[:size])
		data = data[size:]
	}
}

// opusSamples is how long a packet is at 48 kHz (RFC 6716 3.1).
func opusSamples(b []byte) int64 {
	var frame int64
	switch c := b[0] >> 3; {
	case c < 12: // SILK: 10, 20, 40, 60 ms
		frame = [...]int64{480, 960, 1920, 2880}[c&3]
	case c < 16: // hybrid: 10, 20 ms
		frame = 480 << (c & 1)
	default: // CELT: 2.5, 5, 10, 20 ms
		frame = 120 << (c & 3)
	}
	switch b[0] & 3 {
	case 0:
		return frame
	case 1, 2:
		return 2 * frame
	}
	if len(b) < 2 {
		return 0
	}
	return min(frame*int64(b[1]&0x3f), 5760) // at most 120 ms
}

// aacString is RFC 6381 3.3: the audio object type of MPEG-4 audio.
func aacString(objectType byte) string {
	const digits = "0123456789"
	if objectType < 10 {
		return "mp4a.40." + digits[objectType:objectType+1]
	}
	return "mp4a.40." + digits[objectType/10%10:objectType/10%10+1] + digits[objectType%10:objectType%10+1]
}

package media

const opusRate = 48000

// opus reads access units behind their control headers, as libavformat and others
// pack them (there is no standard of ISO for Opus in MPEG-TS).
func (f *sounds) opus(s *stream, data []byte, pts int64, timed bool) {
	if timed {
		f.anchor, f.samples = pts, 0
	}
	for len(data) > 2 && data[0] == 0x7f && data[1]&0xe0 == 0xe0 && len(s.units) < maxUnits {
		size, rest := opusSize(data)
		if size == 0 || size > len(rest) {
			return
		}
		f.frame(s, frameHeader{samples: opusSamples(rest[:size]), rate: opusRate, channels: s.Channels, codec: "opus"}, rest[:size])
		data = rest[size:]
	}
}

// opusSize reads a control header: the access unit's size, and what follows.
func opusSize(data []byte) (size int, rest []byte) {
	const startTrim, endTrim = 0x10, 0x08
	flags := data[1]
	for rest = data[2:]; len(rest) > 0; {
		n := rest[0]
		rest = rest[1:]
		if size += int(n); n < 0xff {
			break
		}
	}
	for _, trim := range [...]byte{startTrim, endTrim} {
		if flags&trim != 0 {
			rest = rest[min(2, len(rest)):]
		}
	}
	return size, rest
}

// opusSamples is how long a packet is at 48 kHz (RFC 6716 3.1 and 3.2).
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

package media

import "fmt"

// Where sample entries' own boxes begin (ISO/IEC 14496-12, 12.1.3 and 12.2.3).
const (
	visualEntry = 78
	audioEntry  = 28
)

// entry reads a sample entry (8.5.2): codec and format.
func (t *movieTrack) entry(b box, m *movie) error {
	if t.Codec != "" { // of several descriptions the first
		return nil
	}
	kind, inner := b.kind, 0
	switch t.Kind {
	case Video:
		if len(b.data) < visualEntry {
			return nil
		}
		t.size(int(b.data[24])<<8|int(b.data[25]), int(b.data[26])<<8|int(b.data[27]))
		inner = visualEntry
	case Audio:
		if len(b.data) < audioEntry {
			return nil
		}
		t.Channels = int(b.data[16])<<8 | int(b.data[17])
		t.SampleRate = int(be32(b.data[24:]) >> 16)
		inner = audioEntry
		if b.data[9] == 1 { // QuickTime's version 1
			inner += 16
		}
	default:
		t.Codec = printable([]byte(kind))
		return nil
	}
	boxes := b.data[min(inner, len(b.data)):]
	if kind == "encv" || kind == "enca" {
		m.encrypted = true
		kind = originalFormat(boxes)
	}
	t.codecOf(kind)
	return walk(boxes, func(b box) error {
		t.configuration(kind, b.kind, b.data)
		return nil
	})
}

// originalFormat is what an encrypted sample entry stands for (8.12.2).
func originalFormat(boxes []byte) (format string) {
	_ = walk(boxes, func(b box) error { // what is cut off here is reported by the walk over the same boxes
		if b.kind != "sinf" {
			return nil
		}
		return walk(b.data, func(b box) error {
			if b.kind == "frma" && len(b.data) >= 4 {
				format = string(b.data[:4])
			}
			return nil
		})
	})
	return format
}

// codecOf names a codec that needs no configuration to be named.
func (t *movieTrack) codecOf(kind string) {
	t.nalLength = 4
	switch kind {
	case "avc1", "avc3":
		t.codec = codecH264
	case "hvc1", "hev1":
		t.codec = codecH265
	case "mp4a": // by its esds
	case "Opus":
		t.Codec = "opus"
	default:
		t.Codec = printable([]byte(kind))
	}
}

// configuration reads the box that tells profile and level.
func (t *movieTrack) configuration(entry, kind string, b []byte) {
	switch {
	case kind == "avcC" && len(b) >= 5:
		t.Codec, t.nalLength = avcString(entry, b[1:4]), int(b[4]&3)+1
		t.config = b[:5] // the sizes of sample entry and parameter set are the same
	case kind == "hvcC" && len(b) >= 22:
		t.Codec, t.nalLength = hevcString(entry, b[1:]), int(b[21]&3)+1
		t.config = b[:22]
	case kind == "av1C" && len(b) >= 4:
		t.Codec = av1String(b)
	case kind == "vpcC" && len(b) >= 7:
		t.Codec = fmt.Sprintf("%s.%02d.%02d.%02d", printable([]byte(entry)), b[4], b[5], b[6]>>4)
	case kind == "esds" && len(b) >= 4:
		t.esds(b[4:])
	case kind == "dOps" && len(b) >= 2:
		t.Channels, t.SampleRate = int(b[1]), opusRate
	}
}

// esds reads the descriptors of MPEG-4 audio (ISO/IEC 14496-1, 7.2.6).
func (t *movieTrack) esds(b []byte) {
	const elementary, decoder, specific = 3, 4, 5
	for len(b) >= 2 {
		tag, size := b[0], 0
		for b = b[1:]; len(b) > 0; {
			c := b[0]
			b = b[1:]
			if size = size<<7 | int(c&0x7f); c&0x80 == 0 || size > maxInit {
				break
			}
		}
		switch {
		case tag == elementary && len(b) >= 3:
			b = b[3:] // within it
			continue
		case tag == decoder && len(b) >= 13:
			t.Codec = fmt.Sprintf("mp4a.%02x", b[0])
			b = b[13:]
			continue
		case tag == specific && t.Codec == "mp4a.40" && len(b) >= 2:
			t.audioConfig(b)
		}
		b = b[min(size, len(b)):]
	}
}

// audioConfig reads the head of an AudioSpecificConfig (14496-3, 1.6.2.1), of at
// least two bytes.
func (t *movieTrack) audioConfig(b []byte) {
	objectType, index, channels := b[0]>>3, b[0]&7<<1|b[1]>>7, b[1]>>3&0xf
	if objectType == 31 { // escaped: six more bits
		if len(b) < 3 {
			return
		}
		objectType, index, channels = 32+(b[0]&7<<3|b[1]>>5), b[1]>>1&0xf, b[1]&1<<3|b[2]>>5
	}
	t.Codec = aacString(objectType)
	if rate := samplingRate(index); rate > 0 {
		t.SampleRate = rate
		t.Channels = channelCount(channels)
	}
	if objectType == 5 || objectType == 29 { // the rate is that of the core; sound is at twice that
		t.SampleRate *= 2
	}
}

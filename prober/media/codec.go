package media

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h265"
)

// maxParameters bounds a parameter set that is read: bytes.
const maxParameters = 1024

// parameters reads a sequence parameter set. What cannot be read stays unknown:
// of a damaged one a decoder tells more than we do. The library is guarded, it is not ours.
func (s *stream) parameters(sps []byte) {
	defer func() { _ = recover() }()
	if len(sps) > maxParameters {
		return
	}
	switch s.codec {
	case codecH264:
		if len(sps) >= 4 {
			s.Codec = avcString("avc1", sps[1:4])
		}
		var p h264.SPS
		if p.Unmarshal(sps) == nil {
			s.size(p.Width(), p.Height())
		}
	case codecH265:
		if b := unescape(sps); len(b) >= 3+profileBytes {
			s.Codec = hevcString("hvc1", b[3:])
		}
		var p h265.SPS
		if p.Unmarshal(sps) == nil {
			s.size(p.Width(), p.Height())
		}
	default:
	}
}

// size keeps a picture's size, when it is one that a picture can have.
func (s *stream) size(width, height int) {
	const most = 1 << 15
	if width > 0 && height > 0 && width <= most && height <= most {
		s.Width, s.Height = width, height
	}
}

// avcString is RFC 6381 3.3: profile_idc, constraint flags and level_idc.
func avcString(entry string, b []byte) string {
	return fmt.Sprintf("%s.%02x%02x%02x", entry, b[0], b[1], b[2])
}

// profileBytes is the length of HEVC's general profile, tier and level.
const profileBytes = 12

// hevcString is ISO/IEC 14496-15, Annex E.3.
func hevcString(entry string, b []byte) string {
	var s strings.Builder
	s.WriteString(entry + ".")
	if space := b[0] >> 6; space > 0 {
		s.WriteByte('A' + space - 1)
	}
	tier := 'L'
	if b[0]&0x20 != 0 {
		tier = 'H'
	}
	fmt.Fprintf(&s, "%d.%X.%c%d", b[0]&0x1f, bits.Reverse32(be32(b[1:])), tier, b[11])
	constraints := b[5:11]
	for len(constraints) > 0 && constraints[len(constraints)-1] == 0 {
		constraints = constraints[:len(constraints)-1]
	}
	for _, c := range constraints {
		fmt.Fprintf(&s, ".%X", c)
	}
	return s.String()
}

// unescape takes out emulation prevention bytes (ISO/IEC 14496-10, 7.4.1).
func unescape(b []byte) []byte {
	clean, zeros := make([]byte, 0, len(b)), 0
	for _, c := range b {
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		if zeros++; c != 0 {
			zeros = 0
		}
		clean = append(clean, c)
	}
	return clean
}

// av1String is the AV1 ISOBMFF binding, section 5, of the first bytes of av1C.
func av1String(b []byte) string {
	tier, depth := 'M', 8
	if b[2]&0x80 != 0 {
		tier = 'H'
	}
	if b[2]&0x40 != 0 {
		depth = 10
		if b[2]&0x20 != 0 {
			depth = 12
		}
	}
	return fmt.Sprintf("av01.%d.%02d%c.%02d", b[1]>>5, b[1]&0x1f, tier, depth)
}

// samplingRate is the table of sampling frequency indices (14496-3, 1.6.3.4), 0
// where there is none.
func samplingRate(index byte) int {
	rates := [...]int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}
	if int(index) < len(rates) {
		return rates[index]
	}
	return 0
}

// channelCount is that of a channel configuration (14496-3, 1.6.3.5), 0 where the
// sound itself says it.
func channelCount(configuration byte) int {
	if configuration == 7 {
		return 8
	}
	if configuration < 7 {
		return int(configuration)
	}
	return 0
}

// aacString is RFC 6381 3.3: the audio object type of MPEG-4 audio.
func aacString(objectType byte) string {
	if objectType == 2 { // nearly always: spare making it
		return "mp4a.40.2"
	}
	return fmt.Sprintf("mp4a.40.%d", objectType)
}

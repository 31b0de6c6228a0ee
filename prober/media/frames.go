package media

import (
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/ac3"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/eac3"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg1audio"
)

// frameHeader is what the head of a frame of sound says.
type frameHeader struct {
	length   int // bytes, header included; 0: no frame
	samples  int64
	rate     int
	channels int
	codec    string
}

// headLength is how many bytes a frame's header needs at most.
const headLength = 8

// headOf reads the header of a frame of sound that begins here.
func headOf(c codec, b []byte) frameHeader {
	if len(b) < headLength {
		return frameHeader{}
	}
	switch c {
	case codecAAC:
		return adtsHead(b)
	case codecMP3:
		return mp3Head(b)
	case codecAC3:
		return ac3Head(b)
	default:
		return frameHeader{}
	}
}

// adtsHead reads ADTS (ISO/IEC 14496-3, 1.A.2.2).
func adtsHead(b []byte) frameHeader {
	const least, samplesPerBlock = 7, 1024
	n := int(b[3]&3)<<11 | int(b[4])<<3 | int(b[5])>>5
	if b[0] != 0xff || b[1]&0xf6 != 0xf0 || n < least {
		return frameHeader{}
	}
	return frameHeader{
		length: n, samples: samplesPerBlock * int64(b[6]&3+1),
		rate: samplingRate(b[2] >> 2 & 0xf), channels: channelCount(b[2]&1<<2 | b[3]>>6), codec: aacString(b[2]>>6 + 1),
	}
}

// mp3Head reads MPEG-1 and MPEG-2 audio (ISO/IEC 11172-3, 2.4.1.3).
func mp3Head(b []byte) frameHeader {
	var h mpeg1audio.FrameHeader
	if b[0] != 0xff || b[1]&0xe0 != 0xe0 || h.Unmarshal(b) != nil || h.FrameLen() < headLength {
		return frameHeader{}
	}
	channels := 2
	if h.ChannelMode == mpeg1audio.ChannelModeMono {
		channels = 1
	}
	return frameHeader{length: h.FrameLen(), samples: int64(h.SampleCount()), rate: h.SampleRate, channels: channels, codec: "mp4a.40.34"}
}

// ac3Head reads AC-3 and E-AC-3 (ETSI TS 102 366, 4.4 and E.1.3).
func ac3Head(b []byte) frameHeader {
	if b[0] != 0x0b || b[1] != 0x77 {
		return frameHeader{}
	}
	if b[5]>>3 > 10 { // bsid
		var e eac3.SyncInfo
		if e.Unmarshal(b) != nil {
			return frameHeader{}
		}
		return frameHeader{length: e.FrameSize(), samples: int64(e.NumBlocks()) * 256, rate: e.SampleRate(), channels: e.ChannelCount(), codec: "ec-3"}
	}
	var sync ac3.SyncInfo
	var info ac3.BSI
	if sync.Unmarshal(b) != nil || info.Unmarshal(b[5:]) != nil {
		return frameHeader{}
	}
	return frameHeader{length: sync.FrameSize(), samples: ac3.SamplesPerFrame, rate: sync.SampleRate(), channels: info.ChannelCount(), codec: "ac-3"}
}

package signal

import (
	_ "embed"
	"errors"
	"time"

	"streamcanary/prober"
)

// tone is 15 frames of AAC in ADTS. tone.sh makes it, and says why it has no seam.
//
//go:embed tone.aac
var tone string

const (
	sampleRate      = 48000
	channels        = 2
	samplesPerFrame = 1024
	adtsHeader      = 7
	aacTag          = 0xaf // FLV AUDIODATA: AAC; the rest is fixed for AAC
)

// aacConfig is the AudioSpecificConfig (ISO/IEC 14496-3, 1.6.2.1): AAC-LC (2),
// 48 kHz (index 3), two channels.
func aacConfig() []byte { return []byte{2<<3 | 3>>1, 3&1<<7 | channels<<3} }

// audioBodies gives the FLV bodies of the loop.
func audioBodies(adts string) ([][]byte, error) {
	var bodies [][]byte
	for len(adts) > 0 {
		if len(adts) < adtsHeader || adts[0] != 0xff || adts[1]&0xf7 != 0xf1 {
			return nil, errors.New("signal: the embedded sound is not ADTS without CRC; make it again with tone.sh")
		}
		n := int(adts[3]&3)<<11 | int(adts[4])<<3 | int(adts[5])>>5 // aac_frame_length (1.A.2.2)
		if n <= adtsHeader || n > len(adts) {
			return nil, errors.New("signal: the embedded sound is cut short; make it again with tone.sh")
		}
		bodies = append(bodies, append([]byte{aacTag, 1}, adts[adtsHeader:n]...))
		adts = adts[n:]
	}
	return bodies, nil
}

// Data stream elements (ISO/IEC 14496-3, 4.4.2.1 and 4.5.2.9) carry bytes that
// decoders skip. Where one has data_byte_align_flag set and begins a
// raw_data_block, it is whole bytes long, so that what follows stays as it was.
const (
	markerElement  = 0b100_0000_1 // id_syn_ele, element_instance_tag 0, data_byte_align_flag
	fillerElement  = 0b100_0001_1 // the same, tag 1
	shortElement   = 254          // most bytes that go without esc_count
	longElement    = 510          // most bytes of all
	markerEvery    = 5            // frames: about nine markers a second
	maxAudioFrame  = 2 * 6144 / 8 // a decoder's input buffer: 6144 bits a channel (4.5.3.1)
	audioTagHeader = 2            // SoundFormat and the rest, AACPacketType
	elementHeader  = 2            // without esc_count
)

// audio plays the loop by its own counter.
type audio struct {
	bodies [][]byte
	tag    prober.Tag
	seq    uint64
}

// dts is exact for years: the seconds are split off before anything can overflow.
func (a *audio) dts() time.Duration { return timestamp(a.seq*samplesPerFrame, sampleRate) }

// next appends the body of the next frame, made up to n bytes where it is shorter.
func (a *audio) next(dst []byte, clock time.Time, n int) []byte {
	body := a.bodies[a.seq%uint64(len(a.bodies))]
	dst = append(dst, body[:audioTagHeader]...)
	if a.seq%markerEvery == 0 {
		dst = append(dst, markerElement, prober.MarkerSize)
		dst = prober.Marker{Audio: true, Tag: a.tag, Seq: a.seq, Clock: clock}.Append(dst)
	}
	a.seq++
	body = body[audioTagHeader:]
	dst = appendElements(dst, min(n, maxAudioFrame+audioTagHeader)-len(dst)-len(body))
	return append(dst, body...)
}

// appendElements appends data stream elements of n bytes in all, or one less.
func appendElements(dst []byte, n int) []byte {
	for n >= elementHeader {
		at, room := len(dst), n-elementHeader
		if room <= shortElement {
			dst = append(dst, fillerElement, byte(room))
		} else {
			room = max(shortElement, min(room-1, longElement))
			if room == shortElement {
				dst = append(dst, fillerElement, shortElement)
			} else {
				dst = append(dst, fillerElement, 255, byte(room-255))
			}
		}
		for range room {
			dst = append(dst, 0xa5)
		}
		n -= len(dst) - at
	}
	return dst
}

// rate is the bits a second of the loop with its markers.
func (a *audio) rate() int {
	n := 0
	for _, b := range a.bodies {
		n += len(b)
	}
	n *= markerEvery
	n += len(a.bodies) * (elementHeader + prober.MarkerSize)
	return n * 8 * sampleRate / samplesPerFrame / len(a.bodies) / markerEvery
}

// timestamp is the time of a unit of which there are perSecond.
func timestamp(unit, perSecond uint64) time.Duration {
	s, rest := unit/perSecond, unit%perSecond
	return time.Duration(s)*time.Second + time.Duration(rest)*time.Second/time.Duration(perSecond) //nolint:gosec // 292 years
}

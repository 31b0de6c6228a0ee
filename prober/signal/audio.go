package signal

import (
	_ "embed"
	"errors"
	"time"
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

// audio plays the loop by its own counter.
type audio struct {
	bodies [][]byte
	seq    uint64
}

// dts is exact for years: the seconds are split off before anything can overflow.
func (a *audio) dts() time.Duration { return timestamp(a.seq*samplesPerFrame, sampleRate) }

func (a *audio) next() []byte {
	b := a.bodies[a.seq%uint64(len(a.bodies))]
	a.seq++
	return b
}

// rate is the loop's bits a second.
func (a *audio) rate() int {
	n := 0
	for _, b := range a.bodies {
		n += len(b)
	}
	return n * 8 * sampleRate / samplesPerFrame / len(a.bodies)
}

// timestamp is the time of a unit of which there are perSecond.
func timestamp(unit, perSecond uint64) time.Duration {
	s, rest := unit/perSecond, unit%perSecond
	return time.Duration(s)*time.Second + time.Duration(rest)*time.Second/time.Duration(perSecond) //nolint:gosec // 292 years
}

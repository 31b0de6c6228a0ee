package signal

import "time"

const (
	avcKeyframe = 1<<4 | 7 // FLV VIDEODATA: key frame, AVC
	avcInter    = 2<<4 | 7 // FLV VIDEODATA: inter frame, AVC
	videoHeader = 5        // frame and codec, packet type, composition time
	fillerFrame = 6        // a filler NAL unit without filler: length, header, trailing bits

	filler8  = "\xff\xff\xff\xff\xff\xff\xff\xff"
	filler64 = filler8 + filler8 + filler8 + filler8 + filler8 + filler8 + filler8 + filler8
	filler   = filler64 + filler64 + filler64 + filler64 // of ff_byte
)

// Next gives the next frame in the order of DTS; of two at the same time the
// picture comes first. clock goes into the marker of a frame, and is shown.
func (s *Source) Next(clock time.Time) Frame {
	if s.video == nil {
		return s.sound(s.audio.dts(), clock)
	}
	videoDTS := timestamp(s.video.seq, uint64(s.cfg.FPS)) //nolint:gosec // 1 to 120
	if s.audio != nil {
		if dts := s.audio.dts(); dts < videoDTS {
			return s.sound(dts, clock)
		}
	}
	return s.picture(videoDTS, clock)
}

// sound is padded only where there are no pictures to pad.
func (s *Source) sound(dts time.Duration, clock time.Time) Frame {
	room, alone := 0, s.video == nil
	if alone {
		s.owed += s.cfg.Bitrate * samplesPerFrame
		room = s.owed / s.owedPerByte()
	}
	b := s.audio.next(s.body[:0], clock, room)
	s.spend(len(b))
	s.body = b
	return Frame{Audio: true, Keyframe: alone, DTS: dts, Body: b}
}

func (s *Source) picture(dts time.Duration, clock time.Time) Frame {
	s.owed += s.cfg.Bitrate
	b, keyframe := s.video.next(append(s.body[:0], avcInter, 1, 0, 0, 0), clock)
	if keyframe {
		b[0] = avcKeyframe
	}
	b = appendFiller(b, s.owed/s.owedPerByte()-len(b))
	s.spend(len(b))
	s.body = b
	return Frame{Keyframe: keyframe, DTS: dts, Body: b}
}

// owedPerByte is the unit of owed: what one frame adds is a whole number then.
func (s *Source) owedPerByte() int {
	if s.video == nil {
		return 8 * sampleRate
	}
	return 8 * s.cfg.FPS
}

// spend books bytes against the rate.
func (s *Source) spend(n int) { s.owed -= n * s.owedPerByte() }

// appendFiller appends a filler data NAL unit (7.3.2.7) of n bytes in all,
// length included; nothing when there is no room for one.
func appendFiller(dst []byte, n int) []byte {
	if n < fillerFrame {
		return dst
	}
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0, nalFiller)
	for n -= fillerFrame; n > 0; n -= len(filler) {
		dst = append(dst, filler[:min(n, len(filler))]...)
	}
	dst = append(dst, 0x80)
	putLength(dst[at:])
	return dst
}

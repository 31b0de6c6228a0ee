package prober

import (
	"errors"
	"fmt"
	"time"
)

// Signal is what is broadcast to an ingest. What is zero has a default.
type Signal struct {
	Width    int           `json:"width,omitempty"`    // of the picture; with Height 0: 640
	Height   int           `json:"height,omitempty"`   // with Width 0: 360
	FPS      int           `json:"fps,omitempty"`      // pictures per second; 0: 30
	Keyframe time.Duration `json:"keyframe,omitempty"` // from keyframe to keyframe; 0: 1 s
	Bitrate  int           `json:"bitrate,omitempty"`  // bits per second, sound included; 0: by the size
	NoVideo  bool          `json:"no_video,omitempty"` // sound alone
	NoAudio  bool          `json:"no_audio,omitempty"` // pictures alone
}

// WithDefaults fills in what is zero.
func (s Signal) WithDefaults() Signal {
	if s.Width == 0 && s.Height == 0 {
		s.Width, s.Height = 640, 360
	}
	if s.FPS == 0 {
		s.FPS = 30
	}
	if s.Keyframe == 0 {
		s.Keyframe = time.Second
	}
	if s.Bitrate != 0 {
		return s
	}
	switch pixels := s.Width * s.Height; {
	case s.NoVideo:
		s.Bitrate = 96_000
	case pixels <= 640*360:
		s.Bitrate = 500_000
	case pixels <= 1280*720:
		s.Bitrate = 1_500_000
	default:
		s.Bitrate = 3_000_000
	}
	return s
}

// The least and the most that sound alone can be: AAC with markers, and the most that
// a decoder's buffer allows in stereo (ISO/IEC 14496-3, 4.5.3.1).
const (
	leastSound = 64_000
	mostSound  = 576_000
)

// mostBitrate is what H.264 level 4.2, that of 1080p60, allows.
const mostBitrate = 50_000_000

// LeastBitrate is what a signal needs so that its pictures fit in: a little above
// what was measured for sizes from 320x180 to 1920x1080.
func (s Signal) LeastBitrate() int {
	s = s.WithDefaults()
	if s.NoVideo {
		return leastSound
	}
	pixels := s.Width * s.Height
	perKeyframe := float64(pixels) / 7 / s.Keyframe.Seconds()
	return 130_000 + s.FPS*(4500+pixels/160) + int(perKeyframe)
}

// Check says which setting cannot be met, in words that go behind the setting's
// name: "width: has to be ...".
func (s Signal) Check() error {
	s = s.WithDefaults()
	switch {
	case s.NoVideo && s.NoAudio:
		return errors.New("video: is false, as is audio; want at least one of them")
	case s.NoVideo && s.Bitrate > mostSound:
		return fmt.Errorf("bitrate: is %d bits per second; sound alone takes %d to %d", s.Bitrate, leastSound, mostSound)
	case !s.NoVideo && (s.Width < 320 || s.Width > 1920 || s.Width%2 != 0):
		return fmt.Errorf("width: is %d; want an even number from 320 to 1920, and a height", s.Width)
	case !s.NoVideo && (s.Height < 176 || s.Height > 1080 || s.Height%2 != 0):
		return fmt.Errorf("height: is %d; want an even number from 176 to 1080, and a width", s.Height)
	case s.FPS < 10 || s.FPS > 60:
		return fmt.Errorf("fps: is %d; want 10 to 60 pictures per second", s.FPS)
	case s.Keyframe < 500*time.Millisecond || s.Keyframe > 10*time.Second:
		return fmt.Errorf("keyframe: is %s; want from 500ms to 10s", s.Keyframe)
	case s.Bitrate < s.LeastBitrate():
		return fmt.Errorf("bitrate: is %d bits per second; this broadcast needs at least %d", s.Bitrate, s.LeastBitrate())
	case s.Bitrate > mostBitrate:
		return fmt.Errorf("bitrate: is %d bits per second; want at most %d", s.Bitrate, mostBitrate)
	}
	return nil
}

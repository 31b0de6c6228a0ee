package config

import (
	"strings"

	"streamcanary/prober"
)

// signal is what is broadcast to a target's ingests.
func (c *checker) signal(at string, f *signalFile) prober.Signal {
	if f == nil {
		return prober.Signal{}
	}
	for key, v := range map[string]int64{
		"width": int64(f.Width), "height": int64(f.Height), "fps": int64(f.FPS), "bitrate": int64(f.Bitrate), "keyframe": int64(f.Keyframe),
	} {
		if v <= 0 && c.present(at+"."+key) { // what is not there is zero, too
			c.addf(at+"."+key, "is 0 or less; leave it out for the default")
			return prober.Signal{}
		}
	}
	s := prober.Signal{Width: f.Width, Height: f.Height, FPS: f.FPS, Keyframe: f.Keyframe, Bitrate: f.Bitrate,
		NoAudio: f.Audio != nil && !*f.Audio, NoVideo: f.Video != nil && !*f.Video}
	if err := s.Check(); err != nil {
		key, words, _ := strings.Cut(err.Error(), ": ")
		c.addf(at+"."+key, "%s", words)
	}
	return s
}

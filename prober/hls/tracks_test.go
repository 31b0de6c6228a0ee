package hls

import (
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober/media"
)

// Sound that was pushed and does not come is missed, also where no playlist
// promises it.
func TestFollowerMissesSound(t *testing.T) {
	t.Parallel()
	mute := func(segment, init []byte) (media.Summary, error) {
		s, err := testInspect(segment, init)
		s.HasAudio, s.Tracks = false, s.Tracks[:1]
		return s, err
	}
	for _, tt := range []struct {
		pushed bool
		want   string
	}{{true, "media/audio_missing"}, {false, "good"}} {
		synctest.Test(t, func(t *testing.T) {
			o := newOrigin()
			pass(9 * time.Second)
			end := last(t, o, Config{Inspect: mute, Video: true, Audio: tt.pushed}, 5*time.Second)
			if end.verdict() != tt.want || !end.Playing {
				t.Errorf("pushed %v: %s by %q, %+v", tt.pushed, end.verdict(), end.Proof, end.Failure)
			}
		})
	}
}

// The kinds of codecs that CODECS may name (RFC 6381).
func TestTracksOf(t *testing.T) {
	t.Parallel()
	for codecs, want := range map[string][2]bool{
		"": {}, "avc1.64001f,mp4a.40.2": {true, true}, "mp3": {false, true}, "mhm1.0x0D": {false, true}, "dtsc": {false, true},
		"flac": {false, true}, "fLaC": {false, true}, "wvtt": {}, "hvc1.1.6.L93.B0": {true, false}, "new1": {true, false},
	} {
		if video, audio := tracksOf(codecs); [2]bool{video, audio} != want {
			t.Errorf("%q: video %t, audio %t", codecs, video, audio)
		}
	}
}

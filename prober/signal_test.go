package prober_test

import (
	"testing"
	"time"

	"streamcanary/prober"
)

func TestSignalCheck(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		signal prober.Signal
		want   string
	}{
		{signal: prober.Signal{}},
		{signal: prober.Signal{Width: 1920, Height: 1080, FPS: 60}},
		{signal: prober.Signal{NoVideo: true}},
		{signal: prober.Signal{NoAudio: true, Width: 1280, Height: 720, FPS: 25, Keyframe: 2 * time.Second}},
		{prober.Signal{NoVideo: true, NoAudio: true}, "video: is false, as is audio; want at least one of them"},
		{prober.Signal{NoVideo: true, Bitrate: 10_000}, "bitrate: is 10000 bits per second; this broadcast needs at least 64000"},
		{prober.Signal{NoVideo: true, Bitrate: 1_000_000}, "bitrate: is 1000000 bits per second; sound alone takes 64000 to 576000"},
		{prober.Signal{Width: 641, Height: 360}, "width: is 641; want an even number from 320 to 1920, and a height"},
		{prober.Signal{Width: 640}, "height: is 0; want an even number from 176 to 1080, and a width"},
		{prober.Signal{FPS: 120}, "fps: is 120; want 10 to 60 pictures per second"},
		{prober.Signal{Keyframe: time.Millisecond}, "keyframe: is 1ms; want from 500ms to 10s"},
		{prober.Signal{Width: 1280, Height: 720, Bitrate: 200_000}, "bitrate: is 200000 bits per second; this broadcast needs at least 569457"},
		{prober.Signal{Bitrate: 60_000_000}, "bitrate: is 60000000 bits per second; want at most 50000000"},
	} {
		got := ""
		if err := tt.signal.Check(); err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("%+v:\n got %q\nwant %q", tt.signal, got, tt.want)
		}
	}
}

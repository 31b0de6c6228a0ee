package signal

import (
	"fmt"
	"math"
	"testing"
	"time"

	"streamcanary/prober"
)

// sizes are the broadcasts that are promised: each picture at each frame rate and
// each keyframe interval, at a rate that is usual for it.
func sizes() []Config {
	var all []Config
	for _, size := range []struct{ width, height, bitrate int }{
		{640, 360, 1_000_000}, {1280, 720, 3_000_000}, {1920, 1080, 6_000_000},
	} {
		for _, fps := range []int{25, 30, 60} {
			for _, keyframe := range []time.Duration{time.Second, 2 * time.Second} {
				all = append(all, Config{Run: "r", Label: "Frankfurt", Width: size.width, Height: size.height,
					FPS: fps, Keyframe: keyframe, Bitrate: size.bitrate})
			}
		}
	}
	return all
}

// TestEverySizeDecodes lets ffmpeg decode a short run of each, up to the picture
// behind the second keyframe, without a warning, and reads each tenth picture.
func TestEverySizeDecodes(t *testing.T) {
	t.Parallel()
	for _, cfg := range sizes() {
		t.Run(sizeName(cfg), func(t *testing.T) {
			t.Parallel()
			s, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			file := append(s.Headers(), frames(s, cfg.Keyframe+200*time.Millisecond)...)
			raw := run(t, flv(file), "ffmpeg", loud("-threads", "1", "-map", "0:v", "-vf", `select=not(mod(n\,10)),scale=320:180:flags=area,format=gray`,
				"-fps_mode", "passthrough", "-an", "-f", "rawvideo", "pipe:1", "-map", "0:a", "-f", "null", "-")...)
			for i, p := range greys(t, raw, 320, 180) {
				b, err := prober.ReadBarcode(p)
				if err != nil || int(b.Seq) != 10*i || !b.Matches(prober.RunTag("r")) {
					t.Fatalf("picture %d: barcode reads %+v, %v", 10*i, b, err)
				}
			}
		})
	}
}

// TestBitrateOfEverySize adds up all tag bodies: over a minute for each size, over
// six seconds for the other frame rates and keyframe intervals.
func TestBitrateOfEverySize(t *testing.T) {
	t.Parallel()
	for _, cfg := range append(sizes(), Config{NoAudio: true}) {
		cfg = cfg.withDefaults()
		t.Run(fmt.Sprint(sizeName(cfg), ", sound ", !cfg.NoAudio), func(t *testing.T) {
			t.Parallel()
			s, err := New(cfg)
			if err != nil {
				t.Fatal(err)
			}
			length := 6 * time.Second
			if cfg.FPS == 25 && cfg.Keyframe == time.Second || cfg.NoAudio {
				length = time.Minute
			}
			bytes, clock := 0, started()
			for {
				f := s.Next(clock)
				if f.DTS >= length {
					break
				}
				clock = started().Add(f.DTS)
				bytes += len(f.Body)
			}
			rate := float64(bytes) * 8 / length.Seconds()
			if math.Abs(rate/float64(cfg.Bitrate)-1) > .01 {
				t.Errorf("%.0f bit/s, want %d within 1 %%", rate, cfg.Bitrate)
			}
		})
	}
}

func TestPicturesAlone(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Run: "r", NoAudio: true})
	if err != nil {
		t.Fatal(err)
	}
	if m := s.Metadata(); len(s.Headers()) != 1 || m.AudioCodec != 0 || m.AudioBitrate != 0 || m.VideoBitrate != 500_000 {
		t.Errorf("%d headers, metadata %+v", len(s.Headers()), m)
	}
	pictures := decoded(t, flv(append(s.Headers(), frames(s, time.Second)...)), 640, 360)
	if len(pictures) != 30 {
		t.Errorf("%d pictures, want 30", len(pictures))
	}
}

// TestLeastBitrateIsEnough holds the leaf's bound against what pictures really need.
func TestLeastBitrateIsEnough(t *testing.T) {
	t.Parallel()
	for _, size := range [][2]int{{320, 176}, {426, 240}, {640, 360}, {854, 480}, {1000, 302}, {1280, 720}, {1920, 1080}, {720, 1080}} {
		for _, fps := range []int{10, 25, 60} {
			for _, keyframe := range []time.Duration{500 * time.Millisecond, 2 * time.Second} {
				like := prober.Signal{Width: size[0], Height: size[1], FPS: fps, Keyframe: keyframe}
				cfg := Config{Run: "r", Label: "Frankfurt", Width: size[0], Height: size[1], FPS: fps, Keyframe: keyframe, Bitrate: like.LeastBitrate()}
				if _, err := New(cfg); err != nil {
					t.Error(err)
				}
			}
		}
	}
	if _, err := New(Config{NoVideo: true, Bitrate: prober.Signal{NoVideo: true}.LeastBitrate()}); err != nil {
		t.Error(err)
	}
}

package signal

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"streamcanary/prober"
)

// TestSoundIsACleanToneWithoutSeam decodes twelve rounds of the loop and takes
// the best fitting 1 kHz tone away: what is left is noise. The same measurement
// of a loop that is a frame short shows that a seam would be heard.
func TestSoundIsACleanToneWithoutSeam(t *testing.T) {
	t.Parallel()
	bodies, err := audioBodies(tone)
	if err != nil {
		t.Fatal(err)
	}
	if len(bodies) != 15 {
		t.Errorf("%d frames in the loop, tone.sh makes 15", len(bodies))
	}
	level, rest := measure(t, bodies)
	if level < -22 || level > -20 {
		t.Errorf("the tone is at %.1f dBFS, want -21 or so", level)
	}
	if rest > level-60 {
		t.Errorf("beside the tone (%.1f dBFS) there is noise of %.1f dBFS at its worst, want 60 dB below", level, rest)
	}
	if _, rest := measure(t, bodies[:14]); rest < level-20 {
		t.Errorf("a loop that is cut at the wrong place leaves only %.1f dBFS: the measurement hears no seam", rest)
	}
}

// measure gives the level of the 1 kHz tone of a loop, and the highest level of
// all else within any 5 ms, both in dBFS.
func measure(t *testing.T, loop [][]byte) (level, rest float64) {
	t.Helper()
	file := []Frame{{Audio: true, Body: append([]byte{aacTag, 0}, aacConfig()...)}}
	a := audio{bodies: loop}
	for range 12 * 15 {
		file = append(file, Frame{Audio: true, DTS: a.dts(), Body: a.next(nil, started(), 0)})
	}
	raw := run(t, flv(file), "ffmpeg", strict("-ac", "1", "-f", "s16le", "pipe:1")...)
	samples := make([]float64, len(raw)/2)
	for i := range samples {
		samples[i] = float64(int16(binary.LittleEndian.Uint16(raw[2*i:]))) / 32768
	}
	samples = samples[4800:] // the decoder needs a frame to begin
	samples = samples[:len(samples)/48*48]
	var s, c float64
	for i, v := range samples {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 48)
		s, c = s+v*sin, c+v*cos
	}
	s, c = 2*s/float64(len(samples)), 2*c/float64(len(samples))
	worst, window := 0.0, 0.0
	for i, v := range samples {
		sin, cos := math.Sincos(2 * math.Pi * float64(i) / 48)
		left := v - s*sin - c*cos
		window += left * left
		if i%240 == 239 {
			worst, window = max(worst, window/240), 0
		}
	}
	return 10 * math.Log10(s*s+c*c), 10 * math.Log10(2*worst)
}

func TestSoundThatIsNotADTSIsNamed(t *testing.T) {
	t.Parallel()
	for want, adts := range map[string]string{
		"signal: the embedded sound is not ADTS without CRC; make it again with tone.sh": "RIFF1234567",
		"signal: the embedded sound is cut short; make it again with tone.sh":            tone[:300],
	} {
		if _, err := audioBodies(adts); err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestRateOfTheSound(t *testing.T) {
	t.Parallel()
	s, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	bits := 0
	for _, f := range frames(s, 3200*time.Millisecond) {
		if f.Audio {
			bits += 8 * len(f.Body)
		}
	}
	if got, want := s.Metadata().AudioBitrate, bits*10/32; got != want {
		t.Errorf("metadata say %d bit/s, the bodies have %d", got, want)
	}
	if m := s.Metadata(); m.VideoBitrate+m.AudioBitrate != 500_000 {
		t.Errorf("%d of video and %d of audio are not the 500000 of the configuration", m.VideoBitrate, m.AudioBitrate)
	}
}

func TestEveryFifthFrameOfSoundCarriesAMarker(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Run: "some run"})
	if err != nil {
		t.Fatal(err)
	}
	seq := uint64(0)
	for i := range 300 {
		clock := started().Add(time.Duration(i) * 7 * time.Millisecond)
		f := s.Next(clock)
		if !f.Audio {
			continue
		}
		got := prober.FindMarkers(f.Body, 0)
		want := prober.Marker{Audio: true, Tag: prober.RunTag("some run"), Seq: seq, Clock: clock}
		if seq%5 == 0 && (len(got) != 1 || got[0] != want) || seq%5 != 0 && len(got) > 0 {
			t.Fatalf("frame %d: markers %+v, want every fifth with %+v", seq, got, want)
		}
		seq++
	}
}

// TestSoundAlone is decoded at rates from the least to the most that AAC allows,
// and is the same tone as ever.
func TestSoundAlone(t *testing.T) {
	t.Parallel()
	for _, bitrate := range []int{0, 72_000, 128_000, 320_000, 576_000} {
		cfg := Config{Run: "r", NoVideo: true, Bitrate: bitrate}.withDefaults()
		s, err := New(cfg)
		if err != nil {
			t.Fatal(err)
		}
		if len(s.Headers()) != 1 || s.Metadata() != (Metadata{AudioBitrate: cfg.Bitrate, AudioCodec: 10, AudioSampleRate: 48000, AudioChannels: 2}) {
			t.Errorf("%d bit/s: %d headers, metadata %+v", cfg.Bitrate, len(s.Headers()), s.Metadata())
		}
		all := frames(s, time.Minute)
		bits, markers := 0, 0
		for _, f := range all {
			bits += 8 * len(f.Body)
			markers += len(prober.FindMarkers(f.Body, 0))
			if !f.Audio || !f.Keyframe || len(f.Body) > 1538 {
				t.Fatalf("%d bit/s: frame %+v", cfg.Bitrate, f)
			}
		}
		if rate := float64(bits) / 60; math.Abs(rate/float64(cfg.Bitrate)-1) > .01 {
			t.Errorf("%.0f bit/s over a minute, want %d within 1 %%", rate, cfg.Bitrate)
		}
		if want := (len(all) + 4) / 5; markers != want {
			t.Errorf("%d bit/s: %d markers in %d frames, want %d", cfg.Bitrate, markers, len(all), want)
		}
		file := flv(append(s.Headers(), all[:100]...))
		pcm := run(t, file, "ffmpeg", loud("-f", "s16le", "pipe:1")...)
		if n := len(pcm) / 4 / 1024; n != 100 {
			t.Errorf("%d bit/s: %d frames decoded of 100", cfg.Bitrate, n)
		}
	}
}

func TestFillerOfSoundIsAsLongAsItCanBe(t *testing.T) {
	t.Parallel()
	for n := range 2000 {
		got := len(appendElements(nil, n))
		if missing := n - got; missing < 0 || missing > 1 {
			t.Errorf("%d bytes of room: %d are filled", n, got)
		}
	}
}

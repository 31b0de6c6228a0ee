package signal

import (
	"encoding/binary"
	"math"
	"testing"
	"time"
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
		file = append(file, Frame{Audio: true, DTS: a.dts(), Body: a.next()})
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

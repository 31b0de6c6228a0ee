package signal

import (
	"bytes"
	"math"
	"sync"
	"testing"
	"time"

	"streamcanary/prober"
)

func configs() []Config {
	return []Config{
		{Run: "a", Label: "Frankfurt"},
		{Run: "b", Label: "New York", Width: 640, Height: 360, FPS: 25, Keyframe: 2 * time.Second},
		{Run: "c", Label: "Singapore", Width: 320, Height: 180, FPS: 30, Keyframe: time.Second, Bitrate: 200_000},
		{Run: "d", Label: "a label that is far too long for the picture", Width: 320, Height: 180, FPS: 60},
		{Run: "e", Label: "São Paulo", Width: 1280, Height: 720, FPS: 60, Keyframe: time.Second, Bitrate: 3_000_000},
		{Run: "f", Width: 854, Height: 480, FPS: 24, Keyframe: 500 * time.Millisecond, Bitrate: 1_000_000},
	}
}

func TestEveryPictureCarriesOneMarkerOfItsFrame(t *testing.T) {
	t.Parallel()
	s, err := New(Config{Run: "some run"})
	if err != nil {
		t.Fatal(err)
	}
	seq := uint64(0)
	for range 300 {
		clock := started().Add(time.Duration(seq) * 7 * time.Millisecond)
		f := s.Next(clock)
		if f.Audio {
			continue
		}
		got := prober.FindMarkers(f.Body, 0)
		want := prober.Marker{Tag: prober.RunTag("some run"), Seq: seq, Clock: clock}
		if len(got) != 1 || got[0] != want {
			t.Fatalf("frame %d: markers %+v, want only %+v", seq, got, want)
		}
		nals := split(t, f.Body[videoHeader:])
		sei := want.Append([]byte{nalSEI, 5, prober.MarkerSize})
		if !bytes.Equal(nals[0], append(sei, 0x80)) {
			t.Fatalf("frame %d: first NAL unit %x, want the SEI message %x", seq, nals[0], sei)
		}
		seq++
	}
}

// split takes NAL units with lengths apart.
func split(t *testing.T, b []byte) [][]byte {
	t.Helper()
	var nals [][]byte
	for len(b) > 0 {
		n := int(b[0])<<24 | int(b[1])<<16 | int(b[2])<<8 | int(b[3])
		if n < 1 || n > len(b)-4 {
			t.Fatalf("NAL unit of %d bytes, %d are left", n, len(b)-4)
		}
		nals = append(nals, b[4:4+n])
		b = b[4+n:]
	}
	return nals
}

func TestBitrateIsAsConfigured(t *testing.T) {
	t.Parallel()
	for _, cfg := range configs() {
		t.Run(sizeName(cfg.withDefaults()), func(t *testing.T) {
			t.Parallel()
			const seconds = 6
			var total float64
			perSecond := make([]float64, seconds)
			for _, f := range broadcast(t, cfg, seconds*time.Second) {
				total += float64(len(f.Body)) * 8
				perSecond[int(f.DTS/time.Second)] += float64(len(f.Body)) * 8
			}
			want := float64(cfg.withDefaults().Bitrate)
			if got := total / seconds; math.Abs(got/want-1) > .01 {
				t.Errorf("%.0f bit/s on average, want %.0f within 1 %%", got, want)
			}
			for i, got := range perSecond[1:] {
				if math.Abs(got/want-1) > .25 {
					t.Errorf("second %d has %.0f bits, want %.0f within 25 %%", i+1, got, want)
				}
			}
		})
	}
}

func TestSoundAndPicturesKeepTheirOwnExactTime(t *testing.T) {
	t.Parallel()
	s, err := New(Config{FPS: 30})
	if err != nil {
		t.Fatal(err)
	}
	var pictures, sounds uint64
	last := time.Duration(0)
	for range 4_000 {
		f := s.Next(started())
		want := timestamp(pictures, 30)
		if f.Audio {
			want = timestamp(sounds*1024, 48000)
			sounds++
		} else {
			if key := pictures%30 == 0; f.Keyframe != key {
				t.Fatalf("picture %d: keyframe %v, want %v", pictures, f.Keyframe, key)
			}
			pictures++
		}
		if f.DTS != want || f.DTS < last {
			t.Fatalf("DTS %v after %v, want %v", f.DTS, last, want)
		}
		last = f.DTS
	}
	if ahead := timestamp(pictures, 30) - timestamp(sounds*1024, 48000); ahead.Abs() > 40*time.Millisecond {
		t.Errorf("after %v pictures are %v ahead of the sound", last, ahead)
	}
}

func TestTimestampsStayExactForYears(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	seconds := uint64(10 * year / time.Second)
	if got := timestamp(seconds*30+1, 30); got != 10*year+time.Second/30 {
		t.Errorf("picture after ten years at %v", got)
	}
	if got := timestamp(seconds*48000+24000, 48000); got != 10*year+time.Second/2 {
		t.Errorf("sound after ten years at %v", got)
	}
}

// TestSourcesShareNothing runs several at once: whatever they shared, the race
// detector or a difference would show.
func TestSourcesShareNothing(t *testing.T) {
	t.Parallel()
	files := make([][]byte, 8)
	var all sync.WaitGroup
	for i := range files {
		s, err := New(Config{Run: "r", Label: "Frankfurt"})
		if err != nil {
			t.Fatal(err)
		}
		all.Go(func() { files[i] = flv(frames(s, 2*time.Second)) })
	}
	all.Wait()
	for i, file := range files[1:] {
		if !bytes.Equal(file, files[0]) {
			t.Errorf("source %d of the same configuration differs from the first", i+1)
		}
	}
}

func TestLabelLosesItsMarksOnly(t *testing.T) {
	t.Parallel()
	if got := string(letters("São Paulo, Zürich, Kraków")); got != "Sao Paulo, Zurich, Krakow" {
		t.Errorf("got %q", got)
	}
}

func TestNewNamesWhatCannotBeMet(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]Config{
		"signal: 641x360: width and height have to be even and at least 288x176":                                {Width: 641, Height: 360},
		"signal: 160x90: width and height have to be even and at least 288x176":                                 {Width: 160, Height: 90},
		"signal: 640x0: width and height have to be even and at least 288x176":                                  {Width: 640},
		"signal: -1 frames per second: has to be 1 to 120":                                                      {FPS: -1},
		"signal: neither pictures nor sound; want at least one of them":                                         {NoVideo: true, NoAudio: true},
		"signal: sound needs 57000 bit/s, more than the 20000 asked for":                                        {NoVideo: true, Bitrate: 20_000},
		"signal: sound alone at 600000 bit/s: AAC in stereo allows at most 576000":                              {NoVideo: true, Bitrate: 600_000},
		"signal: keyframe interval 1ms: has to be 0.1 to 10 s":                                                  {Keyframe: time.Millisecond},
		"signal: 7680x4320 at 30 fps and 3000000 bit/s is beyond H.264 level 5.1; choose less of one":           {Width: 7680, Height: 4320},
		"signal: 640x360 at 30 fps with a keyframe every 1s needs 266000 bit/s, more than the 100000 asked for": {Bitrate: 100_000},
	} {
		_, err := New(cfg)
		if err == nil || err.Error() != want {
			t.Errorf("%+v:\n got %v\nwant %s", cfg, err, want)
		}
	}
}

func TestNextDoesNotAllocate(t *testing.T) { //nolint:paralleltest // it counts the allocations of the process
	s, err := New(Config{Label: "Frankfurt"})
	if err != nil {
		t.Fatal(err)
	}
	frames(s, 2*time.Second)
	clock := started()
	if n := testing.AllocsPerRun(500, func() { s.Next(clock); clock = clock.Add(13 * time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func BenchmarkNew(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(Config{Run: "r", Label: "Frankfurt"}); err != nil {
			b.Fatal(err)
		}
	}
}

package origin

import (
	"bytes"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts"
	"github.com/bluenviron/mediacommon/v2/pkg/formats/mpegts/codecs"

	"streamcanary/prober"
)

// aSegment is one of the muxer's, with markers, and with timestamps as it is read.
func aSegment(tb testing.TB) []byte {
	tb.Helper()
	o := start(tb, 1, Config{})[0]
	c := mustPublish(tb, o, "show")
	c.push(4)
	var segment []byte
	eventually(tb, "a segment", func() error {
		_, segments, err := playlist(tb, o, "show")
		if err != nil {
			return err
		}
		segment, err = fetch(tb, segments[0])
		return err
	})
	return segment
}

// reading is what a reader finds in a segment.
type reading struct {
	tracks, video, audio int
	first                int64 // PTS of the first picture
	keyframe             bool  // of the first picture
	errors               int
}

func read(segment []byte) (reading, error) {
	var got reading
	r := &mpegts.Reader{R: bytes.NewReader(segment)}
	if err := r.Initialize(); err != nil {
		return got, err
	}
	r.OnDecodeError(func(error) { got.errors++ })
	got.tracks = len(r.Tracks())
	for _, track := range r.Tracks() {
		switch track.Codec.(type) {
		case *codecs.H264:
			r.OnDataH264(track, func(pts, _ int64, au [][]byte) error {
				if got.video == 0 {
					got.first = pts
					for _, nalu := range au {
						got.keyframe = got.keyframe || nalu[0]&naluTypeMask == 5
					}
				}
				got.video++
				return nil
			})
		case *codecs.MPEG4Audio:
			r.OnDataMPEG4Audio(track, func(_ int64, aus [][]byte) error {
				got.audio += len(aus)
				return nil
			})
		}
	}
	for r.Read() == nil { //nolint:revive // until its end
	}
	return got, nil
}

// TestSegmentsAreChanged has another library read what was changed.
func TestSegmentsAreChanged(t *testing.T) {
	t.Parallel()
	whole := aSegment(t)
	was, err := read(whole)
	if err != nil || was.tracks != 2 || was.video < testFPS-1 || was.audio < testFPS-1 || !was.keyframe || was.errors > 0 {
		t.Fatalf("%+v, %v", was, err)
	}
	for _, of := range []struct {
		name   string
		change func([]byte) ([]byte, error)
		want   func(reading) bool
	}{
		{"no video", func(b []byte) ([]byte, error) { return withoutTrack(b, streamTypeH264) },
			func(r reading) bool { return r.tracks == 1 && r.video == 0 && r.audio == was.audio && r.errors == 0 }},
		{"no audio", func(b []byte) ([]byte, error) { return withoutTrack(b, streamTypeAAC) },
			func(r reading) bool { return r.tracks == 1 && r.video == was.video && r.audio == 0 && r.errors == 0 }},
		{"later", func(b []byte) ([]byte, error) { return b, shiftTimes(b, 20*clockRate) },
			func(r reading) bool {
				return r.first == was.first+20*clockRate && r.video == was.video && r.errors == 0
			}},
		{"around the wrap", func(b []byte) ([]byte, error) { return b, shiftTimes(b, timestamps-clockRate) },
			func(r reading) bool { return r.first == was.first-clockRate && r.errors == 0 }},
		{"no keyframe", func(b []byte) ([]byte, error) { return b, demoteKeyframe(b) },
			func(r reading) bool { return !r.keyframe && r.video == was.video && r.errors == 0 }},
	} {
		changed, err := of.change(bytes.Clone(whole))
		if err != nil {
			t.Errorf("%s: %v", of.name, err)
			continue
		}
		got, err := read(changed)
		if err != nil || !of.want(got) {
			t.Errorf("%s: %+v, %v; was %+v", of.name, got, err, was)
		}
	}
	if lost, err := loseVideoPacket(bytes.Clone(whole)); err != nil || len(lost) != len(whole)-packetSize {
		t.Errorf("a lost packet: %d bytes of %d, %v", len(lost), len(whole), err)
	}
}

// FuzzTS wants neither a panic nor a segment that grows.
func FuzzTS(f *testing.F) {
	f.Add(bytes.Repeat([]byte{syncByte, 0x40, 0, 0x30, 0xff}, 376)[:packetSize])
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, streamType := range []byte{streamTypeAAC, streamTypeH264} {
			if out, err := withoutTrack(bytes.Clone(b), streamType); err == nil && len(out) > len(b) {
				t.Fatalf("%d bytes of %d", len(out), len(b))
			}
		}
		_ = shiftTimes(bytes.Clone(b), 1)
		_ = demoteKeyframe(bytes.Clone(b))
		_, _ = loseVideoPacket(bytes.Clone(b))
	})
}

// TestPaintedPictures has ffmpeg look at what is painted.
func TestPaintedPictures(t *testing.T) {
	t.Parallel()
	ffmpeg := program(t, "ffmpeg")
	for _, of := range []struct{ fault, filter, want string }{
		{"black-picture", "blackdetect=d=0.5", "black_duration:"},
		{"frozen-picture", "freezedetect=n=0.0001:d=0.5", "freeze_start"},
	} {
		t.Run(of.fault, func(t *testing.T) {
			t.Parallel()
			o := start(t, 1, Config{})[0]
			pushSignal(t, o, "show")
			eventually(t, "playback", func() error { return plays(t, o, "show", "run") })
			within(t, o, of.fault)
			eventually(t, "unmarked", func() error {
				_, segments, err := playlist(t, o, "show")
				if err != nil {
					return err
				}
				segment, err := fetch(t, segments[len(segments)-1])
				ofPicture := func(m prober.Marker) bool { return !m.Audio } // the sound is passed through
				if err != nil || slices.ContainsFunc(prober.FindMarkers(segment, 0), ofPicture) {
					return fmt.Errorf("still marked, %w", err)
				}
				look := exec.CommandContext(t.Context(), ffmpeg, "-v", "info", "-i", "-", "-vf", of.filter, "-f", "null", "-")
				look.Stdin = bytes.NewReader(segment)
				said, err := look.CombinedOutput()
				if err != nil || !strings.Contains(string(said), of.want) || strings.Contains(string(said), "error while decoding") {
					t.Fatalf("ffmpeg, %v:\n%s", err, said)
				}
				return nil
			})
		})
	}
}

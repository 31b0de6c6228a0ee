package media

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// ffmpegMakes runs ffmpeg on 3 s of picture and sound, and gives the file that it
// makes.
func ffmpegMakes(t *testing.T, file string, args ...string) []byte {
	t.Helper()
	needTool(t, "ffmpeg")
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all := []string{"-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x96:rate=25:duration=3", "-f", "lavfi", "-i", "sine=sample_rate=48000:duration=3", "-threads", "1", "-pix_fmt", "yuv420p"}
	cmd := exec.CommandContext(ctx, "ffmpeg", append(append(all, args...), file)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	b, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// id3Of is the tag before packed audio.
func id3Of(pts uint64) []byte {
	value := append([]byte(timestampOwner), byte(pts>>56), byte(pts>>48), byte(pts>>40), byte(pts>>32), byte(pts>>24), byte(pts>>16), byte(pts>>8), byte(pts))
	n := byte(len(value))
	frame := append([]byte{'P', 'R', 'I', 'V', 0, 0, 0, n, 0, 0}, value...)
	return append([]byte{'I', 'D', '3', 4, 0, 0, 0, 0, 0, n + 10}, frame...)
}

func TestPackedAudio(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, codec string
		args        []string
	}{
		{"a.aac", "mp4a.40.2", []string{"-c:a", "aac", "-f", "adts"}},
		{"a.mp3", "mp4a.40.34", []string{"-c:a", "libmp3lame", "-write_xing", "0", "-id3v2_version", "0"}},
		{"a.ac3", "ac-3", []string{"-c:a", "ac3"}},
		{"a.eac3", "ec-3", []string{"-c:a", "eac3"}},
	} {
		t.Run(c.codec, func(t *testing.T) {
			t.Parallel()
			sound := ffmpegMakes(t, c.file, append([]string{"-map", "1:a"}, c.args...)...)
			s, err := Inspect(slices.Concat(id3Of(10*90000), sound), nil)
			want := ffprobe(t, nil, sound)
			if err != nil || s.Container != PackedAudio || s.Untimed || !s.HasAudio || s.HasVideo || len(s.Tracks) != 1 {
				t.Fatalf("%+v, %v", s, err)
			}
			a := s.Tracks[0]
			if a.Codec != c.codec || a.SampleRate != 48000 || a.Channels != 1 || fmt.Sprint(a.Units) != want[0].Packets || a.First != 10*time.Second {
				t.Errorf("%+v, ffprobe %+v", a, want)
			}
			if got := a.Duration().Seconds(); math.Abs(got-3) > .1 {
				t.Errorf("lasts %v, 3 s were made", a.Duration())
			}
			if _, err := Inspect(slices.Concat(id3Of(0), sound[:len(sound)-9]), nil); err == nil {
				t.Error("passes though it is cut short")
			}
			var checker Checker
			for _, f := range checker.Check(s, Expected{Duration: a.Duration(), Audio: true}) {
				t.Errorf("%+v", f)
			}
			if s, err = Inspect(sound, nil); c.codec == "mp4a.40.2" && (err != nil || !s.Untimed) {
				t.Errorf("without its timestamp: %+v, %v", s, err)
			}
			if found := checker.Check(s, Expected{First: true}); c.codec == "mp4a.40.2" && len(found) != 1 {
				t.Errorf("without its timestamp: %+v", found)
			}
		})
	}
}

func TestWebVTT(t *testing.T) {
	t.Parallel()
	const cues = "\n\n1\n00:02.000 --> 00:03.500 line:0\nhello\n\n01:00:04.000 --> 01:00:05.250\nworld\n"
	for _, c := range []struct {
		name, text  string
		first, last time.Duration
		units       int
	}{
		{"plain", "WEBVTT" + cues, 2 * time.Second, time.Hour + 5250*time.Millisecond, 2},
		{"mapped", "\xef\xbb\xbfWEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:01.000,MPEGTS:900000" + cues, 11 * time.Second, time.Hour + 14250*time.Millisecond, 2},
		{"empty", "WEBVTT", 0, 0, 0},
	} {
		s, err := Inspect([]byte(c.text), nil)
		if err != nil || s.Container != WebVTT || len(s.Tracks) != 1 {
			t.Fatalf("%s: %+v, %v", c.name, s, err)
		}
		if track := s.Tracks[0]; track.First != c.first || track.End != c.last || track.Units != c.units || track.Kind != Text {
			t.Errorf("%s: %+v", c.name, track)
		}
		var checker Checker
		if found := checker.Check(s, Expected{Duration: 2 * time.Second}); len(found) > 0 {
			t.Errorf("%s: %+v", c.name, found)
		}
	}
}

// TestBoxesThatAreNotAskedFor has sidx, prft, emsg and several tracks around what
// is: they are passed over.
func TestBoxesThatAreNotAskedFor(t *testing.T) {
	t.Parallel()
	b := ffmpegMakes(t, "a.mp4", "-map", "0:v", "-map", "1:a", "-map", "1:a", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a:0", "aac", "-c:a:1", "libopus",
		"-f", "mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof+global_sidx", "-write_prft", "pts")
	if !bytes.Contains(b, []byte("sidx")) || !bytes.Contains(b, []byte("prft")) {
		t.Fatal("ffmpeg made neither sidx nor prft")
	}
	emsg := []byte("\x00\x00\x00\x20emsg\x00\x00\x00\x00urn:x\x00v\x00\x00\x00\x00\x01\x00\x00\x00\x00")
	emsg = append(emsg, make([]byte, 32-len(emsg))...)
	at := bytes.Index(b, []byte("moof")) - 4
	s, err := Inspect(slices.Concat(b[:at], emsg, b[at:]), nil)
	if err != nil || s.Note != "" {
		t.Fatal(err, s.Note)
	}
	if got, want := s.Codecs(), []string{"avc1.42c00b", "mp4a.40.2", "opus"}; !slices.Equal(got, want) {
		t.Errorf("codecs %v, want %v", got, want)
	}
	agree(t, s, ffprobe(t, nil, b))
	var checker Checker
	for _, f := range checker.Check(s, Expected{Duration: 3 * time.Second, Video: true, Audio: true, Independent: true}) {
		t.Errorf("%+v", f)
	}
}

// TestEncryption has media that is still encrypted recognised as such.
func TestEncryption(t *testing.T) {
	t.Parallel()
	t.Run("whole segments", func(t *testing.T) {
		t.Parallel()
		dir := t.TempDir()
		for name, content := range map[string]string{"key": "0123456789abcdef", "info": "key\n" + filepath.Join(dir, "key") + "\n"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		m := makeHLS(t, "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac", "-hls_key_info_file", filepath.Join(dir, "info"))
		for _, name := range m.segments {
			if s, err := Inspect(m.read(t, name), nil); err == nil || s.Encryption != WholeFile || !strings.Contains(err.Error(), "still encrypted") {
				t.Errorf("%s: %q, %v", name, s.Encryption, err)
			}
		}
	})
	t.Run("samples", func(t *testing.T) {
		t.Parallel()
		b := ffmpegMakes(t, "a.mp4", "-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-c:a", "aac", "-f", "mp4", "-movflags", "frag_keyframe+empty_moov+default_base_moof",
			"-encryption_scheme", "cenc-aes-ctr", "-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb", "-encryption_kid", "a7e61c373e219033c21091fa607bf3b8")
		s, err := Inspect(b, nil)
		if err != nil || s.Encryption != CommonENC || s.Pictures != 75 {
			t.Fatalf("%q, %d pictures, %v", s.Encryption, s.Pictures, err)
		}
		if got, want := s.Codecs(), []string{"avc1.42c00b", "mp4a.40.2"}; !slices.Equal(got, want) {
			t.Errorf("codecs %v, want %v", got, want)
		}
		var checker Checker
		if found := checker.Check(s, Expected{Encrypted: true}); len(found) != 0 {
			t.Errorf("announced: %+v", found)
		}
	})
}

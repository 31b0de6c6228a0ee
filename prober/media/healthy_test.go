package media

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// made is what ffmpeg made: the segments of one rendition.
type made struct {
	dir      string
	init     []byte
	segments []string
	duration []time.Duration // EXTINF
}

// makeHLS has ffmpeg make a rendition of 4 s; the playlist is out.m3u8.
func makeHLS(t *testing.T, args ...string) made {
	t.Helper()
	needTool(t, "ffmpeg")
	m := made{dir: t.TempDir()}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	all := []string{"-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x96:rate=25:duration=4", "-f", "lavfi", "-i", "sine=sample_rate=48000:duration=4", "-threads", "1"}
	all = append(append(all, args...), "-f", "hls", "-hls_time", "1", "-hls_list_size", "0", "out.m3u8")
	cmd := exec.CommandContext(ctx, "ffmpeg", all...)
	cmd.Dir = m.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	m.readPlaylist(t)
	return m
}

func (m *made) read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(m.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (m *made) readPlaylist(t *testing.T) {
	t.Helper()
	lines := bufio.NewScanner(bytes.NewReader(m.read(t, "out.m3u8")))
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "#EXTINF:"):
			seconds, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimPrefix(line, "#EXTINF:"), ","), 64)
			if err != nil {
				t.Fatal(err)
			}
			m.duration = append(m.duration, time.Duration(math.Round(seconds*1e6))*time.Microsecond)
		case strings.HasPrefix(line, "#EXT-X-MAP:URI="):
			m.init = m.read(t, strings.Trim(strings.TrimPrefix(line, "#EXT-X-MAP:URI="), `"`))
		case !strings.HasPrefix(line, "#"):
			m.segments = append(m.segments, line)
		}
	}
}

// probed is what ffprobe says of a stream.
type probed struct {
	Kind       string `json:"codec_type"`
	Codec      string `json:"codec_name"`
	Width      int    `json:"width"`
	Height     int    `json:"height"`
	SampleRate string `json:"sample_rate"`
	Channels   int    `json:"channels"`
	Packets    string `json:"nb_read_packets"`
	Start      string `json:"start_time"`
}

// ffprobe looks at a segment, behind its initialization section.
func ffprobe(t *testing.T, init, segment []byte) []probed {
	t.Helper()
	needTool(t, "ffprobe")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ffprobe", "-v", "error", "-show_streams", "-count_packets", "-of", "json", "-i", "pipe:0")
	cmd.Stdin = bytes.NewReader(slices.Concat(init, segment))
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Streams []probed }
	if err := json.Unmarshal(out, &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Streams
}

// TestHealthySegments lets ffmpeg make segments in the ways that servers pack
// them: each is read as ffprobe reads it, and breaks no rule.
func TestHealthySegments(t *testing.T) {
	t.Parallel()
	x264 := []string{"-c:v", "libx264", "-preset", "ultrafast", "-g", "25", "-keyint_min", "25", "-sc_threshold", "0", "-pix_fmt", "yuv420p"}
	x265 := []string{"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=error:keyint=25:min-keyint=25:scenecut=0", "-tag:v", "hvc1", "-pix_fmt", "yuv420p"}
	av1 := []string{"-c:v", "libaom-av1", "-cpu-used", "8", "-usage", "realtime", "-row-mt", "0", "-g", "25", "-keyint_min", "25", "-b:v", "200k", "-pix_fmt", "yuv420p"}
	aac := []string{"-c:a", "aac", "-b:a", "64k"}
	fmp4 := []string{"-hls_segment_type", "fmp4"}
	for _, c := range []struct {
		name   string
		args   [][]string
		codecs []string // as in the playlist
	}{
		{"TS, H.264 and AAC", [][]string{x264, aac}, []string{"avc1.42c00b", "mp4a.40.2"}},
		{"TS, B pictures in open groups", [][]string{x264, {"-preset", "veryfast", "-bf", "3", "-x264-params", "open-gop=1", "-flags", "+global_header", "-bsf:v", "dump_extra=freq=keyframe"}, aac}, []string{"avc1.64000b", "mp4a.40.2"}},
		{"TS, HEVC and AAC", [][]string{x265, aac}, []string{"hvc1.1.6.L30.90", "mp4a.40.2"}},
		{"TS, H.264 and Opus", [][]string{x264, {"-c:a", "libopus"}}, []string{"avc1.42c00b", "opus"}},
		{"TS, H.264 and MP3", [][]string{x264, {"-c:a", "libmp3lame"}}, []string{"avc1.42c00b", "mp4a.40.34"}},
		{"TS, H.264 and AC-3", [][]string{x264, {"-c:a", "ac3"}}, []string{"avc1.42c00b", "ac-3"}},
		{"TS, video only", [][]string{x264, {"-an"}}, []string{"avc1.42c00b"}},
		{"TS, audio only", [][]string{{"-vn"}, aac}, []string{"mp4a.40.2"}},
		{"TS, over the wrap of its clock", [][]string{x264, aac, {"-output_ts_offset", "95441"}}, []string{"avc1.42c00b", "mp4a.40.2"}},
		{"fMP4, H.264 and AAC", [][]string{x264, {"-preset", "veryfast", "-bf", "2"}, aac, fmp4}, []string{"avc1.64000b", "mp4a.40.2"}},
		{"fMP4, HEVC and AAC", [][]string{x265, aac, fmp4}, []string{"hvc1.1.6.L30.90", "mp4a.40.2"}},
		{"fMP4, AV1 and Opus", [][]string{av1, {"-c:a", "libopus"}, fmp4}, []string{"av01.0.00M.08", "opus"}},
		{"fMP4, audio only", [][]string{{"-vn"}, aac, fmp4}, []string{"mp4a.40.2"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			m := makeHLS(t, slices.Concat(c.args...)...)
			if len(m.segments) < 4 {
				t.Fatalf("%d segments", len(m.segments))
			}
			var checker Checker
			for i, name := range m.segments {
				b := m.read(t, name)
				s, err := Inspect(b, m.init)
				if err != nil || s.Note != "" {
					t.Fatalf("%s: %v %s", name, err, s.Note)
				}
				if got := s.Codecs(); !slices.Equal(got, c.codecs) {
					t.Errorf("%s: codecs %v, want %v", name, got, c.codecs)
				}
				for _, f := range checker.Check(s, Expected{Where: name, Duration: m.duration[i], Independent: true, Video: s.HasVideo, Audio: s.HasAudio}) {
					t.Errorf("%s: %+v", name, f)
				}
				if i == 1 { // the others are like it; ffprobe takes its time
					agree(t, s, ffprobe(t, m.init, b))
				}
			}
		})
	}
}

// agree compares a summary with what ffprobe says.
func agree(t *testing.T, s Summary, want []probed) {
	t.Helper()
	if len(s.Tracks) != len(want) {
		t.Fatalf("%d tracks, ffprobe has %d", len(s.Tracks), len(want))
	}
	for i, got := range s.Tracks {
		w := want[i]
		rate, _ := strconv.Atoi(w.SampleRate)
		if string(got.Kind) != w.Kind || got.Width != w.Width || got.Height != w.Height || got.SampleRate != 0 && (got.SampleRate != rate || got.Channels != w.Channels) {
			t.Errorf("%+v, ffprobe: %+v", got, w)
		}
		if packets := fmt.Sprint(got.Units); got.SampleRate != 0 && packets != w.Packets || got.Kind == Video && packets != w.Packets {
			t.Errorf("%s: %s units, ffprobe has %s", got.Codec, packets, w.Packets)
		}
		start, err := strconv.ParseFloat(w.Start, 64)
		if off := nearest(got.First-time.Duration(start*1e9), s.Container).Seconds(); err != nil || math.Abs(off) > .0005 && !leading(got, off) {
			t.Errorf("%s: begins at %v, ffprobe says %ss", got.Codec, got.First, w.Start)
		}
	}
}

// leading tells whether the difference is that of pictures which are shown before
// the keyframe that they follow: ffprobe leaves them out, for a player that starts there
// cannot show them; in a stream that runs they are no gap.
func leading(t Track, off float64) bool {
	pictures := -off / t.UnitTime.Seconds()
	return t.Kind == Video && pictures > .5 && pictures < 4.5
}

package media

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"streamcanary/prober/signal"
)

var update = flag.Bool("update", false, "make the segments in testdata again; needs ffmpeg")

const testRun = "run-1"

func testClock() time.Time { return time.Date(2024, 4, 8, 14, 0, 0, 0, time.UTC) }

// needTool skips a test where a program is missing; under CI=true that is a failure.
func needTool(t *testing.T, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is not installed (Debian: apt-get install ffmpeg), and CI=true allows no skip", name)
	}
	t.Skipf("%s is not installed (Debian: apt-get install ffmpeg)", name)
}

// broadcast is d of a broadcast as FLV. The clock of frame n is n/30 s later.
func broadcast(t *testing.T, d time.Duration) []byte {
	t.Helper()
	src, err := signal.New(signal.Config{Run: testRun, Label: "Frankfurt"})
	if err != nil {
		t.Fatal(err)
	}
	b := []byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00")
	for _, f := range src.Headers() {
		b = appendTag(b, f)
	}
	for pictures := time.Duration(0); ; {
		f := src.Next(testClock().Add(pictures * time.Second / 30))
		if f.DTS >= d {
			return b
		}
		if !f.Audio {
			pictures++
		}
		b = appendTag(b, f)
	}
}

func appendTag(b []byte, f signal.Frame) []byte {
	kind := byte(9)
	if f.Audio {
		kind = 8
	}
	ms, n := uint32(f.DTS.Milliseconds()), uint32(len(f.Body))
	b = append(b, kind, byte(n>>16), byte(n>>8), byte(n), byte(ms>>16), byte(ms>>8), byte(ms), byte(ms>>24), 0, 0, 0)
	return binary.BigEndian.AppendUint32(append(b, f.Body...), n+11)
}

// TestUpdate makes testdata again from a real broadcast: packed by ffmpeg as
// MPEG-TS and fMP4, sound alone, and transcoded with B pictures. Without -update
// it does nothing.
func TestUpdate(t *testing.T) {
	if !*update {
		return
	}
	needTool(t, "ffmpeg")
	dir := t.TempDir()
	hls := []string{"-f", "hls", "-hls_time", "1", "-hls_list_size", "0"}
	for _, args := range [][]string{
		append(append([]string{"-c", "copy"}, hls...), "-hls_segment_filename", "%d.ts", "ts.m3u8"),
		append(append([]string{"-c", "copy"}, hls...), "-hls_segment_type", "fmp4", "-hls_segment_filename", "%d.m4s", "mp4.m3u8"),
		append(append([]string{"-vn", "-c", "copy"}, hls...), "-hls_segment_filename", "sound%d.ts", "sound.m3u8"),
		append(append([]string{"-an", "-vf", "scale=320:176", "-c:v", "libx264", "-crf", "40", "-bf", "2", "-g", "30", "-udu_sei", "1"}, hls...), "-hls_segment_filename", "b%d.ts", "b.m3u8"),
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "ffmpeg", append([]string{"-v", "error", "-i", "pipe:0"}, args...)...)
		cmd.Dir, cmd.Stdin, cmd.Stderr = dir, bytes.NewReader(broadcast(t, 2*time.Second)), os.Stderr
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
	}
	for from, to := range map[string]string{
		"1.ts": "segment.ts", "init.mp4": "init.mp4", "1.m4s": "segment.m4s", "sound1.ts": "sound.ts", "b1.ts": "reordered.ts",
	} {
		b, err := os.ReadFile(filepath.Join(dir, from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("testdata", to), b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func testdata(tb testing.TB, name string) []byte {
	tb.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

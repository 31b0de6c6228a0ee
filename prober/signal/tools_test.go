package signal

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

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

// run runs a program and gives what it writes. Anything on standard error fails the test.
func run(t *testing.T, stdin []byte, name string, args ...string) []byte {
	t.Helper()
	needTool(t, name)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &errs
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, errs.String())
	}
	return out.Bytes()
}

// started is a clock that shows every digit sooner or later.
func started() time.Time { return time.Date(2024, 4, 8, 13, 59, 58, 765e6, time.UTC) }

// broadcast takes the frames of the first d of a source, bodies copied.
func broadcast(t *testing.T, cfg Config, d time.Duration) []Frame {
	t.Helper()
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return append(s.Headers(), frames(s, d)...)
}

func frames(s *Source, d time.Duration) []Frame {
	var all []Frame
	last := time.Duration(0)
	for {
		f := s.Next(started().Add(last))
		if f.DTS >= d {
			return all
		}
		last = f.DTS
		f.Body = bytes.Clone(f.Body)
		all = append(all, f)
	}
}

// flv writes frames as an FLV file.
func flv(frames []Frame) []byte {
	b := []byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00")
	for _, f := range frames {
		kind := byte(9)
		if f.Audio {
			kind = 8
		}
		ms, n := uint32(f.DTS.Milliseconds()), uint32(len(f.Body))
		b = append(b, kind, byte(n>>16), byte(n>>8), byte(n), byte(ms>>16), byte(ms>>8), byte(ms), byte(ms>>24), 0, 0, 0)
		b = append(b, f.Body...)
		b = binary.BigEndian.AppendUint32(b, n+11)
	}
	return b
}

// strict makes ffmpeg stop at the first error.
func strict(args ...string) []string {
	return append([]string{"-v", "error", "-xerror", "-err_detect", "explode", "-i", "pipe:0"}, args...)
}

// loud makes ffmpeg name whatever it does not like.
func loud(args ...string) []string {
	return append([]string{"-v", "warning", "-xerror", "-err_detect", "explode", "-i", "pipe:0"}, args...)
}

// decoded lets ffmpeg decode a file in memory to grey pictures.
func decoded(t *testing.T, file []byte, width, height int) []*image.Gray {
	t.Helper()
	raw := run(t, file, "ffmpeg", strict("-vsync", "passthrough", "-pix_fmt", "gray", "-f", "rawvideo", "pipe:1")...)
	return greys(t, raw, width, height)
}

// greys takes raw pictures apart.
func greys(t *testing.T, raw []byte, width, height int) []*image.Gray {
	t.Helper()
	var all []*image.Gray
	for size := width * height; len(raw) >= size; raw = raw[size:] {
		all = append(all, &image.Gray{Pix: raw[:size], Stride: width, Rect: image.Rect(0, 0, width, height)})
	}
	if len(raw) > 0 {
		t.Fatalf("%d bytes behind the last picture of %dx%d", len(raw), width, height)
	}
	return all
}

// sizeName names a test case after its picture.
func sizeName(cfg Config) string {
	return fmt.Sprintf("%dx%d at %d every %v", cfg.Width, cfg.Height, cfg.FPS, cfg.Keyframe)
}

package proof

import (
	"bytes"
	"context"
	"encoding/binary"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"streamcanary/prober/signal"
)

// needFFmpeg skips a test where it is missing; under CI=true that is a failure.
func needFFmpeg(tb testing.TB) {
	tb.Helper()
	if _, err := exec.LookPath("ffmpeg"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		tb.Fatal("ffmpeg is not installed (Debian: apt-get install ffmpeg), and CI=true allows no skip")
	}
	tb.Skip("ffmpeg is not installed (Debian: apt-get install ffmpeg)")
}

// made lets ffmpeg make a segment, of MPEG-TS if the arguments do not say otherwise.
func made(tb testing.TB, stdin []byte, args string) []byte {
	tb.Helper()
	needFFmpeg(tb)
	ctx, cancel := context.WithTimeout(tb.Context(), 2*time.Minute)
	defer cancel()
	all := append([]string{"-v", "error", "-threads", "1"}, strings.Fields(args)...)
	if !strings.Contains(args, " -f mp4") && !strings.Contains(args, " -f adts") {
		all = append(all, "-f", "mpegts")
	}
	cmd := exec.CommandContext(ctx, "ffmpeg", append(all, "pipe:1")...)
	var out, said bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(stdin), &out, &said
	if err := cmd.Run(); err != nil {
		tb.Fatalf("ffmpeg %s: %v\n%s", args, err, said.String())
	}
	return out.Bytes()
}

func sentAt() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// ours is a broadcast of run "run" as an FLV file, sent from sentAt on.
func ours(tb testing.TB, cfg signal.Config, length time.Duration) []byte {
	tb.Helper()
	cfg.Run = "run"
	s, err := signal.New(cfg)
	if err != nil {
		tb.Fatal(err)
	}
	b := []byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00")
	for _, f := range s.Headers() {
		b = appendTag(b, f)
	}
	for at := sentAt(); ; {
		f := s.Next(at)
		if f.DTS >= length {
			return b
		}
		at = sentAt().Add(f.DTS)
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
	b = append(b, f.Body...)
	return binary.BigEndian.AppendUint32(b, n+11)
}

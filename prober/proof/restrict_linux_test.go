package proof

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"streamcanary/prober/signal"
)

// TestFFmpegIsFencedIn runs a stand-in that tells its bounds and its environment.
func TestFFmpegIsFencedIn(t *testing.T) {
	t.Parallel()
	segment := made(t, ours(t, signal.Config{}, time.Second), "-i - -c copy")
	tells := filepath.Join(t.TempDir(), "tells")
	script := "#!/bin/sh\n/bin/sleep 0.3\necho \"memory $(ulimit -v) kB, cpu $(ulimit -t) s, files $(ulimit -f), home '$HOME', path '$PATH'\" >&2\nexit 1\n"
	if err := os.WriteFile(tells, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	look, err := New(Config{FFmpeg: tells, Timeout: time.Minute}).Look(t.Context(), segment, nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = "memory 1048576 kB, cpu 20 s, files 0, home '', path '"
	if len(look.Trouble) < len(want) || look.Trouble[:len(want)] != want {
		t.Errorf("got %s, want %s...", look.Trouble, want)
	}
}

// Within those bounds the largest broadcast that is promised is decoded.
func TestBoundsLeaveRoomForFullHD(t *testing.T) {
	t.Parallel()
	segment := made(t, ours(t, signal.Config{Width: 1920, Height: 1080, FPS: 60, Bitrate: 8_000_000}, time.Second), "-i - -c copy")
	look, err := New(Config{Timeout: time.Minute}).Look(t.Context(), segment, nil)
	if err != nil || len(look.Barcodes) != 6 || look.Trouble != "" {
		t.Errorf("look %+v, %v", look, err)
	}
}

package hls

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"testing"
	"time"

	"streamcanary/prober"
)

// needFFmpeg skips, and under CI fails, where ffmpeg is not installed.
func needFFmpeg(t *testing.T) string {
	t.Helper()
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal("ffmpeg is needed under CI: install the Debian package ffmpeg")
		}
		t.Skip("ffmpeg is not installed (Debian: apt-get install ffmpeg): real HLS is not tested")
	}
	return path
}

// A real broadcast by a packager we did not write. It carries no marker, so the
// right verdict is that nobody's marker is in good media, in either container.
func TestFollowFFmpeg(t *testing.T) {
	t.Parallel()
	ffmpeg := needFFmpeg(t)
	for _, container := range []string{"mpegts", "fmp4"} {
		t.Run(container, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			ctx, cancel := context.WithCancel(t.Context())
			var stderr bytes.Buffer
			broadcast := exec.CommandContext(ctx, ffmpeg, "-v", "error", "-re",
				"-f", "lavfi", "-i", "testsrc=size=160x90:rate=10", "-f", "lavfi", "-i", "sine",
				"-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-c:a", "aac", "-threads", "1",
				"-f", "hls", "-hls_time", "1", "-hls_segment_type", container, "-hls_flags", "delete_segments",
				"-master_pl_name", "index.m3u8", "live.m3u8")
			broadcast.Dir, broadcast.Stderr = dir, &stderr
			if err := broadcast.Start(); err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(http.FileServer(http.Dir(dir)))
			f := NewFollower(Config{URL: server.URL + "/index.m3u8", Run: "nobody"})
			ended := make(chan error, 1)
			go func() { ended <- f.Run(ctx) }()

			segments := waitForNoMarker(t, f)
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
			_ = broadcast.Wait() // killed
			server.Close()
			if segments < 2 {
				t.Errorf("media sequence or playlist never advanced; ffmpeg said: %s", stderr.String())
			}
		})
	}
}

// waitForNoMarker waits until no_marker has been told of two different segments.
func waitForNoMarker(t *testing.T, f *Follower) int {
	t.Helper()
	details := map[string]bool{}
	var seen Observation
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); <-ticker.C {
		seen = f.Observe(time.Now())
		if seen.Playing {
			t.Error("plays without a marker")
		}
		if seen.Failure == nil {
			continue
		}
		if seen.Failure.Stage == prober.StageMedia && seen.Failure.Reason == prober.ReasonNoMarker {
			details[seen.Failure.Detail] = true
		}
		if len(details) == 2 {
			return len(details)
		}
	}
	t.Errorf("the last verdict: %+v", seen.Failure)
	return len(details)
}

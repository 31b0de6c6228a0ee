package origin

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/hls"
	"streamcanary/prober/proof"
)

// TestTranscodedIsProven transcodes our broadcast, as platforms do, into a smaller
// picture without a marker: the barcode proves it where it is looked at, and where
// nobody looks it plays and is not proven.
func TestTranscodedIsProven(t *testing.T) {
	t.Parallel()
	ffmpeg := program(t, "ffmpeg")
	o := start(t, 1, Config{})[0]
	pushSignal(t, o, "show")
	source := prober.StreamURL(o.HLSURL(), "show")
	eventually(t, "the source plays", func() error { return plays(t, o, "show", "run") })

	dir := t.TempDir()
	var stderr bytes.Buffer
	ctx, stop := context.WithCancel(t.Context())
	transcoder := exec.CommandContext(ctx, ffmpeg, "-v", "error", "-i", source, "-map", "0:v:0", "-map", "0:a:0", "-s", "480x270",
		"-c:v", "libx264", "-preset", "ultrafast", "-crf", "30", "-g", "30", "-threads", "1", "-c:a", "aac",
		"-f", "hls", "-hls_time", "1", "-hls_flags", "delete_segments+program_date_time", "live.m3u8")
	transcoder.Dir, transcoder.Stderr = dir, &stderr
	if err := transcoder.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		stop()
		_ = transcoder.Wait() // killed
	}()
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	for _, tt := range []struct {
		look  hls.Looker
		proof prober.Means
		by    prober.Means
	}{
		{proof.New(proof.Config{}).Look, prober.MeansBarcode, prober.MeansBarcode},
		{nil, "", prober.MeansTimestamps},
	} {
		f := hls.NewFollower(hls.Config{URL: server.URL + "/live.m3u8", Run: "run", Look: tt.look, Transcoded: tt.look == nil, Video: true, Audio: true})
		following, end := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- f.Run(following) }()
		select {
		case <-f.First():
		case <-time.After(3 * patience):
			t.Errorf("it never plays: %+v; ffmpeg said %s", f.Observe(time.Now()).Failure, stderr.String())
		}
		seen := f.Observe(time.Now())
		if seen.Failure != nil || seen.Proof != tt.proof || seen.LatencyBy != tt.by || seen.LatencyFirst <= 0 {
			t.Errorf("proof %q, latency %s by %q, %+v", seen.Proof, seen.LatencyFirst, seen.LatencyBy, seen.Failure)
		}
		t.Logf("proof %q, latency %s by %q", seen.Proof, seen.LatencyFirst, seen.LatencyBy)
		end()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

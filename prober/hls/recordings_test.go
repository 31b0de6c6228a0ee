package hls

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// Recordings that ffmpeg packs in its ways are played to their end as somebody
// else's streams, and nothing that a viewer would feel is found.
func TestFollowFFmpegRecordings(t *testing.T) {
	t.Parallel()
	ffmpeg := needFFmpeg(t)
	key := []byte("0123456789abcdef")
	one := []string{"-map", "0:v", "-map", "1:a"}
	tests := []struct {
		name  string
		args  []string
		top   string // playlist
		names string // of the renditions
	}{
		{"VOD", append(slices.Clone(one), "-hls_playlist_type", "vod", "live.m3u8"), "live.m3u8", ""},
		{"EVENT, dates", append(slices.Clone(one), "-hls_playlist_type", "event", "-hls_flags", "program_date_time", "live.m3u8"), "live.m3u8", ""},
		{"byte ranges", append(slices.Clone(one), "-hls_playlist_type", "vod", "-hls_flags", "single_file", "live.m3u8"), "live.m3u8", ""},
		{"byte ranges, fMP4", append(slices.Clone(one), "-hls_playlist_type", "vod", "-hls_segment_type", "fmp4", "-hls_flags", "single_file", "live.m3u8"), "live.m3u8", ""},
		{"AES-128", append(slices.Clone(one), "-hls_playlist_type", "vod", "-hls_key_info_file", "key.info", "live.m3u8"), "live.m3u8", ""},
		{"ladder", []string{"-map", "0:v", "-map", "0:v", "-map", "1:a", "-s:v:1", "128x72", "-hls_playlist_type", "vod", "-master_pl_name", "index.m3u8",
			"-b:v:0", "200k", "-b:v:1", "100k", "-maxrate", "70k", "-bufsize", "30k", // ffmpeg announces what -b:v says
			"-var_stream_map", "v:0,agroup:sound v:1,agroup:sound a:0,agroup:sound,language:en,default:yes", "v%v.m3u8"}, "index.m3u8", "90p 72p audio en"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			server := httptest.NewServer(http.FileServer(http.Dir(dir)))
			defer server.Close()
			for name, content := range map[string]string{"key": string(key), "key.info": "key\nkey\n"} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), ffmpeg, append([]string{"-v", "error",
				"-f", "lavfi", "-i", "testsrc=size=160x90:rate=10:duration=4", "-f", "lavfi", "-i", "sine=duration=4",
				"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac", "-threads", "1", "-f", "hls", "-hls_time", "1"}, tt.args...)...)
			cmd.Dir = dir
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("ffmpeg: %v\n%s", err, out)
			}
			end := playToEnd(t, Config{URL: server.URL + "/" + tt.top})
			if end.Segments < 4 || end.Failure != nil {
				t.Errorf("%d segments, %+v", end.Segments, end.Failure)
			}
			for _, f := range end.Findings {
				if f.Severity != prober.SeverityNote {
					t.Errorf("%+v", f)
				}
			}
			var names []string
			for _, f := range end.Renditions {
				names = append(names, f.Name)
			}
			if got := strings.Join(names, " "); got != tt.names {
				t.Errorf("renditions %q, want %q", got, tt.names)
			}
			for _, r := range end.Renditions {
				checkRecorded(t, r, tt.name == "AES-128")
			}
		})
	}
}

// checkRecorded holds the figures of a rendition against what ffmpeg was told to make.
func checkRecorded(t *testing.T, r prober.Rendition, encrypted bool) {
	t.Helper()
	if r.Segments != r.Downloaded || r.LongestEXTINF.Round(50*time.Millisecond) != time.Second || !r.EndList || (r.Encryption == "AES-128") != encrypted {
		t.Errorf("%q: %+v", r.Name, r)
	}
	if r.Type == prober.RenditionAudio {
		if r.Downloaded < 4 || r.Seen.Codecs != "mp4a.40.2" || r.Seen.Width != 0 || r.Keyframes != 0 {
			t.Errorf("%q: seen %+v", r.Name, r.Seen)
		}
		return
	}
	height := 90
	if r.Name == "72p" {
		height = 72
	}
	if r.Downloaded != 4 || r.Keyframes != 4 || r.MeanEXTINF != r.LongestEXTINF || r.Seen.Height != height || r.Seen.FrameRate != 10 || !strings.HasPrefix(r.Seen.Codecs, "avc1.") {
		t.Errorf("%q: %d keyframes, seen %+v", r.Name, r.Keyframes, r.Seen)
	}
	if a := r.Announced; r.Name != "" && (a.Bandwidth == 0 || a.Height != height || a.Codecs == "") {
		t.Errorf("%q: announced %+v", r.Name, a)
	}
	if r.PeakBitrate < r.AverageBitrate || r.AverageBitrate < 10_000 || r.PeakBitrate > 2_000_000 {
		t.Errorf("%q: %d and %d bit/s", r.Name, r.PeakBitrate, r.AverageBitrate)
	}
}

// playToEnd follows a stream until all of it was had, and adds up what was seen.
func playToEnd(t *testing.T, cfg Config) Observation {
	t.Helper()
	f := NewFollower(cfg)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}()
	var sum Observation
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(2 * patience); time.Now().Before(deadline); <-ticker.C {
		o := f.Observe(time.Now())
		o.Segments += sum.Segments
		o.Renditions = prober.AddRenditions(sum.Renditions, o.Renditions)
		o.Findings = merge(slices.Clone(sum.Findings), o.Findings)
		sum = o
		if sum.Ended {
			return sum
		}
	}
	t.Errorf("it did not end: %+v", sum.Failure)
	return sum
}

// A segment of a recording that is not there is asked for a few times and then
// told; the rest plays.
func TestFollowRecordingWithAHole(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.WriteString("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n")
	for range 5 {
		b.WriteString("#EXTINF:2,\nseg.ts\n")
	}
	b.WriteString("#EXTINF:2,\ngone.ts\n#EXTINF:2,\nseg.ts\n#EXT-X-ENDLIST\n")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/index.m3u8":
			_, _ = w.Write(b.Bytes())
		case "/seg.ts":
			_, _ = w.Write(segmentOf("", time.Now(), time.Now().Add(2*time.Second), 0))
		default:
			http.NotFound(w, r)
		}
	}))
	defer server.Close()
	end := playToEnd(t, Config{URL: server.URL + "/index.m3u8", Inspect: testInspect, RetryDelay: 10 * time.Millisecond})
	missed := slices.ContainsFunc(end.Findings, func(f prober.Finding) bool {
		return f.Reason == prober.ReasonHTTPStatus && f.Stage == prober.StageSegment && strings.Contains(f.Detail, "segment 5")
	})
	if !missed || end.Segments != 6 {
		t.Errorf("%d segments; %+v", end.Segments, end.Findings)
	}
}

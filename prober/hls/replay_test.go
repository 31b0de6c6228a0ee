package hls

import (
	"fmt"
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

func TestSampled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		of, n int
		want  []int
	}{{0, 0, []int{}}, {3, 0, []int{0, 1, 2}}, {3, 9, []int{0, 1, 2}}, {10, 1, []int{0}}, {10, 2, []int{0, 9}}, {10, 4, []int{0, 3, 6, 9}}} {
		if got := sampled(c.of, c.n); !slices.Equal(got, c.want) {
			t.Errorf("%d of %d: %v, want %v", c.n, c.of, got, c.want)
		}
	}
}

// vod is a real recording in two variants, made by ffmpeg: 4 s in segments of 1 s.
func vod(t *testing.T, container string) string {
	t.Helper()
	dir := t.TempDir()
	c := exec.CommandContext(t.Context(), needFFmpeg(t), "-v", "error",
		"-f", "lavfi", "-i", "testsrc=size=160x90:rate=10", "-f", "lavfi", "-i", "sine", "-t", "4", "-map", "0:v", "-map", "1:a", "-map", "0:v", "-map", "1:a",
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-c:a", "aac", "-threads", "1", "-var_stream_map", "v:0,a:0 v:1,a:1",
		"-f", "hls", "-hls_time", "1", "-hls_segment_type", container, "-hls_playlist_type", "vod", "-hls_segment_filename", "s%v_%d.seg",
		"-master_pl_name", "recording.m3u8", "v%v.m3u8")
	c.Dir = dir
	if out, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

func TestReplayFFmpeg(t *testing.T) {
	t.Parallel()
	for _, container := range []string{"mpegts", "fmp4"} {
		t.Run(container, func(t *testing.T) {
			t.Parallel()
			dir := vod(t, container)
			srv := httptest.NewServer(http.FileServer(http.Dir(dir)))
			t.Cleanup(srv.Close)
			play := func(cfg ReplayConfig) Replayed {
				cfg.URL = srv.URL + "/recording.m3u8"
				found, err := Replay(t.Context(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				return found
			}
			found := play(ReplayConfig{})
			if found.Failure != nil || found.Listed != 4 || found.Segments != 4 || (found.Duration-4*time.Second).Abs() > 200*time.Millisecond || found.Bytes == 0 {
				t.Errorf("%+v, %v", found, found.Failure)
			}
			if found := play(ReplayConfig{Run: "ours", Sample: 2}); found.Failure != nil || found.Segments != 2 || found.Proof != "" {
				t.Errorf("a sample: %+v, %v", found, found.Failure)
			}
			last := filepath.Join(dir, "s0_3.seg")
			if err := os.WriteFile(last, []byte("<Error><Code>AccessDenied</Code></Error>"), 0o600); err != nil {
				t.Fatal(err)
			}
			if found := play(ReplayConfig{Sample: 2}); found.Failure == nil || found.Failure.Reason != prober.ReasonNotMedia || !found.Denied || !strings.HasPrefix(found.Failure.Detail, "segment 4 of 4: ") {
				t.Errorf("a denied end: %+v, %+v", found, found.Failure)
			}
			if err := os.Remove(last); err != nil {
				t.Fatal(err)
			}
			if found := play(ReplayConfig{}); found.Failure == nil || found.Failure.Reason != prober.ReasonHTTPStatus || found.Status != 404 || found.Segments != 3 {
				t.Errorf("without its end: %+v, %+v", found, found.Failure)
			}
			if err := os.Remove(filepath.Join(dir, "v1.m3u8")); err != nil {
				t.Fatal(err)
			}
			if found := play(ReplayConfig{}); found.Failure == nil || found.Failure.Stage != prober.StageManifest || found.Status != 404 {
				t.Errorf("without a variant: %+v, %+v", found, found.Failure)
			}
		})
	}
}

func TestReplayFailures(t *testing.T) {
	t.Parallel()
	const head = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n"
	for name, c := range map[string]struct {
		status int
		body   string
		reason prober.Reason
		denied bool
	}{
		"denied":          {403, "", prober.ReasonHTTPStatus, true},
		"denied with 200": {200, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", prober.ReasonNotAPlaylist, true},
		"missing":         {404, "", prober.ReasonHTTPStatus, false},
		"still live":      {200, head + "#EXTINF:1,\na.ts\n", prober.ReasonPlaylistStale, false},
		"nothing in it":   {200, head + "#EXT-X-ENDLIST\n", prober.ReasonPlaylistNoSegments, false},
		"itself":          {200, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nindex.m3u8\n", prober.ReasonNoRenditionPlayable, false},
		"elsewhere":       {200, head + "#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n", prober.ReasonPlaylistMalformed, false},
		"too many":        {200, head + strings.Repeat("#EXTINF:1,\na.ts\n", maxReplaySegments+1) + "#EXT-X-ENDLIST\n", prober.ReasonTooLarge, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.body)
			}))
			t.Cleanup(srv.Close)
			found, err := Replay(t.Context(), ReplayConfig{URL: srv.URL + "/index.m3u8?token=hidden"})
			if err != nil || found.Failure == nil || found.Failure.Reason != c.reason || found.Denied != c.denied || found.Unfinished != (name == "still live") {
				t.Errorf("%+v, %+v, %v", found, found.Failure, err)
			}
			if found.Failure != nil && strings.Contains(found.Failure.Detail, "hidden") {
				t.Errorf("a secret in %q", found.Failure.Detail)
			}
		})
	}
	if _, err := Replay(t.Context(), ReplayConfig{URL: "file:///x"}); err == nil {
		t.Error("played a file")
	}
}

// Whose it is, and whether all of it is there, by the markers.
func TestReplayOfOurs(t *testing.T) {
	t.Parallel()
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	second := func(run string, n int) []byte {
		return segmentOf(run, begin.Add(time.Duration(n)*time.Second), begin.Add(time.Duration(n+1)*time.Second), uint64(n*2)) // two pictures in each
	}
	serveAll := func(segments [][]byte) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var n int
			if _, err := fmt.Sscanf(r.URL.Path, "/%d.ts", &n); err == nil {
				_, _ = w.Write(segments[n])
				return
			}
			fmt.Fprint(w, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n")
			for i := range segments {
				fmt.Fprintf(w, "#EXTINF:1,\n%d.ts\n", i)
			}
			fmt.Fprint(w, "#EXT-X-ENDLIST\n")
		})
	}
	for name, c := range map[string]struct {
		segments [][]byte
		reason   prober.Reason
		missing  bool
		proof    prober.Means
	}{
		"whole":         {[][]byte{second("ours", 0), second("ours", 1)}, "", false, prober.MeansSEI},
		"another's end": {[][]byte{second("ours", 0), second("theirs", 1)}, prober.ReasonNotOurs, false, prober.MeansSEI},
		"a hole":        {[][]byte{second("ours", 0), second("ours", 5)}, "", true, prober.MeansSEI},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(serveAll(c.segments))
			t.Cleanup(srv.Close)
			found, err := Replay(t.Context(), ReplayConfig{URL: srv.URL + "/index.m3u8", Run: "ours", Inspect: testInspect})
			if err != nil {
				t.Fatal(err)
			}
			var reason prober.Reason
			if found.Failure != nil {
				reason = found.Failure.Reason
			}
			if reason != c.reason || found.Missing > 0 != c.missing || found.Proof != c.proof || found.Pictures == 0 {
				t.Errorf("%+v, %+v", found, found.Failure)
			}
		})
	}
}

func TestReplayEncrypted(t *testing.T) {
	t.Parallel()
	key := []byte("0123456789abcdef")
	plain := segmentOf("ours", time.Unix(1e9, 0), time.Unix(1e9+1, 0), 0)
	for name, c := range map[string]struct {
		tag  string
		key  []byte
		want string // "" plays
	}{
		"AES-128":          {`METHOD=AES-128,URI="key"`, key, ""},
		"another key":      {`METHOD=AES-128,URI="key"`, []byte("fedcba9876543210"), "media/media_encrypted"},
		"no key":           {`METHOD=AES-128,URI="none"`, key, "segment/http_status"},
		"a short key":      {`METHOD=AES-128,URI="key"`, key[:8], "segment/key_unavailable"},
		"a DRM's":          {`METHOD=AES-128,URI="skd://k",KEYFORMAT="com.apple.streamingkeydelivery"`, key, "segment/key_unavailable"},
		"samples of a DRM": {`METHOD=SAMPLE-AES,URI="skd://k"`, key, ""},
		"nothing but gaps": {"", key, "segment/segment_gap"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/key":
					_, _ = w.Write(c.key)
				case "/0.ts":
					_, _ = w.Write(encrypt(t, key, sequenceIV(0), plain))
				case "/index.m3u8":
					tag := "#EXT-X-KEY:" + c.tag
					if c.tag == "" {
						tag = "#EXT-X-GAP"
					}
					fmt.Fprintf(w, "#EXTM3U\n#EXT-X-VERSION:8\n#EXT-X-TARGETDURATION:1\n%s\n#EXTINF:1,\n0.ts\n#EXT-X-ENDLIST\n", tag)
				default:
					http.NotFound(w, r)
				}
			}))
			t.Cleanup(srv.Close)
			found, err := Replay(t.Context(), ReplayConfig{URL: srv.URL + "/index.m3u8", Run: "ours", Inspect: testInspect})
			got := ""
			if found.Failure != nil {
				got = string(found.Failure.Stage) + "/" + string(found.Failure.Reason)
			}
			if err != nil || got != c.want || c.want == "" && found.Segments+found.Sealed != 1 {
				t.Errorf("%s, want %s: %+v, %+v, %v", got, c.want, found, found.Failure, err)
			}
		})
	}
}

// A replay's headers go to the host of its URL, and to no other.
func TestReplayHeaders(t *testing.T) {
	t.Parallel()
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("another host was told the token")
		}
		http.NotFound(w, r)
	}))
	defer elsewhere.Close()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "s3cret" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = fmt.Fprintf(w, "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n%s/a.ts\n#EXT-X-ENDLIST\n", elsewhere.URL)
	}))
	defer server.Close()
	for token, want := range map[string]prober.Stage{"": prober.StageManifest, "s3cret": prober.StageSegment} {
		found, err := Replay(t.Context(), ReplayConfig{URL: server.URL, Headers: http.Header{"Authorization": {token}}})
		if err != nil || found.Failure == nil || found.Failure.Stage != want {
			t.Errorf("with %q: %+v, %v, want stage %s", token, found.Failure, err, want)
		}
	}
}

package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
)

// ffmpegServer is ffmpeg as an RTMP server, which takes one broadcast at a time and
// writes it as HLS; and a web server beside it, which outlives it.
type ffmpegServer struct {
	*process
	path string // of the program
	dir  string
	rtmp string // HOST:PORT
	http string // URL
}

func startFFmpegServer(t *testing.T) *ffmpegServer {
	t.Helper()
	s := &ffmpegServer{path: needsProgram(t, "ffmpeg", "ffmpeg"), dir: t.TempDir(), rtmp: freePort(t, "127.0.0.1")}
	files := http.FileServer(http.Dir(s.dir))
	types := map[string]string{".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t"}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", types[filepath.Ext(r.URL.Path)])
		w.Header().Set("Cache-Control", "no-store")
		files.ServeHTTP(w, r)
	}))
	t.Cleanup(web.Close)
	s.http = web.URL
	s.run(t)
	return s
}

// run starts it, for the first time or again. It ends with each broadcast, and is
// started again by a shell, as whoever runs it so does. Its media sequence numbers are
// microseconds: they do not fall then, and name no segment twice, as seconds do when it
// starts again within the second in which it wrote the last.
func (s *ffmpegServer) run(t *testing.T) {
	t.Helper()
	const again = `while :; do "$0" -v warning -nostdin -listen 1 -i "$1" -map 0 -c copy -f hls -hls_time 1 -hls_list_size 6 ` +
		`-hls_flags delete_segments+temp_file+program_date_time+omit_endlist -hls_delete_threshold 3 -hls_start_number_source epoch_us "$2"; sleep 0.2; done`
	s.process = start(t, "ffmpeg as a server", "/bin/sh", "-c", again, s.path, s.ingest("canary"), filepath.Join(s.dir, "canary.m3u8"))
	s.listens(t)
}

// listens waits until it does. To connect would be to broadcast.
func (s *ffmpegServer) listens(t *testing.T) {
	t.Helper()
	eventually(t, "ffmpeg listens", e2ePatience, func() error {
		l, err := net.Listen("tcp", s.rtmp)
		if err != nil {
			return nil //nolint:nilerr // somebody has the port: ffmpeg
		}
		_ = l.Close()
		return fmt.Errorf("its port is free; it said %s", s.stderr.text())
	})
}

func (s *ffmpegServer) ingest(stream string) string {
	return fmt.Sprintf("rtmp://%s/live/%s", s.rtmp, stream)
}

func (s *ffmpegServer) playback(stream string) string { return s.http + "/" + stream + ".m3u8" }

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const nginxModule = "/usr/lib/nginx/modules/ngx_rtmp_module.so"

// nginx is a live platform that we did not write: nginx with its RTMP module,
// RTMP in and HLS over HTTP out, in a folder and on ports of its own.
type nginx struct {
	*process
	path string // of the program
	dir  string
	rtmp string // HOST:PORT
	http string // HOST:PORT
}

// startNginx serves at an address of this machine until the test ends.
func startNginx(t *testing.T, host string) *nginx {
	t.Helper()
	return startNginxWith(t, host, func(s *nginx) string {
		return fmt.Sprintf(`application live { live on; hls on; hls_path %s/hls; hls_fragment 1s; hls_playlist_length 6s; hls_cleanup off; }`, s.dir)
	})
}

// startLadder serves what is pushed to it in two renditions that ffmpeg makes
// anew, pictures and sound, so that no marker comes through.
func startLadder(t *testing.T) *nginx {
	t.Helper()
	ffmpeg := needsProgram(t, "ffmpeg", "ffmpeg")
	return startNginxWith(t, "127.0.0.1", func(s *nginx) string {
		var made strings.Builder
		for _, r := range []struct{ size, bitrate, suffix string }{{"426x240", "400k", "240"}, {"320x180", "250k", "180"}} {
			fmt.Fprintf(&made, ` -map 0:v -map 0:a -s %s -c:v libx264 -threads 1 -preset ultrafast -profile:v baseline -level 3.0 -g 30 -sc_threshold 0 -b:v %s -maxrate %s -bufsize 200k`+
				` -c:a aac -b:a 64k -ar 48000 -f flv rtmp://%s/ladder/${name}_%s`, r.size, r.bitrate, r.bitrate, s.rtmp, r.suffix)
		}
		return fmt.Sprintf(`application live { live on; exec %[1]s -v error -nostdin -fflags nobuffer -analyzeduration 1000000 -i rtmp://%[2]s/live/$name%[3]s; exec_kill_signal kill; respawn off; }
    application ladder { live on; hls on; hls_path %[4]s/hls; hls_fragment 1s; hls_playlist_length 6s; hls_cleanup off;
      hls_variant _240 BANDWIDTH=700000 RESOLUTION=426x240 'CODECS="avc1.42c01e,mp4a.40.2"';
      hls_variant _180 BANDWIDTH=500000 RESOLUTION=320x180 'CODECS="avc1.42c01e,mp4a.40.2"'; }`, ffmpeg, s.rtmp, made.String(), s.dir)
	})
}

// startNginxWith serves applications of one's choice, and one that is closed.
func startNginxWith(t *testing.T, host string, applications func(*nginx) string) *nginx {
	t.Helper()
	const remedy = "on Debian: apt-get install nginx libnginx-mod-rtmp"
	s := &nginx{path: needsProgram(t, "nginx", "nginx libnginx-mod-rtmp"), dir: t.TempDir()}
	_, err := os.Stat(nginxModule)
	needs(t, err, remedy)
	s.rtmp, s.http = freePort(t, host), freePort(t, host)
	// One process alone, so that killing it kills all of it.
	conf := fmt.Sprintf(`load_module %s;
daemon off; master_process off; pid nginx.pid; error_log error.log notice;
events { worker_connections 512; }
http {
  access_log off;
  client_body_temp_path a; proxy_temp_path b; fastcgi_temp_path c; uwsgi_temp_path d; scgi_temp_path e;
  types { application/vnd.apple.mpegurl m3u8; video/mp2t ts; }
  server {
    listen %s;
    location /hls { root .; add_header Cache-Control no-store; }
    location /stat { rtmp_stat all; }
  }
}
rtmp {
  access_log off;
  server {
    listen %s;
    %s
    application closed { live on; deny publish all; }
  }
}
`, nginxModule, s.http, s.rtmp, applications(s))
	if err := os.WriteFile(filepath.Join(s.dir, "nginx.conf"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run(t)
	return s
}

// run starts it, for the first time or again.
func (s *nginx) run(t *testing.T) {
	t.Helper()
	log := filepath.Join(s.dir, "error.log")
	s.process = start(t, "nginx", s.path, "-p", s.dir, "-c", filepath.Join(s.dir, "nginx.conf"), "-e", log)
	for _, addr := range []string{s.rtmp, s.http} {
		eventually(t, "nginx listens", e2ePatience, func() error {
			conn, err := net.DialTimeout("tcp", addr, time.Second)
			if err != nil {
				said, _ := os.ReadFile(log)
				return fmt.Errorf("%w: %s%s", err, s.stderr.text(), said)
			}
			return conn.Close()
		})
	}
}

// ingest is where a stream is pushed to, playback where it plays. "{stream}" may
// stand for its name.
func (s *nginx) ingest(stream string) string { return "rtmp://" + s.rtmp + "/live/" + stream }

func (s *nginx) playback(stream string) string {
	return "http://" + s.http + "/hls/" + stream + ".m3u8"
}

// publishes waits until a stream is being pushed whose name begins like this.
func (s *nginx) publishes(t *testing.T, prefix string) {
	t.Helper()
	eventually(t, prefix+"... is pushed", e2ePatience, func() error {
		body, err := fetch("http://"+s.http+"/stat", "")
		if err != nil {
			return err
		}
		_, of, found := strings.Cut(string(body), "<name>"+prefix)
		of, _, _ = strings.Cut(of, "</stream>")
		if !found || !strings.Contains(of, "<publishing/>") {
			return fmt.Errorf("nginx does not have it")
		}
		return nil
	})
}

package main

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// mediaMTX is another platform that we did not write: RTMP in, HLS out, in one of
// its three forms, in one process.
type mediaMTX struct {
	*process
	path string // of the program
	dir  string
	rtmp string // HOST:PORT
	http string // HOST:PORT
}

// startMediaMTX serves in a form of HLS ("mpegts", "fmp4" or "lowLatency") until the
// test ends.
func startMediaMTX(t *testing.T, variant string) *mediaMTX {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(repository, "bin", "mediamtx"))
	if err == nil {
		_, err = os.Stat(path)
	}
	needs(t, err, "make tools builds MediaMTX")
	s := &mediaMTX{path: path, dir: t.TempDir(), rtmp: freePort(t, "127.0.0.1"), http: freePort(t, "127.0.0.1")}
	conf := fmt.Sprintf(`logLevel: info
readTimeout: 10s
rtsp: no
webrtc: no
srt: no
rtmp: yes
rtmpAddress: %s
hls: yes
hlsAddress: %s
hlsVariant: %s
hlsAlwaysRemux: yes
hlsSegmentCount: 7
hlsSegmentDuration: 1s
hlsPartDuration: 200ms
authInternalUsers:
- user: any
  permissions:
  - {action: publish, path: "~^live/"}
  - {action: read}
pathDefaults:
  overridePublisher: no
paths:
  all_others:
`, s.rtmp, s.http, variant)
	if err := os.WriteFile(filepath.Join(s.dir, "mediamtx.yml"), []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	s.run(t)
	return s
}

// run starts it, for the first time or again.
func (s *mediaMTX) run(t *testing.T) {
	t.Helper()
	s.process = start(t, "MediaMTX", s.path, filepath.Join(s.dir, "mediamtx.yml"))
	for _, addr := range []string{s.rtmp, s.http} {
		eventually(t, "MediaMTX listens", e2ePatience, func() error {
			conn, err := net.DialTimeout("tcp", addr, time.Second)
			if err != nil {
				return fmt.Errorf("%w: %s", err, s.stdout.text())
			}
			return conn.Close()
		})
	}
}

func (s *mediaMTX) ingest(stream string) string { return "rtmp://" + s.rtmp + "/live/" + stream }

// closed is an ingest that nobody may publish to.
func (s *mediaMTX) closed(stream string) string { return "rtmp://" + s.rtmp + "/closed/" + stream }

func (s *mediaMTX) playback(stream string) string {
	return "http://" + s.http + "/live/" + stream + "/index.m3u8"
}

package hls

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"strconv"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// sealedVOD serves a recording that ffmpeg made, which cannot encrypt fMP4 itself,
// encrypted here: each file with the keys of what the playlist says.
type sealedVOD struct {
	t               *testing.T
	dir             string
	ofMap, ofMedia  string // the lines before EXT-X-MAP, and behind it
	mapIV           []byte // nil: the section is in the clear
	mapKey, mainKey []byte // mainKey nil: segments are in the clear
}

func (s sealedVOD) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := path.Base(r.URL.Path)
	switch name {
	case "map.key":
		_, _ = w.Write(s.mapKey)
		return
	case "main.key":
		_, _ = w.Write(s.mainKey)
		return
	}
	name = strings.Replace(name, ".m4s", ".seg", 1)
	body, err := os.ReadFile(s.dir + "/" + name)
	if err != nil {
		http.NotFound(w, r)
		return
	}
	switch {
	case strings.HasPrefix(name, "init") && s.mapIV != nil:
		body = encrypt(s.t, s.mapKey, s.mapIV, body)
	case strings.HasPrefix(name, "s") && s.mainKey != nil:
		n, _ := strconv.Atoi(strings.TrimSuffix(name[strings.IndexByte(name, '_')+1:], ".seg"))
		body = encrypt(s.t, s.mainKey, sequenceIV(uint64(n)), body)
	case strings.HasSuffix(name, ".m3u8"):
		var b strings.Builder
		for line := range strings.Lines(string(body)) {
			if !strings.HasPrefix(line, "#EXT-X-MAP") {
				b.WriteString(strings.Replace(line, ".seg", ".m4s", 1)) // ffmpeg reads no other
				continue
			}
			b.WriteString(s.ofMap + line + s.ofMedia)
		}
		body = []byte(b.String())
	}
	_, _ = w.Write(body)
}

// An initialization section is encrypted with the key that is in force at its tag,
// whatever that of the segments behind it is (4.4.4.5).
func TestEncryptedMap(t *testing.T) {
	t.Parallel()
	dir := vod(t, "fmp4")
	one, two, iv := []byte("0123456789abcdef"), []byte("fedcba9876543210"), bytes.Repeat([]byte{0xab}, 16)
	const (
		keyed   = "#EXT-X-KEY:METHOD=AES-128,URI=\"map.key\",IV=0xABABABABABABABABABABABABABABABAB\n"
		off     = "#EXT-X-KEY:METHOD=AES-128,URI=\"map.key\",IV=0x1\n"
		drm     = "#EXT-X-KEY:METHOD=AES-128,URI=\"skd://key\",IV=0x1,KEYFORMAT=\"com.apple.streamingkeydelivery\"\n"
		bare    = "#EXT-X-KEY:METHOD=AES-128,URI=\"main.key\"\n"
		other   = "#EXT-X-KEY:METHOD=AES-128,URI=\"main.key\"\n"
		nothing = "#EXT-X-KEY:METHOD=NONE\n"
	)
	tests := []struct {
		name   string
		vod    sealedVOD
		plays  bool // with ffmpeg, too
		reason prober.Reason
	}{
		{"its key alone", sealedVOD{ofMap: keyed, ofMedia: nothing, mapIV: iv, mapKey: one}, true, ""},
		{"another than the segments'", sealedVOD{ofMap: keyed, ofMedia: other, mapIV: iv, mapKey: one, mainKey: two}, true, ""},
		{"clear, with segments' key behind it", sealedVOD{ofMedia: other, mainKey: two}, true, ""},
		{"no IV, and clear", sealedVOD{ofMap: bare, mainKey: two}, false, ""},
		{"another IV", sealedVOD{ofMap: off, ofMedia: nothing, mapIV: iv, mapKey: one}, false, prober.ReasonMediaEncrypted},
		{"clear, and said to be encrypted", sealedVOD{ofMap: keyed, ofMedia: nothing, mapKey: one}, false, prober.ReasonMediaEncrypted},
		{"a key that is none", sealedVOD{ofMap: keyed, ofMedia: nothing, mapIV: iv, mapKey: one}, false, prober.ReasonKeyUnavailable},
		{"a DRM's key", sealedVOD{ofMap: drm, ofMedia: nothing, mapIV: iv, mapKey: one}, false, prober.ReasonKeyUnavailable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.vod.t, tt.vod.dir = t, dir
			handler := http.Handler(tt.vod)
			if tt.name == "a key that is none" {
				handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if strings.HasSuffix(r.URL.Path, ".key") {
						http.NotFound(w, r)
						return
					}
					tt.vod.ServeHTTP(w, r)
				})
			}
			server := httptest.NewServer(handler)
			t.Cleanup(server.Close)
			url := server.URL + "/v0.m3u8"
			if tt.plays {
				if out, err := exec.CommandContext(t.Context(), needFFmpeg(t), "-v", "error", "-allowed_extensions", "ALL", "-i", url, "-f", "null", "-").CombinedOutput(); err != nil || len(out) > 0 {
					t.Errorf("ffmpeg: %v %s", err, out)
				}
			}
			found, err := Replay(t.Context(), ReplayConfig{URL: url})
			if err != nil {
				t.Fatal(err)
			}
			hold(t, "replayed", found.Failure, tt.reason)
			if tt.reason == "" && found.Segments != 4 {
				t.Errorf("%d segments: %+v", found.Segments, found)
			}
			hold(t, "followed", followToEnd(t, url), tt.reason)
		})
	}
}

func hold(t *testing.T, how string, fail *prober.Failure, want prober.Reason) {
	t.Helper()
	got := prober.Reason("")
	if fail != nil {
		got = fail.Reason
	}
	if want == prober.ReasonKeyUnavailable && got == prober.ReasonHTTPStatus {
		got = want // a replay tells what became of the request
	}
	if got != want {
		t.Errorf("%s: %+v, want %q", how, fail, want)
	}
}

// followToEnd follows what has an end, and gives the first failure of a segment.
func followToEnd(t *testing.T, url string) *prober.Failure {
	t.Helper()
	f := NewFollower(Config{URL: url, Thorough: true})
	ended := make(chan error, 1)
	go func() { ended <- f.Run(t.Context()) }()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	var said string
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); <-ticker.C {
		o := f.Observe(time.Now())
		if o.Failure != nil && o.Failure.Reason != prober.ReasonMarkerMissing {
			return o.Failure
		}
		if o.Ended {
			return nil
		}
		said = fmt.Sprintf("%+v", o.Failure)
	}
	t.Errorf("it does not end: %s", said)
	return nil
}

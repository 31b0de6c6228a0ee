package hls

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober/media"
)

const (
	keyA = `#EXT-X-KEY:METHOD=AES-128,URI="a?token=s3cret",IV=0xABABABABABABABABABABABABABABABAB`
	keyB = `#EXT-X-KEY:METHOD=AES-128,URI="b",IV=0xABABABABABABABABABABABABABABABAB`
	noIV = `#EXT-X-KEY:METHOD=AES-128,URI="a"`
	none = `#EXT-X-KEY:METHOD=NONE`
	drm  = `#EXT-X-KEY:METHOD=AES-128,URI="skd://a",KEYFORMAT="com.apple.streamingkeydelivery",IV=0xABABABABABABABABABABABABABABABAB`
	theM = `#EXT-X-MAP:URI="init.mp4"`
)

// An EXT-X-MAP is encrypted with the key that is in force where it stands, whatever
// becomes of the segments (4.4.4.5).
func TestParseInitKey(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		tags []string // before the first segment, and before the second
		want []string // the key's URI of each one's initialization section
	}{
		{"before it", []string{keyA + "\n" + theM, ""}, []string{"a?token=s3cret", "a?token=s3cret"}},
		{"behind it", []string{theM + "\n" + keyA, ""}, []string{"", ""}},
		{"another behind it", []string{keyA + "\n" + theM, keyB}, []string{"a?token=s3cret", "a?token=s3cret"}},
		{"none behind it", []string{keyA + "\n" + theM, none}, []string{"a?token=s3cret", "a?token=s3cret"}},
		{"none before it", []string{keyA + "\n" + none + "\n" + theM, keyB}, []string{"", ""}},
		{"a second one", []string{keyA + "\n" + theM, keyB + "\n" + theM}, []string{"a?token=s3cret", "b"}},
		{"a DRM's first", []string{drm + "\n" + keyA + "\n" + theM, ""}, []string{"a?token=s3cret", "a?token=s3cret"}},
		{"of samples", []string{`#EXT-X-KEY:METHOD=SAMPLE-AES,URI="a"` + "\n" + theM, ""}, []string{"", ""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, fail := Parse([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:2\n" + tt.tags[0] + "\n#EXTINF:2,\n0.mp4\n" + tt.tags[1] + "\n#EXTINF:2,\n1.mp4\n"))
			if fail != nil {
				t.Fatal(fail)
			}
			for i, s := range p.Segments {
				if s.Init.URI != "init.mp4" || s.Init.Key.URI != tt.want[i] {
					t.Errorf("segment %d: %+v, want key %q", i, s.Init, tt.want[i])
				}
			}
		})
	}
}

// A live broadcast whose initialization section is encrypted.
func TestFollowerEncryptedInit(t *testing.T) {
	t.Parallel()
	keys := map[string][]byte{"/live/a": []byte("0123456789abcdef"), "/live/b": []byte("fedcba9876543210")}
	iv := bytes.Repeat([]byte{0xab}, 16)
	const plain = "\x00\x00\x00\x08ftyp"
	tests := []struct {
		name string
		tags string
		init []byte // as served
		want string
	}{
		{"segments clear", keyA + "\n" + theM + "\n" + none, encrypt(t, keys["/live/a"], iv, []byte(plain)), "good"},
		{"by another key than segments", keyB + "\n" + theM + "\n" + keyA, encrypt(t, keys["/live/b"], iv, []byte(plain)), "good"},
		{"by another key than listed", keyA + "\n" + theM + "\n" + none, encrypt(t, keys["/live/b"], iv, []byte(plain)), "media/media_encrypted"},
		{"clear and no IV", noIV + "\n" + theM + "\n" + none, []byte(plain), "good"},
		{"a DRM's", drm + "\n" + theM + "\n" + none, []byte("sealed"), "segment/key_unavailable"},
		{"no key", strings.Replace(keyA, `"a?`, `"c?`, 1) + "\n" + theM + "\n" + none, []byte("sealed"), "segment/key_unavailable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin()
				pass(9 * time.Second)
				o.to = time.Hour
				sealed := strings.HasSuffix(tt.tags, keyA)
				o.fault = func(o *origin, w http.ResponseWriter, r *http.Request) bool {
					var n int
					switch _, err := fmt.Sscanf(r.URL.Path, "/live/seg%d.ts", &n); {
					case r.URL.Path == "/live/init.mp4":
						_, _ = w.Write(tt.init)
					case keys[r.URL.Path] != nil:
						_, _ = w.Write(keys[r.URL.Path])
					case isPlaylist(r):
						_, _ = io.WriteString(w, strings.Replace(o.window(0, o.complete()), "#EXTINF", tt.tags+"\n#EXTINF", 1))
					case err == nil && sealed && n < o.complete():
						_, _ = w.Write(encrypt(t, keys["/live/a"], iv, o.segment(n)))
					default:
						return false
					}
					return true
				}
				inspect := func(segment, init []byte) (media.Summary, error) {
					if string(init) != plain {
						return media.Summary{}, errors.New("no initialization section")
					}
					return testInspect(segment, init)
				}
				end := last(t, o, Config{Inspect: inspect}, 12*time.Second)
				if v := end.verdict(); v != tt.want {
					t.Errorf("%s: %+v, want %s", v, end.Failure, tt.want)
				}
				if end.Failure != nil && strings.Contains(end.Failure.Detail, "s3cret") {
					t.Error(end.Failure.Detail)
				}
				if n := o.gets["/live/init.mp4"]; tt.want == "good" && n != 1 {
					t.Errorf("the initialization section was fetched %d times", n)
				}
			})
		})
	}
}

// A recording in files of ffmpeg, which cannot encrypt fMP4 itself: each of them is
// encrypted as a whole here.
func TestReplayEncryptedInit(t *testing.T) {
	t.Parallel()
	key, iv := []byte("0123456789abcdef"), bytes.Repeat([]byte{0xab}, 16)
	dir := vod(t, "fmp4")
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := filepath.Base(r.URL.Path)
		body, err := os.ReadFile(filepath.Join(dir, name))
		switch {
		case name == "a":
			_, _ = w.Write(key)
		case err != nil:
			http.NotFound(w, r)
		case name == "recording.m3u8":
			_, _ = w.Write(body)
		case isPlaylist(r):
			_, _ = io.WriteString(w, strings.Replace(string(body), "#EXT-X-MAP", keyA+"\n#EXT-X-MAP", 1))
		default:
			_, _ = w.Write(encrypt(t, key, iv, body))
		}
	}))
	t.Cleanup(srv.Close)
	found, err := Replay(t.Context(), ReplayConfig{URL: srv.URL + "/recording.m3u8"})
	if err != nil || found.Failure != nil || found.Segments != found.Listed || found.Segments < 4 {
		t.Errorf("%+v, %+v, %v", found, found.Failure, err)
	}
}

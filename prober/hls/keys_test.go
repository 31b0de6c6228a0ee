package hls

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
)

// encrypt is what decryptCBC undoes.
func encrypt(t *testing.T, key, iv, plain []byte) []byte {
	t.Helper()
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	padding := aes.BlockSize - len(plain)%aes.BlockSize
	body := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(block, iv).CryptBlocks(body, body)
	return body
}

func sequenceIV(n uint64) []byte {
	return binary.BigEndian.AppendUint64(make([]byte, 8), n)
}

// An encrypted broadcast, by its key, its EXT-X-KEY and what the key's URI answers.
func TestFollowerEncrypted(t *testing.T) {
	t.Parallel()
	key, explicit := []byte("0123456789abcdef"), bytes.Repeat([]byte{0xab}, 16)
	byNumber := sequenceIV
	byHand := func(uint64) []byte { return explicit }
	tests := []struct {
		name   string
		tag    string
		iv     func(uint64) []byte
		answer http.HandlerFunc // of the key
		want   string
		gets   int // of the key, at most
	}{
		{"IV by number", `METHOD=AES-128,URI="key?token=s3cret"`, byNumber, raw(key), "good", 1},
		{"IV given", `METHOD=AES-128,URI="key",IV=0xABABABABABABABABABABABABABABABAB`, byHand, raw(key), "good", 1},
		{"another key", `METHOD=AES-128,URI="key?token=s3cret"`, byNumber, raw([]byte("fedcba9876543210")), "media/media_encrypted", 14},
		{"no key", `METHOD=AES-128,URI="key?token=s3cret"`, byNumber, http.NotFound, "segment/key_unavailable", 60},
		{"a key that is a page", `METHOD=AES-128,URI="key?token=s3cret"`, byNumber, raw([]byte("<html>sign in</html>")), "segment/key_unavailable", 60},
		{"a key that hangs", `METHOD=AES-128,URI="key?token=s3cret"`, byNumber, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, "segment/key_unavailable", 60},
		{"an endless key", `METHOD=AES-128,URI="key"`, byNumber, func(w http.ResponseWriter, _ *http.Request) { endless(nil, w) }, "segment/key_unavailable", 60},
		{"a DRM's key", `METHOD=AES-128,URI="skd://key",KEYFORMAT="com.apple.streamingkeydelivery"`, byNumber, raw(key), "segment/key_unavailable", 0},
		{"samples", `METHOD=SAMPLE-AES,URI="skd://key"`, nil, raw(key), "good", 0}, // the markers stay clear
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin()
				pass(9 * time.Second)
				o.to = time.Hour
				o.fault = func(o *origin, w http.ResponseWriter, r *http.Request) bool {
					name := strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/live/seg"), ".ts")
					n, err := strconv.Atoi(name)
					switch {
					case strings.HasSuffix(r.URL.Path, "/key"):
						tt.answer(w, r)
					case isPlaylist(r):
						_, _ = io.WriteString(w, strings.Replace(o.window(0, o.complete()), "#EXTINF", "#EXT-X-KEY:"+tt.tag+"\n#EXTINF", 1))
					case err == nil && tt.iv != nil && n < o.complete():
						_, _ = w.Write(encrypt(t, key, tt.iv(uint64(n)), o.segment(n)))
					default:
						return false
					}
					return true
				}
				end := last(t, o, Config{}, 12*time.Second)
				if v := end.verdict(); v != tt.want {
					t.Errorf("%s: %+v, want %s", v, end.Failure, tt.want)
				}
				if end.Failure != nil && strings.Contains(end.Failure.Detail, "s3cret") {
					t.Error(end.Failure.Detail)
				}
				if n := o.gets["/live/key"]; n > tt.gets {
					t.Errorf("the key was fetched %d times", n)
				}
			})
		})
	}
}

// A restarted server gives another key under the same URI.
func TestFollowerKeyReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const replaced = 8 // the first segment with the second key
		keys := [][]byte{[]byte("0123456789abcdef"), []byte("fedcba9876543210")}
		o := newOrigin()
		pass(9 * time.Second)
		o.to = time.Hour
		o.fault = func(o *origin, w http.ResponseWriter, r *http.Request) bool {
			n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(r.URL.Path, "/live/seg"), ".ts"))
			switch {
			case strings.HasSuffix(r.URL.Path, "/key") && o.complete() <= replaced:
				_, _ = w.Write(keys[0])
			case strings.HasSuffix(r.URL.Path, "/key"):
				_, _ = w.Write(keys[1])
			case isPlaylist(r):
				_, _ = io.WriteString(w, strings.Replace(o.window(0, o.complete()), "#EXTINF", "#EXT-X-KEY:METHOD=AES-128,URI=\"key\"\n#EXTINF", 1))
			case err == nil && n < o.complete():
				_, _ = w.Write(encrypt(t, keys[min(n/replaced, 1)], sequenceIV(uint64(n)), o.segment(n)))
			default:
				return false
			}
			return true
		}
		for _, turn := range watch(t, o, Config{}, 20*time.Second) {
			if turn.at >= 2*time.Second && turn.Failure != nil {
				t.Errorf("%s: %s: %+v", turn.at, turn.verdict(), turn.Failure)
			}
		}
		if n := o.gets["/live/key"]; n != 2 {
			t.Errorf("the key was fetched %d times, want 2", n)
		}
	})
}

func raw(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(b) }
}

// Samples that nobody can look into say nothing of whose they are.
func TestFollowerSampleEncrypted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		pass(9 * time.Second)
		o.to = time.Hour
		o.fault = func(o *origin, w http.ResponseWriter, r *http.Request) bool {
			if isPlaylist(r) {
				_, _ = io.WriteString(w, strings.Replace(o.window(0, o.complete()), "#EXTINF", "#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,URI=\"skd://k\"\n#EXTINF", 1))
				return true
			}
			_, _ = io.WriteString(w, "not to be read")
			return true
		}
		end := last(t, o, Config{}, 5*time.Second)
		if end.Failure == nil || end.Failure.Outcome != prober.Inconclusive || !strings.Contains(end.Failure.Detail, "SAMPLE-AES-CTR") {
			t.Errorf("%+v", end.Failure)
		}
	})
}

func TestDecryptCBC(t *testing.T) {
	t.Parallel()
	key, iv := []byte("0123456789abcdef"), make([]byte, 16)
	for n := range 40 {
		plain := bytes.Repeat([]byte{byte(n)}, n)
		if got, ok := decryptCBC(key, iv, encrypt(t, key, iv, plain)); !ok || !bytes.Equal(got, plain) {
			t.Errorf("%d bytes: %v %v", n, got, ok)
		}
	}
	for _, bad := range [][]byte{nil, make([]byte, 15), make([]byte, 32)} {
		if _, ok := decryptCBC(key, iv, bad); ok {
			t.Errorf("%d bytes of nothing were decrypted", len(bad))
		}
	}
	for _, iv := range []string{"0x", "0x1", "0xffffffffffffffffffffffffffffffff", "0XFF"} {
		if _, fail := initialVector(Key{IV: iv}, 0); fail != nil {
			t.Errorf("%s: %+v", iv, fail)
		}
	}
	for _, iv := range []string{"0xg", "0x" + fmt.Sprintf("%034d", 1)} {
		if _, fail := initialVector(Key{IV: iv}, 0); fail == nil {
			t.Errorf("%s is taken", iv)
		}
	}
}

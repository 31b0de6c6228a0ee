package origin

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"github.com/yutopp/go-rtmp/message"
)

func TestAMFThatIsRefused(t *testing.T) {
	t.Parallel()
	const prefix = "\x02\x00\x01x\x00\x00\x00\x00\x00\x00\x00\x00\x00" // a name and a number
	for _, of := range []struct{ name, body, want string }{
		{"long array", prefix + "\x0a\x7f\xff\xff\xff", "amf: a length of 2147483647 with 0 bytes left"},
		{"long string", prefix + "\x0c\xff\xff\xff\xff", "amf: a length of 4294967295 with 0 bytes left"},
		{"long array inside", prefix + "\x03\x00\x01a\x08\x00\x00\x00\x01\x00\x01b\x0a\x00\x00\x00\x09\x05", "amf: a length of 9 with 1 bytes left"},
		{"long array in a typed object", "\x10\x00\x01T\x00\x01b\x0a\x00\x00\x00\x09\x05", "amf: a length of 9 with 1 bytes left"},
		{"nested", strings.Repeat("\x03\x00\x01a", maxAMFDepth+2), "amf: values are nested deeper than 16"},
		{"arrays of arrays", strings.Repeat("\x0a\x00\x00\x00\x01", maxAMFDepth+2), "amf: values are nested deeper than 16"},
	} {
		if err := checkAMF([]byte(of.body)); err == nil || err.Error() != of.want {
			t.Errorf("%s: %v, want %s", of.name, err, of.want)
		}
		c := client{chunkSize: 128}
		r := newChunkReader(bytes.NewReader(c.encode(3, 0, 20, 0, []byte(of.body))))
		r.handshake = 0
		if b, err := io.ReadAll(r); err == nil || err.Error() != of.want || len(b) >= 12+len(of.body) {
			t.Errorf("%s: %d bytes pass, then %v", of.name, len(b), err)
		}
	}
}

func TestAMFThatPasses(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	e := message.NewAMFEncoder(&b, message.EncodingTypeAMF0)
	for _, v := range []any{"publish", 3, nil, true, map[string]any{"a": map[string]any{"b": "c"}}, []any{1, "2"}, strings.Repeat("x", 500)} {
		if err := e.Encode(v); err != nil {
			t.Fatal(err)
		}
	}
	whole := b.Bytes()
	for n := range len(whole) + 1 { // cut anywhere, it is go-rtmp's to refuse
		if err := checkAMF(whole[:n]); err != nil && n == len(whole) {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
}

// FuzzAMF wants go-amf0 to survive whatever passes.
func FuzzAMF(f *testing.F) {
	f.Add([]byte("\x02\x00\x01x\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05"))
	f.Add([]byte("\x0a\x00\x00\x00\x02\x05\x05\x08\x00\x00\x00\x01\x00\x01a\x01\x01\x00\x00\x09"))
	f.Add([]byte("\x0c\x00\x00\x00\x01a\x10\x00\x01T\x00\x01b\x0b\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09"))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if len(b) > maxAMFMessage || checkAMF(b) != nil {
			return
		}
		// go-rtmp recovers from a panic of its decoder; only what cannot be
		// recovered counts here, and ends the test by itself.
		defer func() { _ = recover() }()
		d := message.NewAMFDecoder(bytes.NewReader(b), message.EncodingTypeAMF0)
		for {
			var v any
			if d.Decode(&v) != nil {
				return
			}
		}
	})
}

package origin

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"

	"github.com/yutopp/go-rtmp"
	"github.com/yutopp/go-rtmp/message"
)

// said is one message as go-rtmp understands it.
type said struct {
	timestamp uint32
	body      string
}

// hear reads video messages by go-rtmp behind a chunkReader until the end.
func hear(tb testing.TB, r io.Reader) ([]said, error) {
	tb.Helper()
	c := newChunkReader(r)
	c.handshake = 0
	s := rtmp.NewChunkStreamer(c, io.Discard, nil)
	defer func() { _ = s.Close() }()
	var all []said
	for {
		var m rtmp.ChunkMessage
		_, timestamp, err := s.Read(&m)
		if err != nil {
			return all, err
		}
		switch m := m.Message.(type) {
		case *message.SetChunkSize:
			if err := s.PeerState().SetChunkSize(m.ChunkSize); err != nil {
				return all, err
			}
		case *message.VideoMessage:
			body, err := io.ReadAll(m.Payload)
			if err != nil {
				return all, err
			}
			all = append(all, said{timestamp, string(body)})
		}
	}
}

// script builds a chunk stream by hand.
type script struct{ bytes.Buffer }

func (s *script) add(parts ...any) {
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			s.WriteByte(byte(p))
		case string:
			s.WriteString(p)
		case []byte:
			s.Write(p)
		}
	}
}

func be24(v uint32) []byte { return appendUint24(nil, v) }
func be32(v uint32) []byte { return binary.BigEndian.AppendUint32(nil, v) }

var streamOne = []byte{1, 0, 0, 0}

// TestChunksAsSent covers what real senders do and go-rtmp alone gets wrong.
func TestChunksAsSent(t *testing.T) {
	t.Parallel()
	long := string(bytes.Repeat([]byte("x"), 300))
	for _, of := range []struct {
		name  string
		build func(s *script)
		want  []said
	}{
		{"deltas of types 1, 2 and 3", func(s *script) {
			s.add(6, be24(1000), be24(1), 9, streamOne, "a")
			s.add(1<<6|6, be24(40), be24(2), 9, "bb")
			s.add(2<<6|6, be24(30), "cc")
			s.add(3<<6|6, "dd")
		}, []said{{1000, "a"}, {1040, "bb"}, {1070, "cc"}, {1100, "dd"}}},
		{"an empty message", func(s *script) {
			s.add(6, be24(5), be24(0), 9, streamOne)
			s.add(1<<6|6, be24(40), be24(1), 9, "a")
		}, []said{{45, "a"}}},
		{"an extended timestamp, repeated in type 3 chunks", func(s *script) {
			s.add(6, be24(extendedMark), be24(300), 9, streamOne, be32(0x1000000), long[:128])
			s.add(3<<6|6, be32(0x1000000), long[128:256], 3<<6|6, be32(0x1000000), long[256:])
			s.add(1<<6|6, be24(40), be24(1), 9, "a")
		}, []said{{0x1000000, long}, {0x1000028, "a"}}},
		{"an extended timestamp, not repeated", func(s *script) {
			s.add(6, be24(extendedMark), be24(300), 9, streamOne, be32(0x1000000), long[:128])
			s.add(3<<6|6, long[128:256], 3<<6|6, long[256:])
		}, []said{{0x1000000, long}}},
		{"an extended delta", func(s *script) {
			s.add(6, be24(1), be24(1), 9, streamOne, "a")
			s.add(1<<6|6, be24(extendedMark), be24(200), 9, be32(0x2000000), long[:128])
			s.add(3<<6|6, be32(0x2000000), long[:72])
		}, []said{{1, "a"}, {0x2000001, long[:200]}}},
		{"chunk stream ids of two and three bytes", func(s *script) {
			s.add(0, 1, be24(1), be24(1), 9, streamOne, "a")
			s.add(1, 1, 2, be24(2), be24(1), 9, streamOne, "b")
			s.add(2<<6, 1, be24(9), "c")
		}, []said{{1, "a"}, {2, "b"}, {10, "c"}}},
		{"interleaved chunk streams", func(s *script) {
			s.add(6, be24(1), be24(200), 9, streamOne, long[:128])
			s.add(7, be24(2), be24(1), 9, streamOne, "b")
			s.add(3<<6|6, long[:72])
		}, []said{{2, "b"}, {1, long[:200]}}},
		{"another chunk size", func(s *script) {
			s.add(2, be24(0), be24(4), 1, []byte{0, 0, 0, 0}, be32(4096))
			s.add(6, be24(1), be24(300), 9, streamOne, long)
		}, []said{{1, long}}},
	} {
		for wrap, by := range map[string]func(io.Reader) io.Reader{
			"whole": func(r io.Reader) io.Reader { return r }, "bytewise": iotest.OneByteReader,
		} {
			var s script
			of.build(&s)
			got, err := hear(t, by(&s))
			if !errors.Is(err, io.EOF) {
				t.Errorf("%s, %s: %v", of.name, wrap, err)
			}
			if len(got) != len(of.want) {
				t.Errorf("%s, %s: %d messages, want %d", of.name, wrap, len(got), len(of.want))
				continue
			}
			for i := range got {
				if got[i] != of.want[i] {
					t.Errorf("%s, %s: message %d is %d %.80q, want %d %.80q", of.name, wrap, i,
						got[i].timestamp, got[i].body, of.want[i].timestamp, of.want[i].body)
				}
			}
		}
	}
}

func TestChunksThatAreRefused(t *testing.T) {
	t.Parallel()
	for _, of := range []struct {
		name  string
		bytes []byte
		want  string
	}{
		{"begins with type 3", []byte{3<<6 | 6}, "rtmp: a chunk stream begins with a type 3 chunk"},
		{"begins with type 2", []byte{2<<6 | 6, 0, 0, 1}, "rtmp: a chunk stream begins with a type 2 chunk"},
		{"too long", []byte{6, 0, 0, 0, 0x40, 0, 1, 9, 1, 0, 0, 0}, "rtmp: a message of 4194305 bytes is longer than 4194304"},
		{"abort", []byte{2, 0, 0, 0, 0, 0, 4, 2, 0, 0, 0, 0, 0, 0, 0, 6}, "rtmp: abort message is not supported"},
		{"chunk size 1", []byte{2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 0, 1}, "rtmp: chunk size 1 is out of range"},
		{"chunk size of five bytes", []byte{2, 0, 0, 0, 0, 0, 5, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0}, "rtmp: set chunk size of 5 bytes"},
		{"cut in a header", []byte{6, 0, 0}, "unexpected EOF"},
		{"inside a message", append([]byte{6, 0, 0, 0, 0, 0, 200, 9, 1, 0, 0, 0}, append(make([]byte, 128), 1<<6|6)...), "rtmp: a type 1 chunk inside a message"},
	} {
		c := newChunkReader(bytes.NewReader(of.bytes))
		c.handshake = 0
		if _, err := io.Copy(io.Discard, c); err == nil || err.Error() != of.want {
			t.Errorf("%s: %v, want %s", of.name, err, of.want)
		}
	}
}

// TestChunksOfAnySender writes random messages in every way that the protocol
// allows and wants them heard.
func TestChunksOfAnySender(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		var s script
		size := minChunkSize + random.IntN(300)
		s.add(2, be24(0), be24(4), 1, []byte{0, 0, 0, 0}, be32(uint32(size)))
		c := client{chunkSize: size}
		var want []said
		timestamp := uint32(extendedMark) - 100
		for range 20 {
			c.bareThree = random.IntN(2) == 0
			timestamp += random.Uint32N(20)
			body := make([]byte, 1+random.IntN(2000))
			for i := range body {
				body[i] = byte(random.Uint32())
			}
			s.add(c.encode(byte(3+random.IntN(5)), timestamp, 9, 1, body))
			want = append(want, said{timestamp, string(body)})
		}
		got, err := hear(t, &s)
		if !errors.Is(err, io.EOF) || len(got) != len(want) {
			t.Fatalf("seed %d: %d messages, %v", seed, len(got), err)
		}
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("seed %d: message %d differs", seed, i)
			}
		}
	}
}

// FuzzChunks wants go-rtmp never to panic, whatever is sent.
func FuzzChunks(f *testing.F) {
	c := client{chunkSize: 128}
	f.Add(c.encode(6, 5, 9, 1, []byte("frame")))
	f.Add(c.encode(6, extendedMark+5, 9, 1, make([]byte, 300)))
	f.Add([]byte{6, 0, 0, 0, 0, 0, 0, 9, 1, 0, 0, 0})
	f.Add([]byte{2, 0, 0, 0, 0, 0, 4, 1, 0, 0, 0, 0, 0, 0, 16, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		heard, err := hear(t, bytes.NewReader(b))
		if err == nil {
			t.Fatal("no error at the end")
		}
		total := 0
		for _, m := range heard {
			total += len(m.body)
		}
		if total > len(b) {
			t.Fatalf("%d bytes heard of %d", total, len(b))
		}
	})
}

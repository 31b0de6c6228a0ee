package rtmp

import (
	"bufio"
	"bytes"
	"fmt"
	"testing"
	"time"
)

// What the framer writes is read back by a decoder of our own: every message whole,
// with its timestamp, before and after 4.66 h (24 bits) and 49.7 days (32 bits),
// also where it takes several chunks. Real decoders read it in ffmpeg_test.go.
func TestTimestampsOnTheWire(t *testing.T) {
	t.Parallel()
	const extended, wrap = 1 << 24, 1 << 32 // ms
	for _, start := range []int64{0, extended - 100, extended + 100, wrap - 100, wrap + extended - 100} {
		for _, size := range []int{10, 128, 129, 1000} {
			t.Run(fmt.Sprintf("%d/%d", start, size), func(t *testing.T) {
				t.Parallel()
				f := framer{size: 128}
				var wire []byte
				var want []uint32
				body := func(i int) []byte { return bytes.Repeat([]byte{byte(i)}, size) }
				for i := range 20 {
					chunks, kind := videoChunks, kindVideo
					if i%2 == 1 {
						chunks, kind = audioChunks, kindAudio
					}
					at := timestamp(time.Duration(start+int64(i)*20) * time.Millisecond)
					wire = f.append(wire, chunks, kind, 1, at, body(i))
					want = append(want, at)
				}
				u := newUnchunker(bufio.NewReader(bytes.NewReader(wire)))
				for i, at := range want {
					m, err := u.next()
					if err != nil {
						t.Fatalf("message %d: %v", i, err)
					}
					if m.timestamp != at || !bytes.Equal(m.body, body(i)) {
						t.Fatalf("message %d is %d bytes at %d, want %d at %d", i, len(m.body), m.timestamp, size, at)
					}
				}
				if _, err := u.next(); err == nil {
					t.Error("more came than was sent")
				}
			})
		}
	}
}

// The layout of a first chunk with an extended timestamp, its continuation, and the
// delta that follows, byte by byte (RTMP 1.0, 5.3.1).
func TestChunkLayout(t *testing.T) {
	t.Parallel()
	f := framer{size: 2}
	wire := f.append(nil, videoChunks, kindVideo, 1, 0x01000000, []byte{7, 8, 9})
	wire = f.append(wire, videoChunks, kindVideo, 1, 0x01000021, []byte{5})
	want := []byte{
		6, 0xff, 0xff, 0xff, 0, 0, 3, 9, 1, 0, 0, 0, 1, 0, 0, 0, 7, 8, // format 0, extended
		0xc6, 1, 0, 0, 0, 9, // format 3 repeats it
		0x46, 0, 0, 0x21, 0, 0, 1, 9, 5, // format 1
	}
	if !bytes.Equal(wire, want) {
		t.Errorf("got  %x\nwant %x", wire, want)
	}
}

// counted is a source that costs nothing.
type counted struct{ n int }

const countedTag = 250 * time.Millisecond

func (*counted) Metadata() Metadata { return Metadata{} }
func (*counted) Headers() []Tag     { return nil }
func (c *counted) Next(time.Time) Tag {
	c.n++
	return Tag{DTS: time.Duration(c.n-1) * countedTag}
}

// Over three days of uneven ticks as many tags are sent as the time has, and one:
// the pace drifts by nothing.
func TestPaceDoesNotDrift(t *testing.T) {
	t.Parallel()
	s := serve(t, healthy)
	src := &counted{}
	cfg := testConfig(s.url())
	cfg.MaxLag = time.Minute
	p := &pace{b: publishTo(t, cfg), source: src}
	begin := time.Now()
	frames, err := p.frames(nil, begin) // the first tag, and all that goes before it
	if err != nil {
		t.Fatal(err)
	}
	for i, now := 0, time.Duration(0); now < 72*time.Hour; i++ {
		if frames, err = p.frames(frames[:0], begin.Add(now)); err != nil {
			t.Fatal(err)
		}
		if want := int(now/countedTag) + 2; src.n != want {
			t.Fatalf("%d tags after %s, want %d", src.n, now, want)
		}
		now += time.Duration(370+i%11) * time.Millisecond * 7 // no multiple of a tag's length
	}
}

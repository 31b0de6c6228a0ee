package rtmp

import (
	"encoding/binary"
	"fmt"
	"io"
	"time"
)

// Bounds on what a server may send to a publisher, which is a few hundred bytes.
const (
	maxMessage      = 64 << 10 // bytes of one message
	maxChunkStreams = 16
	floodBurst      = 1 << 20  // bytes at any time
	floodRate       = 64 << 10 // further bytes a second
)

// guard stands before the chunk streamer, which has no bounds of its own and
// panics or goes astray on what it does not expect: it follows the chunk headers
// (RTMP 1.0, 5.3.1) and refuses what would do that. Its last error stays.
type guard struct {
	r         io.Reader
	chunkSize func() uint32 // the server's, as the chunk streamer has it now
	started   time.Time

	total   int64
	err     error
	header  []byte // of the chunk that is being read, as far as it has come
	payload int    // bytes left of that chunk
	stream  *guardStream
	streams map[int]*guardStream
}

type guardStream struct{ length, got int }

func newGuard(r io.Reader, chunkSize func() uint32) *guard {
	return &guard{r: r, chunkSize: chunkSize, started: time.Now(), streams: map[int]*guardStream{}}
}

// Read passes on what r has, once it has been checked.
func (g *guard) Read(p []byte) (int, error) {
	if g.err != nil {
		return 0, g.err
	}
	n, err := g.r.Read(p)
	g.err = err
	if bad := g.check(p[:n]); bad != nil {
		g.err = bad
		return 0, bad
	}
	return n, err
}

func (g *guard) check(p []byte) error {
	g.total += int64(len(p))
	if g.total > floodBurst && g.total > floodBurst+int64(time.Since(g.started).Seconds()*floodRate) {
		return protocolError(fmt.Sprintf("a flood of %d bytes to a publisher", g.total))
	}
	for len(p) > 0 {
		if g.payload > 0 {
			n := min(g.payload, len(p))
			g.payload -= n
			g.stream.got += n
			p = p[n:]
			continue
		}
		g.header = append(g.header, p[0])
		p = p[1:]
		if err := g.begin(); err != nil {
			return err
		}
	}
	return nil
}

// begin starts a chunk if its header is whole.
func (g *guard) begin() error {
	basic, id := basicHeader(g.header)
	if basic == 0 {
		return nil
	}
	format := g.header[0] >> 6
	m := g.header[basic:]
	want := [4]int{11, 7, 3, 0}[format]
	if len(m) >= 3 && want >= 3 && m[0] == 0xff && m[1] == 0xff && m[2] == 0xff {
		want += 4 // extended timestamp
	}
	if len(m) < want {
		return nil
	}
	g.header = g.header[:0]
	s := g.streams[id]
	if s == nil {
		if len(g.streams) >= maxChunkStreams {
			return protocolError(fmt.Sprintf("more than %d chunk streams", maxChunkStreams))
		}
		s = &guardStream{}
		g.streams[id] = s
	}
	if s.got >= s.length {
		s.got = 0
	}
	if format <= 1 {
		if s.got > 0 {
			return protocolError("a message that begins inside another")
		}
		s.length = int(m[3])<<16 | int(binary.BigEndian.Uint16(m[4:6]))
	}
	return g.admit(s)
}

func (g *guard) admit(s *guardStream) error {
	if s.length == 0 {
		return protocolError("a message of no length")
	}
	if s.length > maxMessage {
		return protocolError(fmt.Sprintf("a message of %d bytes", s.length))
	}
	g.stream = s
	g.payload = s.length - s.got
	if size := int(g.chunkSize()); g.payload > size {
		g.payload = size
	}
	return nil
}

// basicHeader is the length of a chunk's basic header and its chunk stream id;
// 0 if it has not come whole.
func basicHeader(h []byte) (length, id int) {
	switch low := int(h[0] & 0x3f); {
	case low > 1:
		return 1, low
	case low == 0 && len(h) >= 2:
		return 2, int(h[1]) + 64
	case low == 1 && len(h) >= 3:
		return 3, int(h[2])<<8 + int(h[1]) + 64
	}
	return 0, 0
}

package rtmp

import (
	"bufio"
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

// incoming is one message from a server. Its body is valid until the next.
type incoming struct {
	kind      byte
	timestamp uint32
	body      []byte
}

// unchunker puts messages together again from their chunks (RTMP 1.0, 5.3.1). It
// refuses, as a protocolError, what breaks the format or the bounds.
type unchunker struct {
	r       *bufio.Reader
	size    int // of a chunk's payload, as the server last said
	started time.Time
	total   int64 // bytes read
	streams map[int]*inStream
	head    [11]byte
}

// inStream is one chunk stream, as its last chunk left it.
type inStream struct {
	kind      byte
	length    int
	field     uint32 // the timestamp or delta of its last header
	extended  bool
	timestamp uint32
	body      []byte
}

func newUnchunker(r *bufio.Reader) *unchunker {
	return &unchunker{r: r, size: inChunkSize, started: time.Now(), streams: map[int]*inStream{}}
}

// next reads chunks until a message is whole.
func (u *unchunker) next() (incoming, error) {
	for {
		s, err := u.chunk()
		if err != nil {
			return incoming{}, err
		}
		if len(s.body) == s.length {
			m := incoming{kind: s.kind, timestamp: s.timestamp, body: s.body}
			s.body = s.body[:0]
			return m, nil
		}
	}
}

// chunk reads one chunk into its stream.
func (u *unchunker) chunk() (*inStream, error) {
	format, id, err := u.basicHeader()
	if err != nil {
		return nil, err
	}
	s := u.streams[id]
	if s == nil {
		if len(u.streams) >= maxChunkStreams {
			return nil, protocolError(fmt.Sprintf("more than %d chunk streams", maxChunkStreams))
		}
		s = &inStream{}
		u.streams[id] = s
	}
	if err := u.messageHeader(s, format); err != nil {
		return nil, err
	}
	switch {
	case s.length == 0:
		return nil, protocolError("a message of no length")
	case s.length > maxMessage:
		return nil, protocolError(fmt.Sprintf("a message of %d bytes", s.length))
	}
	n := min(s.length-len(s.body), u.size)
	if s.body == nil {
		s.body = make([]byte, 0, min(s.length, 1<<10))
	}
	at := len(s.body)
	s.body = append(s.body, make([]byte, n)...)
	return s, u.fill(s.body[at:])
}

// basicHeader is a chunk's format and chunk stream id (RTMP 1.0, 5.3.1.1).
func (u *unchunker) basicHeader() (format byte, id int, err error) {
	p := u.head[:1]
	if err := u.fill(p); err != nil {
		return 0, 0, err
	}
	format, id = p[0]>>6, int(p[0]&0x3f)
	if id > 1 {
		return format, id, nil
	}
	p = u.head[:1+id]
	if err := u.fill(p); err != nil {
		return 0, 0, err
	}
	if id == 0 {
		return format, 64 + int(p[0]), nil
	}
	return format, 64 + int(p[0]) + int(p[1])<<8, nil
}

// messageHeader reads what the format has of it (RTMP 1.0, 5.3.1.2), and the
// extended timestamp, which a chunk of format 3 has where its stream's last
// header had it (5.3.1.3).
func (u *unchunker) messageHeader(s *inStream, format byte) error {
	if format < 3 && len(s.body) > 0 {
		return protocolError("a message that begins inside another")
	}
	p := u.head[:[4]int{11, 7, 3, 0}[format]]
	if err := u.fill(p); err != nil {
		return err
	}
	if format < 3 {
		s.field = uint32(p[0])<<16 | uint32(p[1])<<8 | uint32(p[2])
		s.extended = s.field == noTimestamp
	}
	if format < 2 {
		s.length = int(p[3])<<16 | int(binary.BigEndian.Uint16(p[4:6]))
		s.kind = p[6]
	}
	if s.extended {
		if err := u.fill(u.head[:4]); err != nil {
			return err
		}
		s.field = binary.BigEndian.Uint32(u.head[:4])
	}
	if len(s.body) == 0 { // a message begins
		if format == 0 {
			s.timestamp = 0
		}
		s.timestamp += s.field
	}
	return nil
}

// fill reads len(p) bytes, within what a server may send.
func (u *unchunker) fill(p []byte) error {
	n, err := io.ReadFull(u.r, p)
	u.total += int64(n)
	if err != nil {
		return err
	}
	if u.total > floodBurst && u.total > floodBurst+int64(time.Since(u.started).Seconds()*floodRate) {
		return protocolError(fmt.Sprintf("a flood of %d bytes to a publisher", u.total))
	}
	return nil
}

// abort forgets the message that a chunk stream has begun (RTMP 1.0, 5.4.2).
func (u *unchunker) abort(id uint32) {
	if s := u.streams[int(id)]; s != nil {
		s.body = s.body[:0]
	}
}

package origin

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Bounds on what a publisher may send.
const (
	handshakeSize    = 1 + 1536 + 1536 // C0, C1, C2
	defaultChunkSize = 128             // until the peer says otherwise (RTMP 1.0, 5.4.1)
	minChunkSize     = 16
	maxMessageSize   = 4 << 20
	maxChunkStreams  = 32
	controlStream    = 2

	extendedMark = 0xffffff // a timestamp field that says: the real one follows in 4 bytes (5.3.1.3)
)

// The message types that the chunk layer itself has to know (RTMP 1.0, 5.4).
const (
	typeSetChunkSize = 1
	typeAbort        = 2

	typeWindowAckSize    = 5
	typeSetPeerBandwidth = 6
)

// chunkReader rewrites a publisher's chunk stream into the subset that
// go-rtmp v0.0.7 reads without harm. go-rtmp takes the extended timestamp of a
// type 3 chunk for payload (from 4.66 h on every long message loses its frame,
// and the next header panics), panics on an empty message, over-reads three
// byte basic headers, trusts announced lengths, and bounds neither messages nor
// chunk streams. So every
// message leaves here as one type 0 chunk with its absolute timestamp and bare
// type 3 chunks after it, on a small chunk stream id.
type chunkReader struct {
	r         *bufio.Reader
	handshake int // bytes of it still to pass
	size      uint32
	streams   map[uint32]*chunkStream

	current *chunkStream // of the current chunk
	header  []byte       // of the current chunk, still to be given out
	payload int          // of the current chunk, still to be given out
	space   [16]byte
}

type chunkStream struct {
	id        byte // as renumbered
	begun     bool // has had a header with a length and a type
	timestamp uint32
	delta     uint32
	length    uint32
	typeID    byte
	streamID  uint32 // little endian on the wire; kept as read
	left      uint32 // of the current message
	seen      []byte // of the current message, if it is in AMF
	extended  bool
	extension uint32
}

func newChunkReader(r io.Reader) *chunkReader {
	return &chunkReader{
		r:         bufio.NewReaderSize(r, 16<<10),
		handshake: handshakeSize,
		size:      defaultChunkSize,
		streams:   make(map[uint32]*chunkStream),
	}
}

// Read gives the handshake as it came, then the rewritten chunks.
func (c *chunkReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if c.handshake > 0 {
		n, err := c.r.Read(p[:min(len(p), c.handshake)])
		c.handshake -= n
		return n, err
	}
	for len(c.header) == 0 && c.payload == 0 {
		if err := c.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, c.header)
	c.header = c.header[n:]
	if c.payload == 0 || n == len(p) || (n > 0 && c.r.Buffered() == 0) {
		return n, nil
	}
	m, err := c.r.Read(p[n:min(len(p), n+c.payload)])
	c.payload -= m
	if refused := c.current.check(p[n:n+m], c.payload); refused != nil {
		return n, refused // without its end, the message is never decoded
	}
	return n + m, err
}

// check looks at a message that go-rtmp decodes, once all of it is there.
func (s *chunkStream) check(part []byte, payload int) error {
	if !isAMF(s.typeID) {
		return nil
	}
	s.seen = append(s.seen, part...)
	if s.left > 0 || payload > 0 {
		return nil
	}
	err := checkAMF(s.seen)
	s.seen = nil
	return err
}

// next reads a chunk's header and prepares what is given out for it.
func (c *chunkReader) next() error {
	format, s, err := c.basicHeader()
	if err != nil {
		return err
	}
	starts := s.left == 0
	switch {
	case format == 3 && !s.begun:
		return errors.New("rtmp: a chunk stream begins with a type 3 chunk")
	case format == 3:
		c.skipRepeatedExtension(s)
		if starts {
			s.timestamp += s.delta
		}
	case !starts:
		return fmt.Errorf("rtmp: a type %d chunk inside a message", format)
	default:
		if err := c.messageHeader(format, s); err != nil {
			return err
		}
	}
	if starts {
		if err := c.checkMessage(s); err != nil {
			return err
		}
		s.left = s.length
	}
	if s.left == 0 {
		return nil // an empty message: says nothing, and go-rtmp panics on it
	}
	if starts {
		c.header = s.appendHeader(c.space[:0])
	} else {
		c.header = append(c.space[:0], 3<<6|s.id)
	}
	n := min(s.left, c.size)
	s.left -= n
	c.current, c.payload = s, int(n)
	return c.learnChunkSize(s, n)
}

func (c *chunkReader) basicHeader() (format byte, s *chunkStream, err error) {
	first, err := c.r.ReadByte()
	if err != nil {
		return 0, nil, err
	}
	id := uint32(first & 0x3f)
	if id < 2 { // one or two more bytes, least significant first (5.3.1.1)
		extra := id + 1
		id = 64
		for i := range extra {
			b, err := c.r.ReadByte()
			if err != nil {
				return 0, nil, unexpected(err)
			}
			id += uint32(b) << (8 * i)
		}
	}
	s, err = c.stream(id)
	return first >> 6, s, err
}

func (c *chunkReader) stream(id uint32) (*chunkStream, error) {
	s, ok := c.streams[id]
	if ok {
		return s, nil
	}
	if len(c.streams) >= maxChunkStreams {
		return nil, fmt.Errorf("rtmp: more than %d chunk streams", maxChunkStreams)
	}
	s = &chunkStream{id: controlStream}
	if id != controlStream {
		s.id = byte(controlStream + 1 + len(c.streams)) //nolint:gosec // bounded by maxChunkStreams
	}
	c.streams[id] = s
	return s, nil
}

// messageHeader reads a header of type 0, 1 or 2 (5.3.1.2).
func (c *chunkReader) messageHeader(format byte, s *chunkStream) error {
	var buf [11]byte
	b := buf[:[...]int{11, 7, 3}[format]]
	if _, err := io.ReadFull(c.r, b); err != nil {
		return unexpected(err)
	}
	if format == 2 && !s.begun {
		return errors.New("rtmp: a chunk stream begins with a type 2 chunk")
	}
	field := uint24(b)
	s.extended = field == extendedMark
	if s.extended {
		var ext [4]byte
		if _, err := io.ReadFull(c.r, ext[:]); err != nil {
			return unexpected(err)
		}
		field = binary.BigEndian.Uint32(ext[:])
		s.extension = field
	}
	if format <= 1 {
		s.length, s.typeID, s.begun = uint24(b[3:]), b[6], true
	}
	if format == 0 {
		s.timestamp, s.delta = field, 0
		s.streamID = binary.LittleEndian.Uint32(b[7:])
		return nil
	}
	s.delta = field
	s.timestamp += field
	return nil
}

// skipRepeatedExtension drops the extended timestamp that a type 3 chunk
// repeats (5.3.1.3). Some senders, go-rtmp's client among them, leave it out:
// so it is dropped only where the four bytes are the ones that were announced.
func (c *chunkReader) skipRepeatedExtension(s *chunkStream) {
	if !s.extended {
		return
	}
	if b, err := c.r.Peek(4); err == nil && binary.BigEndian.Uint32(b) == s.extension {
		_, _ = c.r.Discard(4) // cannot fail: the bytes are buffered
	}
}

func (c *chunkReader) checkMessage(s *chunkStream) error {
	limit := uint32(maxMessageSize)
	if isAMF(s.typeID) {
		limit = maxAMFMessage
	}
	if s.length > limit {
		return fmt.Errorf("rtmp: a message of %d bytes is longer than %d", s.length, limit)
	}
	if s.typeID == typeAbort {
		return errors.New("rtmp: abort message is not supported")
	}
	return nil
}

// learnChunkSize looks at a Set Chunk Size message (5.4.1) on its way.
func (c *chunkReader) learnChunkSize(s *chunkStream, n uint32) error {
	if s.typeID != typeSetChunkSize {
		return nil
	}
	if s.length != 4 || n != 4 {
		return fmt.Errorf("rtmp: set chunk size of %d bytes", s.length)
	}
	b, err := c.r.Peek(4)
	if err != nil {
		return unexpected(err)
	}
	size := binary.BigEndian.Uint32(b)
	if size < minChunkSize || size > 1<<31-1 {
		return fmt.Errorf("rtmp: chunk size %d is out of range", size)
	}
	c.size = size
	return nil
}

// appendHeader writes the type 0 chunk header that a message starts with.
func (s *chunkStream) appendHeader(b []byte) []byte {
	b = append(b, s.id)
	b = appendUint24(b, min(s.timestamp, extendedMark))
	b = appendUint24(b, s.length)
	b = append(b, s.typeID)
	b = binary.LittleEndian.AppendUint32(b, s.streamID)
	if s.timestamp >= extendedMark {
		b = binary.BigEndian.AppendUint32(b, s.timestamp)
	}
	return b
}

func uint24(b []byte) uint32 { return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]) }

func appendUint24(b []byte, v uint32) []byte {
	return append(b, byte(v>>16), byte(v>>8), byte(v)) //nolint:gosec // the bytes are meant
}

// unexpected turns an end of the stream inside a header into what it is.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

package rtmp

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yutopp/go-rtmp/message"

	"streamcanary/prober"
)

const (
	// outChunkSize lets nearly every frame be one chunk, and so one write. SRS
	// takes no larger one.
	outChunkSize = 64 << 10
	// inChunkSize is a server's until it says otherwise (RTMP 1.0, 5.4.1).
	inChunkSize = 128
	readBuffer  = 4 << 10
	maxPending  = 16 // replies and control messages that wait for their turn
)

// Broadcast is a published stream. Close ends it, whatever happened to it. A
// server's pings are answered while Send runs.
type Broadcast struct {
	cfg    Config
	at     endpoint
	conn   *net.TCPConn
	out    *sender
	secure *tls.Conn // before out; nil where there is no TLS
	wire   io.Writer // secure or out

	live context.Context // ends with the broadcast; its cause says why
	end  context.CancelCauseFunc

	replies chan reply    // to commands; dropped when nobody waits
	control chan outgoing // what the server asked for, to be sent by Send
	reader  chan struct{} // closed when the reader goroutine is gone
	heard   notes         // what the server asked for, and where it sent us

	write    sync.Mutex // one writer at a time; guards frames
	frames   framer
	streamID uint32 // of the message stream, from createStream

	broken   chan struct{} // closed when a write has failed
	breaking sync.Once
	brokenBy error // once broken is closed

	closing  sync.Once
	closeErr error
	aside    sync.WaitGroup // the looks at the other addresses

	stages  []prober.StageTime // complete once Publish returns
	resyncs atomic.Int64
	lag     atomic.Int64
}

// Stats are a broadcast's figures so far.
type Stats struct {
	Stages    []prober.StageTime // resolve, connect, publish
	BytesSent int64              // taken by the socket, RTMP's overhead included
	SendStall time.Duration      // longest time that bytes waited to be taken by the socket
	SendQueue int64              // most bytes seen in the kernel's send queue, at a look every second and whenever it was full; Linux only
	Lag       time.Duration      // how far the last tag was behind its time
	Resyncs   int                // times this machine itself was too late, and the pace began anew
	Server    Server
	Findings  []prober.Finding // since the connection began: what the server asked for beside the broadcast, and its addresses that fail
}

// Stats is safe at any time.
func (b *Broadcast) Stats() Stats {
	if b.live.Err() == nil {
		b.out.measureQueue()
	}
	server, findings := b.heard.soFar()
	return Stats{
		Stages:    append([]prober.StageTime(nil), b.stages...),
		BytesSent: b.out.bytes.Load(),
		SendStall: b.out.longestStall(),
		SendQueue: b.out.deepest.Load(),
		Lag:       time.Duration(b.lag.Load()),
		Resyncs:   int(b.resyncs.Load()),
		Server:    server,
		Findings:  findings,
	}
}

// newBroadcast starts the reader on a connection whose handshake is done.
func newBroadcast(cfg Config, at endpoint, l *link) *Broadcast {
	b := &Broadcast{
		cfg: cfg, at: at, conn: l.conn, out: l.out, secure: l.secure, wire: l.out,
		replies: make(chan reply, maxPending),
		control: make(chan outgoing, maxPending),
		reader:  make(chan struct{}),
		broken:  make(chan struct{}),
		frames:  framer{size: outChunkSize},
	}
	if l.secure != nil {
		b.wire = l.secure
	}
	l.out.queues.Store(true)
	b.live, b.end = context.WithCancelCause(context.Background())
	go b.read(newUnchunker(l.r))
	return b
}

// outgoing is a message that is not media.
type outgoing struct {
	chunks int
	kind   byte
	stream uint32
	body   []byte
}

// commandOf is a command of the given arguments, AMF0.
func commandOf(stream uint32, name string, transaction int64, args ...any) (outgoing, error) {
	body, err := encodeAMF(append([]any{name, float64(transaction)}, args...)...)
	if err != nil {
		return outgoing{}, fmt.Errorf("encode the command %s: %w", name, err)
	}
	return outgoing{commandChunks, kindCommand, stream, body}, nil
}

// controlOf is a control message of big-endian numbers.
func controlOf(kind byte, numbers ...uint32) outgoing {
	var body []byte
	for _, n := range numbers {
		body = binary.BigEndian.AppendUint32(body, n)
	}
	return outgoing{controlChunks, kind, 0, body}
}

// say sends messages, and waits until the socket has taken them, and whatever
// was queued before.
func (b *Broadcast) say(ctx context.Context, messages ...outgoing) error {
	b.write.Lock()
	defer b.write.Unlock()
	var frames []byte
	for _, m := range messages {
		frames = b.frames.append(frames, m.chunks, m.kind, m.stream, 0, m.body)
	}
	if _, err := b.wire.Write(frames); err != nil {
		return err
	}
	return b.out.flush(ctx)
}

// controls adds what the server asked for to frames. It needs write.
func (b *Broadcast) controls(frames []byte) []byte {
	for {
		select {
		case m := <-b.control:
			frames = b.frames.append(frames, m.chunks, m.kind, m.stream, 0, m.body)
		default:
			return frames
		}
	}
}

// broke keeps the first error of a write, for whoever asks why.
func (b *Broadcast) broke(err error) {
	b.breaking.Do(func() {
		b.brokenBy = err
		close(b.broken)
	})
}

func encodeAMF(values ...any) ([]byte, error) {
	var body bytes.Buffer
	enc := message.NewAMFEncoder(&body, message.EncodingTypeAMF0)
	for _, v := range values {
		if err := enc.Encode(v); err != nil {
			return nil, err
		}
	}
	return body.Bytes(), nil
}

// verdict is why a broadcast is over after a write failed or live has ended. The
// reader knows best (an onStatus, FIN or RST), so it gets a moment to speak.
func (b *Broadcast) verdict(writeErr error) *ending {
	if b.live.Err() == nil {
		moment := time.NewTimer(readerGrace)
		defer moment.Stop()
		select {
		case <-b.live.Done():
		case <-moment.C:
			b.end(networkEnding(writeErr))
		}
	}
	var e *ending
	if errors.As(context.Cause(b.live), &e) {
		return e
	}
	return &ending{reason: prober.ReasonCancelled, what: "closed by the publisher"}
}

// When a connection breaks, the reader and the writer learn of it at nearly the
// same time; these are how long each waits for the other's better reason.
const (
	readerGrace = 200 * time.Millisecond // a failed write waits for the reader
	writerGrace = 100 * time.Millisecond // an end of file waits for the writer
)

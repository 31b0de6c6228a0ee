package rtmp

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"time"

	gortmp "github.com/yutopp/go-rtmp"
	"github.com/yutopp/go-rtmp/message"

	"streamcanary/prober"
)

// Our chunk streams.
const (
	controlChunks = 2 // fixed by RTMP 1.0, 5.4
	commandChunks = 3
	audioChunks   = 4
	videoChunks   = 6
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
	chunks *gortmp.ChunkStreamer

	live context.Context // ends with the broadcast; its cause says why
	end  context.CancelCauseFunc

	replies chan reply           // to commands; dropped when nobody waits
	control chan message.Message // what the server asked for, to be sent by Send
	reader  chan struct{}        // closed when the reader goroutine is gone

	write    sync.Mutex // one writer of messages at a time: the chunk streamer's encoder is shared
	streamID uint32     // of the message stream, from createStream

	closing  sync.Once
	closeErr error

	stages  []prober.StageTime // complete once Publish returns
	resyncs atomic.Int64
	lag     atomic.Int64
}

// Stats are a broadcast's figures so far.
type Stats struct {
	Stages    []prober.StageTime // resolve, connect, publish
	BytesSent int64              // taken by the socket, RTMP's overhead included
	SendStall time.Duration      // longest time a write was blocked
	Lag       time.Duration      // how far the last tag was behind its time
	Resyncs   int                // times this machine itself was too late, and the pace began anew
}

// Stats is safe at any time.
func (b *Broadcast) Stats() Stats {
	return Stats{
		Stages:    append([]prober.StageTime(nil), b.stages...),
		BytesSent: b.out.bytes.Load(),
		SendStall: b.out.longestStall(),
		Lag:       time.Duration(b.lag.Load()),
		Resyncs:   int(b.resyncs.Load()),
	}
}

// newBroadcast starts the chunk streamer and the reader on a connection whose
// handshake is done.
func newBroadcast(cfg Config, at endpoint, conn *net.TCPConn, r *bufio.Reader) (*Broadcast, error) {
	b := &Broadcast{
		cfg: cfg, at: at, conn: conn,
		out:     newSender(conn, cfg.StallTimeout),
		replies: make(chan reply, maxPending),
		control: make(chan message.Message, maxPending),
		reader:  make(chan struct{}),
	}
	b.live, b.end = context.WithCancelCause(context.Background())

	in := newGuard(r, func() uint32 { return b.chunks.PeerState().ChunkSize() })
	b.chunks = gortmp.NewChunkStreamer(in, bufio.NewWriterSize(b.out, outChunkSize+64), chunkConfig())
	err := b.chunks.PeerState().SetChunkSize(inChunkSize)
	go b.read(in)
	return b, err
}

// chunkConfig is the chunk streamer's, which does not normalise it: what is zero
// here is zero there. Its acknowledgements would call a nil function, so their
// window is the largest, and ours are sent by Send.
func chunkConfig() *gortmp.StreamControlStateConfig {
	return &gortmp.StreamControlStateConfig{
		DefaultChunkSize:     outChunkSize,
		MaxChunkSize:         gortmp.MaxChunkSize,
		MaxChunkStreams:      maxChunkStreams,
		DefaultAckWindowSize: math.MaxInt32,
		MaxAckWindowSize:     math.MaxInt32,
		MaxMessageSize:       maxMessage,
		MaxMessageStreams:    2,
	}
}

// send hands a message to the chunk streamer. It waits only for the message
// before it on the same chunk stream.
func (b *Broadcast) send(ctx context.Context, chunkStream int, timestamp uint32, stream uint32, m message.Message) error {
	b.write.Lock()
	defer b.write.Unlock()
	select {
	case <-b.chunks.Done():
		return b.writeError()
	default:
	}
	return b.chunks.Write(ctx, chunkStream, timestamp, &gortmp.ChunkMessage{StreamID: stream, Message: m})
}

// writeError is why the chunk streamer's write loop is over.
func (b *Broadcast) writeError() error {
	if err := b.chunks.Err(); err != nil {
		return err
	}
	return net.ErrClosed
}

// command sends a command of the given arguments, AMF0.
func (b *Broadcast) command(ctx context.Context, stream uint32, name string, transaction int64, args ...any) error {
	body, err := encodeAMF(args...)
	if err != nil {
		return fmt.Errorf("encode the command %s: %w", name, err)
	}
	return b.send(ctx, commandChunks, 0, stream, &message.CommandMessage{
		CommandName: name, TransactionID: transaction, Encoding: message.EncodingTypeAMF0, Body: body,
	})
}

func encodeAMF(values ...any) (*bytes.Buffer, error) {
	var body bytes.Buffer
	enc := message.NewAMFEncoder(&body, message.EncodingTypeAMF0)
	for _, v := range values {
		if err := enc.Encode(v); err != nil {
			return nil, err
		}
	}
	return &body, nil
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
	return &ending{prober.ReasonCancelled, "closed by the publisher"}
}

// When a connection breaks, the reader and the writer learn of it at nearly the
// same time; these are how long each waits for the other's better reason.
const (
	readerGrace = 200 * time.Millisecond // a failed write waits for the reader
	writerGrace = 50 * time.Millisecond  // an end of file waits for the writer
)

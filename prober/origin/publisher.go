package origin

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

const (
	setupTimeout = 15 * time.Second // from accept to publish
	idleTimeout  = 30 * time.Second // between bytes of a broadcast
	writeTimeout = 5 * time.Second
	drainTimeout = time.Second // for a publisher to read the last answer
	maxDrain     = 1 << 20
)

// publisher is one RTMP connection: what go-rtmp reads and writes through.
type publisher struct {
	ingest  *ingest
	conn    *conn
	wire    wire // conn, or TLS over it
	chunks  *chunkReader
	setupBy time.Time

	broadcast *broadcast // nil before publish; belongs to the reading goroutine, as does reading
	reading   bool       // a byte was waited for
	taken     int64      // bytes
	rate      float64    // bytes a second, as they were before the ingest was throttled
	shaken    atomic.Bool
	ending    atomic.Bool // nothing more is read

	mu    sync.Mutex // serialises writes
	muted bool       // the last word has been said
}

// wire is a connection as a publisher uses it.
type wire interface {
	net.Conn
	CloseWrite() error
}

func (p *publisher) Read(b []byte) (int, error) {
	n, err := p.chunks.Read(b)
	if p.chunks.handshake == 0 {
		p.shaken.Store(true)
	}
	return n, err
}

// Write gives out what go-rtmp answers, until a refusal was sent: after its own
// answer to a refused publish go-rtmp would add a second one.
func (p *publisher) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.muted {
		return len(b), nil
	}
	if err := p.wire.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	if !p.shaken.Load() {
		switch now := p.ingest.behaviour(); {
		case now.silentFrom == phaseHandshake:
			p.muted = true
			return len(b), nil
		case now.greeting != nil:
			p.muted = true
			_, err := p.wire.Write(now.greeting)
			return len(b), err
		}
	}
	return p.wire.Write(b)
}

// finish ends the connection in order: with a FIN, once what came is read.
func (p *publisher) finish() {
	p.ending.Store(true)
	_ = p.wire.SetReadDeadline(time.Now()) // wakes the reader
}

// lastWord writes b and nothing after it.
func (p *publisher) lastWord(b []byte) error {
	if _, err := p.Write(b); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.muted = true
	return nil
}

// Close is called once by go-rtmp, when everything else of the connection is
// over. The publisher is let read the last answer first: to close with unread
// input is an RST, which takes the answer away.
func (p *publisher) Close() error {
	defer p.conn.among.busy.Done()
	if p.wire.CloseWrite() == nil && p.wire.SetReadDeadline(time.Now().Add(drainTimeout)) == nil {
		_, _ = io.CopyN(io.Discard, p.wire, maxDrain)
	}
	return p.conn.Close()
}

// deadlined reads from the network, within the time that is due, unless the
// ingest stalls.
type deadlined struct{ p *publisher }

func (d deadlined) Read(b []byte) (int, error) {
	p := d.p
	if err := p.unread(); err != nil {
		return 0, err
	}
	if err := p.ingest.stall.wait(p.conn.gone); err != nil {
		return 0, err
	}
	until := p.setupBy
	if p.broadcast != nil {
		until = time.Now().Add(idleTimeout)
	}
	if err := p.wire.SetReadDeadline(until); err != nil {
		return 0, err
	}
	if p.ending.Load() {
		return 0, io.EOF
	}
	return p.throttled(b)
}

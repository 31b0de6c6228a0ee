package origin

import (
	"io"
	"sync"
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
	chunks  *chunkReader
	setupBy time.Time

	broadcast *broadcast // nil before publish; belongs to the reading goroutine

	mu    sync.Mutex // serialises writes
	muted bool       // the last word has been said
}

func (p *publisher) Read(b []byte) (int, error) { return p.chunks.Read(b) }

// Write gives out what go-rtmp answers, until a refusal was sent: after its own
// answer to a refused publish go-rtmp would add a second one.
func (p *publisher) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.muted {
		return len(b), nil
	}
	if err := p.conn.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return p.conn.Write(b)
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
	if p.conn.CloseWrite() == nil && p.conn.SetReadDeadline(time.Now().Add(drainTimeout)) == nil {
		_, _ = io.CopyN(io.Discard, p.conn, maxDrain)
	}
	return p.conn.Close()
}

// deadlined reads from the network, within the time that is due, unless the
// ingest stalls.
type deadlined struct{ p *publisher }

func (d deadlined) Read(b []byte) (int, error) {
	p := d.p
	if err := p.ingest.stall.wait(p.conn.gone); err != nil {
		return 0, err
	}
	until := p.setupBy
	if p.broadcast != nil {
		until = time.Now().Add(idleTimeout)
	}
	if err := p.conn.SetReadDeadline(until); err != nil {
		return 0, err
	}
	return p.conn.Read(b)
}

package origin

import (
	"io"
	"time"
)

// behaviour is how an ingest treats broadcasters other than it should. What is
// zero is as it should be.
type behaviour struct {
	silentFrom phase    // from there on nothing is answered
	greeting   []byte   // said in the place of the handshake
	connect    *refusal // said to a connect command
	publish    *refusal // said to a publish command
	// started is called in a goroutine of its own when a broadcast was accepted.
	started func(*publisher)
	share   float64 // of its rate, that is read of a broadcast; 0 is all of it
}

// phase is how far a connection has come.
type phase int

const (
	never phase = iota
	phaseAccept
	phaseHandshake
	phaseConnect
	phasePublish
)

// behaviour is the latest that is on.
func (i *ingest) behaviour() behaviour {
	if latest := i.behaviours.top(); latest != nil {
		return *latest
	}
	return behaviour{}
}

// unread keeps a new connection waiting with its first byte, as a process that
// hangs does, until that is over or the connection is closed.
func (p *publisher) unread() error {
	if p.reading {
		return nil
	}
	if p.ingest.behaviour().silentFrom == phaseAccept {
		patience := time.NewTimer(setupTimeout)
		defer patience.Stop()
		select {
		case <-patience.C:
		case <-p.conn.gone:
		}
		return io.EOF
	}
	p.reading = true
	return nil
}

// silence makes sure that nothing more is said.
func (p *publisher) silence() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.muted = true
}

// throttled reads as slowly as it is told to.
func (p *publisher) throttled(b []byte) (int, error) {
	const steps = 20 // a second
	share := p.ingest.behaviour().share
	if share == 0 || p.broadcast == nil {
		n, err := p.wire.Read(b)
		p.taken += int64(n)
		return n, err
	}
	pause := time.NewTimer(time.Second / steps)
	defer pause.Stop()
	select {
	case <-pause.C:
	case <-p.conn.gone:
	}
	if p.rate == 0 {
		p.rate = float64(p.taken) / max(time.Since(p.broadcast.started).Seconds(), 1)
	}
	return p.wire.Read(b[:min(len(b), max(int(p.rate*share/steps), 1))])
}

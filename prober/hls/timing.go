package hls

import (
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"
)

// timing is how long the parts of one GET took. Resolve, Connect and TLS are 0
// when a kept connection was used.
type timing struct {
	Resolve, Connect, TLS time.Duration
	FirstByte             time.Duration // from the start to the answer's first byte
	Total                 time.Duration // from the start to the body's last byte
}

// phase is what a request is waiting for.
type phase string

const (
	resolving  phase = "resolve the name"
	connecting phase = "connect"
	securing   phase = "TLS handshake"
	answering  phase = "answer"
)

// clock takes one request's times. The transport calls back from goroutines of
// its own, which may outlive the request.
type clock struct {
	progress func() // called at the first byte of an answer

	mu     sync.Mutex
	start  time.Time
	last   time.Time // start of the current phase
	phase  phase
	timing timing
}

func newClock(progress func()) *clock {
	now := time.Now()
	return &clock{progress: progress, start: now, last: now, phase: connecting}
}

// enter begins a phase, and adds the time of the one that ends to *spent.
func (c *clock) enter(next phase, spent *time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	if spent != nil {
		*spent += now.Sub(c.last)
	}
	c.last, c.phase = now, next
}

// now tells the phase and the times so far.
func (c *clock) now() (phase, timing) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.timing
	t.Total = time.Since(c.start)
	return c.phase, t
}

func (c *clock) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart:          func(httptrace.DNSStartInfo) { c.enter(resolving, nil) },
		DNSDone:           func(httptrace.DNSDoneInfo) { c.enter(connecting, &c.timing.Resolve) },
		ConnectStart:      func(string, string) { c.enter(connecting, nil) },
		ConnectDone:       func(string, string, error) { c.enter(connecting, &c.timing.Connect) },
		TLSHandshakeStart: func() { c.enter(securing, nil) },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { c.enter(connecting, &c.timing.TLS) },
		GotConn:           func(httptrace.GotConnInfo) { c.enter(answering, nil) },
		GotFirstResponseByte: func() {
			c.progress()
			c.mu.Lock()
			c.timing.FirstByte = time.Since(c.start)
			c.mu.Unlock()
		},
	}
}

package origin

import (
	"net"
	"sync"
)

// gate holds back whoever waits at it while it is closed. The zero gate is open.
type gate struct {
	mu     sync.Mutex
	closed int
	opened chan struct{}
}

// close closes the gate until the function that it returns is called.
func (g *gate) close() (open func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed == 0 {
		g.opened = make(chan struct{})
	}
	g.closed++
	return sync.OnceFunc(func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if g.closed--; g.closed == 0 {
			close(g.opened)
		}
	})
}

// wait returns once the gate is open, or net.ErrClosed when gone is closed first.
func (g *gate) wait(gone <-chan struct{}) error {
	for {
		g.mu.Lock()
		closed, opened := g.closed > 0, g.opened
		g.mu.Unlock()
		if !closed {
			return nil
		}
		select {
		case <-opened:
		case <-gone:
			return net.ErrClosed
		}
	}
}

package origin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	maxConns    = 2000
	rebindEvery = 20 * time.Millisecond
)

// listener accepts into a set of connections, so that they can be reset.
type listener struct {
	net.Listener
	conns *conns
}

// conns are the open connections of one server. They outlive its listener.
type conns struct {
	mu   sync.Mutex
	set  map[*conn]struct{}
	busy sync.WaitGroup // accepted, and not yet released by who serves them
}

// conn is a connection that is counted.
type conn struct {
	*net.TCPConn
	among *conns
	gone  chan struct{} // closed with the connection
	close func()        // closes gone, once
}

// listen binds a TCP address. Go sets SO_REUSEADDR, so that connections of a
// former life that linger do not keep the port; what else holds it is waited
// for as long as patience says.
func listen(ctx context.Context, config net.ListenConfig, address string, among *conns, patience time.Duration) (*listener, error) {
	for deadline := time.Now().Add(patience); ; {
		l, err := config.Listen(ctx, "tcp", address)
		if err == nil {
			return &listener{Listener: l, conns: among}, nil
		}
		if !time.Now().Before(deadline) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(rebindEvery):
		}
	}
}

// Accept waits out what is over soon (too many open files), which go-rtmp's
// server would spin on, and closes connections above the bound.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err == nil {
			if counted, err := l.conns.add(c); err == nil {
				return counted, nil
			}
			_ = c.Close()
			continue
		}
		if errors.Is(err, net.ErrClosed) {
			return nil, err
		}
		<-time.After(rebindEvery)
	}
}

func newConns() *conns { return &conns{set: make(map[*conn]struct{})} }

func (s *conns) add(c net.Conn) (*conn, error) {
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return nil, fmt.Errorf("not TCP: %T", c)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.set) >= maxConns {
		return nil, fmt.Errorf("more than %d connections", maxConns)
	}
	gone := make(chan struct{})
	counted := &conn{TCPConn: tcp, among: s, gone: gone, close: sync.OnceFunc(func() { close(gone) })}
	s.set[counted] = struct{}{}
	s.busy.Add(1)
	return counted, nil
}

// reset closes every connection as a killed process does: with an RST.
func (s *conns) reset() {
	s.mu.Lock()
	set := s.set
	s.set = make(map[*conn]struct{})
	s.mu.Unlock()
	for c := range set {
		c.abort()
	}
}

// Close closes the connection; it may be called again.
func (c *conn) Close() error {
	c.among.mu.Lock()
	delete(c.among.set, c)
	c.among.mu.Unlock()
	c.close()
	return c.TCPConn.Close()
}

// abort closes with an RST.
func (c *conn) abort() {
	_ = c.SetLinger(0) // fails only on a closed connection
	_ = c.Close()
}

package rtmp

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var errStalled = errors.New("not one within the stall timeout")

// keptQueue bounds the memory that an empty queue keeps, in bytes.
const keptQueue = 128 << 10

// sender is the queue before a connection's socket. It watches whether bytes are
// taken. Anybody may queue; one goroutine at a time pushes or flushes; the
// figures may be read from any.
type sender struct {
	conn  net.Conn
	raw   syscall.RawConn // of conn; nil: everything is flushed
	stall time.Duration
	epoch time.Time

	queues  atomic.Bool // Write queues; before, it writes
	mu      sync.Mutex
	queue   []byte // what the socket has not taken begins at head
	head    int
	attempt attempt

	bytes   atomic.Int64 // taken by the socket
	longest atomic.Int64 // longest time that bytes waited to be taken, ns
	blocked atomic.Int64 // time in which bytes waited, of waits that are over, ns
	since   atomic.Int64 // when the wait in progress, or that failed, began, ns since epoch; 0: none
	failed  atomic.Bool
	moved   atomic.Int64 // when a byte was last taken, ns since epoch
	acked   int64        // bytes that the server's kernel has, at flush's last look
	deepest atomic.Int64 // most bytes seen in the kernel's send queue
}

func newSender(conn net.Conn, stall time.Duration) *sender {
	s := &sender{conn: conn, stall: stall, epoch: time.Now()}
	s.attempt.try = s.attempt.once
	if sc, ok := conn.(syscall.Conn); ok {
		s.raw, _ = sc.SyscallConn()
	}
	return s
}

// Write queues p, and never fails: what becomes of it is push's and flush's to
// say. Until queues is set it writes, with the connection's own deadline.
func (s *sender) Write(p []byte) (int, error) {
	if !s.queues.Load() {
		n, err := s.conn.Write(p)
		s.bytes.Add(int64(n))
		return n, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue = append(s.queue, p...)
	return len(p), nil
}

// push gives the socket what it takes at once, in one write. done says that this
// was all.
func (s *sender) push() (done bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.head == len(s.queue) {
		return true, nil
	}
	if s.raw == nil {
		return false, nil
	}
	n, err := s.attempt.write(s.raw, s.queue[s.head:])
	s.taken(n)
	if err != nil {
		s.since.Store(s.moved.Load())
		s.failed.Store(true) // nothing moves after it
	}
	return s.head == len(s.queue), err
}

// offer is Write and push in one: what the socket takes at once is never queued.
func (s *sender) offer(p []byte) (done bool, err error) {
	s.mu.Lock()
	if len(s.queue) > 0 || s.raw == nil {
		s.queue = append(s.queue, p...)
		s.mu.Unlock()
		return s.push()
	}
	defer s.mu.Unlock()
	n, err := s.attempt.write(s.raw, p)
	s.queue = append(s.queue, p[n:]...)
	s.booked(n)
	if err != nil {
		s.since.Store(s.moved.Load())
		s.failed.Store(true) // nothing moves after it
	}
	return n == len(p), err
}

// booked counts n bytes that the socket has taken.
func (s *sender) booked(n int) {
	s.bytes.Add(int64(n))
	if n > 0 {
		s.moved.Store(max(int64(time.Since(s.epoch)), 1))
	}
}

// taken books n bytes of the queue. It needs mu.
func (s *sender) taken(n int) {
	s.head += n
	s.booked(n)
	if s.head < len(s.queue) {
		return
	}
	s.head, s.queue = 0, s.queue[:0]
	if cap(s.queue) > keptQueue {
		s.queue = nil
	}
}

// flush waits until the socket has taken everything, however slowly it goes, as
// long as the server takes bytes at all: errStalled after a stall timeout without
// one.
func (s *sender) flush(ctx context.Context) error {
	start := int64(max(time.Since(s.epoch), 1))
	s.since.Store(start)
	s.moved.Store(start)
	s.acked = s.bytes.Load() - s.measureQueue()
	stop := context.AfterFunc(ctx, func() { _ = s.conn.SetWriteDeadline(time.Unix(1, 0)) })
	defer stop()
	err := s.flushAll(ctx)
	took := time.Since(s.epoch) - time.Duration(s.since.Load())
	s.longest.Store(max(s.longest.Load(), int64(took)))
	if err != nil && ctx.Err() == nil {
		s.failed.Store(true) // and stays in progress
		return err
	}
	s.since.Store(0)
	s.blocked.Add(int64(took))
	return err
}

func (s *sender) flushAll(ctx context.Context) error {
	for {
		s.mu.Lock()
		rest := s.queue[s.head:]
		s.mu.Unlock()
		if len(rest) == 0 {
			return nil
		}
		began, wait := time.Now(), s.stall/8
		if err := s.conn.SetWriteDeadline(began.Add(wait)); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil { // the deadline just set may have undone flush's
			return err
		}
		n, err := s.conn.Write(rest)
		s.away(time.Since(began) - wait)
		s.mu.Lock()
		s.taken(n)
		s.mu.Unlock()
		switch {
		case err == nil:
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return err
		case !s.acknowledged() && s.still() >= s.stall:
			return errStalled
		}
	}
}

// away takes the time by which a write came back after its deadline out of the
// wait in progress: this machine was suspended, or starved, and not the server.
func (s *sender) away(late time.Duration) {
	if late > s.stall/8 {
		s.since.Add(int64(late))
		s.moved.Add(int64(late))
	}
}

// acknowledged looks whether the server's kernel has more than at the last look.
// The socket takes nothing before a third of its buffer is free, and a slow
// server may need longer than the stall timeout for that.
func (s *sender) acknowledged() bool {
	acked := s.bytes.Load() - s.measureQueue()
	if acked <= s.acked {
		return false
	}
	s.acked = acked
	s.moved.Store(int64(time.Since(s.epoch)))
	return true
}

// still is for how long a wait that is in progress, or failed, has not moved a
// byte.
func (s *sender) still() time.Duration {
	if s.since.Load() == 0 {
		return 0
	}
	return time.Since(s.epoch) - time.Duration(s.moved.Load())
}

// movedAt is when a byte was last taken.
func (s *sender) movedAt() time.Time { return s.epoch.Add(time.Duration(s.moved.Load())) }

// longestStall is the longest time that bytes waited, the present wait included.
func (s *sender) longestStall() time.Duration {
	longest := time.Duration(s.longest.Load())
	if since := s.since.Load(); since != 0 && !s.failed.Load() {
		longest = max(longest, time.Since(s.epoch)-time.Duration(since))
	}
	return longest
}

// waited is the time ever spent waiting, the present wait included.
func (s *sender) waited() time.Duration {
	total := time.Duration(s.blocked.Load())
	if since := s.since.Load(); since != 0 {
		total += time.Since(s.epoch) - time.Duration(since)
	}
	return total
}

// measureQueue is how many bytes are in the kernel's send queue; 0 where that
// cannot be seen.
func (s *sender) measureQueue() int64 {
	if s.raw == nil {
		return 0
	}
	n := sendQueue(s.raw)
	if n > s.deepest.Load() {
		s.deepest.Store(n)
	}
	return n
}

package rtmp

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"
)

var errStalled = errors.New("not one within the stall timeout")

// sender writes to the connection and watches whether bytes are taken. One
// goroutine writes; the figures may be read from any.
type sender struct {
	conn  net.Conn
	stall time.Duration
	epoch time.Time

	bytes   atomic.Int64 // taken by the socket
	longest atomic.Int64 // longest time that one write was blocked, ns
	blocked atomic.Int64 // time spent in writes that are over, ns
	since   atomic.Int64 // when the write in progress, or that failed, began, ns since epoch; 0: none
	failed  atomic.Bool
	moved   atomic.Int64 // when a byte was last taken, ns since epoch
}

func newSender(conn net.Conn, stall time.Duration) *sender {
	return &sender{conn: conn, stall: stall, epoch: time.Now()}
}

// Write writes the whole of p, however slowly it goes, as long as bytes are
// taken at all: errStalled after a stall timeout without one.
func (s *sender) Write(p []byte) (int, error) {
	start := time.Since(s.epoch)
	s.since.Store(int64(start))
	s.moved.Store(int64(start))
	n, err := s.writeAll(p)
	took := time.Since(s.epoch) - start
	s.longest.Store(max(s.longest.Load(), int64(took)))
	if err != nil {
		s.failed.Store(true) // and stays in progress: nothing moves after it
		return n, err
	}
	s.since.Store(0)
	s.blocked.Add(int64(took))
	return n, nil
}

func (s *sender) writeAll(p []byte) (int, error) {
	done := 0
	for {
		if err := s.conn.SetWriteDeadline(time.Now().Add(s.stall / 8)); err != nil {
			return done, err
		}
		n, err := s.conn.Write(p[done:])
		done += n
		s.bytes.Add(int64(n))
		if n > 0 {
			s.moved.Store(int64(time.Since(s.epoch)))
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) { // nil too
			return done, err
		}
		if s.still() >= s.stall {
			return done, errStalled
		}
	}
}

// still is for how long a write that is in progress, or failed, has not moved a
// byte.
func (s *sender) still() time.Duration {
	if s.since.Load() == 0 {
		return 0
	}
	return time.Since(s.epoch) - time.Duration(s.moved.Load())
}

// longestStall is the longest time that one write was blocked, the present one included.
func (s *sender) longestStall() time.Duration {
	longest := time.Duration(s.longest.Load())
	if since := s.since.Load(); since != 0 && !s.failed.Load() {
		longest = max(longest, time.Since(s.epoch)-time.Duration(since))
	}
	return longest
}

// waited is the time ever spent in writes, the present one included.
func (s *sender) waited() time.Duration {
	total := time.Duration(s.blocked.Load())
	if since := s.since.Load(); since != 0 {
		total += time.Since(s.epoch) - time.Duration(since)
	}
	return total
}

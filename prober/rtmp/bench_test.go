//go:build unix

package rtmp

import (
	"io"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// BenchmarkFrame sends frames of a 500 kbit/s broadcast (25 pictures a second of
// 2.4 KB, as much sound) to a server that discards them, as fast as they go. It
// counts writes per frame, and the CPU time of this process (the discarding
// server's included) per stream-minute.
func BenchmarkFrame(b *testing.B) {
	s := serve(b, func(c *fakeConn) error {
		if err := c.acceptPublish(); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, c.r)
		return err
	})
	cfg := testConfig(s.url())
	br, failure, err := Publish(b.Context(), cfg)
	if failure != nil || err != nil {
		b.Fatalf("Publish: %+v, %v", failure, err)
	}
	defer br.Close(b.Context())
	wire := &countingConn{Conn: br.conn}
	br.out.conn = wire // nothing is being written yet
	p := newPace(br, &testSource{size: 2400})
	if err := p.begin(b.Context()); err != nil {
		b.Fatal(err)
	}
	video := Tag{Body: make([]byte, 2400)}
	audio := Tag{Audio: true, Body: make([]byte, 200)}
	before := cpu(b)
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tag := video
		if i%2 == 1 {
			tag = audio
		}
		tag.DTS = time.Duration(i) * 20 * time.Millisecond
		if err := p.tag(b.Context(), tag); err != nil {
			b.Fatal(err)
		}
	}
	spent := cpu(b) - before
	b.ReportMetric(float64(wire.writes.Load())/float64(b.N), "writes/frame")
	b.ReportMetric(spent.Seconds()/float64(b.N)*50*60, "cpu-s/stream-min")
}

// countingConn counts writes, which are system calls.
type countingConn struct {
	net.Conn
	writes atomic.Int64
}

func (c *countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// cpu is the processor time this process has used.
func cpu(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

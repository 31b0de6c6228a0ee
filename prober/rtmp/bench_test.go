//go:build unix

package rtmp

import (
	"io"
	"syscall"
	"testing"
	"time"
)

// BenchmarkFrame sends frames of a 500 kbit/s broadcast (25 pictures a second of
// 2.4 KB, as much sound) to a server that discards them, as fast as they go in one
// write each. It counts the CPU time of this process (the discarding
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
	p := &pace{b: br}
	before := cpu(b)
	video, audio := make([]byte, 2400), make([]byte, 200)
	var frames []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		tag := Tag{Body: video, DTS: time.Duration(i) * 20 * time.Millisecond}
		if i%2 == 1 {
			tag.Audio, tag.Body = true, audio
		}
		frames = p.tag(frames[:0], tag)
		done, err := br.out.offer(frames)
		if err == nil && !done {
			err = br.out.flush(b.Context())
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	spent := cpu(b) - before
	b.ReportMetric(spent.Seconds()/float64(b.N)*50*60, "cpu-s/stream-min")
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

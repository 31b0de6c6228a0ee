//go:build unix

package origin

import (
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"time"
)

const frameSize = 2000 // bytes: 480 kbit/s

// BenchmarkBroadcastSecond takes a second of a broadcast of 500 kbit/s through
// RTMP and into a muxer at each of three linked origins. The client's share of
// the processor is in the figure.
func BenchmarkBroadcastSecond(b *testing.B) {
	for _, container := range []Container{MPEGTS, FMP4} {
		b.Run(string(container), func(b *testing.B) {
			origins := start(b, 3, Config{Container: container})
			c := mustPublish(b, origins[0], "show")
			c.frameSize = frameSize
			before := processorTime()
			b.ResetTimer()
			for range b.N {
				c.push(1)
				_ = c.conn.SetDeadline(time.Now().Add(patience))
			}
			_ = c.conn.Close()
			for len(origins[0].platform.running(origins[0])) > 0 {
				runtime.Gosched()
			}
			b.StopTimer()
			b.ReportMetric(float64((processorTime()-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

func processorTime() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkMemory holds 25 broadcasts at three origins, with full playlists.
func BenchmarkMemory(b *testing.B) {
	for range b.N {
		origins := start(b, 3, Config{})
		for i := range 25 {
			c := mustPublish(b, origins[i%3], fmt.Sprintf("show%d", i))
			c.frameSize = frameSize
			c.push(16)
		}
		eventually(b, "25 broadcasts at each", func() error {
			for _, o := range origins {
				for id := range o.playback.all() {
					if text, _, err := playlist(b, o, id); err != nil || lastSegment(text) < 14 {
						return fmt.Errorf("%s at %d, %w", id, lastSegment(text), err)
					}
				}
			}
			return nil
		})
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		b.ReportMetric(float64(m.HeapAlloc)/1e6, "heap-MB")
		b.ReportMetric(float64(runtime.NumGoroutine()), "goroutines")
		for _, o := range origins {
			o.Close()
		}
	}
}

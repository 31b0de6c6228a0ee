//go:build unix

package signal

import (
	"fmt"
	"syscall"
	"testing"
	"time"
)

// BenchmarkSecond makes a second of broadcast per iteration, and counts the CPU
// time of a minute of it.
func BenchmarkSecond(b *testing.B) {
	configs := []Config{{Run: "r", Label: "Frankfurt"}}
	for _, cfg := range sizes() {
		if cfg.Keyframe == 2*time.Second {
			configs = append(configs, cfg)
		}
	}
	for _, cfg := range configs {
		cfg = cfg.withDefaults()
		b.Run(sizeName(cfg)+fmt.Sprintf(" with %d kbps", cfg.Bitrate/1000), func(b *testing.B) {
			s, err := New(cfg)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			clock := started()
			before := cpu(b)
			for b.Loop() {
				for range cfg.FPS + 47 { // pictures, and sound
					clock = clock.Add(13 * time.Millisecond)
					s.Next(clock)
				}
			}
			b.ReportMetric((cpu(b)-before).Seconds()/float64(b.N)*60, "cpu-s/stream-min")
		})
	}
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

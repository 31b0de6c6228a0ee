//go:build unix

package proof

import (
	"syscall"
	"testing"
	"time"

	"streamcanary/prober/signal"
)

// BenchmarkLook looks at two seconds of 720p, and counts ffmpeg's CPU time.
func BenchmarkLook(b *testing.B) {
	segment := made(b, ours(b, signal.Config{Width: 1280, Height: 720}, 2*time.Second), "-i - -b:v 1500k"+x264)
	l := New(Config{})
	before := children(b)
	for b.Loop() {
		if look, err := l.Look(b.Context(), segment, nil); err != nil || len(look.Barcodes) != 6 {
			b.Fatalf("%+v, %v", look, err)
		}
	}
	b.ReportMetric((children(b)-before).Seconds()/float64(b.N), "ffmpeg-cpu-s/look")
}

// children is the processor time of the processes that this one has ended.
func children(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

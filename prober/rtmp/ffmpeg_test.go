//go:build unix

package rtmp

import (
	"bytes"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/signal"
)

// ffmpegServer is ffmpeg as an RTMP server: it takes one broadcast, on the first
// connection, and is a decoder that we did not write.
type ffmpegServer struct {
	command     *exec.Cmd
	address     string
	out, errors bytes.Buffer
	over        chan struct{} // closed when it has ended
}

// startFFmpegServer takes a broadcast and writes it with the given arguments.
func startFFmpegServer(t *testing.T, args ...string) *ffmpegServer {
	t.Helper()
	s := &ffmpegServer{address: "127.0.0.1:" + freePort(t), over: make(chan struct{})}
	all := append([]string{"-v", "error", "-nostdin", "-copyts", "-f", "flv", "-listen", "1",
		"-i", "rtmp://" + s.address + "/live/one"}, args...)
	s.command = exec.Command(findFFmpeg(t), all...)
	s.command.Stdout, s.command.Stderr = &s.out, &s.errors
	if err := s.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { defer close(s.over); _ = s.command.Wait() }()
	t.Cleanup(func() {
		_ = s.command.Process.Signal(syscall.SIGCONT)
		_ = s.command.Process.Kill()
		<-s.over
		if t.Failed() {
			t.Logf("ffmpeg said: %s", s.errors.String())
		}
	})
	return s
}

// publish connects as soon as ffmpeg listens: a look at its port would be its one
// connection.
func (s *ffmpegServer) publish(t *testing.T) *Broadcast {
	t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(10 * time.Second); ; <-tick.C {
		b, failure, err := Publish(t.Context(), Config{URL: "rtmp://" + s.address + "/live/one", StallTimeout: 2 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if failure == nil {
			closeAfter(t, b)
			return b
		}
		if failure.Reason != prober.ReasonConnectionRefused || time.Now().After(deadline) {
			t.Fatalf("Publish: %+v", failure)
		}
	}
}

// shifted is a broadcast whose timestamps begin later.
type shifted struct {
	signalSource
	by time.Duration
}

func (s shifted) Next(clock time.Time) Tag {
	tag := s.signalSource.Next(clock)
	tag.DTS += s.by
	return tag
}

// ffmpeg reads every timestamp right when they pass 4.66 h, where RTMP's header
// needs its extended field, and 49.7 days, where they wrap: with pictures that take
// two chunks each.
func TestFFmpegReadsTimestampsAtTheirBounds(t *testing.T) {
	t.Parallel()
	for _, start := range []int64{1<<24 - 1000, 1<<24 + 1000, 1<<31 - 1000, 1<<32 - 1000, 1<<32 + 1<<24} {
		t.Run(strconv.FormatInt(start, 10), func(t *testing.T) {
			t.Parallel()
			s := startFFmpegServer(t, "-map", "0:v", "-c", "copy", "-f", "framecrc", "-")
			b := s.publish(t)
			source, err := signal.New(signal.Config{Run: "run-1", Label: "test", FPS: 5, Bitrate: 5_000_000})
			if err != nil {
				t.Fatal(err)
			}
			done := sending(t, b, shifted{signalSource{source}, time.Duration(start) * time.Millisecond})
			select {
			case failure := <-done:
				t.Fatalf("Send ended: %+v", failure)
			case <-time.After(2200 * time.Millisecond):
			}
			if err := b.Close(t.Context()); err != nil {
				t.Errorf("Close: %v", err)
			}
			select {
			case <-s.over:
			case <-time.After(10 * time.Second):
				t.Fatal("ffmpeg goes on after the broadcast's end")
			}
			times := s.times(t)
			if len(times) < 8 {
				t.Fatalf("%d pictures came: %v\n%s", len(times), times, s.out.String())
			}
			for i, got := range times {
				if want := (start + int64(i)*200) % (1 << 32); (got-want)%(1<<32) != 0 {
					t.Fatalf("picture %d is at %d ms, want %d", i, got, want)
				}
			}
		})
	}
}

// times are the DTS in milliseconds that framecrc wrote, and their time base.
func (s *ffmpegServer) times(t *testing.T) []int64 {
	t.Helper()
	var times []int64
	base := "1/1000"
	for line := range strings.Lines(s.out.String()) {
		if rest, ok := strings.CutPrefix(line, "#tb 0: "); ok {
			base = strings.TrimSpace(rest)
		}
		fields := strings.Split(line, ",")
		if strings.HasPrefix(line, "#") || len(fields) < 5 {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(fields[1]), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, n)
	}
	if base != "1/1000" {
		t.Fatalf("the time base is %s", base)
	}
	return times
}

// ffmpeg as a server: healthy, told to end, killed, stopped.
func TestFFmpegServer(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		signal  syscall.Signal
		within  time.Duration
		reasons []prober.Reason
	}{
		"told to end": {syscall.SIGTERM, 5 * time.Second, []prober.Reason{prober.ReasonConnectionClosed, prober.ReasonConnectionReset}},
		"killed":      {syscall.SIGKILL, 2 * time.Second, []prober.Reason{prober.ReasonConnectionClosed, prober.ReasonConnectionReset}},
		"stopped":     {syscall.SIGSTOP, 15 * time.Second, []prober.Reason{prober.ReasonSendStalled}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := startFFmpegServer(t, "-c", "copy", "-f", "null", "-")
			b := s.publish(t)
			done := sending(t, b, realSource(t))
			holds(t, b, done, 2*time.Second)
			if err := s.command.Process.Signal(test.signal); err != nil {
				t.Fatal(err)
			}
			took := fails(t, done, test.within, test.reasons...)
			t.Logf("seen after %s", took)
		})
	}
}

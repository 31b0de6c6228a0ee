//go:build linux

package hls

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/media"
	platform "streamcanary/prober/origin"
	"streamcanary/prober/rtmp"
	"streamcanary/prober/signal"
)

var (
	pullers    = flag.Int("pullers", 100, "how many pull in BenchmarkPull")
	pullWindow = flag.Duration("pull-window", 20*time.Second, "for how long BenchmarkPull measures each side")
)

// pullServer makes TestPullAtOrigin a server for BenchmarkPull, in a process of its
// own, so that what it costs is in nobody's figures.
const pullServer = "STREAMCANARY_PULL_SERVER"

const pullRun = "pull"

// pushed is the signal as a source of the publisher.
type pushed struct{ *signal.Source }

func (p pushed) Metadata() rtmp.Metadata { return rtmp.Metadata{Width: 640, Height: 360, FPS: 30} }

func (p pushed) Headers() []rtmp.Tag {
	var tags []rtmp.Tag
	for _, f := range p.Source.Headers() {
		tags = append(tags, rtmp.Tag{Audio: f.Audio, DTS: f.DTS, Body: f.Body})
	}
	return tags
}

func (p pushed) Next(clock time.Time) rtmp.Tag {
	f := p.Source.Next(clock)
	return rtmp.Tag{Audio: f.Audio, DTS: f.DTS, Body: f.Body}
}

// broadcastLive pushes a broadcast to an origin, and gives its playlist.
func broadcastLive(t *testing.T) string {
	t.Helper()
	return broadcastTo(t, platform.MPEGTS)
}

func broadcastTo(t *testing.T, container platform.Container) string {
	t.Helper()
	o, err := platform.New(platform.Config{Region: "here", Container: container, RTMPAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", SegmentDuration: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.Close)
	source, err := signal.New(signal.Config{Run: pullRun, Keyframe: 2 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	b, failure, err := rtmp.Publish(t.Context(), rtmp.Config{URL: prober.StreamURL(o.RTMPURL(), "show")})
	if err != nil || failure != nil {
		t.Fatalf("%+v, %v", failure, err)
	}
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		b.Send(ctx, pushed{source})
	}()
	t.Cleanup(func() {
		stop()
		<-sent
		_ = b.Close(context.Background())
	})
	return prober.StreamURL(o.HLSURL(), "show")
}

// pull follows a broadcast, and counts the markers that it sees and what is wrong.
type pull struct {
	*Follower
	done chan error
}

func startPull(ctx context.Context, cfg Config, markers *atomic.Int64) pull {
	cfg.Run, cfg.Video, cfg.Audio = pullRun, true, true
	cfg.Inspect = func(segment, init []byte) (media.Summary, error) {
		s, err := media.Inspect(segment, init)
		markers.Add(int64(len(s.Markers)))
		return s, err
	}
	p := pull{NewFollower(cfg), make(chan error, 1)}
	go func() { p.done <- p.Run(ctx) }()
	return p
}

// TestPullAtOrigin follows a broadcast at the origin, all real: each picture's
// marker is seen, and nothing is found that no viewer would feel.
func TestPullAtOrigin(t *testing.T) {
	t.Parallel()
	url := broadcastLive(t)
	if os.Getenv(pullServer) != "" {
		fmt.Println("playlist:", url)
		_, _ = io.Copy(io.Discard, os.Stdin) // until the benchmark closes it
		return
	}
	var markers atomic.Int64
	transport := NewTransport()
	defer transport.CloseIdleConnections()
	ctx, cancel := context.WithCancel(t.Context())
	p := startPull(ctx, Config{URL: url, Transport: transport}, &markers)
	end := time.After(patience + 10*time.Second)
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for segments := 0; segments < 3; <-ticker.C {
		o := p.Observe(time.Now())
		segments += o.Segments
		for _, f := range o.Findings {
			t.Errorf("%+v", f)
		}
		if o.Playing && o.Failure != nil {
			t.Fatalf("%+v", o.Failure)
		}
		select {
		case <-end:
			t.Fatalf("%d segments, %+v", segments, o.Failure)
		default:
		}
	}
	cancel()
	if err := <-p.done; err != nil && !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if n := markers.Load(); n < 3*60 {
		t.Errorf("%d markers in three segments of 60 pictures", n)
	}
}

// usage is what processes have used.
type usage struct {
	cpu      time.Duration
	resident int64 // bytes
	own      int64 // bytes: resident, with shared pages divided among those who share them (PSS)
}

// usageOf reads /proc. Of a process that has ended it is zero.
func usageOf(pid int) (u usage) {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if at := bytes.LastIndexByte(stat, ')'); at >= 0 {
		if f := strings.Fields(string(stat[at+1:])); len(f) > 12 {
			user, _ := strconv.Atoi(f[11])
			system, _ := strconv.Atoi(f[12])
			u.cpu = time.Duration(user+system) * 10 * time.Millisecond // USER_HZ is 100
		}
	}
	rollup, _ := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	for line := range strings.Lines(string(rollup)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kilobytes, _ := strconv.ParseInt(f[1], 10, 64)
		switch f[0] {
		case "Rss:":
			u.resident = kilobytes << 10
		case "Pss:":
			u.own = kilobytes << 10
		}
	}
	return u
}

func (u usage) add(o usage) usage {
	return usage{u.cpu + o.cpu, u.resident + o.resident, u.own + o.own}
}

// measure gives the CPU time within a window, and the memory at its end.
func measure(now func() usage) usage {
	before := now()
	<-time.After(*pullWindow)
	after := now()
	after.cpu -= before.cpu
	return after
}

// BenchmarkPull has a hundred followers, who look at every picture's marker, and
// then a hundred `ffmpeg -c copy -f null`, pull one broadcast of 500 kbit/s from
// another process, and compares what they use once they all play. It fails where they
// cost more than we say. Other work on the machine disturbs both, and not alike, so one
// of three comparisons has to hold.
func BenchmarkPull(b *testing.B) {
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		if os.Getenv("CI") == "true" {
			b.Fatal("ffmpeg is needed under CI: install the Debian package ffmpeg")
		}
		b.Skip("ffmpeg is not installed (Debian: apt-get install ffmpeg): there is nothing to compare with")
	}
	url := servePulls(b)
	for b.Loop() {
		const tries = 3
		for i := 1; ; i++ {
			cpu, memory := comparePulls(b, url)
			if cpu >= leastCPU && memory >= leastMemory || *pullers < 100 { // the figures are of a hundred
				break
			}
			b.Logf("comparison %d of %d: %.2f times less CPU and %.1f times less memory", i, tries, cpu, memory)
			if i == tries {
				b.Errorf("none of %d comparisons had %d times less CPU and %d times less memory", tries, leastCPU, leastMemory)
				break
			}
		}
	}
}

// How many times less than as many processes of ffmpeg a hundred followers use.
const (
	leastCPU    = 3
	leastMemory = 100
)

// comparePulls measures both sides once.
func comparePulls(b *testing.B, url string) (cpu, memory float64) {
	b.Helper()
	ours := measureFollowers(b, url)
	theirs := measureFFmpeg(b, url)
	cpu, memory = theirs.cpu.Seconds()/ours.cpu.Seconds(), float64(theirs.resident)/float64(ours.resident)
	perMinute := float64(*pullers) * pullWindow.Minutes()
	b.ReportMetric(ours.cpu.Seconds()/perMinute, "cpu-s/stream-min")
	b.ReportMetric(theirs.cpu.Seconds()/perMinute, "ffmpeg-cpu-s/stream-min")
	b.ReportMetric(cpu, "x-less-cpu")
	b.ReportMetric(float64(ours.resident)/1e6, "MB")
	b.ReportMetric(float64(theirs.resident)/1e6, "ffmpeg-MB")
	b.ReportMetric(memory, "x-less-memory")
	b.ReportMetric(float64(theirs.own)/float64(ours.own), "x-less-memory-pss")
	return cpu, memory
}

// servePulls starts the broadcast in a process of its own.
func servePulls(b *testing.B) (url string) {
	b.Helper()
	server := exec.CommandContext(b.Context(), os.Args[0], "-test.run", "^TestPullAtOrigin$", "-test.timeout", "30m")
	server.Env = append(os.Environ(), pullServer+"=1")
	server.Stderr = os.Stderr
	stdin, err := server.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	lines := bufio.NewScanner(stdout)
	for lines.Scan() {
		if v, ok := strings.CutPrefix(lines.Text(), "playlist: "); ok {
			url = v
			break
		}
	}
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		_, _ = io.Copy(io.Discard, stdout)
	}()
	b.Cleanup(func() {
		_ = stdin.Close()
		<-drained
		_ = server.Wait()
	})
	if url == "" {
		b.Fatal("the server said nothing")
	}
	return url
}

// measureFollowers runs our pullers, in this process.
func measureFollowers(b *testing.B, url string) usage {
	b.Helper()
	var markers atomic.Int64
	ctx, cancel := context.WithCancel(b.Context())
	transport, buffers := NewTransport(), NewBuffers()
	defer transport.CloseIdleConnections()
	all := make([]pull, *pullers)
	for i := range all {
		all[i] = startPull(ctx, Config{URL: url, Transport: transport, Buffers: buffers}, &markers)
	}
	for _, p := range all {
		select {
		case <-p.First():
		case <-time.After(time.Minute):
			b.Fatalf("%+v", p.Observe(time.Now()).Failure)
		}
	}
	runtime.GC()
	debug.FreeOSMemory() // what testing, the linker and the start needed
	seen := markers.Load()
	u := measure(func() usage { return usageOf(os.Getpid()) })
	seen = markers.Load() - seen
	for _, p := range all {
		if o := p.Observe(time.Now()); o.Failure != nil && o.Failure.Outcome == prober.Fail {
			b.Errorf("%+v", o.Failure)
		}
	}
	cancel()
	for _, p := range all {
		<-p.done
	}
	if want := int64(*pullers) * 30 * int64(pullWindow.Seconds()) * 8 / 10; seen < want {
		b.Errorf("only %d markers were looked at, at least %d were to come", seen, want)
	}
	return u
}

// measureFFmpeg runs as many processes of ffmpeg.
func measureFFmpeg(b *testing.B, url string) usage {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	var all []*exec.Cmd
	var ended sync.WaitGroup
	defer ended.Wait()
	defer cancel()
	for range *pullers {
		c := exec.CommandContext(ctx, "ffmpeg", "-v", "quiet", "-nostdin", "-i", url, "-c", "copy", "-f", "null", "-")
		if err := c.Start(); err != nil {
			b.Fatal(err)
		}
		all = append(all, c)
		ended.Go(func() { _ = c.Wait() }) // killed
	}
	sum := func() (u usage) {
		for _, c := range all {
			u = u.add(usageOf(c.Process.Pid))
		}
		return u
	}
	for last := sum(); ; { // until starting, which costs more than pulling, is over
		<-time.After(5 * time.Second)
		now := sum()
		if now.cpu > 0 && now.cpu-last.cpu < time.Duration(*pullers)*25*time.Millisecond {
			break
		}
		last = now
	}
	u := measure(sum)
	for _, c := range all {
		if usageOf(c.Process.Pid).cpu == 0 {
			b.Error("an ffmpeg ended, or never started to pull")
		}
	}
	return u
}

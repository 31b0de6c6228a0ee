package rtmp

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"streamcanary/prober/signal"
)

// BenchmarkPush compares what it costs to push broadcasts of 500 kbit/s to a real
// server for a while: from one process of ours, from a process with a bare loop
// that writes the same bytes to the same sockets, and from one ffmpeg -re -c copy
// for each. All of
// them run at the same time; CPU time and resident memory are the kernel's, of
// the pushing processes alone. It fails where we cost more than we say. Other work
// on the machine disturbs all of them, and not alike, so one of three
// comparisons has to hold.
func BenchmarkPush(b *testing.B) {
	for n, least := range map[int]margins{
		1:   {cpu: 1, bare: 1.5},
		100: {cpu: 10, memory: 100, bare: 1.5},
	} {
		b.Run(fmt.Sprintf("broadcasts=%d", n), func(b *testing.B) {
			for b.Loop() {
				const tries = 3
				for i := 1; ; i++ {
					got := comparePushes(b, n, pushWindow())
					if got.hold(least) {
						break
					}
					b.Logf("comparison %d of %d: %+v, want %+v", i, tries, got, least)
					if i == tries {
						b.Errorf("%d broadcasts: none of %d comparisons had %+v", n, tries, least)
						break
					}
				}
			}
		})
	}
}

// margins are how many times as much ffmpeg costs as we do, at least, and how many
// times as much as the bare loop we cost, at most.
type margins struct{ cpu, memory, bare float64 }

func (m margins) hold(least margins) bool {
	return m.cpu >= least.cpu && m.memory >= least.memory && m.bare <= least.bare
}

// pushWindow is how long each way is measured: PUSH_SECONDS, or 20 s.
func pushWindow() time.Duration {
	if n, err := strconv.Atoi(os.Getenv("PUSH_SECONDS")); err == nil && n > 0 {
		return time.Duration(n) * time.Second
	}
	return 20 * time.Second
}

func comparePushes(b *testing.B, n int, window time.Duration) margins {
	b.Helper()
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		if os.Getenv("CI") == "true" {
			b.Fatalf("ffmpeg is missing, and CI=true: %v", err)
		}
		b.Skipf("ffmpeg is missing (Debian: apt-get install ffmpeg): %v", err)
	}
	s := startNginx(b)
	file := filepath.Join(b.TempDir(), "broadcast.flv")
	if err := os.WriteFile(file, flvFile(b, window+time.Minute), 0o600); err != nil {
		b.Fatal(err)
	}
	ways := [][]*exec.Cmd{childOf(b, "ours", n, s.rtmp), childOf(b, "bare", n, s.rtmp), nil}
	for i := range n {
		cmd := exec.Command(ffmpeg, "-v", "error", "-nostdin", "-re", "-i", file, "-c", "copy", "-f", "flv",
			fmt.Sprintf("rtmp://%s/live/ffmpeg%d", s.rtmp, i))
		start(b, cmd)
		ways[2] = append(ways[2], cmd)
	}
	s.awaitFor(b, time.Minute, func() bool { return s.has(fmt.Sprintf("<name>ffmpeg%d</name>", n-1)) })
	costs := pushFor(b, ways, window)
	ours, bare, theirs := costs[0], costs[1], costs[2]

	minutes := float64(n) * window.Minutes()
	b.ReportMetric(ours.cpu.Seconds()/minutes, "ours-cpu-s/stream-min")
	b.ReportMetric(bare.cpu.Seconds()/minutes, "bare-cpu-s/stream-min")
	b.ReportMetric(theirs.cpu.Seconds()/minutes, "ffmpeg-cpu-s/stream-min")
	b.ReportMetric(float64(ours.resident)/1e6, "ours-MB")
	b.ReportMetric(float64(theirs.resident)/1e6, "ffmpeg-MB")
	m := margins{cpu: theirs.cpu.Seconds() / ours.cpu.Seconds(), memory: float64(theirs.resident) / float64(ours.resident), bare: ours.cpu.Seconds() / bare.cpu.Seconds()}
	b.ReportMetric(m.cpu, "ffmpeg/ours-cpu")
	b.ReportMetric(m.memory, "ffmpeg/ours-memory")
	b.ReportMetric(m.bare, "ours/bare-cpu")
	return m
}

func start(b *testing.B, cmd *exec.Cmd) {
	b.Helper()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
}

// childOf is this test binary again, as the pusher of n broadcasts, once it pushes.
func childOf(b *testing.B, how string, n int, address string) []*exec.Cmd {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", childVariable, how, n, address))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	start(b, cmd)
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "pushing\n" {
		b.Fatalf("the child said %q, %v", line, err)
	}
	return []*exec.Cmd{cmd}
}

type cost struct {
	cpu      time.Duration
	resident int64 // bytes
}

// pushFor measures processes that push, all over the same time, and ends them.
func pushFor(b *testing.B, ways [][]*exec.Cmd, window time.Duration) []cost {
	b.Helper()
	<-time.After(5 * time.Second) // until what a start costs is over
	costs := make([]cost, len(ways))
	for i, way := range ways {
		costs[i] = costOf(b, way)
	}
	<-time.After(window)
	for i, way := range ways {
		after := costOf(b, way)
		costs[i] = cost{cpu: after.cpu - costs[i].cpu, resident: after.resident}
	}
	for _, way := range ways {
		for _, cmd := range way {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		}
	}
	return costs
}

// costOf adds up /proc/PID/stat and statm (proc_pid_stat(5), in ticks of 10 ms, and
// proc_pid_statm(5), in pages).
func costOf(b *testing.B, processes []*exec.Cmd) (c cost) {
	b.Helper()
	for _, cmd := range processes {
		folder := filepath.Join("/proc", strconv.Itoa(cmd.Process.Pid))
		stat, err := os.ReadFile(filepath.Join(folder, "stat"))
		if err != nil {
			b.Fatalf("a pusher is gone: %v", err)
		}
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		for _, f := range fields[11:13] {
			ticks, _ := strconv.Atoi(f)
			c.cpu += time.Duration(ticks) * 10 * time.Millisecond
		}
		statm, err := os.ReadFile(filepath.Join(folder, "statm"))
		if err != nil {
			b.Fatal(err)
		}
		pages, _ := strconv.ParseInt(strings.Fields(string(statm))[1], 10, 64)
		c.resident += pages * int64(os.Getpagesize())
	}
	return c
}

func benchSource(i int, codes *signal.Codes) (signalSource, error) {
	source, err := signal.New(signal.Config{Run: fmt.Sprintf("run-%d", i), Label: "Frankfurt", Codes: codes})
	return signalSource{source}, err
}

// flvFile is the broadcast as a file (FLV 10.1, E.2 to E.4).
func flvFile(b *testing.B, length time.Duration) []byte {
	b.Helper()
	source, err := benchSource(0, nil)
	if err != nil {
		b.Fatal(err)
	}
	file := []byte{'F', 'L', 'V', 1, 5, 0, 0, 0, 9, 0, 0, 0, 0}
	add := func(tag Tag) {
		kind, ms, n := byte(9), uint32(tag.DTS.Milliseconds()), len(tag.Body)
		if tag.Audio {
			kind = 8
		}
		file = append(file, kind, byte(n>>16), byte(n>>8), byte(n), byte(ms>>16), byte(ms>>8), byte(ms), byte(ms>>24), 0, 0, 0)
		file = append(file, tag.Body...)
		file = binary.BigEndian.AppendUint32(file, uint32(n+11))
	}
	for _, tag := range source.Headers() {
		add(tag)
	}
	clock := time.Now()
	for dts := time.Duration(0); dts < length; {
		tag := source.Next(clock.Add(dts))
		add(tag)
		dts = tag.DTS
	}
	return file
}

const childVariable = "STREAMCANARY_TEST_PUSH"

// pushAsChild pushes until it is killed, if this process was started to do that.
func pushAsChild() bool {
	var how, address string
	var n int
	if _, err := fmt.Sscanf(os.Getenv(childVariable), "%s %d %s", &how, &n, &address); err != nil {
		return false
	}
	if err := push(how, n, address); err != nil {
		fmt.Fprintln(os.Stderr, "push:", err)
	}
	return true
}

func push(how string, n int, address string) error {
	ctx := context.Background()
	pacer := NewPacer()
	var broadcasts []*Broadcast
	for i := range n {
		b, failure, err := Publish(ctx, Config{URL: fmt.Sprintf("rtmp://%s/live/%s%d", address, how, i), Pacer: pacer})
		if failure != nil || err != nil {
			return fmt.Errorf("broadcast %d: %+v, %w", i, failure, err)
		}
		broadcasts = append(broadcasts, b)
	}
	fmt.Println("pushing")
	if how == "bare" {
		return writeBare(broadcasts)
	}
	codes := signal.NewCodes()
	var sends sync.WaitGroup
	for i, b := range broadcasts {
		source, err := benchSource(i, codes)
		if err != nil {
			return err
		}
		sends.Go(func() {
			if failure := b.Send(ctx, source); failure != nil {
				fmt.Fprintf(os.Stderr, "broadcast %d: %+v\n", i, failure)
			}
		})
	}
	sends.Wait()
	return nil
}

// writeBare is the bare loop: the chunks of a second of broadcast, made before,
// each written to each socket when it is due. It writes that second again and
// again, which a server that looks at no picture does not mind.
func writeBare(broadcasts []*Broadcast) error {
	source, err := benchSource(0, nil)
	if err != nil {
		return err
	}
	type write struct {
		due   time.Duration
		bytes []byte
	}
	p := &pace{b: broadcasts[0], source: source}
	head, err := p.frames(nil, time.Now())
	if err != nil {
		return err
	}
	var second []write
	for {
		tag := source.Next(time.Now())
		if tag.DTS >= time.Second {
			break
		}
		second = append(second, write{tag.DTS, bytes.Clone(p.tag(nil, tag))})
	}
	for _, b := range broadcasts {
		err := b.conn.SetWriteDeadline(time.Time{})
		if err == nil {
			_, err = b.conn.Write(head)
		}
		if err != nil {
			return err
		}
	}
	for begin := time.Now(); ; begin = begin.Add(time.Second) {
		for _, w := range second {
			time.Sleep(time.Until(begin.Add(w.due))) //nolint:forbidigo // this is what is measured
			for _, b := range broadcasts {
				if _, err := b.conn.Write(w.bytes); err != nil {
					return err
				}
			}
		}
	}
}

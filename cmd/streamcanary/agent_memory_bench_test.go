package main

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"streamcanary/prober/origin"
)

// The figure that an agent is held to: so many canaries, each followed at one
// playback by a puller, in so many bytes resident.
const (
	memoryTargets = 20
	memoryLimit   = 60 << 20
)

// BenchmarkAgentMemory runs the real agent with 20 canaries and 20 pullers
// against a hub and an origin in other processes, and reads what it has resident
// once all of them pass: at the end, and at its most. AGENT_MEMORY_TIME is how
// long they run; 60s unless said otherwise.
func BenchmarkAgentMemory(b *testing.B) {
	if runtime.GOOS != "linux" {
		if os.Getenv("CI") == "true" {
			b.Fatal("what a process has resident is told by Linux alone: run this there")
		}
		b.Skip("only Linux tells what a process has resident")
	}
	lasts := time.Minute
	if text := os.Getenv("AGENT_MEMORY_TIME"); text != "" {
		var err error
		if lasts, err = time.ParseDuration(text); err != nil {
			b.Fatal(err)
		}
	}
	o, err := origin.New(origin.Config{Region: "bench", RTMPAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"})
	if err != nil {
		b.Fatal(err)
	}
	if err := o.Start(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer o.Close()
	dir := b.TempDir()
	page := memoryFiles(b, dir, o)
	start(b, "streamcanary serve", binary(b), "serve", "--config", filepath.Join(dir, "hub.yaml"))
	agent := start(b, "streamcanary agent", binary(b), "agent", "--config", filepath.Join(dir, "agent.yaml"))
	for b.Loop() {
		began, before := time.Now(), cpuTime(b, agent)
		waitAllUp(b, page)
		<-time.After(lasts)
		now, most := resident(b, agent, "VmRSS"), resident(b, agent, "VmHWM")
		b.ReportMetric(float64(now)/(1<<20), "MiB-resident")
		b.ReportMetric(float64(resident(b, agent, "RssAnon"))/(1<<20), "MiB-of-its-own") // the rest is the program's file
		b.ReportMetric(float64(most)/(1<<20), "MiB-most")
		b.ReportMetric((cpuTime(b, agent)-before).Seconds()/time.Since(began).Minutes(), "CPU-s/min")
		if most > memoryLimit {
			b.Errorf("%d MiB resident at most, want at most %d", most>>20, memoryLimit>>20)
		}
	}
}

// waitAllUp waits until the page says that everything was seen.
func waitAllUp(b *testing.B, page string) {
	b.Helper()
	limit := time.Now().Add(2 * time.Minute)
	for {
		text, err := fetch(page+"/", "")
		known := !strings.Contains(string(text), "Not checked yet") && !strings.Contains(string(text), "No data")
		if err == nil && known && strings.Count(string(text), "Operational") >= memoryTargets {
			return
		}
		if time.Now().After(limit) {
			b.Fatalf("not all broadcasts are seen: %v\n%s", err, text)
		}
		<-time.After(500 * time.Millisecond)
	}
}

// memoryFiles writes a hub's file of as many targets as canaries are wanted, all
// of them the one origin, and an agent's; it gives the page's URL.
func memoryFiles(b *testing.B, dir string, o *origin.Origin) string {
	b.Helper()
	page, nats := freePort(b, "127.0.0.1"), freePort(b, "127.0.0.1")
	var targets, probes, components strings.Builder
	for i := range memoryTargets {
		fmt.Fprintf(&targets, "  - {id: t%[1]d, name: T%[1]d, platform: {type: static}, regions: [{id: eu, name: Europe}], ingests: [{id: eu, region: eu, url: %[2]q}], playbacks: [{id: eu, region: eu, url: %[3]q}]}\n",
			i, o.RTMPURL(), o.HLSURL())
		fmt.Fprintf(&probes, "  - {kind: canary, target: t%d, every: 2s}\n", i)
		fmt.Fprintf(&components, "  - {id: c%[1]d, name: C%[1]d, elements: [t%[1]d/ingest/eu, t%[1]d/playback/eu, t%[1]d/core]}\n", i)
	}
	for name, text := range map[string]string{
		"hub.yaml": fmt.Sprintf("installation: bench\npage: {name: Bench, url: \"http://%[1]s\"}\nhttp: {listen: %[1]q}\ndata: hub\nnats: {listen: %[2]q}\nalerts: {token: 0123456789abcdef}\ntargets:\n%[3]sprobes:\n%[4]sagents: [{id: a1, key: 0123456789abcdef-a1}]\ncomponents:\n%[5]spolicy: {quorum: 1}\n",
			page, nats, targets.String(), probes.String(), components.String()),
		"agent.yaml": fmt.Sprintf("hub: nats://%s\nid: a1\nkey: 0123456789abcdef-a1\ndata: agent\n", nats),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return "http://" + page
}

// resident is a figure of a process's status, in bytes.
func resident(b *testing.B, p *process, name string) int64 {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == name+":" {
			n, err := strconv.ParseInt(fields[1], 10, 64)
			if err != nil {
				b.Fatal(err)
			}
			return n << 10
		}
	}
	b.Fatalf("no %s of %s", name, p.name)
	return 0
}

// cpuTime is what a process has had of the processors (proc_pid_stat(5): utime
// and stime, behind the name in parentheses, in hundredths of a second).
func cpuTime(b *testing.B, p *process) time.Duration {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		b.Fatal(err)
	}
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	total := 0
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			b.Fatal(err)
		}
		total += n
	}
	return time.Duration(total) * 10 * time.Millisecond
}

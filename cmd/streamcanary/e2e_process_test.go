package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"streamcanary/prober"
)

// process is a program under test, or one that it meets. It and its children
// are gone when the test ends.
type process struct {
	name   string
	cmd    *exec.Cmd
	stdout *output
	stderr *output
	ended  chan struct{}
}

// start runs a program in a process group of its own.
func start(tb testing.TB, name, path string, args ...string) *process {
	tb.Helper()
	p := &process{name: name, cmd: exec.Command(path, args...), stdout: newOutput(), stderr: newOutput(), ended: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	ownGroup(p.cmd)
	p.cmd.WaitDelay = 5 * time.Second
	if err := p.cmd.Start(); err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // how it ended is in its ProcessState
	}()
	tb.Cleanup(func() {
		p.kill()
		if tb.Failed() {
			tb.Logf("%s said:\n%s%s", name, p.stdout.tail(), p.stderr.tail())
		}
	})
	return p
}

// streamcanary runs a command line of the real binary.
func streamcanary(tb testing.TB, args ...string) *process {
	tb.Helper()
	return start(tb, "streamcanary "+args[0], binary(tb), args...)
}

// signal is for the process alone.
func (p *process) signal(t *testing.T, s syscall.Signal) {
	t.Helper()
	select {
	case <-p.ended:
		t.Fatalf("%s has ended already: %v", p.name, p.cmd.ProcessState)
	default:
	}
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatalf("%s: %v", p.name, err)
	}
}

// kill ends it and its children without a word, and waits until it is gone.
func (p *process) kill() {
	_ = killGroup(p.cmd.Process) // most likely gone already
	<-p.ended
}

// exit waits for its end and gives the exit code.
func (p *process) exit(t *testing.T, limit time.Duration) int {
	t.Helper()
	late := time.NewTimer(limit)
	defer late.Stop()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-late.C:
		t.Fatalf("%s has not ended within %v", p.name, limit)
		return -1
	}
}

// output keeps the lines that a process writes, each with its time.
type output struct {
	mu    sync.Mutex
	rest  []byte
	lines []outputLine
	more  chan struct{} // closed at the next line
}

type outputLine struct {
	at   time.Time
	text string
}

func newOutput() *output { return &output{more: make(chan struct{})} }

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rest = append(o.rest, b...)
	for {
		line, rest, whole := bytes.Cut(o.rest, []byte("\n"))
		if !whole {
			break
		}
		o.lines = append(o.lines, outputLine{time.Now(), string(line)})
		o.rest = rest
		close(o.more)
		o.more = make(chan struct{})
	}
	return len(b), nil
}

// since gives the lines from a mark on, and what is closed when there are more.
func (o *output) since(mark int) ([]outputLine, <-chan struct{}) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lines[min(mark, len(o.lines)):], o.more
}

// mark is the number of lines so far.
func (o *output) mark() int {
	lines, _ := o.since(0)
	return len(lines)
}

func (o *output) text() string {
	lines, _ := o.since(0)
	var b strings.Builder
	for _, l := range lines {
		b.WriteString(l.text + "\n")
	}
	return b.String()
}

func (o *output) tail() string {
	lines, _ := o.since(max(o.mark()-40, 0))
	var b strings.Builder
	for _, l := range lines {
		b.WriteString("  " + l.at.Format("15:04:05.000 ") + l.text + "\n")
	}
	return b.String()
}

// wait gives the first line behind a mark that matches, and the mark behind it.
func (p *process) wait(tb testing.TB, mark int, what string, limit time.Duration, match func(string) bool) (outputLine, int) {
	tb.Helper()
	late := time.NewTimer(limit)
	defer late.Stop()
	for {
		lines, more := p.stdout.since(mark)
		for i, l := range lines {
			if match(l.text) {
				return l, mark + i + 1
			}
		}
		mark += len(lines)
		select {
		case <-more:
		case <-p.ended:
			if p.stdout.mark() == mark {
				tb.Fatalf("%s ended (%v) before: %s", p.name, p.cmd.ProcessState, what)
			}
		case <-late.C:
			tb.Fatalf("not within %v: %s", limit, what)
		}
	}
}

// says matches lines that hold a text.
func says(text string) func(string) bool {
	return func(line string) bool { return strings.Contains(line, text) }
}

// reports gives every line of a probe's JSON.
func (p *process) reports(t *testing.T) []probeReport {
	t.Helper()
	lines, _ := p.stdout.since(0)
	all := make([]probeReport, 0, len(lines))
	for _, l := range lines {
		all = append(all, readReport(t, l.text))
	}
	return all
}

func readReport(t *testing.T, line string) probeReport {
	t.Helper()
	var r probeReport
	d := json.NewDecoder(strings.NewReader(line))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		t.Fatalf("%q is not a result: %v", line, err)
	}
	return r
}

// waitReport gives the first result behind a mark that matches, when it came,
// and the mark behind it.
func (p *process) waitReport(t *testing.T, mark int, what string, limit time.Duration, match func(probeReport) bool) (probeReport, time.Time, int) {
	t.Helper()
	var found probeReport
	line, mark := p.wait(t, mark, what, limit, func(text string) bool {
		found = readReport(t, text)
		return match(found)
	})
	return found, line.at, mark
}

// passes matches good results of one side.
func passes(side string) func(probeReport) bool {
	return func(r probeReport) bool { return r.Side == side && r.Outcome == prober.Pass }
}

// fails matches failures of one side, for one of some reasons.
func fails(side string, reasons ...prober.Reason) func(probeReport) bool {
	return func(r probeReport) bool {
		for _, reason := range reasons {
			if r.Side == side && r.Outcome == prober.Fail && r.Reason == reason {
				return true
			}
		}
		return false
	}
}

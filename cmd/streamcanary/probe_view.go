package main

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/agent"
	"streamcanary/prober/summary"

	"github.com/fatih/color"
)

// probeView tells a probe's course: on a terminal as a live view, else line by line,
// or as JSON; and at its end in the files that were asked for.
type probeView struct {
	o     probeOptions
	meter *probeMeter
	files *probeFiles
	live  *probeLive // nil: there is none

	mu      sync.Mutex
	w       io.Writer
	rec     *summary.Recorder
	start   time.Time
	last    map[summary.Side]prober.Result
	said    time.Time // of a watch: when it was last told that it goes on
	told    []prober.Finding
	seenOne bool

	stop    context.CancelFunc
	ticking sync.WaitGroup
}

func newProbeView(w io.Writer, o probeOptions) *probeView {
	info, _ := debug.ReadBuildInfo()
	known := summary.Summary{Version: versionLine(version, info), Mode: o.mode(), Began: time.Now(), Playback: shownPlayback(o.playback, o.ingest)}
	if o.ingest != "" {
		known.Ingest = shownIngest(o.ingest)
	}
	return &probeView{w: w, o: o, start: known.Began, said: known.Began, rec: summary.NewRecorder(known), meter: newProbeMeter(!o.watch),
		last: map[summary.Side]prober.Result{}, files: &probeFiles{}}
}

func (o probeOptions) mode() summary.Mode {
	if o.watch {
		return summary.ModeCanary
	}
	return summary.ModeGoLive
}

// begin shows where it goes, and from then on how. A file that cannot be written is
// known before.
func (v *probeView) begin(ctx context.Context) (err error) {
	if v.files, err = v.o.openFiles(); err != nil {
		return err
	}
	v.live = liveOn(ctx, v.w, v.o)
	known := v.rec.Snapshot()
	if known.Ingest != "" {
		v.printf("push to   %s", known.Ingest)
	}
	v.printf("pull from %s", known.Playback)
	ticking, stop := context.WithCancel(context.WithoutCancel(ctx))
	v.stop = stop
	v.ticking.Go(func() { v.tick(ticking) })
	return nil
}

// tick notes once a second how it is, and shows it.
func (v *probeView) tick(ctx context.Context) {
	defer v.guard()
	every := time.NewTicker(time.Second)
	defer every.Stop()
	v.sample(time.Now())
	for {
		select {
		case <-ctx.Done():
			return
		case at := <-every.C:
			v.sample(at)
		}
	}
}

func (v *probeView) sample(at time.Time) {
	now, sample := v.meter.sample(at)
	v.mu.Lock()
	v.rec.Sample(sample)
	v.rec.Stages(summary.Push, now.Push) // the results of a canary do not have them
	frame := v.frame(now, at)
	v.mu.Unlock()
	if v.live != nil {
		v.live.show(frame)
	}
}

// frame is what the live view shows. v.mu is held.
func (v *probeView) frame(now probeNow, at time.Time) probeFrame {
	now.Condition = v.o.concealedFailure(now.Condition)
	now.PushFinding, now.PullFinding = v.o.concealedFindings(now.PushFinding), v.o.concealedFindings(now.PullFinding)
	now.Renditions = v.o.concealedRenditions(now.Renditions)
	f := probeFrame{sum: v.rec.Snapshot(), now: now, at: at, limit: v.o.length, last: map[summary.Side]prober.Result{}}
	for side, r := range v.last {
		f.last[side] = r
	}
	return f
}

// close ends what begin began, and gives the terminal back. What was not written
// leaves no file.
func (v *probeView) close() error {
	if v.stop != nil {
		v.stop()
		v.ticking.Wait()
	}
	v.files.discard()
	if v.live != nil {
		return v.live.close()
	}
	return nil
}

// guard gives the terminal back before a panic of the goroutine that defers it ends
// the process.
func (v *probeView) guard() {
	if cause := recover(); cause != nil {
		if v.live != nil {
			_ = v.live.close()
		}
		panic(cause)
	}
}

// printf tells a line, where it is told line by line.
func (v *probeView) printf(format string, a ...any) {
	if !v.o.json && v.live == nil {
		_, _ = fmt.Fprintf(v.w, format+"\n", a...)
	}
}

func (v *probeView) stage(s prober.Stage, text string) {
	v.printf("  %s %s", stageText(s), text)
}

// add counts a result in. v.mu is held.
func (v *probeView) add(r prober.Result) (told prober.Result, changed bool) {
	r = v.o.concealed(r)
	changed = v.rec.Add(r)
	v.last[summary.SideOf(r)] = r
	if v.o.json {
		v.json(r)
	}
	return r, changed
}

// result tells one result of a single run.
func (v *probeView) result(r prober.Result) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r, _ = v.add(r)
	switch {
	case r.Outcome != prober.Pass:
		if r.Reason != prober.ReasonNothingPushed {
			v.stage(r.Stage, paint(r.Outcome)("%s: %s", r.Reason, r.Detail))
		}
	case r.Playback == "":
		held := r.Ended.Sub(r.Started)
		v.stage(prober.StageIngest, fmt.Sprintf("held for %.1f s, %d kB taken, longest stall of a write %.1f ms", held.Seconds(), r.Figures.BytesSent/1000, ms(r.Figures.SendStall)))
	default:
		for _, s := range r.Figures.Stages {
			if s.Stage == prober.StageManifest || s.Stage == prober.StageSegment {
				v.stage(s.Stage, fmt.Sprintf("%.1f ms", ms(s.Duration)))
			}
		}
		v.stage(prober.StageMedia, fmt.Sprintf("it came back %.2f s after the publish: %s", r.Figures.TTFF.Seconds(), summary.ProofWords(r.Figures.Proof)))
		v.stage(prober.StageLatency, fmt.Sprintf("%.2f s for the first frame of a segment, %.2f s for its last", r.Figures.LatencyFirst.Seconds(), r.Figures.LatencyLast.Seconds()))
	}
	v.found("  ", r.Findings)
}

// found tells findings that were not told before. Where as many were as are kept, what
// is graver than one of them takes its place. v.mu is held.
func (v *probeView) found(before string, list []prober.Finding) {
	for _, f := range prober.NewFindings(v.told, list, summary.MaxFindings) {
		known := len(v.told)
		all := prober.AddFindings(v.told, known+1, f)
		fits := len(all) <= summary.MaxFindings || all[known].Severity != f.Severity
		if len(all) > known && fits {
			v.printf("%s%s", before, summary.FindingLine(f))
		}
		v.told = all[:min(len(all), summary.MaxFindings)]
	}
}

// watched tells a round of a watch: what has changed, and every ten seconds
// how it is.
func (v *probeView) watched(r prober.Result) {
	v.mu.Lock()
	defer v.mu.Unlock()
	r, changed := v.add(r)
	at := r.Ended.UTC().Format("15:04:05Z")
	side := summary.SideOf(r)
	if changed {
		words := summary.Event{Outcome: r.Outcome, Stage: r.Stage, Reason: r.Reason, Detail: r.Detail, Away: r.Figures.InterruptionTime}.Words()
		if n := r.Figures.Interruptions; r.Outcome == prober.Pass && r.Figures.InterruptionTime > 0 {
			words += fmt.Sprintf(" (interruption %d)", n)
		}
		v.printf("%s  %s  %s", at, side, paint(r.Outcome)("%s", words))
	}
	v.found(at+"  "+string(side)+"  ", r.Findings)
	const every = 10 * time.Second
	if r.Ended.Sub(v.said) >= every {
		v.said = r.Ended
		v.printf("%s  %s", at, v.soFar(r.Ended))
	}
}

// soFar says how a watch is. v.mu is held.
func (v *probeView) soFar(at time.Time) string {
	sum := v.rec.Snapshot()
	parts := []string{fmt.Sprintf("after %s", at.Sub(v.start).Round(time.Second))}
	for _, side := range []summary.Side{summary.Push, summary.Pull} {
		if r, told := v.last[side]; told {
			word := string(r.Outcome)
			if r.Outcome != prober.Pass {
				word += " (" + string(r.Reason) + ")"
			}
			parts = append(parts, string(side)+" "+word)
		}
	}
	parts = append(parts, summary.Bytes(sum.Figures.BytesSent)+" sent")
	if f := sum.Figures; f.LatencyBy != "" && v.last[summary.Pull].Outcome == prober.Pass {
		parts = append(parts, fmt.Sprintf("latency %.2f to %.2f s", f.LatencyLast.Seconds(), f.LatencyFirst.Seconds()))
	}
	return strings.Join(parts, ", ")
}

func stageOr(s prober.Stage, other string) string {
	if s == "" {
		return other
	}
	return string(s)
}

// end tells the verdict, writes the files, and gives the exit code that it stands for.
func (v *probeView) end(r *prober.Result) error {
	files := v.files
	v.files = &probeFiles{}
	defer files.discard()
	if err := v.close(); err != nil {
		return &exitError{code: exitBroken, err: err}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if r != nil {
		told := v.o.concealed(*r)
		r = &told
	}
	sum := v.rec.End(time.Now(), r)
	if err := v.verdict(sum); err != nil {
		return &exitError{code: exitBroken, err: err}
	}
	if err := files.write(sum); err != nil {
		return &exitError{code: exitBroken, err: err}
	}
	if v.o.report != standardOutput {
		for _, f := range files.forms {
			v.printf("written   %s", f.path)
		}
	}
	return exitOf(r)
}

// verdict tells the end on standard output. Where a live view was there, that is
// the report, unless a file has it.
func (v *probeView) verdict(sum summary.Summary) error {
	if sum.Outcome == "" && v.live == nil {
		return nil
	}
	toFile := v.o.report != "" && v.o.report != standardOutput
	if v.o.report == standardOutput || v.live != nil && !toFile {
		return sum.Text(v.w)
	}
	v.live = nil
	took := sum.Ended.Sub(v.start).Seconds()
	switch {
	case v.o.watch:
		all, failed := 0, 0
		for _, side := range sum.Rounds {
			all, failed = all+side.All(), failed+side.Fail
		}
		v.printf("%s", paint(sum.Outcome)("%s: %d results in %.1f s, %d of them failures", strings.ToUpper(string(sum.Outcome)), all, took, failed))
	case sum.Outcome == prober.Pass:
		v.printf("%s", paint(sum.Outcome)("PASS in %.1f s: what was pushed plays", took))
	default:
		v.printf("%s", paint(sum.Outcome)("%s", sum.Verdict()))
	}
	return nil
}

func paint(o prober.Outcome) func(string, ...any) string {
	switch o {
	case prober.Pass:
		return color.New(color.FgGreen).Sprintf
	case prober.Fail:
		return color.New(color.FgRed).Sprintf
	case prober.Degraded, prober.Inconclusive:
	}
	return color.New(color.FgYellow).Sprintf
}

// feed tells of a connection's stages as they pass.
func (v *probeView) feed(next func(agent.Picture) (agent.Feed, error)) func(agent.Picture) (agent.Feed, error) {
	return v.meter.feed(next, func(stages []prober.StageTime) {
		if v.o.watch {
			return
		}
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, s := range stages {
			v.stage(s.Stage, fmt.Sprintf("%.1f ms", ms(s.Duration)))
		}
	})
}

// follower tells when a broadcast is first seen.
func (v *probeView) follower(next newFollower) newFollower { return v.meter.follower(next, v.first) }

func (v *probeView) first() {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.seenOne && !v.o.watch {
		v.seenOne = true
		v.stage(prober.StageMedia, "it plays; holding the broadcast for five seconds in all")
	}
}

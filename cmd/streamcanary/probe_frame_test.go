package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/summary"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
)

func frameStart() time.Time { return time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC) }

// frames are moments of probes, by name.
func frames() map[string]probeFrame {
	known := summary.Summary{Mode: summary.ModeGoLive, Ingest: "rtmp://ingest.example.com/live/{stream}",
		Playback: "https://play.example.com/hls/{stream}/index.m3u8", Began: frameStart()}
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }

	starting := probeFrame{sum: known, at: frameStart().Add(time.Second), now: probeNow{SentRate: -1, GotRate: -1}}
	connected := probeFrame{sum: known, at: frameStart().Add(2 * time.Second), now: probeNow{
		Pushing: true, Push: []prober.StageTime{{Stage: prober.StageResolve, Duration: ms(3)}, {Stage: prober.StageConnect, Duration: ms(41)}, {Stage: prober.StagePublish, Duration: ms(12)}},
		Sent: 62_500, SentRate: 500_000, Pulling: true, Got: 90, GotRate: 720,
		Condition: &prober.Failure{Outcome: prober.Fail, Stage: prober.StageManifest, Reason: prober.ReasonHTTPStatus, Detail: "404"},
	}}

	known.Mode = summary.ModeCanary
	rec := summary.NewRecorder(known)
	push := prober.Result{Outcome: prober.Pass, Ended: frameStart().Add(time.Second)}
	pull := prober.Result{Outcome: prober.Pass, Playback: "playback", Ended: frameStart().Add(4 * time.Second)}
	rec.Add(push)
	rec.Add(pull)
	rec.Add(prober.Result{Outcome: prober.Fail, Stage: prober.StageIngest, Reason: prober.ReasonConnectionReset, Detail: "the ingest reset the connection",
		Ended: frameStart().Add(40 * time.Second), Figures: prober.Figures{Interruptions: 1}})
	push.Ended, push.Figures = frameStart().Add(52*time.Second), prober.Figures{Interruptions: 1, InterruptionTime: ms(12_340)}
	rec.Add(push)
	watching := probeFrame{sum: rec.Snapshot(), at: frameStart().Add(75 * time.Second), limit: 5 * time.Minute,
		last: map[summary.Side]prober.Result{summary.Push: push, summary.Pull: pull}, now: connected.now}
	n := &watching.now
	n.Condition, n.Played, n.Sent, n.Got, n.GotRate, n.Queue, n.Stall = nil, true, 4_400_000, 28_000_000, 3_150_000, 8192, ms(210)
	n.Pull = []prober.StageTime{{Stage: prober.StageManifest, Duration: ms(9)}, {Stage: prober.StageSegment, Duration: ms(44)}}
	n.First, n.Last, n.LatencyBy, n.Proof = ms(4110), ms(2140), prober.MeansSEI, prober.MeansSEI
	n.Viewing = prober.Viewing{Startup: ms(640), Watched: 60 * time.Second, Rebuffers: 1, RebufferTime: 8 * time.Second, Latency: ms(6300), Drift: ms(-12), Buffer: ms(4200)}
	for i := range 3 {
		n.Renditions = append(n.Renditions, prober.Rendition{Name: fmt.Sprintf("%dp", 1080-360*i), AverageBitrate: int64(4_000_000 / (i + 1)),
			SegmentSequence: uint64(40 - i), LatencyLast: ms(2140 + 10*i), LatencyBy: prober.MeansSEI, Proof: prober.MeansSEI})
	}
	n.Renditions[2].Failure = &prober.Failure{Outcome: prober.Degraded, Stage: prober.StageManifest, Reason: prober.ReasonRenditionsApart}
	n.PullFinding = []prober.Finding{
		{Rule: "variant-apart", Section: "6.2.4", Severity: prober.SeverityDegraded, Stage: prober.StageManifest, Reason: prober.ReasonRenditionsApart, Where: "360p", Detail: "it ends 4.1 s behind 1080p", Count: 7},
		{Rule: "version", Section: "8", Severity: prober.SeverityNote, Stage: prober.StageManifest, Reason: prober.ReasonPlaylistMalformed, Detail: "EXT-X-VERSION is 3, and its tags need 6", Count: 1},
	}

	crowded := watching
	crowded.now.Renditions, crowded.now.PullFinding = nil, nil
	for i := range prober.MaxRenditions {
		crowded.now.Renditions = append(crowded.now.Renditions, prober.Rendition{Name: fmt.Sprintf("a rendition of a very long name %d 音声", i), Proof: prober.MeansBarcode})
	}
	for i := range 30 {
		crowded.now.PullFinding = append(crowded.now.PullFinding, prober.Finding{Severity: prober.SeverityFail, Stage: prober.StageSegment, Reason: prober.ReasonHTTPStatus, Where: fmt.Sprintf("segment %d", i), Detail: strings.Repeat("long ", 40), Count: 1})
	}
	validating := watching
	validating.sum = summary.Summary{Mode: summary.ModePlayback, Playback: "https://play.example.com/.../index.m3u8", Began: frameStart()}
	validating.last = nil
	n = &validating.now
	n.Pushing, n.Push, n.PushFinding, n.Sent, n.Proof = false, nil, nil, 0, ""
	n.Condition = &prober.Failure{Outcome: prober.Fail, Stage: prober.StageSegment, Reason: prober.ReasonHTTPStatus, Detail: "503"}
	return map[string]probeFrame{"validating": validating, "starting": starting, "connected": connected, "watching": watching, "crowded": crowded}
}

// -update writes them anew.
func TestFrames(t *testing.T) {
	t.Parallel()
	for name, f := range frames() {
		for _, at := range []struct {
			width, height int
			colour        bool
		}{{80, 24, false}, {80, 24, true}, {60, 15, false}, {40, 20, false}} {
			file := fmt.Sprintf("%s.%dx%d", name, at.width, at.height)
			if at.colour {
				file += ".colour"
			}
			t.Run(file, func(t *testing.T) {
				t.Parallel()
				got := f.render(at.width, at.height, at.colour) + "\n"
				sameAsFile(t, filepath.Join("testdata", "frames", file), got)
			})
		}
	}
}

// Whatever there is to show, a frame fits every terminal, and without colour it is
// text alone.
func TestFramesFit(t *testing.T) {
	t.Parallel()
	for name, f := range frames() {
		for width := 10; width <= 130; width += 7 {
			for height := 3; height <= 50; height++ {
				for _, colour := range []bool{false, true} {
					got := f.render(width, height, colour)
					if !colour && got != ansi.Strip(got) {
						t.Fatalf("%s at %dx%d: escapes without colour: %q", name, width, height, got)
					}
					lines := strings.Split(got, "\n")
					if len(lines) != height {
						t.Fatalf("%s at %dx%d: %d lines", name, width, height, len(lines))
					}
					for _, line := range lines {
						if wide := ansi.StringWidth(line); wide > width {
							t.Fatalf("%s at %dx%d: %d columns: %q", name, width, height, wide, line)
						}
					}
				}
			}
		}
	}
}

// What is told of renditions and findings is there at 80x24 however many there are.
func TestFrameShares(t *testing.T) {
	t.Parallel()
	got := frames()["crowded"].render(80, 24, false)
	for _, want := range []string{"renditions: 16", "findings: 30 must fix", "what changed", "of 16 shown"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

// The keys that end the view ask for the same end as a signal does.
func TestLiveKeys(t *testing.T) {
	t.Parallel()
	for key, want := range map[tea.KeyPressMsg]int{
		{Code: 'c', Mod: tea.ModCtrl}: 1, {Code: 'q', Text: "q"}: 1, {Code: 'x', Text: "x"}: 0, {Code: tea.KeyEnter}: 0,
	} {
		asked := 0
		m := &liveModel{interrupt: func() { asked++ }}
		if _, cmd := m.Update(key); cmd != nil || asked != want {
			t.Errorf("%s: %d interrupts, command %v; want %d and none", key, asked, cmd != nil, want)
		}
	}
}

// A view follows the terminal's size.
func TestLiveResized(t *testing.T) {
	t.Parallel()
	m := &liveModel{interrupt: func() {}}
	if got := m.View(); got.Content != "" || !got.AltScreen {
		t.Errorf("before its first frame: %+v", got)
	}
	m.Update(frames()["watching"])
	for _, size := range []tea.WindowSizeMsg{{Width: 80, Height: 24}, {Width: 33, Height: 9}} {
		m.Update(size)
		if got, want := m.View().Content, frames()["watching"].render(size.Width, size.Height, false); got != want {
			t.Errorf("at %+v:\n%s", size, got)
		}
	}
}

// No live view where there is no terminal, or one that cannot move its cursor.
func TestNoLiveView(t *testing.T) {
	t.Parallel()
	file, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if isLive(file, func(string) string { return "xterm" }) == nil {
		t.Error("a file is taken for a terminal")
	}
}

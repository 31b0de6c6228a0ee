//go:build unix

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"streamcanary/prober"
)

// breakable is a real server whose process can be broken, and started again.
type breakable interface {
	liveServer
	run(t *testing.T)
	kill()
	signal(t *testing.T, s syscall.Signal)
}

// faulty is how each side of a canary tells that a server is broken.
type faulty struct {
	breakable

	away   []prober.Reason // of the pull side: the server is gone
	paused []prober.Reason // of the pull side: the server stands still
	closed string          // an ingest that is not allowed; "" when the server has no such thing
	denied []prober.Reason // what says so
	taken  []prober.Reason // what says that a name is in use
}

// What a server may take at most to be told of, with room for a busy machine.
const (
	gonePushed   = 3 * time.Second  // reset connections
	pausedPulled = 15 * time.Second // a request's time out, or a playlist's
	pausedPushed = 30 * time.Second // 6 s without a byte taken, once the kernel's buffers are full
	playsAgain   = 40 * time.Second
)

func nginxFaults(s *nginx) faulty {
	return faulty{breakable: s,
		away: []prober.Reason{prober.ReasonConnectionRefused}, paused: []prober.Reason{prober.ReasonHTTPTimeout},
		closed: "rtmp://" + s.rtmp + "/closed/canary", denied: []prober.Reason{prober.ReasonConnectionClosed, prober.ReasonConnectionReset},
		taken: []prober.Reason{prober.ReasonPublishNameInUse}}
}

func mediaMTXFaults(s *mediaMTX) faulty {
	refused := []prober.Reason{prober.ReasonConnectionClosed, prober.ReasonConnectionReset, prober.ReasonPublishRejected, prober.ReasonPublishDenied}
	return faulty{breakable: s,
		away: []prober.Reason{prober.ReasonConnectionRefused}, paused: []prober.Reason{prober.ReasonHTTPTimeout, prober.ReasonPlaylistStale},
		closed: s.closed("canary"), denied: refused, taken: refused}
}

// ffmpegFaults are those of a server that takes one broadcast, whatever its name: who
// comes second finds nobody who listens. Its segments are on a web server that stays,
// where what is wrong is the push side's to say.
func ffmpegFaults(s *ffmpegServer) faulty {
	return faulty{breakable: s,
		away: []prober.Reason{prober.ReasonNothingPushed, prober.ReasonPlaylistStale}, paused: []prober.Reason{prober.ReasonPlaylistStale},
		taken: []prober.Reason{prober.ReasonConnectionRefused}}
}

// signal is for the shell that starts it, too.
func (s *ffmpegServer) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(-s.cmd.Process.Pid, sig); err != nil {
		t.Fatal(err)
	}
}

// TestServersFail breaks real servers in every way that a process can be broken, under
// a canary of the real program. `make soak-servers` breaks the others too.
func TestServersFail(t *testing.T) {
	t.Parallel()
	soaks := os.Getenv("STREAMCANARY_SERVERS") != ""
	for _, name := range []string{"nginx-rtmp", "ladder", "mpegts", "fmp4", "lowLatency", "ffmpeg"} {
		// The first is in e2e_watch_test.go; MediaMTX takes long to be seen as paused.
		if !soaks && slices.Contains([]string{"nginx-rtmp", "mpegts", "fmp4", "lowLatency"}, name) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			switch name {
			case "nginx-rtmp":
				breaks(t, nginxFaults(startNginx(t, "127.0.0.1")))
			case "ladder":
				breaks(t, nginxFaults(startLadder(t)))
			case "ffmpeg":
				breaks(t, ffmpegFaults(startFFmpegServer(t)))
			default:
				breaks(t, mediaMTXFaults(startMediaMTX(t, name)))
			}
		})
	}
}

// breaks goes through the faults, one after the other.
func breaks(t *testing.T, s faulty) {
	t.Helper()
	if s.closed != "" {
		_, p := probe(t, s.closed, s.playback("canary"))
		turnedAway(t, p, "a key that is not allowed", s.denied)
	}
	w := watched{t: t, p: streamcanary(t, "probe", "--json", "--watch", "--ingest", s.ingest("canary"), "--playback", s.playback("canary"))}
	w.plays("the canary")

	// Another machine's broadcast of the same name: the lock of keys is not in its way.
	second := start(t, "probe of another machine", "/usr/bin/env", "XDG_CACHE_HOME="+t.TempDir(), "TMPDIR="+t.TempDir(), binary(t),
		"probe", "--json", "--ingest", s.ingest("canary"), "--playback", s.playback("canary"))
	second.exit(t, e2ePatience)
	turnedAway(t, second, "a name in use", s.taken)

	for _, end := range []struct {
		name string
		do   func()
	}{
		{"kill -9", s.kill},
		{"SIGTERM", func() { s.signal(t, syscall.SIGTERM) }},
	} {
		at := time.Now()
		end.do()
		w.told(end.name, at, gonePushed, "push", prober.StageIngest, prober.ReasonConnectionClosed, prober.ReasonConnectionReset)
		w.told(end.name, at, pausedPulled, "pull", "", s.away...)
		s.kill() // what is left of it
		s.run(t)
		w.plays(end.name + " and a restart")
	}

	at := time.Now()
	s.signal(t, syscall.SIGSTOP)
	w.told("SIGSTOP", at, pausedPulled, "pull", "", s.paused...)
	w.told("SIGSTOP", at, pausedPushed, "push", prober.StageIngest, prober.ReasonSendStalled)
	s.signal(t, syscall.SIGCONT)
	w.plays("SIGCONT")
}

// turnedAway says whether a probe of one's own failed before anything played.
func turnedAway(t *testing.T, p *process, what string, reasons []prober.Reason) {
	t.Helper()
	results := p.reports(t)
	if len(results) == 0 || !fails("push", reasons...)(results[0]) ||
		!slices.Contains([]prober.Stage{prober.StageConnect, prober.StagePublish, prober.StageIngest}, results[0].Stage) {
		t.Errorf("%s: %+v; want a failure of the push side, one of %v", what, results, reasons)
		return
	}
	t.Logf("%s: %s at %s: %s", what, results[0].Reason, results[0].Stage, results[0].Detail)
	if strings.Contains(results[0].Detail, "canary") {
		t.Errorf("the key is in %q", results[0].Detail)
	}
}

// watched is a watch of the real program, read from a mark on.
type watched struct {
	t    *testing.T
	p    *process
	mark int
}

// told waits for a failure of one side.
func (w *watched) told(what string, at time.Time, within time.Duration, side string, stage prober.Stage, reasons ...prober.Reason) {
	w.t.Helper()
	var others []string
	r, when, _ := w.p.waitReport(w.t, w.mark, what+" is told by the "+side+" side", e2ePatience, func(r probeReport) bool {
		if other := fmt.Sprint(r.Outcome, r.Reason); r.Side == side && !slices.Contains(others, other) {
			others = append(others, other)
			w.t.Logf("%s: %s %s %s %s: %s", r.At.Format("05.000"), side, r.Outcome, r.Stage, r.Reason, r.Detail)
		}
		return r.Side == side && r.Outcome != prober.Pass && slices.Contains(reasons, r.Reason)
	})
	took := when.Sub(at)
	w.t.Logf("%s: the %s side told %s at %s after %v", what, side, r.Reason, r.Stage, took.Round(time.Millisecond))
	if took > within || stage != "" && r.Stage != stage {
		w.t.Errorf("%s: the %s side took %v, want at most %v: %+v", what, side, took, within, r)
	}
}

// plays waits until both sides say that all is well, and looks on from there. What
// plays has to be proven: files that the server left behind would play, too, and
// only what was pushed on the present connection proves anything.
func (w *watched) plays(what string) {
	w.t.Helper()
	at := time.Now()
	from := w.p.stdout.mark()
	if w.mark == 0 {
		from = 0
	}
	_, _, up := w.p.waitReport(w.t, from, "it is up after "+what, playsAgain, passes("push"))
	r, when, pulled := w.p.waitReport(w.t, from, "it plays, proven, after "+what, playsAgain, func(r probeReport) bool {
		return passes("pull")(r) && r.Proof != ""
	})
	w.mark = max(up, pulled)
	w.t.Logf("%s: it plays after %v, proven by %s, its last frame %.2f s old", what, when.Sub(at).Round(time.Millisecond), r.Proof, r.LatencyLast/1000)
}

//go:build unix

package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"
	"time"

	"streamcanary/prober"
)

// TestWatchKilled keeps a canary up at an nginx, which is killed and comes back.
func TestWatchKilled(t *testing.T) {
	t.Parallel()
	s := startNginx(t, "127.0.0.1")
	watch := startWatch(t, s)
	acceptedByFFmpeg(t, s.playback("canary"))
	acceptedByFFmpeg(t, s.ingest("canary"))

	mark := watch.stdout.mark()
	killed := time.Now()
	s.kill()
	drop, at, mark := watch.waitReport(t, mark, "the drop is told", e2ePatience,
		fails("push", prober.ReasonConnectionClosed, prober.ReasonConnectionReset))
	took := at.Sub(killed)
	t.Logf("nginx was killed; the canary told it %v later", took.Round(time.Millisecond))
	if took > 3*time.Second || drop.Stage != prober.StageIngest || drop.Interrupted != 1 {
		t.Errorf("the drop was told %v after the kill: %+v", took, drop)
	}

	code, once := probe(t, s.ingest("{stream}"), s.playback("{stream}"))
	results := once.reports(t)
	if code != exitFailure || len(results) == 0 || !fails("push", prober.ReasonConnectionRefused)(results[0]) || results[0].Stage != prober.StageConnect {
		t.Errorf("a new broadcast during the outage: exit code %d, %+v; want 1 and connection_refused at connect", code, results)
	}
	watch.waitReport(t, mark, "the pull side is told", e2ePatience, fails("pull", prober.ReasonConnectionRefused))

	mark = watch.stdout.mark()
	s.run(t)
	back := time.Now()
	up, at, mark := watch.waitReport(t, mark, "the return is told", e2ePatience,
		func(r probeReport) bool { return passes("push")(r) && r.Interruption > 0 })
	away := time.Duration(up.Interruption * float64(time.Millisecond))
	t.Logf("nginx was back after %v; the canary told %v away, %v after the return",
		back.Sub(killed).Round(time.Millisecond), away.Round(time.Millisecond), at.Sub(back).Round(time.Millisecond))
	if least := time.Second / 2; away < least || away > at.Sub(killed) {
		t.Errorf("it tells %v away, want from %v to the %v between the kill and this", away, least, at.Sub(killed))
	}
	watch.waitReport(t, mark, "it plays again", e2ePatience, passes("pull"))
	if code, once := probe(t, s.ingest("{stream}"), s.playback("{stream}")); code != exitOK {
		t.Errorf("a new broadcast after the restart: exit code %d, %s", code, once.stdout.text())
	}
	watch.signal(t, syscall.SIGINT)
	if code := watch.exit(t, e2ePatience); code != exitFailure {
		t.Errorf("exit code %d of a watch that saw a failure, want 1", code)
	}
}

// TestWatchStopped keeps a canary up at an nginx that stops without a word: its
// connections stay open, and nothing is taken or answered any more.
func TestWatchStopped(t *testing.T) {
	t.Parallel()
	// What each side may take at most to say so, with room for a busy machine.
	const pulled, pushed = 3*time.Second + 6*time.Second, 10*time.Second + 6*time.Second
	s := startNginx(t, "127.0.0.1")
	watch := startWatch(t, s)
	from := watch.stdout.mark()
	stopped := time.Now()
	s.signal(t, syscall.SIGSTOP)
	_, at, mark := watch.waitReport(t, from, "the pull side tells of the silence", e2ePatience, fails("pull", prober.ReasonHTTPTimeout))
	if took := at.Sub(stopped); took > pulled {
		t.Errorf("the pull side took %v, want at most %v", took, pulled)
	}
	t.Logf("nginx was stopped; http_timeout was told %v later", at.Sub(stopped).Round(time.Millisecond))
	stalled, at, mark := watch.waitReport(t, mark, "the push side tells of the stall", e2ePatience, fails("push", prober.ReasonSendStalled))
	if took := at.Sub(stopped); took > pushed || stalled.Stage != prober.StageIngest {
		t.Errorf("the push side took %v, want at most %v: %+v", took, pushed, stalled)
	}
	t.Logf("nginx was stopped; send_stalled was told %v later", at.Sub(stopped).Round(time.Millisecond))

	s.signal(t, syscall.SIGCONT)
	_, _, mark = watch.waitReport(t, mark, "the return is told", e2ePatience,
		func(r probeReport) bool { return passes("push")(r) && r.Interruption > 0 })
	watch.waitReport(t, mark, "it plays again", e2ePatience, passes("pull"))
}

// startWatch keeps a canary up on the key "canary" until the test ends, from
// when it plays.
func startWatch(t *testing.T, s *nginx) *process {
	t.Helper()
	p := streamcanary(t, "probe", "--json", "--watch", "--ingest", s.ingest("canary"), "--playback", s.playback("canary"))
	_, _, mark := p.waitReport(t, 0, "the canary is up", e2ePatience, passes("push"))
	p.waitReport(t, mark, "the canary plays", e2ePatience, passes("pull"))
	return p
}

// acceptedByFFmpeg asks programs that are not ours what a broadcast is, and
// decodes some of it.
func acceptedByFFmpeg(t *testing.T, url string) {
	t.Helper()
	ffprobe, ffmpeg := needsProgram(t, "ffprobe", "ffmpeg"), needsProgram(t, "ffmpeg", "ffmpeg")
	described := start(t, "ffprobe "+url, ffprobe, "-v", "error", "-of", "json",
		"-show_entries", "stream=codec_type,codec_name,width,height,avg_frame_rate,r_frame_rate,channels,sample_rate", url)
	if code := described.exit(t, e2ePatience); code != 0 || described.stderr.text() != "" {
		t.Fatalf("ffprobe %s: exit code %d, %s", url, code, described.stderr.text())
	}
	var found struct {
		Streams []struct {
			Type   string `json:"codec_type"`
			Codec  string `json:"codec_name"`
			Width  int    `json:"width"`
			Height int    `json:"height"`
			FPS    string `json:"r_frame_rate"`
		} `json:"streams"`
	}
	if err := json.Unmarshal([]byte(described.stdout.text()), &found); err != nil {
		t.Fatalf("ffprobe %s: %v", url, err)
	}
	codecs := map[string]bool{}
	for _, s := range found.Streams {
		codecs[s.Codec] = true
		if s.Type == "video" && (s.Width != 640 || s.Height != 360 || s.FPS != "30/1") {
			t.Errorf("ffprobe sees %+v at %s, want 640x360 at 30/1", s, url)
		}
	}
	if len(found.Streams) != 2 || !codecs["h264"] || !codecs["aac"] {
		t.Errorf("ffprobe sees %+v at %s, want h264 and aac", found.Streams, url)
	}

	decoded := start(t, "ffmpeg "+url, ffmpeg, "-v", "error", "-nostdin", "-xerror", "-err_detect", "explode", "-i", url, "-t", "3", "-f", "framemd5", "-")
	if code := decoded.exit(t, e2ePatience); code != 0 || decoded.stderr.text() != "" {
		t.Errorf("ffmpeg does not decode 3 s of %s: exit code %d, %s", url, code, decoded.stderr.text())
	}
	frames := map[byte]int{} // by the stream's digit, which opens a frame's line
	for line := range strings.Lines(decoded.stdout.text()) {
		frames[line[0]]++
	}
	if frames['0'] < 50 || frames['1'] < 50 { // of 90 pictures, up to a second of which waits for a keyframe, and 140 blocks of sound
		t.Errorf("ffmpeg decoded %v frames in 3 s of %s", frames, url)
	}
}

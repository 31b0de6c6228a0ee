package main

import (
	"encoding/xml"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/media"
)

// probe runs one probe to its end.
func probe(t *testing.T, ingest, playback string) (code int, p *process) {
	t.Helper()
	p = streamcanary(t, "probe", "--json", "--ingest", ingest, "--playback", playback)
	return p.exit(t, e2ePatience), p
}

func TestProbeHealthy(t *testing.T) {
	t.Parallel()
	s := startNginx(t, "127.0.0.1")
	code, p := probe(t, s.ingest("healthy"), s.playback("healthy"))
	if code != exitOK || p.stderr.text() != "" {
		t.Fatalf("exit code %d, stderr %q, want 0 and nothing", code, p.stderr.text())
	}
	results := p.reports(t)
	if len(results) != 2 || !passes("push")(results[0]) || !passes("pull")(results[1]) {
		t.Fatalf("results %+v, want a pass of the push side and one of the pull side", results)
	}
	pushed, pulled := results[0], results[1]
	for _, stage := range []string{"provision", "resolve", "connect", "publish"} {
		if _, ok := pushed.Stages[stage]; !ok {
			t.Errorf("the push side has no time of stage %s: %v", stage, pushed.Stages)
		}
	}
	if pulled.TTFF <= 0 || pulled.LatencyLast <= 0 || pulled.LatencyFirst <= pulled.LatencyLast || pulled.Received == 0 || pushed.Sent < pulled.Received {
		t.Errorf("figures that cannot be: push %+v, pull %+v", pushed, pulled)
	}

	// Not by the probe's own word alone: what nginx still has of the broadcast is
	// media, and each picture has a marker of this run.
	ours := markersOf(t, s.playback("healthy"))
	if len(ours) < 4*30 { // 5 s at 30 frames per second, less what nginx did not finish
		t.Fatalf("found %d markers", len(ours))
	}
	for i, m := range ours {
		if m.Tag != prober.RunTag(pushed.Run) || m.Seq != ours[0].Seq+uint64(i) {
			t.Fatalf("marker %d is %+v after %+v: a picture is missing or not ours", i, m, ours[max(i-1, 0)])
		}
	}
}

// markersOf downloads the segments of a playlist and looks into them.
func markersOf(t *testing.T, playlist string) []prober.Marker {
	t.Helper()
	body, err := fetch(playlist, "")
	if err != nil {
		t.Fatal(err)
	}
	base, err := url.Parse(playlist)
	if err != nil {
		t.Fatal(err)
	}
	var markers []prober.Marker
	for line := range strings.Lines(string(body)) {
		name := strings.TrimSpace(line)
		if name == "" || strings.HasPrefix(name, "#") {
			continue
		}
		segment, err := fetch(base.JoinPath("..", name).String(), "")
		if err != nil {
			t.Fatal(err)
		}
		summary, err := media.Inspect(segment, nil)
		if err != nil {
			t.Fatalf("segment %s: %v", name, err)
		}
		// The broadcast may have ended with a little sound.
		if summary.Container != media.MPEGTS || summary.Pictures != len(summary.Markers) || summary.HasVideo && !summary.Keyframe {
			t.Errorf("segment %s: %d markers in %+v", name, len(summary.Markers), summary)
		}
		markers = append(markers, summary.Markers...)
	}
	return markers
}

// TestProbeDenied: nginx says that a publish may go on, and then closes. That
// proves nothing.
func TestProbeDenied(t *testing.T) {
	t.Parallel()
	s := startNginx(t, "127.0.0.1")
	code, p := probe(t, "rtmp://"+s.rtmp+"/closed/{stream}", s.playback("{stream}"))
	results := p.reports(t)
	if code != exitFailure || len(results) != 2 {
		t.Fatalf("exit code %d and %+v, want 1 and two results", code, results)
	}
	push, pull := results[0], results[1]
	if push.Side != "push" || push.Outcome != prober.Fail || push.Stage != prober.StagePublish && push.Stage != prober.StageIngest {
		t.Errorf("the push side is %+v, want a failure at publish or ingest", push)
	}
	if pull.Side != "pull" || pull.Outcome != prober.Inconclusive || pull.Reason != prober.ReasonNothingPushed {
		t.Errorf("the pull side is %+v, want that it says nothing", pull)
	}
}

func TestProbeNameInUse(t *testing.T) {
	t.Parallel()
	s := startNginx(t, "127.0.0.1")
	ffmpeg := needsProgram(t, "ffmpeg", "ffmpeg")
	start(t, "ffmpeg", ffmpeg, "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc2=size=160x90:rate=10",
		"-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-f", "flv", s.ingest("taken"))
	s.publishes(t, "taken")
	code, p := probe(t, s.ingest("taken"), s.playback("taken"))
	results := p.reports(t)
	if code != exitFailure || len(results) == 0 || !fails("push", prober.ReasonPublishNameInUse)(results[0]) || results[0].Stage != prober.StagePublish {
		t.Errorf("exit code %d and %+v, want 1 and publish_name_in_use", code, results)
	}
}

// TestProbeOverlap: two runs on one fixed key never overlap. The second says so,
// without having touched the first one's broadcast.
func TestProbeOverlap(t *testing.T) {
	t.Parallel()
	s := startNginx(t, "127.0.0.1")
	first := streamcanary(t, "probe", "--json", "--watch", "--ingest", s.ingest("ours"), "--playback", s.playback("ours"))
	first.waitReport(t, 0, "the first run is up", e2ePatience, passes("push"))
	code, second := probe(t, s.ingest("ours"), s.playback("ours"))
	if code != exitInconclusive || second.stdout.text() != "" {
		t.Errorf("exit code %d and %q, want 3 and no result", code, second.stdout.text())
	}
	if said := second.stderr.text(); !strings.Contains(said, "another probe on this machine pushes to that key") || strings.Contains(said, "ours") {
		t.Errorf("stderr %q, want what is wrong, without the key", said)
	}
	_, _, mark := first.waitReport(t, first.stdout.mark(), "the first run goes on", e2ePatience, passes("push"))
	first.signal(t, syscall.SIGINT)
	if code := first.exit(t, e2ePatience); code != exitOK {
		t.Errorf("exit code %d of a watch without a failure, want 0", code)
	}
	for _, r := range first.reports(t)[:mark] {
		if r.Outcome == prober.Fail {
			t.Errorf("the second run broke the first: %+v", r)
		}
	}
}

func TestProbeInterrupted(t *testing.T) {
	t.Parallel()
	s := startNginx(t, "127.0.0.1")
	p := streamcanary(t, "probe", "--ingest", s.ingest("{stream}"), "--playback", s.playback("{stream}"))
	p.wait(t, 0, "the run is under way", e2ePatience, says("publish "))
	p.signal(t, syscall.SIGINT)
	asked := time.Now()
	if code := p.exit(t, e2ePatience); code != exitInconclusive {
		t.Errorf("exit code %d after an interrupt, want 3", code)
	}
	if took := time.Since(asked); took > 10*time.Second {
		t.Errorf("it took %v to end", took)
	}
	if !strings.Contains(p.stdout.text(), "INCONCLUSIVE") {
		t.Errorf("stdout %q, want its verdict", p.stdout.text())
	}
}

func TestProbeUsage(t *testing.T) {
	t.Parallel()
	const ingest, playback = "rtmp://127.0.0.1:9/live/{stream}", "http://127.0.0.1:9/{stream}.m3u8"
	for name, args := range map[string][]string{
		"no flags":         {},
		"no playback":      {"--ingest", ingest},
		"not rtmp":         {"--ingest", "http://127.0.0.1/live/secret-key", "--playback", playback},
		"no key":           {"--ingest", "rtmp://127.0.0.1/live", "--playback", playback},
		"not http":         {"--ingest", ingest, "--playback", "ftp://127.0.0.1/{stream}"},
		"stream only once": {"--ingest", ingest, "--playback", "http://127.0.0.1:9/index.m3u8"},
		"for, not watch":   {"--ingest", ingest, "--playback", playback, "--for", "5s"},
		"short timeout":    {"--ingest", ingest, "--playback", playback, "--timeout", "1s"},
		"unknown flag":     {"--ingest", ingest, "--playback", playback, "--jsonn"},
		"no such folder":   {"--ingest", ingest, "--playback", playback, "--junit", "/none/such/x.xml"},
		"a folder":         {"--ingest", ingest, "--playback", playback, "--html", "/"},
		"two on stdout":    {"--ingest", ingest, "--playback", playback, "--json", "--report", "-"},
		"one file for two": {"--ingest", ingest, "--playback", playback, "--junit", "/tmp/x", "--html", "/tmp/x"},
		"an argument":      {"now", "--ingest", ingest, "--playback", playback},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := streamcanary(t, append([]string{"probe"}, args...)...)
			if code := p.exit(t, e2ePatience); code != exitUsage {
				t.Errorf("exit code %d, want 2", code)
			}
			said := p.stderr.text()
			if strings.Count(said, "\n") != 1 || !strings.HasPrefix(said, "streamcanary: ") || strings.Contains(said, "secret-key") || p.stdout.text() != "" {
				t.Errorf("stderr %q and stdout %q, want one line without the key, and nothing", said, p.stdout.text())
			}
		})
	}
}

// TestProbeBroken: no place for a folder for the locks of keys is the prober's own
// trouble, and not the server's.
func TestProbeBroken(t *testing.T) {
	t.Parallel()
	const none = "/dev/null/none" // not even root makes it
	p := start(t, "probe without a folder for locks", "/usr/bin/env", "TMPDIR="+none, "XDG_CACHE_HOME="+none, "HOME="+none, binary(t),
		"probe", "--ingest", "rtmp://127.0.0.1:9/live/key", "--playback", "http://127.0.0.1:9/key.m3u8")
	if code := p.exit(t, e2ePatience); code != exitBroken {
		t.Errorf("exit code %d, want 4; stderr %q", code, p.stderr.text())
	}
}

// TestProbeFiles: the text, the JUnit XML and the page of one real run are there, say
// the same, and hold no key.
func TestProbeFiles(t *testing.T) {
	t.Parallel()
	s := startNginx(t, "127.0.0.1")
	folder := t.TempDir()
	file := func(name string) string { return filepath.Join(folder, name) }
	for name, tt := range map[string]struct {
		ingest, key string
		code        int
		want        map[string][]string
	}{
		"good": {s.ingest("files-secret"), "files-secret", exitOK, map[string][]string{
			"txt":  {"## streamcanary probe: PASS: what was pushed plays\n", "proven, by the marker in each picture (SEI)", "| push | connect ", "| (media playlist) | ", "avc1.42c01e,mp4a.40.2"},
			"xml":  {` failures="0" errors="0" `, `<testcase name="connect" classname="streamcanary.go-live.push"`},
			"html": {"PASS: what was pushed plays</h1>", "<h3>Bitrate ", "<h3>Latency ", "<h3>Buffer of the viewer ", "<h3>Download of a segment "},
		}},
		"denied": {"rtmp://" + s.rtmp + "/closed/denied-secret", "denied-secret", exitFailure, map[string][]string{
			"txt":  {"## streamcanary probe: FAIL at ", "| push | "},
			"xml":  {` failures="2" errors="0" `, `<failure message=`},
			"html": {`<header class="fail">`},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := streamcanary(t, "probe", "--ingest", tt.ingest, "--playback", s.playback(tt.key),
				"--report", file(name+".txt"), "--junit", file(name+".xml"), "--html", file(name+".html"))
			if code := p.exit(t, e2ePatience); code != tt.code {
				t.Fatalf("exit code %d, want %d; %s%s", code, tt.code, p.stdout.text(), p.stderr.text())
			}
			for form, want := range tt.want {
				got, err := os.ReadFile(file(name + "." + form))
				if err != nil {
					t.Fatal(err)
				}
				for _, w := range want {
					if !strings.Contains(string(got), w) {
						t.Errorf("%s has no %q:\n%s", form, w, got)
					}
				}
				if strings.Contains(string(got), tt.key) {
					t.Errorf("%s holds the key:\n%s", form, got)
				}
				if form == "xml" {
					if err := xml.Unmarshal(got, new(struct{ XMLName xml.Name })); err != nil {
						t.Error(err)
					}
				}
			}
			if said := p.stdout.text(); strings.Contains(said, tt.key) || strings.Contains(said, "\x1b") {
				t.Errorf("stdout %q, want lines without the key", said)
			}
		})
	}
}

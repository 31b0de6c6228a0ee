package summary_test

import (
	"bytes"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"streamcanary/prober"
	"streamcanary/prober/summary"
)

var update = flag.Bool("update", false, "write the golden files")

const version = "streamcanary v1.2.3 (commit 0123456789ab, go1.26.8 linux/amd64)"

func began() time.Time { return time.Date(2026, 4, 8, 12, 0, 0, 0, time.UTC) }

func ms(n int) time.Duration { return time.Duration(n) * time.Millisecond }

func ladder() []prober.Rendition {
	return []prober.Rendition{
		{
			Name: "720p", Type: prober.RenditionVariant, Playing: true, Proof: prober.MeansSEI, Container: "mpegts",
			Announced:   prober.Encoding{Bandwidth: 2_800_000, Width: 1280, Height: 720, FrameRate: 30, Codecs: "avc1.64001f,mp4a.40.2"},
			Seen:        prober.Encoding{Width: 1280, Height: 720, FrameRate: 30, Codecs: "avc1.64001f,mp4a.40.2"},
			PeakBitrate: 2_714_000, AverageBitrate: 2_533_400, Segments: 6, Downloaded: 6, Keyframes: 6,
			TargetDuration: 2 * time.Second, ShortestEXTINF: ms(1967), MeanEXTINF: 2 * time.Second, LongestEXTINF: 2 * time.Second,
			MediaSequence: 4, SegmentSequence: 9, LatencyLast: ms(2140), LatencyBy: prober.MeansSEI,
		},
		{
			Name: "360p", Type: prober.RenditionVariant, Playing: true, Container: "mpegts",
			Announced:   prober.Encoding{Bandwidth: 800_000, Width: 640, Height: 360, Codecs: "avc1.42c01e,mp4a.40.2"},
			Seen:        prober.Encoding{Width: 426, Height: 240, FrameRate: 29.97, Codecs: "avc1.42c015,mp4a.40.2"},
			PeakBitrate: 912_000, AverageBitrate: 640_000, Segments: 6, Downloaded: 5, Keyframes: 4, Missed: 1,
			TargetDuration: 2 * time.Second, ShortestEXTINF: 2 * time.Second, LongestEXTINF: 2 * time.Second,
			Failure: &prober.Failure{Outcome: prober.Fail, Stage: prober.StageSegment, Reason: prober.ReasonHTTPStatus, Detail: "GET 360p/8.ts: 404 Not Found"},
		},
	}
}

// samples of n seconds; of every what second nothing is known.
func samples(n, gap int, broken func(i int) bool) []summary.Sample {
	var list []summary.Sample
	for i := range n {
		s := summary.Unmeasured(began().Add(time.Duration(i) * time.Second))
		wave := time.Duration(i%7) * 60 * time.Millisecond
		switch {
		case broken != nil && broken(i):
			s.Sent, s.Received, s.Buffer, s.Down = 0, 0, 0, true
		case gap > 0 && i%gap == gap-1:
		default:
			s.Sent, s.Received, s.Queue = 500_000+int64(i%5)*6_000, 3_100_000+int64(i%6)*90_000, 0
			s.Latency, s.Behind, s.Buffer, s.Download = ms(2100)+wave, ms(6300)+wave/2, ms(4200)-wave*4, ms(38)+wave/9
		}
		list = append(list, s)
	}
	return list
}

// fixtures are the summaries that golden files show, by name.
func fixtures() map[string]summary.Summary {
	return map[string]summary.Summary{
		"golive": golive(), "refused": refused(), "canary": canary(), "playback": playback(), "hostile": hostile(), "nothing": nothing(),
	}
}

func golive() summary.Summary {
	r := summary.NewRecorder(summary.Summary{Version: version, Mode: summary.ModeGoLive, Ingest: "rtmp://ingest.example.com/live/{stream}",
		Playback: "https://play.example.com/hls/{stream}/index.m3u8", Began: began()})
	push := prober.Result{Run: "r-7f3a", Outcome: prober.Pass, Started: began(), Ended: began().Add(ms(6200)), Figures: prober.Figures{
		Stages: []prober.StageTime{{Stage: prober.StageProvision}, {Stage: prober.StageResolve, Duration: ms(3)},
			{Stage: prober.StageConnect, Duration: ms(41)}, {Stage: prober.StagePublish, Duration: ms(12)}},
		BytesSent: 402_113, SendStall: 400 * time.Microsecond, SendQueue: 8192,
	}}
	pull := prober.Result{Run: "r-7f3a", Playback: "playback", Outcome: prober.Pass, Ended: began().Add(ms(6300)), Figures: prober.Figures{
		Stages: []prober.StageTime{{Stage: prober.StageResolve, Duration: ms(2)}, {Stage: prober.StageConnect, Duration: ms(28)},
			{Stage: prober.StageManifest, Duration: ms(9)}, {Stage: prober.StageSegment, Duration: ms(1204)}},
		TTFF: ms(3120), LatencyFirst: ms(4110), LatencyLast: ms(2140), LatencyBy: prober.MeansSEI, Proof: prober.MeansSEI, BytesReceived: 1_874_220,
		Viewing: prober.Viewing{Startup: ms(640), Watched: ms(5400), Latency: ms(6300), Drift: ms(-12)},
		HTTP:    prober.HTTPTimes{Protocol: "HTTP/2.0", FirstByte: ms(8), Body: ms(30), Cache: "miss"}, Renditions: ladder()[:1],
	}}
	r.Add(push)
	r.Add(pull)
	for _, s := range samples(7, 0, nil) {
		r.Sample(s)
	}
	return r.End(began().Add(ms(6412)), &pull)
}

func refused() summary.Summary {
	r := summary.NewRecorder(summary.Summary{Version: version, Mode: summary.ModeGoLive, Ingest: "rtmp://ingest.example.com/live/[key]",
		Playback: "https://play.example.com/hls/[key]/index.m3u8", Began: began()})
	push := prober.Result{Run: "r-1", Outcome: prober.Fail, Stage: prober.StageConnect, Reason: prober.ReasonConnectionRefused, Ended: began().Add(ms(52)),
		Detail: "dial tcp 192.0.2.7:1935: connection refused"}
	r.Add(push)
	r.Add(prober.Result{Run: "r-1", Playback: "playback", Outcome: prober.Inconclusive, Reason: prober.ReasonNothingPushed, Detail: "the broadcast did not come up", Ended: began().Add(ms(52))})
	r.Sample(summary.Unmeasured(began()))
	return r.End(began().Add(ms(60)), &push)
}

// canary is a watch of five minutes in which the connection is reset once.
func canary() summary.Summary {
	r := summary.NewRecorder(summary.Summary{Version: version, Mode: summary.ModeCanary, Ingest: "rtmps://ingest.example.com/live/{stream}",
		Playback: "https://play.example.com/hls/{stream}/index.m3u8", Began: began()})
	down := func(i int) bool { return i >= 140 && i < 152 }
	fail := prober.Result{Outcome: prober.Fail, Stage: prober.StageIngest, Reason: prober.ReasonConnectionReset, Detail: "the ingest reset the connection after 2m20s"}
	for i, s := range samples(300, 23, down) {
		push := prober.Result{Run: "r-1", Ended: s.At, Outcome: prober.Pass, Figures: prober.Figures{BytesSent: 62_500,
			Stages: []prober.StageTime{{Stage: prober.StageConnect, Duration: ms(44)}, {Stage: prober.StagePublish, Duration: ms(15)}}}}
		pull := prober.Result{Run: "r-1", Playback: "playback", Ended: s.At, Outcome: prober.Pass, Figures: prober.Figures{BytesReceived: 390_000, Renditions: ladder(),
			Stages:  []prober.StageTime{{Stage: prober.StageManifest, Duration: ms(9)}, {Stage: prober.StageSegment, Duration: ms(44)}},
			Viewing: prober.Viewing{Startup: ms(640), Watched: time.Second, Latency: ms(6300)}, Proof: prober.MeansSEI, LatencyLast: ms(2140), LatencyFirst: ms(4100), LatencyBy: prober.MeansSEI}}
		switch {
		case down(i):
			push.Outcome, push.Stage, push.Reason, push.Detail = fail.Outcome, fail.Stage, fail.Reason, fail.Detail
			pull.Outcome, pull.Reason, pull.Detail = prober.Inconclusive, prober.ReasonNothingPushed, "the broadcast is down"
			push.Figures, pull.Figures = prober.Figures{Interruptions: 1}, prober.Figures{}
		case i == 152:
			push.Figures.Interruptions, push.Figures.InterruptionTime = 1, ms(12_340)
			pull.Figures.Viewing.Rebuffers, pull.Figures.Viewing.RebufferTime = 1, 8*time.Second
		case i == 200:
			pull.Findings = []prober.Finding{
				{Rule: "extinf-over-target", Section: "4.4.3.1", Severity: prober.SeverityDegraded, Stage: prober.StageManifest, Reason: prober.ReasonPlaylistMalformed, Where: "360p", Detail: "segment 101 lasts 2.733 s, the target duration is 2 s"},
				{Section: "ISO/IEC 13818-1 2.4.3.3", Severity: prober.SeverityDegraded, Stage: prober.StageMedia, Reason: prober.ReasonContinuityError, Where: "720p, segment 101", Detail: "3 packets of PID 256 are missing", Count: 3},
				{Rule: "version", Section: "8", Severity: prober.SeverityNote, Stage: prober.StageManifest, Reason: prober.ReasonPlaylistMalformed, Detail: "EXT-X-VERSION is 3, and its tags need 6"},
			}
		}
		r.Sample(s)
		r.Add(push)
		r.Add(pull)
	}
	fail.Figures = prober.Figures{}
	return r.End(began().Add(5*time.Minute), &fail)
}

func playback() summary.Summary {
	r := summary.NewRecorder(summary.Summary{Version: version, Mode: summary.ModePlayback, Playback: "https://play.example.com/.../master.m3u8", Began: began()})
	worst := prober.Result{Playback: "playback", Ended: began().Add(time.Minute), Outcome: prober.Degraded, Stage: prober.StageSegment, Reason: prober.ReasonBitrateMismatch,
		Detail: "the measured peak segment bitrate of 912 kbit/s exceeds BANDWIDTH=800000",
		Findings: []prober.Finding{{Rule: "bandwidth-over", Section: "4.4.6.2", Severity: prober.SeverityDegraded, Stage: prober.StageSegment, Reason: prober.ReasonBitrateMismatch,
			Where: "360p", Detail: "the measured peak segment bitrate of 912 kbit/s exceeds BANDWIDTH=800000", Count: 4}},
		Figures: prober.Figures{BytesReceived: 22_400_000, Renditions: ladder(), Stages: []prober.StageTime{{Stage: prober.StageManifest, Duration: ms(31)}, {Stage: prober.StageSegment, Duration: ms(210)}},
			Viewing: prober.Viewing{Startup: ms(480), Watched: 58 * time.Second}, HTTP: prober.HTTPTimes{Protocol: "HTTP/1.1", Resolve: ms(1), Connect: ms(20), TLS: ms(40), FirstByte: ms(12), Body: ms(160), Redirects: 1, Cache: "hit"}}}
	r.Add(worst)
	s := summary.Unmeasured(began().Add(30 * time.Second)) // one alone
	s.Received, s.Buffer, s.Download = 2_950_000, ms(5900), ms(172)
	r.Sample(s)
	return r.End(began().Add(time.Minute), &worst)
}

// hostile is a server that names things to break reports.
func hostile() summary.Summary {
	r := summary.NewRecorder(summary.Summary{Version: version, Mode: summary.ModePlayback, Playback: "https://evil.example.com/\x1b]0;x\x07<script>alert(1)</script>.m3u8", Began: began()})
	bad := prober.Result{Playback: "playback", Ended: began().Add(time.Second), Outcome: prober.Fail, Stage: prober.StageManifest, Reason: prober.ReasonNotAPlaylist,
		Detail: "\"]]><img src=x onerror=alert(1)>`code` | | &amp; \x00\x1b[31m\u202e\ufffe " + strings.Repeat("long", 60),
		Findings: []prober.Finding{{Section: "nowhere <b>", Severity: prober.SeverityFail, Stage: prober.StageManifest, Reason: prober.ReasonNotAPlaylist,
			Where: "</li></ol>\r\n\r\n# heading", Detail: "]]></failure><script>"}}}
	for range 3 {
		bad.Figures.Renditions = append(bad.Figures.Renditions, prober.Rendition{Name: strings.Repeat("|`x", 40), Proof: "\"><script>",
			Announced: prober.Encoding{Codecs: strings.Repeat("avc1.<b>,", 40)}, Seen: prober.Encoding{Codecs: "ünïcode"}})
	}
	r.Add(bad)
	return r.End(began().Add(2*time.Second), &bad)
}

func nothing() summary.Summary {
	return summary.NewRecorder(summary.Summary{Version: version, Mode: summary.ModeCanary, Ingest: "rtmp://h/live/[key]", Playback: "http://h/x.m3u8", Began: began()}).End(began().Add(time.Second), nil)
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for name, s := range fixtures() {
		for form, write := range map[string]func(io.Writer) error{"txt": s.Text, "xml": s.JUnit, "html": s.HTML} {
			t.Run(name+"."+form, func(t *testing.T) {
				t.Parallel()
				var got bytes.Buffer
				if err := write(&got); err != nil {
					t.Fatal(err)
				}
				if !utf8.Valid(got.Bytes()) {
					t.Error("it is not UTF-8")
				}
				golden(t, filepath.Join("testdata", name+"."+form), got.Bytes())
			})
		}
	}
}

func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what it was; look at the difference with 'go test ./prober/summary -update' and git diff. Got:\n%s", path, got)
	}
}

// A report is pasted: it keeps to its width, and to one Markdown structure whatever
// a server names things.
func TestTextWidth(t *testing.T) {
	t.Parallel()
	for name, s := range fixtures() {
		var out strings.Builder
		if err := s.Text(&out); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			line = strings.TrimSuffix(line, "\n")
			if n := utf8.RuneCountInString(line); n > 100 && (strings.HasPrefix(line, "|") || len(strings.Fields(line)) > 1) {
				t.Errorf("%s: %d columns: %s", name, n, line)
			}
			if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\u202e' }) {
				t.Errorf("%s: control characters: %q", name, line)
			}
		}
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// What cannot be written is told.
func TestWriteErrors(t *testing.T) {
	t.Parallel()
	s := golive()
	for form, write := range map[string]func(io.Writer) error{"txt": s.Text, "xml": s.JUnit, "html": s.HTML} {
		if err := write(brokenWriter{}); err == nil {
			t.Errorf("%s: a writer that fails, and no error", form)
		}
	}
}

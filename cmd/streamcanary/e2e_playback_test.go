package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/origin"
)

// validate runs the real binary against a playlist, and reads its report.
func validate(t *testing.T, playlist string, flags ...string) (code int, report playbackReport, p *process) {
	t.Helper()
	p = streamcanary(t, append([]string{"probe", "--json", "--playback-only", playlist}, flags...)...)
	code = p.exit(t, 2*e2ePatience)
	d := json.NewDecoder(strings.NewReader(p.stdout.text()))
	d.DisallowUnknownFields()
	if err := d.Decode(&report); err != nil {
		t.Fatalf("exit code %d, %q is not a report: %v; stderr %q", code, p.stdout.text(), err, p.stderr.text())
	}
	return code, report, p
}

// reasons of what was found, the gravest first.
func (r playbackReport) reasons() string {
	var all []string
	for _, f := range r.Findings {
		all = append(all, string(f.Severity)+" "+string(f.Reason))
	}
	return strings.Join(slices.Compact(all), ", ")
}

// Recordings as ffmpeg packs them, and what is none.
func TestPlaybackOnlyRecordings(t *testing.T) {
	t.Parallel()
	ffmpeg := needsProgram(t, "ffmpeg", "ffmpeg")
	const picture = "640x360 25 avc1 mp4a"
	tests := []struct {
		name     string
		args     []string // of ffmpeg's HLS muxer; nil: content
		content  string
		top      string
		code     int
		whole    bool
		want     []string // renditions: size, pictures a second, codecs
		found    string
		outcome  prober.Outcome
		encrypts string
	}{
		{name: "VOD, a media playlist alone", args: []string{"i.m3u8"}, whole: true, want: []string{picture}, outcome: prober.Pass},
		{name: "fMP4, byte ranges", args: []string{"-hls_segment_type", "fmp4", "-hls_flags", "single_file", "i.m3u8"}, whole: true, want: []string{picture}, outcome: prober.Pass},
		{name: "audio alone", args: []string{"-vn", "i.m3u8"}, whole: true, want: []string{"0x0 0 mp4a"}, outcome: prober.Pass},
		{name: "AES-128", args: []string{"-hls_key_info_file", "key.info", "i.m3u8"}, whole: true, want: []string{picture}, outcome: prober.Pass, encrypts: "AES-128"},
		{name: "AES-128, without its key", args: []string{"-hls_key_info_file", "lost.info", "i.m3u8"}, code: exitFailure, whole: true, want: []string{"0x0 0"}, outcome: prober.Fail,
			found: "fail key_unavailable", encrypts: "AES-128"},
		{name: "multivariant", args: []string{"-master_pl_name", "i.m3u8", "-b:v", "300k", "-var_stream_map", "v:0,a:0", "v%v.m3u8"}, whole: true, want: []string{picture}, outcome: prober.Pass},
		{name: "BANDWIDTH too small", args: []string{"-master_pl_name", "i.m3u8", "-b:v", "30k", "-var_stream_map", "v:0,a:0", "v%v.m3u8"}, whole: true,
			want: []string{picture}, outcome: prober.Degraded, found: "degraded bitrate_mismatch"},
		{name: "nothing there", content: "x", top: "nothing.m3u8", code: exitFailure, outcome: prober.Fail, found: "fail http_status"},
		{name: "an HTML page", content: "<html><body>Not found</body></html>", code: exitFailure, outcome: prober.Fail, found: "fail not_a_playlist"},
		{name: "a segment is missing", content: "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nnone.ts\n#EXT-X-ENDLIST\n", code: exitFailure, whole: true, outcome: prober.Fail, found: "fail http_status"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "s3cret-folder")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(dir))))
			defer server.Close()
			for name, content := range map[string]string{"key": "0123456789abcdef", "key.info": "key\nkey\n", "lost.info": "lost\nkey\n", "i.m3u8": tt.content} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if tt.args != nil {
				record(t, ffmpeg, dir, tt.args)
			}
			top := tt.top
			if top == "" {
				top = "i.m3u8"
			}
			code, report, p := validate(t, server.URL+"/s3cret-folder/"+top+"?token=s3cret")
			if code != tt.code || report.Outcome != tt.outcome || report.Live || report.Whole != tt.whole {
				t.Errorf("exit code %d, %+v", code, report)
			}
			if got := report.reasons(); !strings.Contains(got, tt.found) || tt.found == "" && got != "" {
				t.Errorf("found %q, want %q", got, tt.found)
			}
			if strings.Contains(p.stdout.text()+p.stderr.text(), "s3cret") {
				t.Errorf("a secret is told: %s%s", p.stdout.text(), p.stderr.text())
			}
			for i, want := range tt.want {
				if i >= len(report.Renditions) {
					t.Fatalf("%d renditions", len(report.Renditions))
				}
				checkSeen(t, report.Renditions[i], want)
				if got := report.Renditions[i].Encryption; got != tt.encrypts {
					t.Errorf("encrypted by %q", got)
				}
			}
		})
	}
}

// record has ffmpeg make 6 s of pictures and sound, in segments of 2 s.
func record(t *testing.T, ffmpeg, dir string, args []string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), ffmpeg, append([]string{"-v", "error",
		"-f", "lavfi", "-i", "testsrc=size=640x360:rate=25:duration=6", "-f", "lavfi", "-i", "sine=duration=6",
		"-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "50", "-c:a", "aac", "-threads", "1",
		"-f", "hls", "-hls_time", "2", "-hls_playlist_type", "vod"}, args...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg: %v\n%s", err, out)
	}
}

// checkSeen compares what a rendition shows with "WxH RATE CODEC...".
func checkSeen(t *testing.T, r probeRendition, want string) {
	t.Helper()
	got := fmt.Sprintf("%dx%d %.0f", r.Seen.Width, r.Seen.Height, r.Seen.FrameRate)
	for codec := range strings.SplitSeq(r.Seen.Codecs, ",") {
		if name, _, _ := strings.Cut(codec, "."); name != "" {
			got += " " + name
		}
	}
	if got != want {
		t.Errorf("%q shows %q, want %q", r.Name, got, want)
	}
	if r.Seen.Width > 0 && (r.Keyframes == 0 || r.Keyframes != r.Downloaded) {
		t.Errorf("%q: %d keyframes in %d segments", r.Name, r.Keyframes, r.Downloaded)
	}
}

// foreign is a broadcast of ffmpeg's, until the test ends.
func foreign(t *testing.T, ingest string) {
	t.Helper()
	start(t, "ffmpeg", needsProgram(t, "ffmpeg", "ffmpeg"), "-v", "error", "-nostdin", "-re", "-f", "lavfi", "-i", "testsrc=size=320x180:rate=20",
		"-f", "lavfi", "-i", "sine", "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-pix_fmt", "yuv420p", "-g", "20", "-c:a", "aac", "-threads", "1", "-f", "flv", ingest)
}

// plays waits for the playlist's first segment.
func plays(t *testing.T, playlist string) {
	t.Helper()
	eventually(t, "it plays", e2ePatience, func() error {
		_, err := fetch(playlist, "")
		return err
	})
}

// A live stream of others at our own origin, healthy and broken, by each way of
// packing it.
func TestPlaybackOnlyLive(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		setup func(*origin.Config)
		flags []string
		fault string
		code  int
		want  string // in what is found
		parts bool
	}{
		{name: "MPEG-TS, two renditions", setup: renditions},
		{name: "fMP4", setup: func(c *origin.Config) { c.Container = origin.FMP4 }},
		{name: "low latency", setup: lowLatency, flags: []string{"--low-latency"}, parts: true},
		{name: "not of low latency", setup: func(*origin.Config) {}, flags: []string{"--low-latency"}, want: "degraded low_latency"},
		{name: "without a rung", setup: renditions, flags: []string{"--ladder", "720p"}, want: "degraded rendition_missing"},
		{name: "frozen", setup: func(*origin.Config) {}, fault: "freeze-playlist", code: exitFailure, want: "fail playlist_stale"},
		{name: "frozen, and no more than a note", setup: func(*origin.Config) {}, fault: "freeze-playlist", flags: []string{"--severity", "stale=note"}, want: "note playlist_stale"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := origin.Config{RTMPAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0"}
			tt.setup(&c)
			o, err := origin.New(c)
			if err != nil {
				t.Fatal(err)
			}
			if err := o.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			foreign(t, prober.StreamURL(o.RTMPURL(), "theirs"))
			playlist := prober.StreamURL(o.HLSURL(), "theirs")
			plays(t, playlist)
			if tt.fault != "" {
				inside, heal := context.WithCancel(t.Context())
				defer heal()
				go func() { _ = o.Inject(inside, origin.Fault{Name: tt.fault, For: time.Minute}) }()
			}
			code, report, _ := validate(t, playlist, append(tt.flags, "--for", "9s")...)
			if code != tt.code || !report.Live || report.Whole || tt.fault == "" && report.Segments < 2 {
				t.Errorf("exit code %d: %+v", code, report)
			}
			got := report.reasons()
			if !strings.Contains(got, tt.want) || tt.want == "" && strings.Contains(got, "fail") {
				t.Errorf("found %q, want %q: %+v", got, tt.want, report.Findings)
			}
			for _, r := range report.Renditions {
				if r.Seen.Width != 0 {
					checkSeen(t, r, strings.TrimSpace("320x180 20 avc1 "+soundOf(r)))
				}
				if (r.PartTarget > 0) != tt.parts {
					t.Errorf("%q has parts of %v ms", r.Name, r.PartTarget)
				}
			}
		})
	}
}

// soundOf is "mp4a" where the sound is with the pictures.
func soundOf(r probeRendition) string {
	if strings.Contains(r.Seen.Codecs, "mp4a") {
		return "mp4a"
	}
	return ""
}

// MediaMTX, in all of its forms, shows what ffprobe says of it.
func TestPlaybackOnlyMediaMTX(t *testing.T) {
	t.Parallel()
	ffprobe := needsProgram(t, "ffprobe", "ffmpeg")
	for _, variant := range []string{"mpegts", "fmp4", "lowLatency"} {
		t.Run(variant, func(t *testing.T) {
			t.Parallel()
			s := startMediaMTX(t, variant)
			foreign(t, s.ingest("theirs"))
			plays(t, s.playback("theirs"))
			code, report, _ := validate(t, s.playback("theirs"), "--for", "8s", "--timeout", "20s")
			if code != exitOK || !report.Live || len(report.Renditions) == 0 || report.Segments < 2 {
				t.Fatalf("exit code %d: %+v", code, report)
			}
			out, err := exec.CommandContext(t.Context(), ffprobe, "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height,r_frame_rate,codec_name",
				"-of", "csv=p=0", s.playback("theirs")).Output()
			if err != nil {
				t.Fatalf("ffprobe: %v", err)
			}
			said, _, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
			seen := report.Renditions[0].Seen
			if want := fmt.Sprintf("h264,%d,%d,%.0f/1", seen.Width, seen.Height, seen.FrameRate); !strings.HasPrefix(seen.Codecs, "avc1.") || strings.TrimSuffix(said, ",") != want {
				t.Errorf("ffprobe says %q, and we %q with %s", said, want, seen.Codecs)
			}
			if (report.Renditions[0].PartTarget > 0) != (variant == "lowLatency") {
				t.Errorf("parts of %v ms", report.Renditions[0].PartTarget)
			}
		})
	}
}

// What a person reads, and what an interrupt leaves of it.
func TestPlaybackOnlyText(t *testing.T) {
	t.Parallel()
	ffmpeg := needsProgram(t, "ffmpeg", "ffmpeg")
	dir := t.TempDir()
	server := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer server.Close()
	record(t, ffmpeg, dir, []string{"-master_pl_name", "i.m3u8", "-b:v", "30k", "-var_stream_map", "v:0,a:0", "v%v.m3u8"})
	p := start(t, "probe by the environment", "/usr/bin/env", "STREAMCANARY_PLAYBACK="+server.URL+"/i.m3u8", binary(t), "probe", "--playback-only")
	if code := p.exit(t, e2ePatience); code != exitOK {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"pull from http://127.0.0.1:", "360p ", "640x360", "3 of 3", "should fix", "bitrate_mismatch in 360p: measured a peak of ", "DEGRADED: something should be fixed"} {
		if !strings.Contains(p.stdout.text(), want) {
			t.Errorf("it does not say %q:\n%s", want, p.stdout.text())
		}
	}

	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer silent.Close()
	p = streamcanary(t, "probe", "--playback-only", silent.URL+"/i.m3u8")
	p.wait(t, 0, "it has begun", e2ePatience, says("pull from"))
	p.signal(t, syscall.SIGINT)
	if code := p.exit(t, e2ePatience); code != exitInconclusive || !strings.Contains(p.stdout.text(), "INCONCLUSIVE") {
		t.Errorf("exit code %d after an interrupt: %s", code, p.stdout.text())
	}
}

// The flags of what is pushed, and of how it is pulled, do what they say: a second
// probe sees it from outside.
func TestProbeFlags(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		push  []string
		want  string // size, rate, codecs
		least int64  // bit/s
		most  int64
	}{
		{"720p", []string{"--size", "720p", "--fps", "25", "--keyframe", "2s", "--bitrate", "2000000"}, "1280x720 25 avc1 mp4a", 1_700_000, 2_300_000},
		{"video", []string{"--video-only", "--size", "640x360"}, "640x360 30 avc1", 400_000, 700_000},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			o, err := origin.New(origin.Config{RTMPAddr: "127.0.0.1:0", RTMPSAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0", HTTPSAddr: "127.0.0.1:0"})
			if err != nil {
				t.Fatal(err)
			}
			if err := o.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			ca := filepath.Join(t.TempDir(), "ca.pem")
			if err := os.WriteFile(ca, o.CA(), 0o600); err != nil {
				t.Fatal(err)
			}
			playlist := prober.StreamURL(o.HTTPSURL(), "ours")
			pull := []string{"--ca-file", ca, "--http", "2"}
			pushed := streamcanary(t, slices.Concat([]string{"probe", "--watch", "--every-address", "--json", "--ingest", prober.StreamURL(o.RTMPSURL(), "ours"), "--playback", playlist}, pull, tt.push)...)
			seen, _, _ := pushed.waitReport(t, 0, "it is seen", e2ePatience, passes("pull"))
			if len(seen.Renditions) != 1 || !seen.Renditions[0].Playing {
				t.Errorf("renditions %+v", seen.Renditions)
			}
			code, report, _ := validate(t, playlist, slices.Concat(pull, []string{"--for", "7s"})...)
			if code != exitOK || len(report.Renditions) == 0 || report.HTTP == nil || report.HTTP.Protocol != "HTTP/2.0" {
				t.Fatalf("exit code %d, %+v", code, report)
			}
			r := report.Renditions[0]
			checkSeen(t, r, tt.want)
			if r.AverageBitrate < tt.least || r.AverageBitrate > tt.most {
				t.Errorf("%d bit/s, want %d to %d", r.AverageBitrate, tt.least, tt.most)
			}
			if code, report, _ := validate(t, playlist, "--for", "5s"); code != exitFailure || report.Reason != prober.ReasonTLSFailed {
				t.Errorf("without --ca-file: exit code %d, %+v", code, report)
			}
		})
	}
}

// Sound alone, at a server that takes it.
func TestProbeAudioOnly(t *testing.T) {
	t.Parallel()
	s := startMediaMTX(t, "fmp4")
	pushed := streamcanary(t, "probe", "--watch", "--audio-only", "--json", "--ingest", s.ingest("ours"), "--playback", s.playback("ours"))
	pushed.waitReport(t, 0, "it is seen", e2ePatience, passes("pull"))
	code, report, _ := validate(t, s.playback("ours"), "--for", "7s")
	if code != exitOK || len(report.Renditions) != 1 {
		t.Fatalf("exit code %d, %+v", code, report)
	}
	checkSeen(t, report.Renditions[0], "0x0 0 mp4a")
}

// A live playlist that breaks one rule that nobody feels, and then is no playlist any
// more: both have one reason, and the note does not hide the failure.
func TestPlaybackOnlyBreaks(t *testing.T) {
	t.Parallel()
	began := sync.OnceValue(time.Now) // the first request
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		first := int(time.Since(began()) / time.Second)
		if first >= 3 {
			_, _ = fmt.Fprint(w, "#EXTM3U\n#EXT-X-TARGETDURATION:words\n#EXTINF:words,\na.ts\n")
			return
		}
		_, _ = fmt.Fprintf(w, "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:%d\n", first)
		for n := first; n < first+6; n++ {
			_, _ = fmt.Fprintf(w, "#EXTINF:1.000,\ns%d.ts\n", n)
		}
	}))
	defer server.Close()
	code, report, _ := validate(t, server.URL+"/live.m3u8", "--sample", "playlist", "--for", "6s")
	if code != exitFailure || report.Outcome != prober.Fail || report.Reason != prober.ReasonPlaylistMalformed {
		t.Errorf("exit code %d, %s %s; findings %+v", code, report.Outcome, report.Reason, report.Findings)
	}
	if found := report.reasons(); found != "fail playlist_malformed, note playlist_malformed" {
		t.Errorf("found %q", found)
	}
}

// What a stream has to be, and how much of a segment is taken, can be said.
func TestPlaybackOnlyExpects(t *testing.T) {
	t.Parallel()
	const large = 17 << 20
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		const head = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n"
		switch r.URL.Path {
		case "/large.ts":
			_, _ = w.Write(make([]byte, large))
		case "/large.m3u8":
			_, _ = fmt.Fprint(w, head+"#EXTINF:2,\nlarge.ts\n#EXT-X-ENDLIST\n")
		case "/ended.m3u8":
			_, _ = fmt.Fprint(w, head+"#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:2,\na.ts\n#EXT-X-ENDLIST\n")
		default:
			_, _ = fmt.Fprint(w, head+"#EXTINF:2,\na.ts\n")
		}
	}))
	t.Cleanup(server.Close)
	for _, tt := range []struct {
		name, playlist string
		flags          []string
		code           int
		reason         prober.Reason
	}{
		{"anything", "ended", nil, exitOK, ""},
		{"live, and it is not", "ended", []string{"--expect", "live"}, exitFailure, prober.ReasonStreamEnded},
		{"an event, and it has ended", "ended", []string{"--expect", "event"}, exitFailure, prober.ReasonStreamEnded},
		{"with an end", "ended", []string{"--expect", "vod"}, exitOK, ""},
		{"anything, for too short to see that it is frozen", "live", []string{"--for", "2s"}, exitInconclusive, prober.ReasonConfiguration},
		{"with an end, and it has none", "live", []string{"--expect", "vod", "--for", "2s"}, exitOK, prober.ReasonPlaylistMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			code, report, _ := validate(t, server.URL+"/"+tt.playlist+".m3u8", append(tt.flags, "--sample", "playlist")...)
			if code != tt.code || report.Reason != tt.reason {
				t.Errorf("exit code %d, %s %s, want %d, %q; findings %+v", code, report.Outcome, report.Reason, tt.code, tt.reason, report.Findings)
			}
		})
	}
	for bound, want := range map[string]prober.Reason{"": prober.ReasonTooLarge, "16MiB": prober.ReasonTooLarge, "32MiB": prober.ReasonNotMedia} {
		t.Run("segments of up to "+bound, func(t *testing.T) {
			t.Parallel()
			code, report, _ := validate(t, server.URL+"/large.m3u8", "--segment-bytes", bound)
			if code != exitFailure || report.Reason != want {
				t.Errorf("exit code %d, %s, want %s; findings %+v", code, report.Reason, want, report.Findings)
			}
		})
	}
}

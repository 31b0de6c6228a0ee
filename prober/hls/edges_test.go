package hls

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
	"streamcanary/prober/media"
)

// last follows an origin for a while and gives the last turn.
func last(t *testing.T, handler http.Handler, cfg Config, length time.Duration) turn {
	t.Helper()
	turns := watch(t, handler, cfg, length)
	return turns[len(turns)-1]
}

func TestFollowerVariants(t *testing.T) {
	t.Parallel()
	const audio = "#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS=\"mp4a.40.2\"\naudio.m3u8\n"
	tests := []struct {
		name, playlist string
		want, detail   string
	}{
		{"video before audio", audio + "#EXT-X-STREAM-INF:BANDWIDTH=9000,CODECS=\"avc1.64001e\"\nlive.m3u8\n", "good", ""},
		{"first is gone", "#EXT-X-STREAM-INF:BANDWIDTH=1000,RESOLUTION=1280x720\ngone.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=9000\nlive.m3u8\n", "degraded manifest/http_status", "720p: origin.test/live/gone.m3u8: status 404"},
		{"first is elsewhere", "#EXT-X-STREAM-INF:BANDWIDTH=1000\nfile:///etc/passwd\n#EXT-X-STREAM-INF:BANDWIDTH=9000\n/live/live.m3u8\n", "degraded manifest/playlist_malformed", "1k: "},
		{"all gone", "#EXT-X-STREAM-INF:BANDWIDTH=9000\ngone.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=9000,RESOLUTION=1x1\ngone2.m3u8\n", "manifest/http_status", "gone.m3u8: status 404"},
		{"each wrong in its way", "#EXT-X-STREAM-INF:BANDWIDTH=9000\ngone.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=9000\nindex.m3u8\n", "manifest/no_rendition_playable", "none of 2 variants"},
		{"inside itself", "#EXT-X-STREAM-INF:BANDWIDTH=9000\nindex.m3u8\n", "manifest/no_rendition_playable", "inside another"},
		{"no variants", "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"a\"\n", "manifest/no_rendition_playable", "without variants"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin()
				pass(9 * time.Second)
				o.to = time.Hour
				o.fault = func(_ *origin, w http.ResponseWriter, r *http.Request) bool {
					if !strings.HasSuffix(r.URL.Path, "index.m3u8") {
						return false
					}
					_, _ = io.WriteString(w, "#EXTM3U\n"+tt.playlist)
					return true
				}
				got := last(t, o, Config{URL: "http://origin.test/live/index.m3u8"}, 5*time.Second)
				if got.verdict() != tt.want {
					t.Fatalf("got %s, want %s: %+v", got.verdict(), tt.want, got.Failure)
				}
				if got.Failure != nil && !strings.Contains(got.Failure.Detail, tt.detail) {
					t.Errorf("detail %q, want %q", got.Failure.Detail, tt.detail)
				}
			})
		})
	}
}

// A restarted origin names its media playlist anew: the follower starts again at
// the top instead of asking for the old name for ever.
func TestFollowerPlaylistRenamed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		pass(9*time.Second + 100*time.Millisecond)
		o.from, o.to = 20*time.Second, time.Hour
		o.fault = func(o *origin, w http.ResponseWriter, r *http.Request) bool {
			switch r.URL.Path {
			case "/live/live.m3u8":
				http.NotFound(w, r)
			case "/live/index.m3u8":
				_, _ = io.WriteString(w, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=9000\nnew.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=64000,CODECS=\"mp4a.40.2\"\naudio.m3u8\n")
			case "/live/new.m3u8":
				_, _ = io.WriteString(w, o.window(0, o.complete()))
			default:
				return false
			}
			return true
		}
		turns := watch(t, o, Config{URL: "http://origin.test/live/index.m3u8"}, 20*time.Second)
		bad := 0
		for _, turn := range turns {
			if turn.Failure != nil {
				bad++
			}
		}
		if end := turns[len(turns)-1]; end.Failure != nil || bad > 2 {
			t.Errorf("%d bad turns, at the end %s", bad, end.verdict())
		}
	})
}

// A puller that falls behind skips ahead, and says by how much.
func TestFollowerSkipsAhead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		pass(9*time.Second + 100*time.Millisecond)
		o.from, o.to = 12*time.Second, 24*time.Second
		o.fault = onPlaylists(status(503))
		skipped, segments := 0, 0
		var end turn
		for _, turn := range watch(t, o, Config{MaxBehind: 2}, 30*time.Second) {
			skipped, segments, end = skipped+turn.Skipped, segments+turn.Segments, turn
		}
		if skipped == 0 || end.Failure != nil || end.LatencyLast > 3*time.Second {
			t.Errorf("skipped %d, %d good, at the end %s with latency %s", skipped, segments, end.verdict(), end.LatencyLast)
		}
	})
}

// One segment that is lost for good is missed; the next ones are good.
func TestFollowerLostSegment(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		pass(9*time.Second + 100*time.Millisecond)
		o.to = time.Hour
		o.fault = func(_ *origin, w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/live/seg8.ts" {
				http.NotFound(w, r)
				return true
			}
			return false
		}
		turns := watch(t, o, Config{}, 20*time.Second)
		missed, bad := 0, 0
		for _, turn := range turns {
			missed += turn.Missed
			if turn.Failure != nil {
				bad++
			}
		}
		if end := turns[len(turns)-1]; missed != 1 || bad == 0 || bad > 3 || end.Failure != nil {
			t.Errorf("missed %d, %d bad turns, at the end %s", missed, bad, end.verdict())
		}
		if n := o.gets["/live/seg8.ts"]; n < 3 || n > 6 {
			t.Errorf("the lost segment was asked for %d times", n)
		}
	})
}

// fmp4 lists segments with an initialization section and a gap.
func fmp4(o *origin, w http.ResponseWriter, r *http.Request) bool {
	switch {
	case r.URL.Path == "/live/init.mp4":
		_, _ = io.WriteString(w, "init")
	case isPlaylist(r):
		text := strings.Replace(o.window(0, o.complete()), "#EXTINF", "#EXT-X-MAP:URI=\"init.mp4?token=s3cret\"\n#EXTINF", 1)
		_, _ = fmt.Fprint(w, text, "#EXT-X-GAP\n#EXTINF:2,\ngap.mp4\n")
	default:
		return false
	}
	return true
}

func TestFollowerInitSection(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		pass(9 * time.Second)
		o.fault, o.to = fmp4, time.Hour
		inspect := func(segment, init []byte) (media.Summary, error) {
			if string(init) != "init" {
				return media.Summary{}, errors.New("no initialization section")
			}
			return testInspect(segment, init)
		}
		end := last(t, o, Config{Inspect: inspect}, 20*time.Second)
		// The gap is a fault, and so is that it is filled later; but it plays.
		if end.Failure == nil || end.Failure.Outcome != prober.Degraded || o.gets["/live/init.mp4"] != 1 || o.gets["/live/gap.mp4"] != 0 {
			t.Errorf("%s; requests %v", end.verdict(), o.gets)
		}
	})
}

// A degraded playlist is shown as such while all else is good.
func TestFollowerDegraded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		pass(9 * time.Second)
		o.to = time.Hour
		o.fault = onPlaylists(func(o *origin, w http.ResponseWriter) {
			_, _ = fmt.Fprint(w, strings.ReplaceAll(o.window(0, o.complete()), "#EXTINF:2.000", "#EXTINF:2.5"))
		})
		end := last(t, o, Config{}, 5*time.Second)
		if end.Failure == nil || end.Failure.Outcome != prober.Degraded || !end.Playing || len(end.Findings) == 0 || end.Findings[0].Section != "4.4.3.1" {
			t.Errorf("%s %+v", end.verdict(), end.Findings)
		}
	})
}

// Without Run there is no evidence, so there is no good news.
func TestObserveWithoutEvidence(t *testing.T) {
	t.Parallel()
	f := NewFollower(Config{URL: "http://origin.test/", Run: ourRun})
	if o := f.Observe(time.Now()); o.Playing || o.Failure == nil || o.Failure.Reason != prober.ReasonMarkerMissing {
		t.Errorf("%+v", o)
	}
	now := time.Now()
	r := newRendition(f, listing{}, nil)
	f.renditions = []*rendition{r}
	r.state.good(sight{at: now, proof: prober.MeansSEI}, 0)
	if o := f.Observe(now.Add(time.Second)); o.Failure != nil || !o.Playing {
		t.Errorf("%+v", o.Failure)
	}
	if o := f.Observe(now.Add(time.Minute)); o.Failure == nil || o.Failure.Reason != prober.ReasonMarkerMissing {
		t.Errorf("a minute without a segment: %+v", o.Failure)
	}
}

func TestRunErrors(t *testing.T) {
	t.Parallel()
	for _, u := range []string{"", "rtmp://host/app", "http://", "::", "/relative"} {
		err := NewFollower(Config{URL: u}).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "http://host/path") {
			t.Errorf("%q: %v", u, err)
		}
	}
	f := NewFollower(Config{URL: "http://u:s3cret@/?token=s3cret"})
	if err := f.Run(t.Context()); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("%v", err)
	}
	if err := f.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("second Run: %v", err)
	}
}

// Many variants that hang must not hold a poll for minutes.
func TestFollowerVariantsHang(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		o.to = time.Hour
		o.fault = func(_ *origin, w http.ResponseWriter, r *http.Request) bool {
			if !strings.HasSuffix(r.URL.Path, "index.m3u8") {
				<-r.Context().Done()
				return true
			}
			_, _ = io.WriteString(w, "#EXTM3U\n"+strings.Repeat("#EXT-X-STREAM-INF:BANDWIDTH=9000\nlive.m3u8\n", 100))
			return true
		}
		for _, turn := range watch(t, o, Config{URL: "http://origin.test/live/index.m3u8"}, 10*time.Second) {
			if turn.at >= 4*time.Second && turn.verdict() != "manifest/http_timeout" {
				t.Errorf("at %s: %s", turn.at, turn.verdict())
			}
		}
	})
}

// What the broadcast's end left in the queue must not hide the end.
func TestFollowerEndsAfterTrouble(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		pass(9*time.Second + 100*time.Millisecond)
		o.from, o.to = 12*time.Second, time.Hour
		o.fault = func(o *origin, w http.ResponseWriter, r *http.Request) bool {
			switch {
			case !isPlaylist(r):
				http.NotFound(w, r)
			case o.age() < 16*time.Second:
				return false
			case o.age() < 18*time.Second:
				http.NotFound(w, r)
			default:
				_, _ = io.WriteString(w, o.window(0, 9)+"#EXT-X-ENDLIST\n")
			}
			return true
		}
		if end := last(t, o, Config{}, 15*time.Second); end.verdict() != "manifest/stream_ended" {
			t.Errorf("%s", end.verdict())
		}
	})
}

func TestObservationStages(t *testing.T) {
	t.Parallel()
	o := Observation{Connect: 2, TLS: 3, ManifestTime: 4}
	if got := fmt.Sprint(o.Stages()); got != "[{connect 5ns} {manifest 4ns}]" {
		t.Error(got)
	}
}

// What fails costs bytes too, and what is too large is asked for once.
func TestFollowerTooLargeCosts(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const bound = 64 << 10
		o := newOrigin()
		pass(9 * time.Second)
		o.to = time.Hour
		o.fault = onSegments(endless)
		var received int64
		missed := 0
		turns := watch(t, o, Config{SegmentBytes: bound, SkipRemoved: true}, 20*time.Second)
		for _, turn := range turns {
			received += turn.BytesReceived
			missed += turn.Missed
		}
		asked := 0
		for path, n := range o.gets {
			if strings.HasSuffix(path, ".ts") {
				asked += n
				if n > 1 {
					t.Errorf("%s was asked for %d times", path, n)
				}
			}
		}
		if asked < 8 || missed != asked || received < int64(asked)*bound {
			t.Errorf("%d segments asked for, %d missed, %d bytes counted", asked, missed, received)
		}
		if v := turns[len(turns)-1].verdict(); v != "segment/too_large" {
			t.Error(v)
		}
	})
}

// Somebody else's stream that has ended: a failure where it has to be up.
func TestFollowerForeignEnded(t *testing.T) {
	t.Parallel()
	for live, want := range map[bool]string{false: "good", true: "manifest/stream_ended"} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin()
				pass(20 * time.Second)
				o.to = time.Hour
				o.fault = onPlaylists(func(o *origin, w http.ResponseWriter) { _, _ = io.WriteString(w, o.window(0, 9)+"#EXT-X-ENDLIST\n") })
				f := NewFollower(Config{URL: "http://origin.test/live/live.m3u8", Transport: serve(t, o), Inspect: testInspect, Live: live})
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- f.Run(ctx) }()
				pass(15 * time.Second)
				got := turn{Observation: f.Observe(time.Now())}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				if v := got.verdict(); v != want || got.Ended == live {
					t.Errorf("%s, ended %t: %+v, want %s", v, got.Ended, got.Failure, want)
				}
			})
		})
	}
}

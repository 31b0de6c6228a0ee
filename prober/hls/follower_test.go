package hls

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
)

func isPlaylist(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, ".m3u8") }

// onPlaylists and onSegments limit a fault to one kind of request.
func onPlaylists(do func(*origin, http.ResponseWriter)) func(*origin, http.ResponseWriter, *http.Request) bool {
	return func(o *origin, w http.ResponseWriter, r *http.Request) bool {
		if isPlaylist(r) {
			do(o, w)
		}
		return isPlaylist(r)
	}
}

func onSegments(do func(*origin, http.ResponseWriter)) func(*origin, http.ResponseWriter, *http.Request) bool {
	return func(o *origin, w http.ResponseWriter, r *http.Request) bool {
		if !isPlaylist(r) {
			do(o, w)
		}
		return !isPlaylist(r)
	}
}

func body(s string) func(*origin, http.ResponseWriter) {
	return func(_ *origin, w http.ResponseWriter) { _, _ = io.WriteString(w, s) }
}

func status(code int) func(*origin, http.ResponseWriter) {
	return func(_ *origin, w http.ResponseWriter) { http.Error(w, "no", code) }
}

// drip sends a byte a second for ever.
func drip(_ *origin, w http.ResponseWriter) {
	rc := http.NewResponseController(w)
	for range 3600 {
		if _, err := w.Write([]byte("#")); err != nil {
			return
		}
		if rc.Flush() != nil {
			return
		}
		pass(time.Second)
	}
}

// endless sends as fast as it is read.
func endless(_ *origin, w http.ResponseWriter) {
	block := []byte(strings.Repeat("#EXTM3U and so on\n", 4096))
	for {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

func hang(*origin, http.ResponseWriter) { pass(5 * time.Second) }

// Each fault holds from 20 s to 30 s of a broadcast that is followed from 9 s on.
func TestFollowerFaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		fault func(*origin, http.ResponseWriter, *http.Request) bool
		want  string        // verdict
		seen  time.Duration // at most this long after the fault's begin
		heal  time.Duration // at most this long after its end
	}{
		{"playlist 404", onPlaylists(status(404)), "manifest/http_status", 3 * time.Second, 4 * time.Second},
		{"playlist 500", onPlaylists(status(500)), "manifest/http_status", 3 * time.Second, 4 * time.Second},
		{"playlist empty", onPlaylists(body("")), "manifest/empty_body", 3 * time.Second, 4 * time.Second},
		{"playlist blank", onPlaylists(body("\n\n")), "manifest/empty_body", 3 * time.Second, 4 * time.Second},
		{"playlist HTML", onPlaylists(body("<!doctype html><title>Welcome</title>")), "manifest/not_a_playlist", 3 * time.Second, 4 * time.Second},
		{"playlist JSON", onPlaylists(body(`{"error":"not live"}`)), "manifest/not_a_playlist", 3 * time.Second, 4 * time.Second},
		{"playlist malformed", onPlaylists(body("#EXTM3U\n#EXT-X-TARGETDURATION:2\nseg.ts\n")), "manifest/playlist_malformed", 3 * time.Second, 4 * time.Second},
		{"playlist without segments", onPlaylists(body("#EXTM3U\n#EXT-X-TARGETDURATION:2\n")), "manifest/playlist_no_segments", 3 * time.Second, 4 * time.Second},
		{"playlist ended", onPlaylists(func(o *origin, w http.ResponseWriter) {
			_, _ = io.WriteString(w, o.window(0, o.complete())+"#EXT-X-ENDLIST\n")
		}), "manifest/stream_ended", 3 * time.Second, 4 * time.Second},
		{"playlist frozen", onPlaylists(func(o *origin, w http.ResponseWriter) {
			_, _ = io.WriteString(w, o.window(0, int(o.from/o.target)))
		}), "manifest/playlist_stale", 8 * time.Second, 4 * time.Second},
		{"playlist a byte a second", onPlaylists(drip), "manifest/http_timeout", 6 * time.Second, 6 * time.Second},
		{"playlist never answered", onPlaylists(hang), "manifest/http_timeout", 6 * time.Second, 6 * time.Second},
		{"playlist endless", onPlaylists(endless), "manifest/too_large", 3 * time.Second, 4 * time.Second},
		{"redirect loop", onPlaylists(func(_ *origin, w http.ResponseWriter) {
			w.Header().Set("Location", "live.m3u8?again=s3cret")
			w.WriteHeader(http.StatusFound)
		}), "manifest/redirect_loop", 3 * time.Second, 4 * time.Second},
		{"playlist shorter than announced", onPlaylists(func(o *origin, w http.ResponseWriter) {
			w.Header().Set("Content-Length", "5000")
			_, _ = io.WriteString(w, o.window(0, o.complete()))
		}), "manifest/http_closed", 3 * time.Second, 4 * time.Second},
		{"segment 404", onSegments(status(404)), "segment/http_status", 3 * time.Second, 4 * time.Second},
		{"segment empty", onSegments(body("")), "segment/empty_body", 3 * time.Second, 4 * time.Second},
		{"segment endless", onSegments(endless), "segment/too_large", 3 * time.Second, 4 * time.Second},
		{"segment a byte a second", onSegments(drip), "segment/http_timeout", 8 * time.Second, 8 * time.Second},
		{"segment garbage", onSegments(body("garbage, garbage")), "media/not_media", 3 * time.Second, 4 * time.Second},
		{"segment of another broadcast", onSegments(func(_ *origin, w http.ResponseWriter) {
			_, _ = w.Write(segmentOf("another run", time.Now().Add(-2*time.Second), time.Now(), 0))
		}), "media/not_ours", 3 * time.Second, 4 * time.Second},
		{"segment without marker", onSegments(func(_ *origin, w http.ResponseWriter) {
			_, _ = w.Write(segmentOf("", time.Now().Add(-2*time.Second), time.Now(), 0))
		}), "media/no_marker", 3 * time.Second, 4 * time.Second},
		{"segment from long ago", onSegments(func(_ *origin, w http.ResponseWriter) {
			_, _ = w.Write(segmentOf(ourRun, time.Now().Add(-62*time.Second), time.Now().Add(-time.Minute), 0))
		}), "media/marker_stale", 3 * time.Second, 4 * time.Second},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin()
				pass(9*time.Second + 100*time.Millisecond) // a broadcast that is up
				o.fault, o.from, o.to = tt.fault, 20*time.Second, 30*time.Second
				turns := watch(t, o, Config{SegmentBytes: 1 << 20}, 40*time.Second)
				checkTimeline(t, o, turns, tt.want, tt.seen, tt.heal)
			})
		})
	}
}

func checkTimeline(t *testing.T, o *origin, turns []turn, want string, seen, heal time.Duration) {
	t.Helper()
	var told strings.Builder
	wrong, failed := "", false
	for _, turn := range turns {
		age := turn.at + 9*time.Second + 100*time.Millisecond
		v := turn.verdict()
		fmt.Fprintf(&told, "%5.1fs %s\n", age.Seconds(), v)
		switch {
		case age < o.from || age > o.to+heal:
			if v != "good" {
				wrong = fmt.Sprintf("at %s: %s, want good", age, v)
			}
		case age >= o.from+seen && age < o.to:
			if v != want {
				wrong = fmt.Sprintf("at %s: %s, want %s", age, v, want)
			}
		case v != "good" && v != want && v != "manifest/playlist_stale":
			wrong = fmt.Sprintf("at %s: %s, want good or %s", age, v, want)
		}
		failed = failed || v == want
		if f := turn.Failure; f != nil && (strings.Contains(f.Detail, "s3cret") || len(f.Detail) > prober.MaxDetail || f.Detail == "") {
			wrong = fmt.Sprintf("at %s: detail %q", age, f.Detail)
		}
	}
	if !failed {
		wrong = "never saw " + want
	}
	if wrong != "" {
		t.Errorf("%s\n%s", wrong, told.String())
	}
}

func TestFollowerHealthy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		pass(9*time.Second + 100*time.Millisecond)
		turns := watch(t, o, Config{}, 60*time.Second)
		segments := 0
		for _, turn := range turns {
			if turn.Failure != nil || !turn.Playing || len(turn.Findings) > 0 || turn.Recovered+turn.Missed+turn.Skipped > 0 {
				t.Errorf("at %s: %+v %+v", turn.at, turn.Failure, turn.Observation)
			}
			segments += turn.Segments
		}
		if segments < 30 || segments > 32 {
			t.Errorf("%d good segments of 2 s in 60 s", segments)
		}
		last := turns[len(turns)-1]
		if last.LatencyFirst-last.LatencyLast != 1500*time.Millisecond || last.LatencyFirst < 2*time.Second || last.LatencyFirst > 4*time.Second {
			t.Errorf("latency of the first frame %s, of the last %s", last.LatencyFirst, last.LatencyLast)
		}
		again := 0
		for path, n := range o.gets {
			if strings.HasPrefix(path, "/live/seg") && n != 1 {
				if again++; n > 2 {
					t.Errorf("%s was downloaded %d times", path, n)
				}
			}
		}
		if again > 2 {
			t.Errorf("%d segments were asked for again, more than one in 30 s", again)
		}
		checkReloads(t, o)
	})
}

// checkReloads holds rule 16: after a change at least a target duration, after
// none half of one, from the start of the request.
func checkReloads(t *testing.T, o *origin) {
	t.Helper()
	newest := func(at time.Time) int { return int(at.Sub(o.start) / o.target) }
	for i := 2; i < len(o.polls); i++ {
		want := o.target
		if newest(o.polls[i-1]) == newest(o.polls[i-2]) {
			want /= 2
		}
		if got := o.polls[i].Sub(o.polls[i-1]); got < want || got > want+10*time.Millisecond {
			t.Errorf("poll %d came %s after the one before, want %s", i, got, want)
		}
	}
}

// Reloads are as far apart as the target duration says, however long it is: up to one of
// two minutes.
func TestFollowerReloads(t *testing.T) {
	t.Parallel()
	for target, want := range map[time.Duration]time.Duration{
		time.Second: time.Second, 12 * time.Second: 12 * time.Second, time.Minute: time.Minute, 2 * time.Minute: 2 * time.Minute, 10 * time.Minute: 2 * time.Minute,
	} {
		t.Run(target.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin()
				o.target = target
				pass(2*target + target/4) // so that two are listed
				watch(t, o, Config{}, 6*target)
				if target == want {
					checkReloads(t, o)
				}
				for i := 1; i < len(o.polls); i++ {
					if gap := o.polls[i].Sub(o.polls[i-1]); gap < want/2 || gap > want+10*time.Millisecond {
						t.Errorf("poll %d came %s after the one before, want from %s to %s", i, gap, want/2, want)
					}
				}
				if len(o.polls) < 5 {
					t.Errorf("%d polls", len(o.polls))
				}
			})
		})
	}
}

// A broadcast that is only just starting: first 404, then an empty playlist.
func TestFollowerStarting(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		o.fault, o.to = onPlaylists(status(404)), 1500*time.Millisecond
		turns := watch(t, o, Config{URL: "http://origin.test/live/index.m3u8"}, 8*time.Second)
		for _, turn := range turns {
			switch v := turn.verdict(); {
			case turn.at <= time.Second && v != "manifest/http_status",
				turn.at >= 3*time.Second && v != "good",
				v != "good" && v != "manifest/http_status" && v != "manifest/playlist_no_segments":
				t.Errorf("at %s: %s", turn.at, v)
			}
			if turn.Playing != (turn.verdict() == "good") {
				t.Errorf("at %s: playing %v with %s", turn.at, turn.Playing, turn.verdict())
			}
			if turn.Recovered != 0 {
				t.Errorf("at %s: a 404 before the start counts as recovered: %s", turn.at, turn.LastRecovered)
			}
		}
		last := turns[len(turns)-1]
		if ttff := last.PlayingSince.Sub(o.start); ttff < 2*time.Second || ttff > 3*time.Second {
			t.Errorf("first segment was complete after 2 s, first marker seen after %s", ttff)
		}
	})
}

// A blip that nobody saw is not a failure, but it is counted.
func TestFollowerBlip(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		pass(9*time.Second + 100*time.Millisecond)
		once := false
		o.fault, o.from, o.to = func(_ *origin, w http.ResponseWriter, r *http.Request) bool {
			if once || !isPlaylist(r) {
				return false
			}
			once = true
			http.Error(w, "no", http.StatusBadGateway)
			return true
		}, 20*time.Second, 30*time.Second
		recovered := 0
		for _, turn := range watch(t, o, Config{}, 30*time.Second) {
			recovered += turn.Recovered
			if turn.Recovered > 0 && !strings.Contains(turn.LastRecovered, "502") {
				t.Errorf("recovered from %q", turn.LastRecovered)
			}
			if turn.Failure != nil {
				t.Errorf("at %s: %s", turn.at, turn.verdict())
			}
		}
		if recovered != 1 {
			t.Errorf("recovered %d times, want 1", recovered)
		}
	})
}

// The origin restarts: sequence numbers begin again, with other segments.
func TestFollowerSequenceRegression(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		pass(29*time.Second + 100*time.Millisecond)
		restarted := newOrigin()
		restarted.start = o.start.Add(36 * time.Second)
		o.fault, o.from, o.to = func(_ *origin, w http.ResponseWriter, r *http.Request) bool {
			restarted.answer(w, r)
			return true
		}, 40*time.Second, time.Hour
		var verdicts []string
		regressions := 0
		for _, turn := range watch(t, o, Config{}, 30*time.Second) {
			if v := turn.verdict(); len(verdicts) == 0 || verdicts[len(verdicts)-1] != v {
				verdicts = append(verdicts, v)
			}
			for _, f := range turn.Findings {
				if f.Reason == prober.ReasonSequenceRegression {
					regressions++
				}
			}
		}
		if got := strings.Join(verdicts, ", "); got != "good, manifest/sequence_regression, good" || regressions != 1 {
			t.Errorf("%s; %d findings", got, regressions)
		}
	})
}

// What fails outside of all rules is graded by its reason, too. What is off is no
// condition, but no good news either.
func TestFollowerGradesConditions(t *testing.T) {
	t.Parallel()
	for severity, want := range map[prober.Severity]string{
		prober.SeverityFail: "segment/http_status", prober.SeverityDegraded: "degraded segment/http_status", SeverityOff: "good",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin()
				pass(9 * time.Second)
				o.from, o.to = 20*time.Second, time.Hour
				o.fault = onSegments(status(http.StatusNotFound))
				cfg := Config{Rules: Rules{Severity: map[string]prober.Severity{"http_status": severity}}}
				turns := watch(t, o, cfg, 60*time.Second)
				if v := turns[14].verdict(); v != want {
					t.Errorf("at %s: %s, want %s", turns[14].at, v, want)
				}
				if v := turns[len(turns)-1].verdict(); severity == SeverityOff && v != "media/marker_missing" {
					t.Errorf("at the end: %s", v)
				}
			})
		})
	}
}

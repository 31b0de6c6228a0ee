package hls

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
)

func graded(reason prober.Reason, s prober.Severity) Rules {
	return Rules{Severity: map[string]prober.Severity{string(reason): s}}
}

// What no rule makes has the severity of its reason too; but where nothing shows that
// the broadcast is up, it is never good.
func TestFollowerSeverities(t *testing.T) {
	t.Parallel()
	unmarked := func(o *origin, w http.ResponseWriter, r *http.Request) bool {
		if isPlaylist(r) {
			return false
		}
		_, _ = w.Write(segmentOf("", o.start, o.start.Add(2*time.Second), 0))
		return true
	}
	silent := func(_ *origin, _ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
	ladder := "http://origin.test/live/index.m3u8"
	for _, tt := range []struct {
		name  string
		cfg   Config
		fault func(*origin, http.ResponseWriter, *http.Request) bool
		want  string
	}{
		{"nobody's media", Config{URL: ladder}, unmarked, "media/no_marker"},
		{"nobody's media, degraded", Config{URL: ladder, Rules: graded(prober.ReasonNoMarker, prober.SeverityDegraded)}, unmarked, "degraded media/no_marker"},
		{"nobody's media, off", Config{URL: ladder, Rules: graded(prober.ReasonNoMarker, SeverityOff)}, unmarked, "good"},
		{"nothing yet, off", Config{Rules: Rules{Severity: map[string]prober.Severity{"marker_missing": SeverityOff, "http_timeout": SeverityOff}}}, silent, "degraded media/marker_missing"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin()
				pass(9 * time.Second)
				o.fault, o.to = tt.fault, time.Hour
				if end := last(t, o, tt.cfg, 12*time.Second); end.verdict() != tt.want {
					t.Errorf("%s: %+v, want %s", end.verdict(), end.Failure, tt.want)
				}
			})
		})
	}
}

// The last guard, too, has the severity of its reason.
func TestOverdueSeverity(t *testing.T) {
	t.Parallel()
	for severity, want := range map[prober.Severity]string{
		prober.SeverityFail: "fail", prober.SeverityDegraded: "degraded", prober.SeverityNote: "", SeverityOff: "",
	} {
		r := newRendition(NewFollower(Config{Rules: graded(prober.ReasonMarkerMissing, severity)}), listing{}, nil)
		now := time.Now()
		r.state.seen.Playing, r.state.target, r.state.lastGood = true, 2*time.Second, now.Add(-time.Minute)
		got := ""
		if fail, _ := r.overdue(now); fail != nil {
			got = string(fail.Outcome)
		}
		if got != want {
			t.Errorf("%s: %q, want %q", severity, got, want)
		}
	}
}

// A recording: a segment that is gone, an end that is missing, a variant that is not there.
func TestReplaySeverities(t *testing.T) {
	t.Parallel()
	segment := segmentOf("ours", time.Unix(1e9, 0), time.Unix(1e9+1, 0), 0)
	const (
		head = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n0.ts\n#EXTINF:1,\ngone.ts\n#EXTINF:1,\n0.ts\n"
		end  = "#EXT-X-ENDLIST\n"
	)
	both := func(a, b prober.Severity) Rules {
		return Rules{Severity: map[string]prober.Severity{"http_status": a, "playlist_stale": b}}
	}
	for _, tt := range []struct {
		name, playlist string
		rules          Rules
		want           string // outcome, reason, segments, status, unfinished
	}{
		{"a hole", head + end, Rules{}, "fail http_status 1 404 false"},
		{"a hole, degraded", head + end, graded("http_status", prober.SeverityDegraded), "degraded http_status 2 404 false"},
		{"a hole, noted", head + end, graded("http_status", prober.SeverityNote), "good 2"},
		{"no end", head, Rules{}, "fail playlist_stale 0 0 true"},
		{"no end, degraded, and a hole", head, graded("playlist_stale", prober.SeverityDegraded), "fail http_status 1 404 false"},
		{"no end, off, and a hole that is degraded", head, both(prober.SeverityDegraded, SeverityOff), "degraded http_status 2 404 false"},
		{"no end, degraded, and a hole that is off", head, both(SeverityOff, prober.SeverityDegraded), "degraded playlist_stale 2 0 true"},
		{"all off, and nothing plays", strings.ReplaceAll(head, "0.ts", "gone.ts") + end, graded("http_status", SeverityOff), "degraded http_status 0 404 false"},
		{"a variant is gone", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\ngone.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n", Rules{}, "fail http_status 0 404 false"},
		{"a variant is gone, degraded", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\ngone.m3u8\n#EXT-X-STREAM-INF:BANDWIDTH=1\nv.m3u8\n",
			graded("http_status", prober.SeverityDegraded), "degraded http_status 3 404 false"},
		{"a gap", strings.Replace(head, "#EXTINF:1,\ngone.ts", "#EXT-X-GAP\n#EXTINF:1,\ngone.ts", 1) + end, Rules{}, "degraded segment_gap 2 0 false"},
		{"a gap, off", strings.Replace(head, "#EXTINF:1,\ngone.ts", "#EXT-X-GAP\n#EXTINF:1,\ngone.ts", 1) + end, graded("segment_gap", SeverityOff), "good 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch r.URL.Path {
				case "/0.ts":
					_, _ = w.Write(segment)
				case "/index.m3u8":
					_, _ = w.Write([]byte(tt.playlist))
				case "/v.m3u8":
					_, _ = w.Write([]byte(strings.Replace(head, "gone.ts", "0.ts", 1) + end))
				default:
					http.NotFound(w, r)
				}
			}))
			t.Cleanup(srv.Close)
			found, err := Replay(t.Context(), ReplayConfig{URL: srv.URL + "/index.m3u8", Run: "ours", Inspect: testInspect, Rules: tt.rules})
			got := fmt.Sprint("good ", found.Segments)
			if f := found.Failure; f != nil {
				got = fmt.Sprint(f.Outcome, " ", f.Reason, " ", found.Segments, " ", found.Status, " ", found.Unfinished)
			}
			if err != nil || got != tt.want {
				t.Errorf("%s, want %s: %+v, %v", got, tt.want, found.Failure, err)
			}
		})
	}
}

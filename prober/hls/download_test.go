package hls

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
)

// longTargets lists three target durations, or what there is of them, of an origin's
// segments of two seconds.
func longTargets(o *origin, target time.Duration) string {
	end := o.complete()
	begin := max(0, end-int(3*target/o.target))
	var b strings.Builder
	fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:%d\n#EXT-X-MEDIA-SEQUENCE:%d\n", int(target/time.Second), begin)
	for n := begin; n < end; n++ {
		fmt.Fprintf(&b, "#EXTINF:%.3f,\nseg%d.ts\n", o.target.Seconds(), n)
	}
	return b.String()
}

// A target duration is an upper bound (4.4.3.1): a reload brings as many segments as
// fit into it. Each is downloaded, and a viewer gets them all, but over a link that
// is too slow.
func TestFollowerManySegmentsAReload(t *testing.T) {
	t.Parallel()
	const started = 3*time.Minute + 100*time.Millisecond
	for _, tt := range []struct {
		target time.Duration
		slow   time.Duration // each download, from a minute on
		sample int
		want   string
	}{
		{2 * time.Second, 0, 0, "good"},
		{6 * time.Second, 0, 0, "good"},
		{8 * time.Second, 0, 0, "good"},
		{10 * time.Second, 0, 0, "good"},
		{20 * time.Second, 0, 0, "good"},
		{20 * time.Second, 0, 3, "good"},
		{60 * time.Second, 0, 0, "good"},
		{8 * time.Second, time.Second, 0, "good"},
		{2 * time.Second, 4 * time.Second, 0, "degraded media/rebuffering"},
		{8 * time.Second, 4 * time.Second, 0, "degraded media/rebuffering"},
		{20 * time.Second, 4 * time.Second, 0, "degraded media/rebuffering"},
	} {
		t.Run(fmt.Sprintf("%s, every %d, slow by %s", tt.target, max(tt.sample, 1), tt.slow), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin()
				pass(started)
				o.to = time.Hour
				o.fault = func(o *origin, w http.ResponseWriter, r *http.Request) bool {
					switch {
					case isPlaylist(r):
						_, _ = w.Write([]byte(longTargets(o, tt.target)))
						return true
					case o.age() > started+time.Minute:
						wait(r, tt.slow)
					}
					return false
				}
				const length = 6 * time.Minute
				var stood time.Duration
				var listed, downloaded, skipped, missed, peaks int
				var worst, end turn
				for _, turn := range watch(t, o, Config{Sample: tt.sample, StallTimeout: 10 * time.Second}, length) {
					stood += turn.Viewing.RebufferTime
					skipped, missed = skipped+turn.Skipped, missed+turn.Missed
					for _, r := range turn.Renditions {
						listed, downloaded = listed+r.Segments, downloaded+r.Downloaded
						if r.PeakBitrate > 0 {
							peaks++
						}
					}
					if turn.Failure != nil {
						worst = turn
					}
					end = turn
				}
				if tt.want != "good" {
					if end.verdict() != tt.want || skipped == 0 || stood < time.Minute {
						t.Errorf("%s, skipped %d, stood still for %s", end.verdict(), skipped, stood)
					}
					return
				}
				if worst.Failure != nil || stood > 0 || skipped > 0 || missed > 0 {
					t.Errorf("at %s %s (%+v), stood still for %s, skipped %d, missed %d", worst.at, worst.verdict(), worst.Failure, stood, skipped, missed)
				}
				if due := int((length - 2*tt.target) / o.target); listed < due || downloaded*max(tt.sample, 1) < listed-2*tt.sample || (peaks == 0) != (tt.sample > 1) {
					t.Errorf("downloaded %d of %d, %d peak bitrates", downloaded, listed, peaks)
				}
				for name, n := range o.gets {
					if strings.HasSuffix(name, ".ts") && n != 1 {
						t.Errorf("%s was asked for %d times", name, n)
					}
				}
			})
		})
	}
}

// What waits is bounded by its duration, and where that is absurd, by its number.
func TestQueueExcess(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		segment       time.Duration
		target        time.Duration
		fresh, waits  int
		earlier, over int // had waited
	}{
		{"as long as the target", 2 * time.Second, 2 * time.Second, 6, 3, 0, 3},
		{"a little longer", 2400 * time.Millisecond, 2 * time.Second, 6, 3, 0, 3},
		{"much longer than allowed", 10 * time.Second, 2 * time.Second, 6, 3, 0, 3},
		{"what a reload brings", 2 * time.Second, 20 * time.Second, 10, 10, 0, 0},
		{"what three reloads bring", 2 * time.Second, 20 * time.Second, 35, 30, 0, 5},
		{"behind a slow one", 2 * time.Second, 20 * time.Second, 10, 30, 25, 5},
		{"a target of nothing", 300 * time.Millisecond, 0, 12, 10, 0, 2},
		{"a target of hours", 10 * time.Second, 5 * time.Hour, 100, 36, 0, 64},
		{"no duration", 0, 2 * time.Second, 2000, maxWaiting, 0, 2000 - maxWaiting},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			q := queue{started: true, segments: make([]Segment, tt.earlier)}
			for i := range q.segments {
				q.segments[i].Duration = tt.segment
			}
			p := &Playlist{TargetDuration: tt.target}
			for n := range tt.fresh {
				p.Segments = append(p.Segments, Segment{Sequence: uint64(n), Duration: tt.segment})
			}
			a := q.add(p, 1, 3)
			if len(q.segments) != tt.waits || a.skipped != tt.over || a.fresh != tt.fresh || q.segments[tt.waits-1].Sequence != uint64(tt.fresh-1) {
				t.Errorf("%d wait, %+v", len(q.segments), a)
			}
		})
	}
}

// What was tried of a segment says nothing of another one, once an empty playlist has
// taken it away.
func TestFollowerLeftOver(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		pass(9*time.Second + 100*time.Millisecond) // segment 3 is the newest one
		o.to = time.Hour
		o.fault = func(o *origin, w http.ResponseWriter, r *http.Request) bool {
			switch {
			case r.URL.Path == "/live/seg4.ts":
				http.NotFound(w, r)
			case isPlaylist(r) && o.age() >= 11300*time.Millisecond && o.age() < 14500*time.Millisecond:
				_, _ = w.Write([]byte("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:5\n"))
			default:
				return false
			}
			return true
		}
		missed := 0
		for _, turn := range watch(t, o, Config{SkipRemoved: true}, 20*time.Second) {
			missed += turn.Missed
			for _, f := range turn.Findings {
				if f.Stage == prober.StageSegment {
					t.Errorf("%s: %+v", turn.at, f)
				}
			}
		}
		if n := o.gets["/live/seg5.ts"]; missed > 0 || o.gets["/live/seg4.ts"] == 0 || n != 1 {
			t.Errorf("missed %d, segment 5 was asked for %d times; %v", missed, n, o.gets)
		}
	})
}

// One of several segments that a reload brings is tried again as any other is, and left
// for those behind it in the end.
func TestFollowerFailsAmongOthers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		fails         int // times
		asked, missed int
		bad           int // turns at most
	}{
		{"once", 1, 2, 0, 1},
		{"twice", 2, 3, 0, 2},
		{"for ever", 1000, maxAttempts, 1, 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const target = 8 * time.Second
				o := newOrigin()
				pass(30*time.Second + 100*time.Millisecond) // segment 14 is the newest one
				o.to = time.Hour
				o.fault = func(o *origin, w http.ResponseWriter, r *http.Request) bool {
					o.mu.Lock()
					asked := o.gets[r.URL.Path]
					o.mu.Unlock()
					switch {
					case isPlaylist(r):
						_, _ = w.Write([]byte(longTargets(o, target)))
					case r.URL.Path == "/live/seg16.ts" && asked <= tt.fails:
						http.Error(w, "busy", http.StatusServiceUnavailable)
					default:
						return false
					}
					return true
				}
				missed, bad, segments := 0, 0, 0
				for _, turn := range watch(t, o, Config{}, 30*time.Second) {
					missed, segments = missed+turn.Missed, segments+turn.Segments
					if turn.Failure != nil {
						bad++
					}
					for _, f := range turn.Findings {
						if f.Reason == prober.ReasonHTTPStatus && tt.missed == 0 {
							t.Errorf("%s: %+v", turn.at, f)
						}
					}
				}
				if n := o.gets["/live/seg16.ts"]; n != tt.asked || missed != tt.missed || bad > tt.bad || segments != 13-missed {
					t.Errorf("asked for %d times, missed %d, %d bad turns, %d segments", n, missed, bad, segments)
				}
			})
		})
	}
}

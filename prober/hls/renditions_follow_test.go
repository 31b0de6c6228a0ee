package hls

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
)

// ladderOrigin is a broadcast in two sizes: "/live/N.m3u8" for N lines.
type ladderOrigin struct {
	*origin
	listed  []int
	shrinks time.Duration // when only the first is listed any more; 0 is never
	broken  func(lines int, age time.Duration, w http.ResponseWriter, r *http.Request) bool
}

func (l *ladderOrigin) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	l.gets[r.URL.Path]++
	l.mu.Unlock()
	name := strings.TrimPrefix(r.URL.Path, "/live/")
	if name == "index.m3u8" {
		_, _ = io.WriteString(w, "#EXTM3U\n")
		listed := l.listed
		if l.shrinks > 0 && l.age() > l.shrinks {
			listed = listed[:1]
		}
		for _, lines := range listed {
			_, _ = fmt.Fprintf(w, "#EXT-X-STREAM-INF:BANDWIDTH=%d000,RESOLUTION=%dx%d\n%d.m3u8\n", lines, lines*16/9, lines, lines)
		}
		return
	}
	var lines int
	_, _ = fmt.Sscanf(name, "%d", &lines)
	switch {
	case l.broken != nil && l.broken(lines, l.age(), w, r):
	case strings.HasSuffix(name, ".m3u8"):
		_, _ = io.WriteString(w, strings.ReplaceAll(l.window(0, l.complete()), "seg", fmt.Sprintf("%d/seg", lines)))
	default:
		r.URL.Path = "/live" + r.URL.Path[strings.LastIndex(r.URL.Path, "/"):]
		l.answer(w, r)
	}
}

func freeze(o *ladderOrigin, from time.Duration, which ...int) {
	o.broken = func(lines int, age time.Duration, w http.ResponseWriter, r *http.Request) bool {
		if age < from || !slices.Contains(which, lines) || !isPlaylist(r) {
			return false
		}
		_, _ = io.WriteString(w, strings.ReplaceAll(o.window(0, int(from/o.target)), "seg", fmt.Sprintf("%d/seg", lines)))
		return true
	}
}

// What fails in one rendition alone is named by it.
func TestFollowerOneRenditionFails(t *testing.T) {
	t.Parallel()
	const from = 20 * time.Second
	missing := func(o *ladderOrigin) {
		o.broken = func(lines int, age time.Duration, w http.ResponseWriter, r *http.Request) bool {
			if age > from && lines == 360 {
				http.NotFound(w, r)
				return true
			}
			return false
		}
	}
	tests := []struct {
		name   string
		fault  func(*ladderOrigin)
		change func(*Config)
		want   string
		detail string
		proof  prober.Means
	}{
		{"healthy", func(*ladderOrigin) {}, nil, "good", "", prober.MeansSEI},
		{"one frozen", func(o *ladderOrigin) { freeze(o, from, 360) }, nil, "degraded manifest/playlist_stale", "360p: ", ""},
		{"the first frozen", func(o *ladderOrigin) { freeze(o, from, 720) }, nil, "degraded manifest/playlist_stale", "720p: ", ""},
		{"one frozen is a failure", func(o *ladderOrigin) { freeze(o, from, 360) }, func(c *Config) { c.FailAlone = true }, "manifest/playlist_stale", "360p: ", ""},
		{"both frozen", func(o *ladderOrigin) { freeze(o, from, 360, 720) }, nil, "manifest/playlist_stale", "p: ", ""},
		{"one gone", missing, nil, "degraded manifest/http_status", "360p: ", ""},
		{"a rung is missing", func(*ladderOrigin) {}, func(c *Config) { c.Ladder = []Rung{{Height: 720}, {Height: 1080}} }, "degraded manifest/rendition_missing", "expected, and not listed", prober.MeansSEI},
		{"by the playlist alone", func(*ladderOrigin) {}, func(c *Config) { c.SampleBy = map[string]int{"360p": PlaylistOnly} }, "good", "", prober.MeansSEI},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := &ladderOrigin{origin: newOrigin(), listed: []int{720, 360}}
				pass(9*time.Second + 100*time.Millisecond)
				tt.fault(o)
				cfg := Config{URL: "http://origin.test/live/index.m3u8?token=s3cret"}
				if tt.change != nil {
					tt.change(&cfg)
				}
				turns := watch(t, o, cfg, 26*time.Second)
				end := turns[len(turns)-1]
				if end.verdict() != tt.want || end.Proof != tt.proof {
					t.Errorf("%s by %q: %+v", end.verdict(), end.Proof, end.Failure)
				}
				if end.Failure != nil && !strings.Contains(end.Failure.Detail, tt.detail) {
					t.Errorf("detail %q, want %q", end.Failure.Detail, tt.detail)
				}
				if len(end.Renditions) != 2 || end.Renditions[0].Name != "720p" {
					t.Errorf("renditions %+v", end.Renditions)
				}
				for _, turn := range turns[:8] {
					if turn.Failure != nil && cfg.Ladder == nil {
						t.Errorf("at %s: %+v", turn.at, turn.Failure)
					}
				}
			})
		})
	}
}

// A rendition that is listed no more is told for as long as it is not, and what
// stays plays on.
func TestFollowerRenditionVanishes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &ladderOrigin{origin: newOrigin(), listed: []int{720, 360}}
		pass(9*time.Second + 100*time.Millisecond)
		o.shrinks = 15 * time.Second
		told := 0
		turns := watch(t, o, Config{URL: "http://origin.test/live/index.m3u8"}, 40*time.Second)
		for _, turn := range turns {
			for _, f := range turn.Findings {
				if f.Reason == prober.ReasonRenditionMissing && f.Where == "360p" && f.Severity == prober.SeverityDegraded {
					told++
				}
			}
		}
		if end := turns[len(turns)-1]; told < 2 || end.verdict() != "degraded manifest/rendition_missing" || len(end.Renditions) != 1 {
			t.Errorf("told %d times; at the end %s with %+v", told, end.verdict(), end.Renditions)
		}
	})
}

// A small share of the segments is enough to know that all is well.
func TestFollowerSamplesFew(t *testing.T) {
	t.Parallel()
	for _, every := range []int{5, 10, 30} {
		synctest.Test(t, func(t *testing.T) {
			o := newOrigin()
			pass(9*time.Second + 100*time.Millisecond)
			for _, turn := range watch(t, o, Config{Sample: every}, 3*time.Minute) {
				if turn.at > 10*time.Second && (turn.Failure != nil || !turn.Playing) {
					t.Fatalf("every %d: after %v %s", every, turn.at, turn.verdict())
				}
			}
		})
	}
}

// A restart that lists nothing for a while begins its numbers anew, and is played.
func TestFollowerRestartThroughNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := newOrigin()
		pass(41 * time.Second)
		from := time.Now()
		var second *origin
		turns := watch(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch since := time.Since(from); {
			case since < 10*time.Second:
				first.ServeHTTP(w, r)
			case since < 14*time.Second:
				_, _ = w.Write([]byte("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"))
				second = newOrigin()
			default:
				second.ServeHTTP(w, r)
			}
		}), Config{}, 50*time.Second)
		end := turns[len(turns)-1]
		if end.Failure != nil || end.Segments == 0 && turns[len(turns)-2].Segments == 0 {
			t.Errorf("36 s after the restart: %s, media sequence %d", end.verdict(), end.MediaSequence)
		}
	})
}

// A sample downloads only some segments, and none of it is a fault.
func TestFollowerSamples(t *testing.T) {
	t.Parallel()
	for every, most := range map[int]int{1: 16, 3: 6, PlaylistOnly: 0} {
		synctest.Test(t, func(t *testing.T) {
			o := newOrigin()
			pass(9*time.Second + 100*time.Millisecond)
			turns := watch(t, o, Config{Sample: every}, 30*time.Second)
			gets := 0
			for path, n := range o.gets {
				if !strings.HasSuffix(path, ".m3u8") {
					gets += n
				}
			}
			end := turns[len(turns)-1]
			if end.Failure != nil || gets > most || most > 0 && gets < most-2 || !end.Playing {
				t.Errorf("every %d: %d downloads, %s", every, gets, end.verdict())
			}
			rebuffers := 0
			for _, turn := range turns {
				rebuffers += turn.Viewing.Rebuffers
				for _, f := range turn.Findings {
					t.Errorf("every %d: %+v", every, f)
				}
			}
			if rebuffers > 0 {
				t.Errorf("every %d: %d times a viewer's player stood still", every, rebuffers)
			}
		})
	}
}

package hls

import (
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// That a rendition goes on is shown by a segment that its first playlist did not list,
// and by no number of others.
func TestFollowerUnrenewed(t *testing.T) {
	t.Parallel()
	const never = time.Hour
	ladder := func(change func(*ladderOrigin)) func(o *origin) http.Handler {
		return func(o *origin) http.Handler {
			l := &ladderOrigin{origin: o, listed: []int{720, 360}}
			change(l)
			return l
		}
	}
	single := func(fault func(o *origin, age time.Duration) string) func(o *origin) http.Handler {
		return func(o *origin) http.Handler {
			from := time.Now()
			return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if list := fault(o, time.Since(from)); isPlaylist(r) && list != "" {
					_, _ = io.WriteString(w, list)
					return
				}
				o.ServeHTTP(w, r)
			})
		}
	}
	const none = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n"
	for name, c := range map[string]struct {
		world func(o *origin) http.Handler
		cfg   Config
		still []string      // of which nothing new has come by the end
		after time.Duration // when all have shown it, within a second
	}{
		"it goes on":           {world: single(func(*origin, time.Duration) string { return "" }), after: 3 * time.Second},
		"each fifth":           {world: single(func(*origin, time.Duration) string { return "" }), cfg: Config{Sample: 5}, after: 3 * time.Second},
		"the playlist alone":   {world: single(func(*origin, time.Duration) string { return "" }), cfg: Config{Sample: PlaylistOnly}, after: 3 * time.Second},
		"it stands":            {world: single(func(o *origin, _ time.Duration) string { return o.window(0, 5) }), still: []string{""}, after: never},
		"it stands, unsampled": {world: single(func(o *origin, _ time.Duration) string { return o.window(0, 5) }), cfg: Config{Sample: PlaylistOnly}, still: []string{""}, after: never},
		"a restart that stands": {world: single(func(o *origin, age time.Duration) string {
			if age < time.Second {
				return o.window(100, 5)
			}
			return o.window(0, 5)
		}), still: []string{""}, after: never},
		"nothing, and then it stands": {world: single(func(o *origin, age time.Duration) string {
			if age < time.Second {
				return none
			}
			return o.window(0, 5)
		}), still: []string{""}, after: never},
		"new ones cannot be had": {world: single(func(o *origin, _ time.Duration) string {
			return strings.NewReplacer("seg4.", "seg4.", "seg", "gone").Replace(o.window(0, o.complete()))
		}), still: []string{""}, after: never},
		"a ladder":               {world: ladder(func(*ladderOrigin) {}), cfg: Config{URL: ladderURL}, after: 3 * time.Second},
		"a ladder stands":        {world: ladder(func(l *ladderOrigin) { freeze(l, 10*time.Second, 720, 360) }), cfg: Config{URL: ladderURL}, still: []string{"720p", "360p"}, after: never},
		"one of a ladder stands": {world: ladder(func(l *ladderOrigin) { freeze(l, 10*time.Second, 360) }), cfg: Config{URL: ladderURL}, still: []string{"360p"}, after: never},
		"one of a ladder is not there": {world: ladder(func(l *ladderOrigin) {
			l.broken = func(lines int, _ time.Duration, w http.ResponseWriter, r *http.Request) bool {
				if lines == 360 {
					http.NotFound(w, r)
				}
				return lines == 360
			}
		}), cfg: Config{URL: ladderURL}, still: []string{"360p"}, after: never},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin()
				pass(11*time.Second + 100*time.Millisecond) // five segments, the next in 0.9 s
				shown := never
				var last turn
				for _, last = range watch(t, c.world(o), c.cfg, 9*time.Second) {
					if shown == never && len(last.Unrenewed) == 0 && last.Playing {
						shown = last.at
					}
				}
				if !slices.Equal(last.Unrenewed, c.still) || shown > c.after || shown < c.after-time.Second {
					t.Errorf("at the end %q have nothing new, want %q; shown after %s, want %s: %s", last.Unrenewed, c.still, shown, c.after, last.verdict())
				}
			})
		})
	}
}

const ladderURL = "http://origin.test/live/index.m3u8"

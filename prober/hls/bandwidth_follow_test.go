package hls

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// What a variant declares is for its pictures and the sound that plays with them, and
// it is held against what it declares now.
func TestFollowerBandwidth(t *testing.T) {
	t.Parallel()
	const (
		sound = "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"en\",URI=\"audio.m3u8\"\n"
		at    = 20 * time.Second // when the multivariant playlist changes
	)
	variant := func(bandwidth int, more string) string {
		return fmt.Sprintf("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=%d,CODECS=\"avc1.64001e,mp4a.40.2\",RESOLUTION=1280x720%s\nlive.m3u8\n", bandwidth, more)
	}
	// A segment has about 2.5 kbit/s.
	for _, tt := range []struct {
		name          string
		before, after string
		rule          string // broken at 720p
		from          time.Duration
	}{
		{"alone, and enough", variant(4000, ""), variant(4000, ""), "", 0},
		{"pictures and sound, and enough", variant(8000, ",AUDIO=\"a\"") + sound, variant(8000, ",AUDIO=\"a\"") + sound, "", 0},
		{"enough for pictures alone", variant(4000, ",AUDIO=\"a\"") + sound, variant(4000, ",AUDIO=\"a\"") + sound, ruleGroupsOver, 0},
		{"declared anew, too low", variant(4000, ""), variant(1000, ""), ruleBandwidthOver, at},
		{"declared anew, and enough", variant(4000, ""), variant(8000, ""), "", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newOrigin()
				pass(9 * time.Second)
				o.to = time.Hour
				start := time.Now()
				o.fault = func(_ *origin, w http.ResponseWriter, r *http.Request) bool {
					if !strings.HasSuffix(r.URL.Path, "index.m3u8") {
						return false
					}
					text := tt.before
					if time.Since(start) >= at {
						text = tt.after
					}
					_, _ = w.Write([]byte(text))
					return true
				}
				var first time.Duration
				for _, turn := range watch(t, o, Config{URL: "http://origin.test/live/index.m3u8"}, 50*time.Second) {
					for _, f := range turn.Findings {
						if f.Rule != tt.rule || f.Where != "720p" {
							t.Errorf("%s: %+v", turn.at, f)
						} else if first == 0 {
							first = turn.at
						}
					}
					if broken := turn.Failure != nil; broken && (tt.rule != ruleBandwidthOver || turn.verdict() != "degraded segment/bitrate_mismatch") && turn.at > 3*time.Second {
						t.Errorf("%s: %+v", turn.at, turn.Failure)
					}
				}
				if (first > 0) != (tt.rule != "") || first < tt.from {
					t.Errorf("found after %s", first)
				}
			})
		})
	}
}

// A bitrate that falls with what is declared is no fault of what was listed before.
func TestRedeclared(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		r := newRendition(NewFollower(Config{}), listing{kind: kindVariant, name: "720p", variant: Variant{Bandwidth: 8000}}, nil)
		r.last = &Playlist{TargetDuration: 2 * time.Second}
		take := func(sequence uint64, bytes int) []string {
			r.loaded(Segment{Sequence: sequence, Duration: 2 * time.Second}, response{body: make([]byte, bytes)})
			var rules []string
			for _, f := range r.state.take().Findings {
				rules = append(rules, f.Rule)
			}
			return rules
		}
		r.queue.next = 3 // 0 to 2 are listed
		got := [][]string{take(0, 1800)}
		r.relist(listing{variant: Variant{Bandwidth: 4000}})
		got = append(got, take(1, 1800), take(2, 1800))
		r.queue.next = 5
		got = append(got, take(3, 900), take(4, 1800))
		want := [][]string{nil, nil, nil, nil, {ruleBandwidthOver}}
		if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
			t.Errorf("%v, want %v", got, want)
		}
	})
}

package hls

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
)

// What is listed again keeps the name that it had, as long as it is known by its path.
func TestNamesAreKept(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		loads []string // "BANDWIDTH RESOLUTION URI" of variants, "LANGUAGE - URI" of sound
		want  []string
	}{
		{"measured bitrates", []string{"600 - a, 700 - b", "603 - a, 706 - b", "590 - b, 610 - a"}, []string{"600k, 700k", "600k, 700k", "700k, 600k"}},
		{"one comes to another's", []string{"600 - a, 700 - b", "700 - a, 800 - b"}, []string{"600k, 700k", "600k, 700k"}},
		{"of one height", []string{"600 640x360 a, 700 640x360 b", "610 640x360 a, 710 640x360 b", "620 640x360 a"},
			[]string{"360p 600k, 360p 700k", "360p 600k, 360p 700k", "360p 600k"}},
		{"a second of one height", []string{"600 640x360 a", "600 640x360 a, 700 640x360 b"}, []string{"360p", "360p, 360p 700k"}},
		{"another height", []string{"600 640x360 a", "900 1280x720 a"}, []string{"360p", "720p"}},
		{"tokens", []string{"600 - a?t=1, 700 - b?t=1", "610 - a?t=2, 710 - b?t=2"}, []string{"600k, 700k", "600k, 700k"}},
		{"one path, and queries that last", []string{"600 - a?q=1, 700 - a?q=2", "710 - a?q=2, 610 - a?q=1"}, []string{"600k, 700k", "700k, 600k"}},
		{"one path, and queries that do not last", []string{"600 - a?q=1, 700 - a?q=2", "600 - a?q=3, 710 - a?q=4"}, []string{"600k, 700k", "600k, 700k"}},
		{"one path, and the other is new", []string{"600 - a?q=1", "600 - a?q=1, 700 - a?q=2"}, []string{"600k", "600k, 700k"}},
		{"one path, and neither is what was", []string{"600 - a?q=1", "610 - a?q=2, 710 - a?q=3"}, []string{"600k", "610k, 710k"}},
		{"elsewhere", []string{"600 - 1/a, 700 - 1/b", "600 - 2/a, 710 - 2/b"}, []string{"600k, 700k", "600k, 700k"}},
		{"elsewhere, of other bitrates", []string{"600 - 1/a, 700 - 1/b", "600 - 2/a, 1600 - 2/b"}, []string{"600k, 700k", "600k, 1600k"}},
		{"elsewhere, in another order", []string{"700 - 1/a, 1200 - 1/b", "1200 - 2/b, 700 - 2/a"}, []string{"700k, 1200k", "1200k, 700k"}},
		{"one of them elsewhere", []string{"600 - a, 700 - b", "600 - a, 710 - c"}, []string{"600k, 700k", "600k, 710k"}},
		{"elsewhere, of several heights", []string{"600 640x360 1/a, 900 1280x720 1/b, 990 1280x720 1/c", "900 1280x720 2/b, 980 1280x720 2/c, 600 640x360 2/a"},
			[]string{"360p, 720p 900k, 720p 990k", "720p 900k, 720p 990k, 360p"}},
		{"a new one of a name that is taken", []string{"600 - a", "600 - c, 610 - a"}, []string{"600k", "600k #2, 600k"}},
		{"of two that are alike the first goes", []string{"en - a, en - b", "en - b", "en - b, en - a"}, []string{"audio en, audio en #2", "audio en #2", "audio en #2, audio en"}},
		{"alike, in another order", []string{"600 - a, 600 - b", "600 - b, 600 - a"}, []string{"600k, 600k #2", "600k #2, 600k"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var before []listing
			for i, load := range c.loads {
				all := listings(multiOf(load), before)
				var names []string
				for _, l := range all {
					names = append(names, l.name)
				}
				if got := strings.Join(names, ", "); got != c.want[i] {
					t.Errorf("load %d: got %s, want %s", i+1, got, c.want[i])
				}
				before = all
			}
		})
	}
}

// What has its number from when there were two is still what a ladder expects.
func TestLadderOfAKeptName(t *testing.T) {
	t.Parallel()
	two := listings(multiOf("600 - v, en - a, en - b"), nil)
	left := listings(multiOf("600 - v, en - b"), two)
	if left[1].name != "audio en #2" {
		t.Fatalf("it is called %q", left[1].name)
	}
	ladder := []Rung{{Rendition: "audio en"}, {Bandwidth: 600_000}}
	if found := checkLadder(ladder, left); len(found) > 0 {
		t.Errorf("%+v", found)
	}
	if found := checkLadder(append(ladder, Rung{Rendition: "audio en #2"}), two); len(found) > 0 {
		t.Errorf("of two: %+v", found)
	}
}

func multiOf(text string) *Playlist {
	p := &Playlist{}
	for _, one := range strings.Split(text, ", ") {
		words := strings.Fields(one)
		bandwidth, err := strconv.ParseInt(words[0], 10, 64)
		if err != nil {
			p.Renditions = append(p.Renditions, Rendition{Type: "AUDIO", Language: words[0], URI: words[2]})
			continue
		}
		v := Variant{Bandwidth: bandwidth * 1000, URI: words[2]}
		if words[1] != "-" {
			v.Resolution = words[1]
		}
		p.Variants = append(p.Variants, v)
	}
	return p
}

// A ladder whose bitrates are measured is followed on as any other is: nothing is loaded
// twice, nothing is missing, and what stands still is known to.
func TestFollowerMeasuredBitrates(t *testing.T) {
	t.Parallel()
	for _, stands := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			o := &ladderOrigin{origin: newOrigin(), listed: []int{720, 360}}
			pass(11*time.Second + 100*time.Millisecond)
			if stands {
				freeze(o, 10*time.Second, 720, 360)
			}
			load := 0
			turns := watch(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if !strings.HasSuffix(r.URL.Path, "index.m3u8") {
					o.ServeHTTP(w, r)
					return
				}
				load++
				_, _ = fmt.Fprintf(w, "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=%d\n720.m3u8?t=%d\n#EXT-X-STREAM-INF:BANDWIDTH=%d\n360.m3u8?t=%d\n", 720_000+3000*load, load, 360_000+3000*load, load)
			}), Config{URL: ladderURL, TopInterval: 3 * time.Second}, 29*time.Second)
			for _, turn := range turns {
				for _, f := range turn.Findings {
					if f.Reason == prober.ReasonRenditionMissing {
						t.Errorf("%s: %+v", turn.at, f)
					}
				}
				if len(turn.Renditions) != 2 || turn.Renditions[0].Name != "723k" || turn.Renditions[1].Name != "363k" {
					t.Fatalf("%s: %+v", turn.at, turn.Renditions)
				}
			}
			end := turns[len(turns)-1]
			var still []string
			if stands {
				still = []string{"723k", "363k"}
			}
			if load < 10 || !slices.Equal(end.Unrenewed, still) || end.Renditions[0].Announced.Bandwidth != int64(720_000+3000*load) {
				t.Errorf("at the end %q have nothing new, want %q; %+v after %d loads", end.Unrenewed, still, end.Renditions, load)
			}
			for path, n := range o.gets {
				if !strings.HasSuffix(path, ".m3u8") && n > 2 { // of two renditions
					t.Errorf("%s was loaded %d times", path, n)
				}
			}
		})
	}
}

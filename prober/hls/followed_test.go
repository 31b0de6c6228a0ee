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

// many is a multivariant playlist of so many variants, which name the groups "a" and
// "s", and so many renditions of sound, subtitles, and sound of a group that none names.
func many(variants, sound, subtitles, others int) string {
	var b strings.Builder
	b.WriteString("#EXTM3U\n")
	media := func(kind, group string, n int) {
		for i := range n {
			fmt.Fprintf(&b, "#EXT-X-MEDIA:TYPE=%s,GROUP-ID=\"%s\",NAME=\"%s%d\",URI=\"%s%d.m3u8\"\n", kind, group, group, i, group, i)
		}
	}
	media("AUDIO", "x", others)
	media("AUDIO", "a", sound)
	media("SUBTITLES", "s", subtitles)
	groups := ""
	if sound > 0 {
		groups += ",AUDIO=\"a\""
	}
	if subtitles > 0 {
		groups += ",SUBTITLES=\"s\""
	}
	for i := range variants {
		fmt.Fprintf(&b, "#EXT-X-STREAM-INF:BANDWIDTH=%d,CODECS=\"avc1.64001e,mp4a.40.2\"%s\nv%d.m3u8\n", 1_000_000*(i+1), groups, i)
	}
	return b.String()
}

// TestFollowed: sound and subtitles are not the first to be left out, and what is left
// out is told.
func TestFollowed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name                               string
		variants, sound, subtitles, others int
		want, told                         string
	}{
		{"as many as are followed", 10, 3, 2, 1, "10 v, 1 x, 3 a, 2 s", ""},
		{"one too many", 10, 3, 2, 2, "10 v, 1 x, 3 a, 2 s", "1 of 17 renditions are not followed: audio x1"},
		{"many variants", 20, 1, 1, 0, "14 v, 0 x, 1 a, 1 s", "6 of 22 "},
		{"variants alone", 20, 0, 0, 0, "16 v, 0 x, 0 a, 0 s", "4 of 20 renditions are not followed: 17000k, 18000k, 19000k, 20000k"},
		{"many languages", 4, 20, 2, 2, "4 v, 0 x, 11 a, 1 s", "12 of 28 "},
		{"many of all", 20, 20, 20, 20, "8 v, 0 x, 7 a, 1 s", "64 of 80 "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			all := listings(parsed(t, strings.TrimPrefix(many(c.variants, c.sound, c.subtitles, c.others), "#EXTM3U\n")), nil)
			count := map[byte]int{}
			for _, l := range toFollow(all) {
				count[l.uri[0]]++
			}
			if got := fmt.Sprintf("%d v, %d x, %d a, %d s", count['v'], count['x'], count['a'], count['s']); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			told := ""
			for _, f := range unfollowed(all) {
				told += f.Detail
				if f.Severity != prober.SeverityNote || f.Reason != prober.ReasonNotFollowed || f.Stage != prober.StageManifest || f.Section != "" {
					t.Errorf("%+v", f)
				}
			}
			if (told == "") != (c.told == "") || !strings.HasPrefix(told, c.told) {
				t.Errorf("told %q, want %q", told, c.told)
			}
		})
	}
}

// TestUnfollowedIsTold follows a ladder that is too large.
func TestUnfollowedIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := newOrigin()
		o.to = time.Hour
		o.fault = func(o *origin, w http.ResponseWriter, r *http.Request) bool {
			name := strings.TrimPrefix(r.URL.Path, "/live/")
			switch {
			case name == "index.m3u8":
				_, _ = fmt.Fprint(w, many(18, 1, 0, 0))
			case strings.HasSuffix(name, ".m3u8"):
				_, _ = fmt.Fprint(w, o.window(0, o.complete()))
			default:
				return false
			}
			return true
		}
		pass(9 * time.Second)
		var told []string
		turns := watch(t, o, Config{URL: "http://origin.test/live/index.m3u8"}, 5*time.Second)
		for _, turn := range turns {
			for _, f := range turn.Findings {
				if f.Reason == prober.ReasonNotFollowed {
					told = append(told, f.Detail)
				}
			}
		}
		end := turns[len(turns)-1]
		if end.verdict() != "good" || len(end.Renditions) != maxFollowed || o.gets["/live/a0.m3u8"] == 0 {
			t.Errorf("%s: %d renditions are followed; sound %d times", end.verdict(), len(end.Renditions), o.gets["/live/a0.m3u8"])
		}
		if len(told) != 1 || told[0] != "3 of 19 renditions are not followed: 16000k, 17000k, 18000k" {
			t.Errorf("told %q", told)
		}
	})
}

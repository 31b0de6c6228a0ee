package hls

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// hostile makes long playlists of one kind each, of about size bytes.
func hostile(size int) map[string]string {
	fill := func(head, line string) string {
		return "#EXTM3U\n" + head + strings.Repeat(line, size/len(line))
	}
	numbered := func(head, format string) string {
		var b strings.Builder
		b.WriteString("#EXTM3U\n" + head)
		for i := 0; b.Len() < size; i++ {
			_, _ = fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	long := size / 2
	return map[string]string{
		"segments":           fill(target4, "#EXTINF:4,\na\n"),
		"dated segments":     fill(target4, "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-05-01T12:00:00Z\n#EXTINF:4,\na\n"),
		"shifted names":      numbered(target4, "#EXTINF:4,\n%d.ts\n"),
		"parts":              fill(target4+infTag, "#EXT-X-PART:DURATION=0.1,URI=\"p\"\n"),
		"keys":               numbered(target4, "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",KEYFORMAT=\"%d\"\n#EXTINF:4,\na\n"),
		"date ranges":        numbered(target4, "#EXT-X-DATERANGE:ID=\"%d\",START-DATE=\"2026-05-01T12:00:00Z\"\n"),
		"one date range":     numbered(target4, "#EXT-X-DATERANGE:ID=\"a\",X-%d=1\n"),
		"attributes":         fill(target4, "#EXT-X-SERVER-CONTROL:"+strings.Repeat("A=1,", 500)+"\n"),
		"one long list":      "#EXTM3U\n#EXT-X-SERVER-CONTROL:" + strings.Repeat("A=1,", long/4) + "\n",
		"one long value":     "#EXTM3U\n#EXT-X-SERVER-CONTROL:A=\"" + strings.Repeat("{$", long/2) + "\"\n",
		"one long line":      "#EXTM3U\n" + target4 + "#EXTINF:4,\n" + strings.Repeat("/", size) + "\n",
		"definitions":        numbered("", "#EXT-X-DEFINE:NAME=\"%d\",VALUE=\"\"\n"),
		"references":         "#EXTM3U\n" + target4 + "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"\"\n#EXTINF:4,\nx" + strings.Repeat("{$a}", long/4) + "\n",
		"open references":    "#EXTM3U\n" + target4 + "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"\"\n#EXTINF:4,\nx" + strings.Repeat("{$", long/2) + "\n",
		"hints":              fill(target4, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p\"\n"),
		"reports":            fill(target4, "#EXT-X-RENDITION-REPORT:URI=\"p\"\n"),
		"variants":           fill("", "#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n"),
		"renditions":         numbered("", "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"%d\"\n"),
		"comments":           fill("", "#\n"),
		"blank lines":        fill("", "\n"),
		"tags nobody knows":  numbered("", "#EXT-X-%d\n"),
		"broken lines":       fill("", "#EXT-X-KEY:\n"),
		"nothing but quotes": "#EXTM3U\n#EXT-X-KEY:" + strings.Repeat("\"", long) + "\n",
	}
}

// Four times the text takes about four times as long, and not sixteen: no playlist
// within the follower's bound holds it up.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("reads megabytes")
	}
	t.Parallel()
	const size = 1 << 20
	small, large := hostile(size/4), hostile(size)
	for name := range large {
		t.Run(name, func(t *testing.T) {
			took := func(text string) time.Duration {
				best := time.Hour
				for range 3 { // the machine has other things to do
					start := time.Now()
					p, fail := Parse([]byte(text))
					if fail == nil {
						Analyze(p, p, noon)
						moved := *p
						moved.MediaSequence++
						Analyze(p, &moved, noon)
						_ = Rules{}.Renditions([]Observed{{Name: "a", Playlist: p}, {Name: "b", Playlist: &moved}})
					}
					best = min(best, time.Since(start))
				}
				return best
			}
			a, b := took(small[name]), took(large[name])
			if b > 10*a && b > 100*time.Millisecond {
				t.Errorf("%d KB take %s, and %d KB %s", size>>12, a, size>>10, b)
			}
			t.Logf("%s, %s", a, b)
		})
	}
}

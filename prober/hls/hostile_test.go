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

// Sixteen times the text takes about sixteen times as long, and not 256 times: no
// playlist within the follower's bound holds it up.
func TestHostile(t *testing.T) {
	t.Parallel()
	const size, times = 1 << 19, 16
	small, large := hostile(size/times), hostile(size)
	for name := range large {
		t.Run(name, func(t *testing.T) {
			const quick, slack, tries = 100 * time.Millisecond, 5, 3 // the machine has other things to do
			var once, much time.Duration
			for range tries {
				once, much = handle(small[name]), handle(large[name])
				if much < quick || much < slack*times*once {
					return
				}
			}
			t.Errorf("%d KB take %s, and %d KB %s", size/times>>10, once, size>>10, much)
		})
	}
}

// handle is how long it takes to do all that is done with a playlist.
func handle(text string) time.Duration {
	start := time.Now()
	p, fail := Parse([]byte(text))
	if fail == nil {
		Analyze(p, p, noon)
		moved := *p
		moved.MediaSequence++
		Analyze(p, &moved, noon)
		_ = Rules{}.Renditions([]Observed{{Name: "a", Playlist: p}, {Name: "b", Playlist: &moved}})
	}
	return time.Since(start)
}

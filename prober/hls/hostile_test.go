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

// hostilePairs are versions of a playlist that follow on each other, of about size bytes
// each. Each kind of hostile is followed by itself too.
func hostilePairs(size int) map[string]pair {
	lines := func(head, line, last string) string {
		return "#EXTM3U\n" + head + strings.Repeat(line, size/len(line)) + last
	}
	long := strings.Repeat("x", size/2)
	pairs := map[string]pair{
		// One name for all but the last one: whether the list has moved shows at its end.
		"all rewritten": {lines(target4, "#EXTINF:1,\na\n", "#EXTINF:1,\nb\n"), lines(target4, "#EXTINF:2,\na\n", "#EXTINF:2,\nb\n")},
		"a long newest name": {"#EXTM3U\n" + target4 + "#EXTINF:1,\n" + long + "\n",
			"#EXTM3U\n" + target4 + msn(100_000) + strings.Repeat("#EXTINF:1,\na\n", size/2/len("#EXTINF:1,\na\n"))},
		"a recording without durations": {lines(target4, "#EXTINF:0,\na\n", "#EXT-X-ENDLIST\n"), lines(target4+msn(1), "#EXTINF:0,\na\n", "#EXT-X-ENDLIST\n")},
	}
	for name, text := range hostile(size) {
		pairs[name] = pair{text, text}
	}
	return pairs
}

// Sixteen times the text takes about sixteen times as long, and not 256 times: no
// playlist within the follower's bound holds it up.
func TestHostile(t *testing.T) {
	t.Parallel()
	const size, times = 1 << 19, 16
	small, large := hostilePairs(size/times), hostilePairs(size)
	for name := range large {
		t.Run(name, func(t *testing.T) {
			const quick, slack, tries = 100 * time.Millisecond, 5, 3 // the machine has other things to do
			const hopeless = 3 * time.Second                         // of what takes milliseconds: 16 times as much would take an hour
			var once, much time.Duration
			for range tries {
				if once = handle(small[name]); once > hopeless {
					t.Fatalf("%d KB take %s", size/times>>10, once)
				}
				if much = handle(large[name]); much < quick || much < slack*times*once {
					return
				}
			}
			t.Errorf("%d KB take %s, and %d KB %s", size/times>>10, once, size>>10, much)
		})
	}
}

// handle is how long it takes to do all that is done with two versions of a playlist.
func handle(texts pair) time.Duration {
	start := time.Now()
	before, failed := Parse([]byte(texts.before))
	now, fail := Parse([]byte(texts.now))
	if failed == nil && fail == nil {
		Analyze(before, now, noon)
		moved := *now
		moved.MediaSequence++
		Analyze(before, &moved, noon)
		_ = Rules{}.Renditions([]Observed{{Name: "a", Playlist: before}, {Name: "b", Playlist: &moved}})
		takeIn(before, now)
	}
	return time.Since(start)
}

// takeIn takes versions of a playlist as followers do, of which one downloads each
// segment and the other none.
func takeIn(versions ...*Playlist) {
	for _, sample := range []int{1, PlaylistOnly} {
		f := NewFollower(Config{Sample: sample})
		r := newRendition(f, listing{}, nil)
		for _, p := range versions {
			if p.Multivariant {
				f.checkTop(p, listings(p), noon)
				continue
			}
			r.tell(nil, r.accept(p))
			for r.queue.waiting() {
				r.queue.drop(1)
			}
		}
		f.Observe(noon)
	}
}

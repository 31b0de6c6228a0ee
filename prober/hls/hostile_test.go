package hls

import (
	"fmt"
	"net/url"
	"runtime"
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
	long := min(size/2, maxLine-100)
	partsHead := "#EXT-X-PART-INF:PART-TARGET=0.1\n" + target4
	return map[string]string{
		"segments":             fill(target4, "#EXTINF:4,\na\n"),
		"dated segments":       fill(target4, "#EXT-X-DISCONTINUITY\n#EXT-X-PROGRAM-DATE-TIME:2026-05-01T12:00:00Z\n#EXTINF:4,\na\n"),
		"shifted names":        numbered(target4, "#EXTINF:4,\n%d.ts\n"),
		"parts":                fill(partsHead, "#EXT-X-PART:DURATION=0.1,URI=\"p\"\n") + "#EXTINF:4,\na\n",
		"parts of segments":    fill(partsHead, "#EXT-X-PART:DURATION=0.1,URI=\"p\"\n#EXTINF:4,\na\n"),
		"open parts":           fill(partsHead+"#EXTINF:4,\na\n", "#EXT-X-PART:DURATION=0.1,URI=\"p\"\n"),
		"keys":                 numbered(target4, "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",KEYFORMAT=\"%d\"\n#EXTINF:4,\na\n"),
		"date ranges":          numbered(target4, "#EXT-X-DATERANGE:ID=\"%d\",START-DATE=\"2026-05-01T12:00:00Z\"\n"),
		"one long date":        "#EXTM3U\n" + target4 + "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"" + strings.Repeat("1", long) + "\"\n" + strings.Repeat("#EXT-X-DATERANGE:ID=\"a\"\n", size/50),
		"one long duration":    "#EXTM3U\n" + target4 + "#EXT-X-DATERANGE:ID=\"a\",DURATION=" + strings.Repeat("1", long) + "\n" + strings.Repeat("#EXT-X-DATERANGE:ID=\"a\"\n", size/50),
		"attributes of ranges": fill(target4, "#EXT-X-DATERANGE:ID=\"a\","+strings.Repeat("A=1,", 60)+"\n"),
		"one date range":       numbered(target4, "#EXT-X-DATERANGE:ID=\"a\",X-%d=1\n"),
		"attributes":           fill(target4, "#EXT-X-SERVER-CONTROL:"+strings.Repeat("A=1,", 500)+"\n"),
		"long lists":           fill("", "#EXT-X-SERVER-CONTROL:"+strings.Repeat("A=1,", long/4)+"\n"),
		"long values":          fill("", "#EXT-X-SERVER-CONTROL:A=\""+strings.Repeat("{$", long/2)+"\"\n"),
		"long lines":           fill(target4, "#EXTINF:4,\n"+strings.Repeat("/", long)+"\n"),
		"queries":              "#EXTM3U\n" + target4 + numberedOf(min(size/40, maxDefines), "#EXT-X-DEFINE:QUERYPARAM=\"q%d\"\n"),
		"definitions":          "#EXTM3U\n" + target4 + numberedOf(min(size/40, maxDefines), "#EXT-X-DEFINE:NAME=\"%d\",VALUE=\"\"\n"),
		"references":           fill(target4+"#EXT-X-DEFINE:NAME=\"a\",VALUE=\"\"\n", "#EXTINF:4,\nx"+strings.Repeat("{$a}", long/4)+"\n"),
		"open references":      fill(target4+"#EXT-X-DEFINE:NAME=\"a\",VALUE=\"\"\n", "#EXTINF:4,\nx"+strings.Repeat("{$", long/2)+"\n"),
		"hints":                fill(target4, "#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p\"\n"),
		"reports":              fill(target4, "#EXT-X-RENDITION-REPORT:URI=\"p\"\n"),
		"variants":             "#EXTM3U\n" + strings.Repeat("#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n", min(size/30, maxVariants)),
		"ladder":               ladder(min(size/60, maxRenditions)),
		"renditions":           "#EXTM3U\n" + numberedOf(min(size/40, maxRenditions), "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"%d\"\n"),
		"comments":             fill("", "#\n"),
		"blank lines":          fill("", "\n"),
		"tags nobody knows":    numbered("", "#EXT-X-%d\n"),
		"broken lines":         fill("", "#EXT-X-KEY:\n"),
		"nothing but quotes":   fill("", "#EXT-X-KEY:"+strings.Repeat("\"", long)+"\n"),
	}
}

// numberedOf makes so many lines.
func numberedOf(count int, format string) string {
	var b strings.Builder
	for i := range count {
		_, _ = fmt.Fprintf(&b, format, i)
	}
	return b.String()
}

// ladder lists as many variants as may be, which all play with so many renditions.
func ladder(renditions int) string {
	return "#EXTM3U\n" + strings.Repeat("#EXT-X-STREAM-INF:BANDWIDTH=1,AUDIO=\"g\"\nv\n", min(renditions, maxVariants)) +
		numberedOf(renditions, "#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"g\",NAME=\"a\",URI=\"%d\"\n")
}

// hostilePairs are versions of a playlist that follow on each other, of about size bytes
// each. Each kind of hostile is followed by itself too.
func hostilePairs(size int) map[string]pair {
	lines := func(head, line, last string) string {
		return "#EXTM3U\n" + head + strings.Repeat(line, size/len(line)) + last
	}
	long := strings.Repeat("x", min(size/2, maxLine-100))
	ranges := hostile(size)["date ranges"]
	pairs := map[string]pair{
		// One name for all but the last one: whether the list has moved shows at its end.
		"all rewritten": {lines(target4, "#EXTINF:1,\na\n", "#EXTINF:1,\nb\n"), lines(target4, "#EXTINF:2,\na\n", "#EXTINF:2,\nb\n")},
		"a long newest name": {"#EXTM3U\n" + target4 + "#EXTINF:1,\n" + long + "\n",
			"#EXTM3U\n" + target4 + msn(100_000) + strings.Repeat("#EXTINF:1,\na\n", size/2/len("#EXTINF:1,\na\n"))},
		"a delta update": {lines(target4, "#EXTINF:1,\na\n", ""), "#EXTM3U\n" + target4 + msn(size/len("#EXTINF:1,\na\n")-1) +
			"#EXT-X-SKIP:SKIPPED-SEGMENTS=1\n#EXT-X-MAP:URI=\"" + long + "\"\n" + strings.Repeat("#EXTINF:1,\na\n", size/len("#EXTINF:1,\na\n"))},
		"date ranges that go":           {ranges, lines(target4, "#EXT-X-PROGRAM-DATE-TIME:2026-05-01T12:00:00Z\n#EXTINF:4,\na\n", "")},
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
	source := hostileSource(len(texts.now))
	before, failed := ParseFrom([]byte(texts.before), source)
	now, fail := ParseFrom([]byte(texts.now), source)
	if failed == nil && fail == nil && now.Skipped > 0 {
		now, fail = Apply(before, now)
	}
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

// hostileSource is a URL with parameters for a playlist of so many bytes: as many as a
// header may hold.
func hostileSource(size int) Source {
	return Source{URL: &url.URL{RawQuery: numberedOf(min(size/10, maxHeaderBytes/10), "q%d=1&")}}
}

// What is allocated for a playlist is bounded by its length, and so is what of it is kept.
func TestPlaylistMemory(t *testing.T) { // not in parallel: it counts what all allocate
	const size = 1 << 18
	for name, texts := range hostilePairs(size) {
		var before, between, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		p, _ := ParseFrom([]byte(texts.now), hostileSource(size))
		runtime.ReadMemStats(&between)
		runtime.GC()
		runtime.ReadMemStats(&after)
		const mostParsed, mostKept = 200 * size, 40 * size
		parsed, kept := int64(between.TotalAlloc-before.TotalAlloc), int64(after.HeapAlloc)-int64(before.HeapAlloc)
		runtime.KeepAlive(p)
		if parsed > mostParsed || kept > mostKept {
			t.Errorf("%s: %d KB took %d KB, of which %d KB are kept; want at most %d and %d", name, size>>10, parsed>>10, kept>>10, mostParsed>>10, mostKept>>10)
		}
	}
}

// takeIn takes versions of a playlist as followers do, of which one downloads each
// segment and the other none.
func takeIn(versions ...*Playlist) {
	for _, sample := range []int{1, PlaylistOnly} {
		f := NewFollower(Config{Sample: sample})
		r := newRendition(f, listing{}, nil)
		for _, p := range versions {
			if p.Multivariant {
				f.checkTop(p, listings(p, nil), noon)
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

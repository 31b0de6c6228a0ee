package hls

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// longPlaylist lists n segments from a number on, as a live origin with tokens does.
func longPlaylist(from, n int) []byte {
	var b strings.Builder
	_, _ = fmt.Fprintf(&b, "#EXTM3U\n#EXT-X-VERSION:6\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:%d\n#EXT-X-MAP:URI=\"init.mp4\"\n", from)
	for i := from; i < from+n; i++ {
		at := noon.Add(time.Duration(i) * 2 * time.Second)
		_, _ = fmt.Fprintf(&b, "#EXT-X-PROGRAM-DATE-TIME:%s\n#EXTINF:2.000,\nvideo/720p/segment_%08d.m4s?token=%d\n", at.Format("2006-01-02T15:04:05.000Z"), i, from)
	}
	return []byte(b.String())
}

// mostAnalyzing is how many times as long as parsing a playlist analyzing its update
// may take.
const mostAnalyzing = 2.0

// BenchmarkAnalyze gives the time of analyzing an update as a share of parsing it, and
// fails where that is too much. Of each the fastest turn counts: whatever else a machine
// does only adds.
func BenchmarkAnalyze(b *testing.B) {
	for _, n := range []int{6, 10_000} {
		before, _ := Parse(longPlaylist(100, n))
		text := longPlaylist(101, n)
		now, fail := Parse(text)
		if fail != nil {
			b.Fatal(fail.Detail)
		}
		before.Updated = noon
		b.Run(fmt.Sprintf("%d segments", n), func(b *testing.B) {
			var parsing, analyzing, fastestParse, fastestAnalyze time.Duration
			b.ReportAllocs()
			for b.Loop() {
				start := time.Now()
				if _, fail := Parse(text); fail != nil {
					b.Fatal(fail.Detail)
				}
				parsed := time.Now()
				if found := Analyze(before, now, noon); len(found) != 0 {
					b.Fatal(found)
				}
				analyzed := time.Since(parsed)
				analyzing, parsing = analyzing+analyzed, parsing+parsed.Sub(start)
				if fastestParse == 0 {
					fastestParse, fastestAnalyze = parsed.Sub(start), analyzed
				}
				fastestParse, fastestAnalyze = min(fastestParse, parsed.Sub(start)), min(fastestAnalyze, analyzed)
			}
			share := float64(fastestAnalyze) / float64(fastestParse)
			if share > mostAnalyzing {
				b.Errorf("analyzing takes %s and parsing %s: %.2f times as long, want %.0f or less", fastestAnalyze, fastestParse, share, mostAnalyzing)
			}
			b.ReportMetric(float64(parsing.Nanoseconds())/float64(b.N), "parse-ns/op")
			b.ReportMetric(float64(analyzing.Nanoseconds())/float64(b.N), "analyze-ns/op")
			b.ReportMetric(share, "analyze/parse")
		})
	}
}

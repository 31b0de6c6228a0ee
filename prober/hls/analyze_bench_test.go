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

// BenchmarkAnalyze gives the time of analyzing an update as a share of parsing it:
// analyze/parse must not exceed 2. The least of each counts: what else runs only adds.
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
			var parsing, analyzing time.Duration
			const most = 2
			leastParsing, leastAnalyzing := time.Duration(1<<62), time.Duration(1<<62)
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
				took := time.Since(parsed)
				analyzing += took
				parsing += parsed.Sub(start)
				leastAnalyzing, leastParsing = min(leastAnalyzing, took), min(leastParsing, parsed.Sub(start))
			}
			b.ReportMetric(float64(parsing.Nanoseconds())/float64(b.N), "parse-ns/op")
			b.ReportMetric(float64(analyzing.Nanoseconds())/float64(b.N), "analyze-ns/op")
			b.ReportMetric(float64(analyzing)/float64(parsing), "analyze/parse")
			if ratio := float64(leastAnalyzing) / float64(leastParsing); ratio > most {
				b.Errorf("analyzing takes %.2f times as long as parsing, at most %d is allowed", ratio, most)
			}
		})
	}
}

package hls

import (
	"maps"
	"net/url"
	"reflect"
	"runtime"
	"slices"
	"testing"
	"time"

	"streamcanary/prober"
)

// seeds gives the playlists of all rules to a fuzz target.
func seeds(add func(pair)) {
	all := ruleCases()
	for _, id := range slices.Sorted(maps.Keys(all)) {
		for _, c := range all[id] {
			add(c.broken)
			add(c.legal)
		}
	}
}

// thrifty wants work on so many bytes to take no more time and memory than that many
// may. Of three turns the quickest counts: a machine has other things to do.
func thrifty(t *testing.T, size int, work func()) {
	t.Helper()
	const tries = 3
	mostTime, mostBytes := 200*time.Millisecond+time.Duration(size)*20*time.Microsecond, uint64(1<<20+1000*size)
	var took time.Duration
	var allocated uint64
	for range tries {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		start := time.Now()
		work()
		took = time.Since(start)
		runtime.ReadMemStats(&after)
		if allocated = after.TotalAlloc - before.TotalAlloc; took <= mostTime && allocated <= mostBytes {
			return
		}
	}
	t.Fatalf("%d bytes take %s and %d bytes of memory, want at most %s and %d", size, took, allocated, mostTime, mostBytes)
}

// FuzzAnalyze holds for any two playlists, also as renditions of each other, and within
// bounds of time and memory.
func FuzzAnalyze(f *testing.F) {
	for _, p := range hostilePairs(1 << 10) {
		f.Add([]byte(p.before), []byte(p.now), int64(time.Second))
	}
	rewritten := hostilePairs(1 << 14)["all rewritten"] // half an hour for 50,000 segments once
	f.Add([]byte(rewritten.before), []byte(rewritten.now), int64(time.Second))
	seeds(func(p pair) { f.Add([]byte("#EXTM3U\n"+p.before), []byte("#EXTM3U\n"+p.now), int64(time.Second)) })
	f.Fuzz(func(t *testing.T, first, second []byte, after int64) {
		thrifty(t, len(first)+len(second), func() {
			before, failed := Parse(first)
			now, fail := Parse(second)
			if failed == nil && fail == nil {
				Analyze(before, now, noon)
				takeIn(before, now)
			}
		})
		before, failed := Parse(first)
		now, fail := Parse(second)
		if failed != nil || fail != nil {
			return
		}
		before.Updated, before.PartsUpdated = noon, noon
		at := noon.Add(time.Duration(after))
		for _, expect := range []Expect{ExpectLive, ExpectAny, ExpectVOD, ExpectEvent} {
			r := Rules{Expect: expect}
			found := r.Analyze(before, now, at)
			for _, g := range found {
				checkFinding(t, g)
			}
			if again := r.Analyze(before, now, at); !reflect.DeepEqual(found, again) {
				t.Fatalf("not the same twice: %+v and %+v", found, again)
			}
			if len(found) > len(AllRules()) {
				t.Fatalf("%d findings", len(found))
			}
		}
		both := []Observed{{Name: "a", Playlist: before, At: noon, URL: &url.URL{Path: "/a"}}, {Name: "b", Playlist: now, At: at, URL: &url.URL{Path: "/b"}}}
		for _, g := range (Rules{}).Renditions(both) {
			checkFinding(t, g)
		}
	})
}

// FuzzApply holds for a delta update of any playlist.
func FuzzApply(f *testing.F) {
	seeds(func(p pair) { f.Add([]byte("#EXTM3U\n"+p.before), []byte("#EXTM3U\n"+p.now)) })
	f.Add([]byte("#EXTM3U\n"+v9+seg0+seg1+seg2), []byte("#EXTM3U\n"+v9+msn(1)+"#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n"+seg3))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		before, _ := Parse(first)
		delta, fail := Parse(second)
		if fail != nil {
			return
		}
		whole, fail := Apply(before, delta)
		if (whole == nil) == (fail == nil) {
			t.Fatalf("want a playlist or a failure, got %v and %v", whole, fail)
		}
		if fail != nil {
			checkFailure(t, fail)
			return
		}
		if whole.Skipped != 0 || delta.Skipped > 0 && uint64(len(whole.Segments)) != delta.Skipped+uint64(len(delta.Segments)) {
			t.Fatalf("%d segments of %d skipped and %d listed", len(whole.Segments), delta.Skipped, len(delta.Segments))
		}
		for i, s := range whole.Segments {
			if s.Sequence != whole.MediaSequence+uint64(i) || s.Range.Offset < 0 || s.Range.Length < 0 {
				t.Fatalf("segment %d of %d: %+v", i, whole.MediaSequence, s)
			}
		}
		Analyze(before, whole, noon)
	})
}

// FuzzDefine holds for any variables, wherever they come from: no text becomes
// endless, and what is given for a variable makes no new line.
func FuzzDefine(f *testing.F) {
	f.Add([]byte("#EXTM3U\n"+target4+"#EXT-X-DEFINE:IMPORT=\"a\"\n#EXT-X-DEFINE:QUERYPARAM=\"q\"\n#EXTINF:4,\n{$a}{$q}\n"), "value", "q=1&r=2")
	f.Add([]byte("#EXTM3U\n"+target4+"#EXT-X-DEFINE:NAME=\"a\",VALUE=\"{$a}\"\n#EXT-X-MAP:URI=\"{$a}\"\n#EXTINF:4,\n{$a}{$\n"), "", "%zz")
	f.Add([]byte("#EXTM3U\n"+target4+"#EXT-X-DEFINE:QUERYPARAM=\"q\"\n#EXTINF:4,\n{$q}\n"), "", "q=%0A%23EXT-X-ENDLIST")
	f.Fuzz(func(t *testing.T, body []byte, value, query string) {
		source := Source{URL: &url.URL{RawQuery: query}, Defines: map[string]string{"a": value}}
		p, fail := ParseFrom(body, source)
		if fail != nil {
			checkFailure(t, fail)
			return
		}
		size := 0
		for _, s := range p.Segments {
			size += len(s.URI)
		}
		if most := len(body) + maxExpanded + len(value); size > most {
			t.Fatalf("%d bytes of URIs from %d", size, len(body))
		}
		for _, g := range Analyze(nil, p, noon) {
			if g.Severity == "" || len(g.Detail) > prober.MaxDetail {
				t.Fatalf("%+v", g)
			}
		}
	})
}

package hls

import (
	"context"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"streamcanary/prober"
)

// untold are the findings that no test of a good broadcast may have.
func untold(t *testing.T, turns []turn) {
	t.Helper()
	for _, o := range turns {
		for _, f := range o.Findings {
			t.Errorf("%s: %+v", o.at, f)
		}
	}
}

// TestPartsAcrossDiscontinuity: a part of the segment that is being made is read with
// the initialization section, and judged by the discontinuity, that stand before it.
func TestPartsAcrossDiscontinuity(t *testing.T) {
	t.Parallel()
	for _, hints := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			o := newPartOrigin()
			o.other, o.hints = 5, hints
			pass(6 * time.Second)
			turns := watch(t, o, Config{LowLatency: true, Inspect: partInspect}, 12*time.Second)
			untold(t, turns)
			o.mu.Lock()
			defer o.mu.Unlock()
			for _, part := range []string{"part19.bin", "part20.bin", "part21.bin"} {
				if o.gets[part] == 0 {
					t.Errorf("hints %v: %s was never asked for", hints, part)
				}
			}
			if last := turns[len(turns)-1]; last.verdict() != "good" || last.Viewing.Latency > 3*time.Second {
				t.Errorf("hints %v: %s, %+v", hints, last.verdict(), last.Viewing)
			}
		})
	}
}

// TestScanNext: what stands before the parts of the segment that is being made is kept.
func TestScanNext(t *testing.T) {
	t.Parallel()
	const (
		map1 = "#EXT-X-MAP:URI=\"1.mp4\",BYTERANGE=\"7@9\"\n"
		map2 = "#EXT-X-MAP:URI=\"2.mp4\",BYTERANGE=\"5@3\"\n"
		key  = "#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x1\n"
		none = "#EXT-X-KEY:METHOD=NONE\n"
	)
	keys := []Key{{Method: "AES-128", URI: "k", IV: "0x1", KeyFormat: "identity", KeyFormatVersions: "1"}}
	one, two := Init{URI: "1.mp4", Range: ByteRange{9, 7}}, Init{URI: "2.mp4", Range: ByteRange{3, 5}}
	sealed := two
	sealed.Key = keys[0]
	for _, c := range []struct {
		name, text string
		want       Segment
	}{
		{"nothing new", map1 + seg0 + seg1 + infTag + partTag, Segment{Init: one}},
		{"no parts yet", map1 + seg0 + discTag + seg1 + infTag, Segment{Init: one}},
		{"a discontinuity", map1 + seg0 + seg1 + infTag + discTag + partTag, Segment{Init: one, Discontinuity: true}},
		{"another section", map1 + seg0 + seg1 + infTag + discTag + map2 + partTag, Segment{Init: two, Discontinuity: true}},
		{"a key", map1 + seg0 + seg1 + infTag + key + partTag, Segment{Init: one, Keys: keys, Encryption: "AES-128"}},
		{"a key and a section", map1 + seg0 + seg1 + infTag + key + map2 + partTag, Segment{Init: sealed, Keys: keys, Encryption: "AES-128"}},
		{"a key ends", key + map2 + seg0 + seg1 + infTag + none + partTag, Segment{Init: sealed}},
		{"a key stays", key + map2 + seg0 + seg1 + infTag + partTag, Segment{Init: sealed, Keys: keys, Encryption: "AES-128"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := parsed(t, v9+msn(7)+c.text)
			c.want.Sequence = 9
			if got := p.Next; !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v\nwant %+v", got, c.want)
			}
			for _, part := range p.latestParts(maxPartsBehind) {
				if part.segment != 9 || part.discontinuity != c.want.Discontinuity || !reflect.DeepEqual(part.of, c.want) {
					t.Errorf("listed as %+v", part)
				}
			}
		})
	}
}

// TestPartsThatHang: while parts hang, playlists and segments still come in time, and
// once they come again all is good.
func TestPartsThatHang(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		hint bool
		hold time.Duration // of each part
		told bool
	}{
		{"never answered", false, time.Minute, true},
		{"never answered, and hinted", true, time.Minute, true},
		{"slower than they play", false, 700 * time.Millisecond, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				const from, to = 8 * time.Second, 20 * time.Second
				o := newPartOrigin()
				o.hints = c.hint
				o.fault = func(_ http.ResponseWriter, r *http.Request, _ int) bool {
					if age := time.Since(o.start); age >= from && age < to {
						wait(r, c.hold)
						return r.Context().Err() != nil
					}
					return false
				}
				pass(4 * time.Second)
				turns := watch(t, o, Config{LowLatency: true, Inspect: partInspect}, 30*time.Second)
				o.mu.Lock()
				defer o.mu.Unlock()
				for i, at := range o.polls[1:] {
					// What a part, a hint and a blocking reload may take.
					if gap := at - o.polls[i]; gap > 2*(3*partTime+DefaultStaleTolerance)+partTime {
						t.Errorf("no playlist was asked for from %s for %s", o.polls[i], gap)
					}
				}
				segments, told := 0, 0
				for _, turn := range turns {
					segments += turn.Segments
					for _, f := range turn.Findings {
						if f.Reason == prober.ReasonLowLatency && strings.Contains(f.Detail, "listed and cannot be had") {
							told += f.Count
						} else if f.Severity != prober.SeverityNote && (!c.hint || f.Rule != ruleHintGone) {
							t.Errorf("%s: %+v", turn.at, f)
						}
					}
					if turn.Failure != nil && turn.Failure.Reason != prober.ReasonLowLatency {
						t.Errorf("%s: %s", turn.at, turn.verdict())
					}
				}
				if segments < 15 || (told > 0) != c.told {
					t.Errorf("%d segments in 30 s, %d parts that cannot be had", segments, told)
				}
				if last := turns[len(turns)-1]; last.verdict() != "good" {
					t.Errorf("at last it is %s", last.verdict())
				}
			})
		})
	}
}

// TestPartsEnd: a stream that has no parts any more, or none that can be looked into, is
// not degraded for good by the last one, and what was had by parts is played once.
func TestPartsEnd(t *testing.T) {
	t.Parallel()
	const from = 10 * time.Second // the last part before it cannot be had
	for _, c := range []struct {
		name string
		end  func(*partOrigin)
		good bool // otherwise the lack of parts is told by itself
	}{
		{"encrypted", func(o *partOrigin) {
			o.keyed = func(segment int) bool { return time.Duration(segment)*2*time.Second >= from }
		}, true},
		{"no parts", func(o *partOrigin) { o.noParts = func(age time.Duration) bool { return age >= from } }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				o := newPartOrigin()
				o.fault = func(w http.ResponseWriter, r *http.Request, part int) bool {
					gone := part == int(from/partTime)-1
					if gone {
						http.NotFound(w, r)
					}
					return gone
				}
				c.end(o)
				pass(4 * time.Second)
				f := NewFollower(Config{URL: "http://origin.test/live/live.m3u8", Run: ourRun, Transport: serve(t, o), LowLatency: true, Inspect: partInspect})
				ctx, cancel := context.WithCancel(t.Context())
				ended := make(chan error, 1)
				go func() { ended <- f.Run(ctx) }()
				pass(16*time.Second - 100*time.Millisecond) // 100 ms before a part, and a segment
				synctest.Wait()
				s := &f.current()[0].state
				s.mu.Lock()
				if s.conditions[slotPart].failure != nil || s.parts != nil {
					t.Errorf("%+v, %v", s.conditions[slotPart].failure, s.parts)
				}
				s.mu.Unlock()
				seen := f.Observe(time.Now())
				if good := seen.Failure == nil; good != c.good {
					t.Errorf("%+v", seen.Failure)
				}
				// From 1.5 s before it joined to the end of the last whole segment.
				if had := seen.Viewing.Watched + seen.Viewing.Buffer; had != 15500*time.Millisecond {
					t.Errorf("a viewer has had %s: %+v", had, seen.Viewing)
				}
				cancel()
				if err := <-ended; err != nil {
					t.Error(err)
				}
				synctest.Wait()
			})
		})
	}
}

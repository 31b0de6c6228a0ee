package hls

import (
	"reflect"
	"testing"
	"testing/synctest"
	"time"
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
			for _, part := range p.listedParts() {
				if part.segment != 9 || part.discontinuity != c.want.Discontinuity || !reflect.DeepEqual(part.of, c.want) {
					t.Errorf("listed as %+v", part)
				}
			}
		})
	}
}

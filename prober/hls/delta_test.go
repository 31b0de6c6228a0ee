package hls

import (
	"reflect"
	"strings"
	"testing"

	"streamcanary/prober"
)

// A delta update gives the same playlist as the whole one would have been.
func TestApply(t *testing.T) {
	t.Parallel()
	const (
		key1  = "#EXT-X-KEY:METHOD=AES-128,URI=\"k1\"\n"
		none  = "#EXT-X-KEY:METHOD=NONE\n"
		init1 = "#EXT-X-MAP:URI=\"i1\"\n"
		rate  = "#EXT-X-BITRATE:500\n"
		first = "#EXTINF:4,\n#EXT-X-BYTERANGE:100@0\na\n"
		next  = "#EXTINF:4,\n#EXT-X-BYTERANGE:100\na\n"
	)
	skip := func(n string) string { return "#EXT-X-SKIP:SKIPPED-SEGMENTS=" + n + "\n" }
	tests := []struct{ name, before, delta, whole string }{
		{"no delta", v9 + seg0, v9 + seg0 + seg1, v9 + seg0 + seg1},
		{"grown", v9 + seg0 + seg1, v9 + skip("2") + seg2, v9 + seg0 + seg1 + seg2},
		{"removed at the head", v9 + seg0 + seg1 + seg2, v9 + msn(1) + skip("1") + seg2 + seg3, v9 + msn(1) + seg1 + seg2 + seg3},
		{"nothing new", v9 + seg0 + seg1, v9 + skip("2"), v9 + seg0 + seg1},
		{"what stays in force", v9 + key1 + init1 + rate + seg0 + seg1, v9 + skip("2") + seg2, v9 + key1 + init1 + rate + seg0 + seg1 + seg2},
		{"another key", v9 + key1 + init1 + rate + seg0, v9 + skip("1") + seg1 + none + "#EXT-X-MAP:URI=\"i2\"\n#EXT-X-BITRATE:600\n" + seg2,
			v9 + key1 + init1 + rate + seg0 + seg1 + none + "#EXT-X-MAP:URI=\"i2\"\n#EXT-X-BITRATE:600\n" + seg2},
		{"parts that go on", v9 + key1 + init1 + rate + seg0 + seg1, v9 + skip("2") + infTag + partTag, v9 + key1 + init1 + rate + seg0 + seg1 + infTag + partTag},
		{"parts behind what is new", v9 + init1 + seg0 + seg1, v9 + skip("1") + seg1 + infTag + discTag + key1 + "#EXT-X-MAP:URI=\"i2\"\n" + partTag,
			v9 + init1 + seg0 + seg1 + infTag + discTag + key1 + "#EXT-X-MAP:URI=\"i2\"\n" + partTag},
		{"parts behind the end of a key", v9 + key1 + init1 + seg0 + seg1, v9 + skip("2") + infTag + none + partTag, v9 + key1 + init1 + seg0 + seg1 + infTag + none + partTag},
		{"ranges go on", v9 + first + next, v9 + skip("2") + next + next, v9 + first + next + next + next},
		{"ranges begin anew", v9 + first + next, v9 + skip("2") + next + "#EXTINF:4,\n#EXT-X-BYTERANGE:7@9\na\n" + next, v9 + first + next + next + "#EXTINF:4,\n#EXT-X-BYTERANGE:7@9\na\n" + next},
		{"date ranges", v9 + pdtTag + "00Z\n" + rangeTag + "\n#EXT-X-DATERANGE:ID=\"b\",START-DATE=\"2026-05-01T12:00:02Z\"\n" + seg0,
			v9 + "#EXT-X-SKIP:SKIPPED-SEGMENTS=1,RECENTLY-REMOVED-DATERANGES=\"b\tc\"\n" + seg1 + "#EXT-X-DATERANGE:ID=\"a\",DURATION=3\n",
			v9 + pdtTag + "00Z\n" + rangeTag + "\n" + seg0 + seg1 + "#EXT-X-DATERANGE:ID=\"a\",DURATION=3\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, fail := Apply(parsed(t, tt.before), parsed(t, tt.delta))
			if fail != nil {
				t.Fatal(fail.Detail)
			}
			want := parsed(t, tt.whole)
			got.seen, want.seen = scanned{}, scanned{}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v\nwant %+v", got, want)
			}
		})
	}
}

func TestApplyFails(t *testing.T) {
	t.Parallel()
	delta := v9 + msn(2) + "#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n" + seg4
	for name, before := range map[string]string{
		"nothing before":    "",
		"a delta before":    delta,
		"too little before": v9 + msn(2) + seg2,
		"too late before":   v9 + msn(3) + seg3 + seg4,
	} {
		got, fail := Apply(parsed(t, before), parsed(t, delta))
		if got != nil || fail == nil || fail.Reason != prober.ReasonPlaylistMalformed || !strings.Contains(fail.Detail, "6.2.5.1") {
			t.Errorf("%s: %+v, %v", name, got, fail)
		}
	}
}

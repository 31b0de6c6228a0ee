package hls

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

// parsed reads a playlist that has to be one, last updated at noon.
func parsed(t *testing.T, text string) *Playlist {
	t.Helper()
	if text == "" {
		return nil
	}
	p, fail := Parse([]byte("#EXTM3U\n" + text))
	if fail != nil {
		t.Fatalf("%s\n%s", fail.Detail, text)
	}
	p.Updated, p.PartsUpdated = noon, noon
	return p
}

// told writes findings as "id" or "id xN", sorted.
func told(list []prober.Finding) string {
	var ids []string
	for _, f := range list {
		id := f.Rule
		if f.Count > 1 {
			id = fmt.Sprintf("%s x%d", id, f.Count)
		}
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return strings.Join(ids, ", ")
}

// checkFinding holds what every finding must be.
func checkFinding(t *testing.T, f prober.Finding) {
	t.Helper()
	known := slices.ContainsFunc(AllRules(), func(r Rule) bool {
		return r.ID == f.Rule && r.Section == f.Section && r.Reason == f.Reason && r.Stage == f.Stage
	})
	if !known || f.Count < 1 || f.Detail == "" || len(f.Detail) > prober.MaxDetail || !slices.Contains(prober.Severities(), f.Severity) {
		t.Errorf("%+v", f)
	}
}

// Short pieces of playlists. Segments are of 4 s at a target duration of 4 s.
const (
	seg0     = "#EXTINF:4,\n0.ts\n"
	seg1     = "#EXTINF:4,\n1.ts\n"
	seg2     = "#EXTINF:4,\n2.ts\n"
	seg3     = "#EXTINF:4,\n3.ts\n"
	seg4     = "#EXTINF:4,\n4.ts\n"
	target4  = "#EXT-X-TARGETDURATION:4\n"
	v3       = "#EXT-X-VERSION:3\n" + target4
	v9       = "#EXT-X-VERSION:9\n" + target4
	gapTag   = "#EXT-X-GAP\n"
	discTag  = "#EXT-X-DISCONTINUITY\n"
	endTag   = "#EXT-X-ENDLIST\n"
	vodTag   = "#EXT-X-PLAYLIST-TYPE:VOD\n"
	eventTag = "#EXT-X-PLAYLIST-TYPE:EVENT\n"
	pdtTag   = "#EXT-X-PROGRAM-DATE-TIME:2026-05-01T12:00:"
	multiTag = "#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1.64001e\""
	infTag   = "#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=3\n"
	partTag  = "#EXT-X-PART:DURATION=1,URI=\"p\"\n"
	rangeTag = "#EXT-X-DATERANGE:ID=\"a\",START-DATE=\"2026-05-01T12:00:01Z\""
)

func msn(n int) string { return fmt.Sprintf("#EXT-X-MEDIA-SEQUENCE:%d\n", n) }
func dsn(n int) string { return fmt.Sprintf("#EXT-X-DISCONTINUITY-SEQUENCE:%d\n", n) }

// pair is a playlist and the one before it.
type pair struct{ before, now string }

// ruleCases break each rule of playlists: what breaks it, and its legal neighbour.
func ruleCases() map[string][]struct{ broken, legal pair } {
	type cases = []struct{ broken, legal pair }
	one := func(broken, legal string) cases { return cases{{pair{"", broken}, pair{"", legal}}} }
	two := func(before, broken, legal string) cases { return cases{{pair{before, broken}, pair{before, legal}}} }
	return map[string]cases{
		ruleText: slices.Concat(
			one(target4+"#EXTINF:4,caf\xe9\n0.ts\n", target4+"#EXTINF:4,café\n0.ts\n"),
			one(target4+"#EXTINF:4,a\u0085b\n0.ts\n", target4+"#EXTINF:4,a\u00a0b\n0.ts\n"),
			one(target4+"#EXTINF:4,a\x07\n0.ts\n", target4+"# a comment\x07\n#EXTINF:4,a\tb\n0.ts\n")),
		ruleAttributes: slices.Concat(
			one(v9+"#EXT-X-SERVER-CONTROL:HOLD-BACK\n"+seg0, v9+"#EXT-X-SERVER-CONTROL:HOLD-BACK=12, CAN-BLOCK-RELOAD=YES,X-NEW=1x2\n"+seg0),
			one(v9+"#EXT-X-SERVER-CONTROL:HOLD-BACK=12,HOLD-BACK=12\n"+seg0, v9+"#EXT-X-SERVER-CONTROL:HOLD-BACK=12,X-A=\"HOLD-BACK=1,\"\n"+seg0),
			one(v9+"#EXT-X-SERVER-CONTROL:HOLD-BACK=soon\n"+seg0, v9+seg0),
			one(v9+"#EXT-X-START:PRECISE=YES\n"+seg0, v9+"#EXT-X-START:TIME-OFFSET=0\n"+seg0+seg1+seg2),
			one(v9+"#EXT-X-PLAYLIST-TYPE:LIVE\n"+seg0, v9+eventTag+seg0)),
		ruleTwice: one(v3+target4+seg0, v3+seg0+"#EXT-X-UNKNOWN\n#EXT-X-UNKNOWN\n"),
		ruleLate: slices.Concat(
			one(v3+seg0+msn(0), v3+msn(0)+seg0),
			one(v3+discTag+dsn(1)+seg0, v3+dsn(1)+discTag+seg0)),
		ruleStart:   one(v3+"#EXT-X-START:TIME-OFFSET=-11.9\n"+seg0+seg1+seg2+seg3, v3+"#EXT-X-START:TIME-OFFSET=-12\n"+seg0+seg1+seg2+seg3),
		ruleTooLong: one(v3+"#EXTINF:4.5,\n0.ts\n", v3+"#EXTINF:4.499,\n0.ts\n"),
		ruleTarget:  one("#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4.5\n"+seg0, v3+seg0),
		ruleEnded:   one(v3+seg0+endTag, v3+seg0),
		rulePartInf: slices.Concat(one(v9+partTag+seg0, v9+infTag+partTag+seg0),
			one(v9+"#EXT-X-PART-INF:\n"+seg0, v9+seg0)),
		ruleHoldBack: one(v9+"#EXT-X-SERVER-CONTROL:HOLD-BACK=11.9\n"+seg0, v9+"#EXT-X-SERVER-CONTROL:HOLD-BACK=12\n"+seg0),
		rulePartHoldBack: slices.Concat(
			one(v9+"#EXT-X-PART-INF:PART-TARGET=1\n"+seg0, v9+infTag+seg0),
			one(v9+"#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=1.9\n"+seg0, v9+infTag+seg0)),
		rulePartHoldBackShort: one(v9+"#EXT-X-PART-INF:PART-TARGET=1\n#EXT-X-SERVER-CONTROL:PART-HOLD-BACK=2.9\n"+seg0, v9+infTag+seg0),
		ruleSkipUntil: slices.Concat(
			one(v9+"#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=23.9\n"+seg0, v9+"#EXT-X-SERVER-CONTROL:CAN-SKIP-UNTIL=24\n"+seg0),
			one(v9+"#EXT-X-SERVER-CONTROL:CAN-SKIP-DATERANGES=YES\n"+seg0, v9+"#EXT-X-SERVER-CONTROL:CAN-SKIP-DATERANGES=YES,CAN-SKIP-UNTIL=24\n"+seg0)),
		ruleRange: slices.Concat(
			one(v9+"#EXTINF:4,\n#EXT-X-BYTERANGE:5\na\n", v9+"#EXTINF:4,\n#EXT-X-BYTERANGE:5@0\na\n#EXTINF:4,\n#EXT-X-BYTERANGE:5\na\n"),
			one(v9+"#EXTINF:4,\n#EXT-X-BYTERANGE:5@0\na\n#EXTINF:4,\n#EXT-X-BYTERANGE:5\nb\n", v9+"#EXTINF:4,\n#EXT-X-BYTERANGE:5@0\na\n#EXTINF:4,\n#EXT-X-BYTERANGE:5@0\nb\n")),
		ruleKey: slices.Concat(
			one(v9+"#EXT-X-KEY:METHOD=AES-128\n"+seg0, v9+"#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n"+seg0),
			one(v9+"#EXT-X-KEY:METHOD=NONE,URI=\"k\"\n"+seg0, v9+"#EXT-X-KEY:METHOD=NONE\n"+seg0),
			one(v9+"#EXT-X-KEY:URI=\"k\"\n"+seg0, v9+"#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"skd://k\",KEYFORMAT=\"com.apple.streamingkeydelivery\",KEYFORMATVERSIONS=\"1/2\"\n"+seg0),
			one(v9+"#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=12\n"+seg0, v9+"#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0X0000000000000000000000000000000f\n"+seg0),
			one(v9+"#EXT-X-KEY:METHOD=AES-256-GCM,URI=\"k\",IV=0x12\n"+seg0, v9+"#EXT-X-KEY:METHOD=AES-256-GCM,URI=\"k\"\n"+seg0),
			one("#EXT-X-SESSION-KEY:METHOD=NONE\n"+multiTag+"\nv\n", "#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\"\n"+multiTag+"\nv\n")),
		ruleMap: slices.Concat(
			one(v9+"#EXT-X-MAP:URI=\"i\",BYTERANGE=\"5\"\n"+seg0, v9+"#EXT-X-MAP:URI=\"i\",BYTERANGE=\"5@0\"\n"+seg0),
			one(v9+"#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-MAP:URI=\"i\"\n"+seg0, v9+"#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x1\n#EXT-X-MAP:URI=\"i\"\n"+seg0)),
		ruleDate: one(v3+"#EXT-X-PROGRAM-DATE-TIME:yesterday\n"+seg0,
			v3+pdtTag+"00.123+02:00\n"+seg0+discTag+pdtTag+"04\n"+seg1+pdtTag+"08+0000\n"+seg2),
		ruleGap: slices.Concat(
			two(v9+seg0+seg1, v9+seg0+seg1+gapTag+seg2, v9+seg0+seg1+seg2),
			two(v9+gapTag+seg0+gapTag+seg1, v9+gapTag+seg0+gapTag+seg1+seg2+gapTag+seg3, v9+gapTag+seg0+gapTag+seg1+gapTag+seg2)),
		rulePart: slices.Concat(
			one(v9+infTag+"#EXT-X-PART:DURATION=1\n"+seg0, v9+infTag+partTag+seg0),
			one(v9+infTag+"#EXT-X-PART:DURATION=1,URI=\"p\",BYTERANGE=\"x\"\n"+seg0, v9+infTag+"#EXT-X-PART:DURATION=1,URI=\"p\",BYTERANGE=\"5@0\"\n#EXT-X-PART:DURATION=1,URI=\"p\",BYTERANGE=\"5\"\n"+seg0)),
		rulePartLong: one(v9+infTag+"#EXT-X-PART:DURATION=1.01,URI=\"p\"\n"+seg0, v9+infTag+partTag+partTag+partTag+"#EXT-X-PART:DURATION=0.2,URI=\"p\"\n"+seg0),
		rulePartShort: one(v9+infTag+"#EXT-X-PART:DURATION=0.8,URI=\"p\"\n"+partTag+seg0,
			v9+infTag+"#EXT-X-PART:DURATION=0.8,URI=\"p\",INDEPENDENT=YES\n#EXT-X-PART:DURATION=0.86,URI=\"p\"\n#EXT-X-PART:DURATION=0.1,URI=\"p\"\n#EXT-X-PART:DURATION=1,URI=\"p\",GAP=YES\n"+seg0+"#EXT-X-PART:DURATION=0.2,URI=\"q\"\n"),
		ruleDateRange: slices.Concat(
			one(v3+pdtTag+"00Z\n"+"#EXT-X-DATERANGE:START-DATE=\"2026-05-01T12:00:00Z\"\n"+seg0, v3+pdtTag+"00Z\n"+rangeTag+"\n"+seg0),
			one(v3+pdtTag+"00Z\n"+"#EXT-X-DATERANGE:ID=\"a\"\n"+seg0, v3+pdtTag+"00Z\n"+rangeTag+"\n#EXT-X-DATERANGE:ID=\"a\",DURATION=5\n"+seg0),
			one(v3+pdtTag+"00Z\n"+rangeTag+",DURATION=-1\n"+seg0, v3+pdtTag+"00Z\n"+rangeTag+",DURATION=200000,PLANNED-DURATION=0\n"+seg0),
			one(v3+pdtTag+"00Z\n"+rangeTag+",END-DATE=\"2026-05-01T12:00:00Z\"\n"+seg0, v3+pdtTag+"00Z\n"+rangeTag+",END-DATE=\"2026-05-01T12:00:01Z\"\n"+seg0),
			one(v3+pdtTag+"00Z\n"+rangeTag+",END-DATE=\"2026-05-01T12:00:03Z\",DURATION=1\n"+seg0, v3+pdtTag+"00Z\n"+rangeTag+",END-DATE=\"2026-05-01T12:00:03Z\",DURATION=2\n"+seg0),
			one(v3+pdtTag+"00Z\n"+rangeTag+",END-ON-NEXT=YES\n"+seg0, v3+pdtTag+"00Z\n"+rangeTag+",END-ON-NEXT=YES,CLASS=\"c\",X-COM-A=0xAB,SCTE35-OUT=0xFC\n"+seg0),
			one(v3+pdtTag+"00Z\n"+rangeTag+",END-ON-NEXT=YES,CLASS=\"c\",DURATION=1\n"+seg0, v3+pdtTag+"00Z\n"+seg0)),
		ruleDateRangeConflict: slices.Concat(
			one(v3+pdtTag+"00Z\n"+rangeTag+",CLASS=\"c\"\n#EXT-X-DATERANGE:ID=\"a\",CLASS=\"d\"\n"+seg0, v3+pdtTag+"00Z\n"+rangeTag+",CLASS=\"c\"\n#EXT-X-DATERANGE:ID=\"a\",CLASS=\"c\",X-A=1\n"+seg0),
			two(v3+pdtTag+"00Z\n"+rangeTag+",CLASS=\"c\"\n"+seg0, v3+pdtTag+"00Z\n"+rangeTag+",CLASS=\"d\"\n"+seg0+seg1, v3+pdtTag+"00Z\n"+rangeTag+",CLASS=\"c\",DURATION=1\n"+seg0+seg1)),
		ruleDateRangeDate: one(v3+rangeTag+"\n"+seg0, v3+rangeTag+"\n"+pdtTag+"00Z\n"+seg0),
		ruleDateRangeRemoved: slices.Concat(
			two(v3+pdtTag+"00Z\n"+rangeTag+"\n"+seg0+seg1+seg2, v3+pdtTag+"00Z\n"+seg0+seg1+seg2+seg3, v3+pdtTag+"00Z\n"+rangeTag+"\n"+seg0+seg1+seg2+seg3),
			two(v3+pdtTag+"00Z\n"+rangeTag+"\n"+seg0+pdtTag+"04Z\n"+seg1+seg2, v3+pdtTag+"00Z\n"+seg0+pdtTag+"04Z\n"+seg1+seg2+seg3, v3+msn(1)+pdtTag+"04Z\n"+seg1+seg2+seg3)),
		ruleDateAmbiguous: one(v3+pdtTag+"00Z\n"+seg0+pdtTag+"03Z\n"+seg1, v3+pdtTag+"00Z\n"+seg0+pdtTag+"03.5Z\n"+seg1+discTag+pdtTag+"30Z\n"+seg2),
		ruleDateJump:      one(v3+pdtTag+"00Z\n"+seg0+pdtTag+"09Z\n"+seg1, v3+pdtTag+"00Z\n"+seg0+pdtTag+"08Z\n"+seg1+discTag+pdtTag+"30Z\n"+seg2),
		ruleSkip:          one(v9+"#EXT-X-SKIP:SKIPPED-SEGMENTS=2\n"+seg2, v9+seg2),
		ruleHint: slices.Concat(
			one(v9+infTag+seg0+"#EXT-X-PRELOAD-HINT:TYPE=PART\n", v9+infTag+seg0+"#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p\"\n#EXT-X-PRELOAD-HINT:TYPE=MAP,URI=\"m\"\n"),
			one(v9+infTag+seg0+"#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p\"\n#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"q\"\n", v9+infTag+seg0+"#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"p\",BYTERANGE-START=5\n")),
		ruleReport: one(v9+infTag+seg0+"#EXT-X-RENDITION-REPORT:LAST-MSN=1\n", v9+infTag+seg0+"#EXT-X-RENDITION-REPORT:URI=\"../a.m3u8\"\n#EXT-X-RENDITION-REPORT:URI=\"b.m3u8\",LAST-MSN=1,LAST-PART=0\n"),
		ruleMedia: slices.Concat(
			one("#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\"\n"+multiTag+"\nv\n", "#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\",GROUP-ID=\"g\"\n"+multiTag+"\nv\n"),
			one("#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,NAME=\"n\",GROUP-ID=\"g\"\n"+multiTag+"\nv\n", "#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,NAME=\"n\",GROUP-ID=\"g\",INSTREAM-ID=\"CC1\"\n"+multiTag+"\nv\n"),
			one("#EXT-X-MEDIA:TYPE=SUBTITLES,NAME=\"n\",GROUP-ID=\"g\"\n"+multiTag+"\nv\n", "#EXT-X-MEDIA:TYPE=SUBTITLES,NAME=\"n\",GROUP-ID=\"g\",URI=\"s\",FORCED=NO\n"+multiTag+"\nv\n"),
			one("#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\",GROUP-ID=\"g\",FORCED=YES\n"+multiTag+"\nv\n", "#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\",GROUP-ID=\"g\",DEFAULT=YES,AUTOSELECT=YES\n"+multiTag+"\nv\n"),
			one("#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\",GROUP-ID=\"g\",DEFAULT=YES,AUTOSELECT=NO\n"+multiTag+"\nv\n", multiTag+"\nv\n")),
		ruleGroup: slices.Concat(
			one("#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\",GROUP-ID=\"g\"\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\",GROUP-ID=\"g\"\n"+multiTag+"\nv\n",
				"#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\",GROUP-ID=\"g\"\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"m\",GROUP-ID=\"g\"\n"+multiTag+"\nv\n"),
			one("#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\",GROUP-ID=\"g\",DEFAULT=YES\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"m\",GROUP-ID=\"g\",DEFAULT=YES\n"+multiTag+"\nv\n",
				"#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\",GROUP-ID=\"g\",DEFAULT=YES\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\",GROUP-ID=\"h\",DEFAULT=YES\n"+multiTag+"\nv\n")),
		ruleGroupMembers: one("#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\",GROUP-ID=\"g\"\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"m\",GROUP-ID=\"g\"\n#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\",GROUP-ID=\"h\"\n"+multiTag+"\nv\n",
			"#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\",GROUP-ID=\"g\"\n#EXT-X-MEDIA:TYPE=SUBTITLES,NAME=\"m\",GROUP-ID=\"g\",URI=\"s\"\n#EXT-X-MEDIA:TYPE=SUBTITLES,NAME=\"n\",GROUP-ID=\"g\",URI=\"t\"\n"+multiTag+"\nv\n"),
		ruleNoVariants: one("#EXT-X-SESSION-DATA:DATA-ID=\"a\",VALUE=\"b\"\n", "#EXT-X-SESSION-DATA:DATA-ID=\"a\",VALUE=\"b\"\n"+multiTag+"\nv\n"),
		ruleBandwidth:  one("#EXT-X-STREAM-INF:CODECS=\"avc1\"\nv\n", multiTag+"\nv\n"),
		ruleCodecs:     one("#EXT-X-STREAM-INF:BANDWIDTH=1\nv\n", multiTag+"\nv\n"),
		ruleReference:  one(multiTag+",AUDIO=\"g\"\nv\n", "#EXT-X-MEDIA:TYPE=AUDIO,NAME=\"n\",GROUP-ID=\"g\"\n"+multiTag+",AUDIO=\"g\"\nv\n"),
		ruleCaptions:   one(multiTag+",CLOSED-CAPTIONS=NONE\nv\n"+multiTag+"\nw\n", multiTag+",CLOSED-CAPTIONS=NONE\nv\n"+multiTag+",CLOSED-CAPTIONS=NONE\nw\n"),
		ruleEmpty:      one(v3, v3+seg0),
		ruleRewritten: slices.Concat(
			two(v3+seg0+seg1, v3+seg0+"#EXTINF:4,\nx.ts\n"+seg2, v3+seg0+"#EXTINF:4.0,\n1.ts?token=1\n"+seg2),
			two(v3+seg0+seg1, v3+seg0+"#EXTINF:3,\n1.ts\n"+seg2, v3+"#EXTINF:4.000,\ntoken/new/0.ts\n#EXTINF:4.001,\ntoken/new/1.ts\n"+seg2),
			two(v3+pdtTag+"00Z\n"+seg0, v3+pdtTag+"10Z\n"+seg0+seg1, v3+pdtTag+"00.400Z\n"+seg0+seg1),
			two(v9+"#EXTINF:4,\n#EXT-X-BYTERANGE:5@0\na\n", v9+"#EXTINF:4,\n#EXT-X-BYTERANGE:5@1\na\n"+seg1, v9+"#EXTINF:4,\n#EXT-X-BYTERANGE:5@0\na\n#EXTINF:4,\n#EXT-X-BYTERANGE:5\na\n")),
		ruleTargetChanged: two(v3+seg0, "#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n"+seg0+seg1, v3+seg0+seg1),
		ruleVODOpen:       one(v3+vodTag+seg0, v3+eventTag+seg0),
		ruleTypeChanged:   two(v3+seg0, v3+eventTag+seg0+seg1, v3+seg0+seg1),
		ruleEventRemoved:  two(v3+eventTag+seg0+seg1+seg2+seg3, v3+eventTag+msn(1)+seg1+seg2+seg3, v3+eventTag+seg0+seg1+seg2+seg3+seg4),
		ruleSequence: slices.Concat(
			two(v3+msn(0)+seg0+seg1+seg2+seg3, v3+msn(1)+seg2+seg3+seg4+"#EXTINF:4,\n5.ts\n", v3+msn(2)+seg2+seg3+seg4),
			two(v3+msn(0)+seg0+seg1+seg2+seg3, v3+msn(2)+seg1+seg2+seg3+seg4, v3+msn(1)+seg1+seg2+seg3+seg4),
			two(v3+msn(0)+seg0+seg1+seg2, v3+msn(100)+seg1+seg2+seg3, v3+msn(3)+seg3+seg4+"#EXTINF:4,\n5.ts\n")),
		ruleNoSequence: two(v3+seg0+seg1+seg2+seg3, v3+seg1+seg2+seg3+seg4, v3+msn(1)+seg1+seg2+seg3+seg4),
		ruleWindow:     two(v3+seg0+seg1+seg2, v3+msn(1)+seg1+seg2, v3+msn(1)+seg1+seg2+seg3),
		ruleDSNMissing: two(v3+discTag+seg0+seg1+seg2+seg3, v3+msn(1)+seg1+seg2+seg3+seg4, v3+dsn(1)+msn(1)+seg1+seg2+seg3+seg4),
		ruleDSN: slices.Concat(
			two(v3+dsn(3)+seg0+discTag+seg1+seg2+seg3, v3+dsn(3)+msn(2)+seg2+seg3+seg4, v3+dsn(4)+msn(2)+seg2+seg3+seg4),
			two(v3+dsn(3)+seg0+discTag+seg1+seg2+seg3, v3+dsn(4)+msn(1)+discTag+seg1+seg2+seg3+seg4, v3+dsn(3)+msn(1)+discTag+seg1+seg2+seg3+seg4)),
		ruleVersion: slices.Concat(
			one(target4+"#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x1\n"+seg0, "#EXT-X-VERSION:2\n"+target4+"#EXT-X-KEY:METHOD=AES-128,URI=\"k\",IV=0x1\n"+seg0),
			one(target4+"#EXTINF:3.5,\n0.ts\n", v3+"#EXTINF:3.5,\n0.ts\n"),
			one(v3+"#EXTINF:4,\n#EXT-X-BYTERANGE:5@0\na\n", "#EXT-X-VERSION:4\n"+target4+"#EXTINF:4,\n#EXT-X-BYTERANGE:5@0\na\n"),
			one(v3+"#EXT-X-I-FRAMES-ONLY\n"+seg0, "#EXT-X-VERSION:5\n"+target4+"#EXT-X-I-FRAMES-ONLY\n#EXT-X-MAP:URI=\"i\"\n"+seg0),
			one("#EXT-X-VERSION:4\n"+target4+"#EXT-X-KEY:METHOD=AES-128,URI=\"k\",KEYFORMAT=\"identity\"\n"+seg0, "#EXT-X-VERSION:5\n"+target4+"#EXT-X-KEY:METHOD=AES-128,URI=\"k\",KEYFORMAT=\"identity\"\n"+seg0),
			one("#EXT-X-VERSION:5\n"+target4+"#EXT-X-MAP:URI=\"i\"\n"+seg0, "#EXT-X-VERSION:6\n"+target4+"#EXT-X-MAP:URI=\"i\"\n"+seg0),
			one("#EXT-X-VERSION:7\n"+target4+"#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n"+seg0, "#EXT-X-VERSION:8\n"+target4+"#EXT-X-DEFINE:NAME=\"a\",VALUE=\"b\"\n"+seg0),
			one("#EXT-X-VERSION:6\n#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,NAME=\"n\",GROUP-ID=\"g\",INSTREAM-ID=\"SERVICE1\"\n"+multiTag+"\nv\n", "#EXT-X-VERSION:7\n#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,NAME=\"n\",GROUP-ID=\"g\",INSTREAM-ID=\"SERVICE1\"\n"+multiTag+"\nv\n")),
	}
}

// TestRules breaks each rule of playlists: the broken one gives exactly that
// finding, and its legal neighbour none.
func TestRules(t *testing.T) {
	t.Parallel()
	for id, cases := range ruleCases() {
		for i, c := range cases {
			t.Run(fmt.Sprintf("%s %d", id, i), func(t *testing.T) {
				t.Parallel()
				check := func(p pair, want string) {
					list := Analyze(parsed(t, p.before), parsed(t, p.now), noon.Add(time.Second))
					if got := told(list); got != want {
						t.Errorf("got %q, want %q\n%s->\n%s%+v", got, want, p.before, p.now, list)
					}
					for _, f := range list {
						checkFinding(t, f)
					}
				}
				check(c.broken, id)
				check(c.legal, "")
			})
		}
	}
}

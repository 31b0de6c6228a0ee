package hls

import (
	"reflect"
	"testing"
	"time"
)

// What the library does not know is read all the same.
func TestScanLowLatency(t *testing.T) {
	t.Parallel()
	p := parsed(t, v9+"#EXT-X-INDEPENDENT-SEGMENTS\n#EXT-X-PART-INF:PART-TARGET=0.5\n"+
		"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL=24,CAN-SKIP-DATERANGES=YES,HOLD-BACK=12.5,PART-HOLD-BACK=1.5\n"+
		"#EXT-X-PART:DURATION=0.5,URI=\"a.mp4\",BYTERANGE=\"10@5\",INDEPENDENT=YES\n#EXT-X-PART:DURATION=0.4,URI=\"a.mp4\",BYTERANGE=\"20\",GAP=YES\n"+
		"#EXT-X-BITRATE:500\n"+seg0+seg1+"#EXT-X-PART:DURATION=0.5,URI=\"c.mp4\"\n"+
		"#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"d.mp4\",BYTERANGE-START=7,BYTERANGE-LENGTH=9\n"+
		"#EXT-X-RENDITION-REPORT:URI=\"../b.m3u8\",LAST-MSN=8,LAST-PART=2\n#EXT-X-RENDITION-REPORT:URI=\"c.m3u8\"\n")
	parts := []Part{
		{URI: "a.mp4", Duration: 500 * time.Millisecond, Independent: true, Range: ByteRange{5, 10}},
		{URI: "a.mp4", Duration: 400 * time.Millisecond, Gap: true, Range: ByteRange{15, 20}},
	}
	for what, pair := range map[string][2]any{
		"server control": {*p.ServerControl, ServerControl{CanBlockReload: true, CanSkipUntil: 24 * time.Second, CanSkipDateRanges: true, HoldBack: 12500 * time.Millisecond, PartHoldBack: 1500 * time.Millisecond}},
		"part target":    {p.PartTarget, 500 * time.Millisecond},
		"independent":    {p.IndependentSegments, true},
		"parts":          {p.Segments[0].Parts, parts},
		"no parts":       {p.Segments[1].Parts, []Part(nil)},
		"open parts":     {p.Parts, []Part{{URI: "c.mp4", Duration: 500 * time.Millisecond}}},
		"bitrate":        {p.Segments[1].Bitrate, int64(500_000)},
		"hints":          {p.PreloadHints, []PreloadHint{{Type: "PART", URI: "d.mp4", Range: ByteRange{7, 9}}}},
		"reports":        {p.RenditionReports, []RenditionReport{{URI: "../b.m3u8", LastMSN: 8, HasMSN: true, LastPart: 2}, {URI: "c.m3u8", LastPart: -1}}},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: got %+v, want %+v", what, pair[0], pair[1])
		}
	}
	if of, index, ok := p.lastPart(); of != 2 || index != 0 || !ok {
		t.Errorf("the last part is %d of %d, %v", index, of, ok)
	}
}

// A key applies until another of its KEYFORMAT, and METHOD=NONE ends all (4.4.4.4).
func TestScanKeys(t *testing.T) {
	t.Parallel()
	key := func(uri, format string) string {
		return "#EXT-X-KEY:METHOD=SAMPLE-AES,URI=\"" + uri + "\",IV=0x1,KEYFORMAT=\"" + format + "\"\n"
	}
	p := parsed(t, v9+seg0+key("a1", "a")+key("b1", "b")+seg1+key("a2", "a")+seg2+"#EXT-X-KEY:METHOD=NONE\n"+seg3+"#EXT-X-KEY:METHOD=AES-128,URI=\"k\"\n"+seg4)
	for i, want := range [][]string{nil, {"a1", "b1"}, {"b1", "a2"}, nil, {"k"}} {
		var got []string
		for _, k := range p.Segments[i].Keys {
			got = append(got, k.URI)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("segment %d: keys %v, want %v", i, got, want)
		}
	}
	for i, want := range []string{"", "SAMPLE-AES", "SAMPLE-AES", "", "AES-128"} {
		if got := p.Segments[i].Encryption; got != want {
			t.Errorf("segment %d: %q, want %q", i, got, want)
		}
	}
	if k := p.Segments[4].Keys[0]; k.KeyFormat != "identity" || k.KeyFormatVersions != "1" || k.IV != "" {
		t.Errorf("%+v", k)
	}
}

func TestScanDateRanges(t *testing.T) {
	t.Parallel()
	p := parsed(t, v3+pdtTag+"00Z\n"+rangeTag+",CLASS=\"ad\",X-COM-A=\"1\"\n"+seg0+"#EXT-X-DATERANGE:ID=\"a\",DURATION=2.5\n#EXT-X-DATERANGE:ID=\"b\",START-DATE=\"2026-05-01T14:00:05.5+02:00\",END-ON-NEXT=YES,CLASS=\"c\"\n")
	if len(p.DateRanges) != 2 {
		t.Fatalf("%+v", p.DateRanges)
	}
	a, b := p.DateRanges[0], p.DateRanges[1]
	start := time.Date(2026, 5, 1, 12, 0, 1, 0, time.UTC)
	if a.Class != "ad" || !a.Start.Equal(start) || !a.End.Equal(start.Add(2500*time.Millisecond)) || a.Duration != 2500*time.Millisecond || a.attributes.text("X-COM-A") != "1" {
		t.Errorf("%+v", a)
	}
	if !b.EndOnNext || b.Class != "c" || !b.Start.Equal(start.Add(4500*time.Millisecond)) || !b.End.IsZero() || b.Duration != -1 {
		t.Errorf("%+v", b)
	}
}

func TestScanMultivariant(t *testing.T) {
	t.Parallel()
	p := parsed(t, "#EXT-X-VERSION:7\n#EXT-X-INDEPENDENT-SEGMENTS\n"+
		"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"English\",LANGUAGE=\"en\",DEFAULT=YES,AUTOSELECT=YES,CHANNELS=\"2\",URI=\"en.m3u8\"\n"+
		"#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID=\"s\",NAME=\"Deutsch\",LANGUAGE=\"de\",FORCED=YES,URI=\"de.m3u8\"\n"+
		"#EXT-X-MEDIA:TYPE=CLOSED-CAPTIONS,GROUP-ID=\"c\",NAME=\"CC\",INSTREAM-ID=\"SERVICE3\"\n"+
		"#EXT-X-SESSION-KEY:METHOD=AES-128,URI=\"k\"\n#EXT-X-CONTENT-STEERING:SERVER-URI=\"s\"\n"+
		"#EXT-X-STREAM-INF:BANDWIDTH=900000,AVERAGE-BANDWIDTH=800000,CODECS=\"avc1.64001f,mp4a.40.2\",RESOLUTION=1280x720,FRAME-RATE=29.970,AUDIO=\"a\",SUBTITLES=\"s\",CLOSED-CAPTIONS=\"c\",PATHWAY-ID=\"one\"\n720.m3u8\n"+
		"#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=90000,CODECS=\"avc1.64001f\",URI=\"i.m3u8\"\n")
	for what, pair := range map[string][2]any{
		"variants": {p.Variants, []Variant{{
			URI: "720.m3u8", Bandwidth: 900_000, AverageBandwidth: 800_000, Codecs: "avc1.64001f,mp4a.40.2", Resolution: "1280x720",
			FrameRate: 29.97, Audio: "a", Subtitles: "s", ClosedCaptions: "c", Pathway: "one",
		}}},
		"I-frames": {p.IFrames, []Variant{{URI: "i.m3u8", Bandwidth: 90_000, Codecs: "avc1.64001f"}}},
		"renditions": {p.Renditions, []Rendition{
			{Type: "AUDIO", Group: "a", Name: "English", Language: "en", URI: "en.m3u8", Default: true, AutoSelect: true, Channels: "2"},
			{Type: "SUBTITLES", Group: "s", Name: "Deutsch", Language: "de", URI: "de.m3u8", Forced: true},
			{Type: "CLOSED-CAPTIONS", Group: "c", Name: "CC", Instream: "SERVICE3"},
		}},
		"session keys": {p.SessionKeys, []Key{{Method: "AES-128", URI: "k", KeyFormat: "identity", KeyFormatVersions: "1"}}},
		"independent":  {p.IndependentSegments, true},
	} {
		if !reflect.DeepEqual(pair[0], pair[1]) {
			t.Errorf("%s: got %+v, want %+v", what, pair[0], pair[1])
		}
	}
	if found := Analyze(nil, p, noon); len(found) > 0 {
		t.Errorf("%+v", found)
	}
}

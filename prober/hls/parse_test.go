package hls

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"streamcanary/prober"
)

const mediaHead = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n"

func TestParseMedia(t *testing.T) {
	t.Parallel()
	const text = "#EXTM3U\r\n" +
		"#EXT-X-VERSION:6\r\n" +
		"#EXT-X-TARGETDURATION:4\r\n" +
		"#EXT-X-MEDIA-SEQUENCE:18446744073709000000\r\n" +
		"#EXT-X-DISCONTINUITY-SEQUENCE:7\r\n" +
		"\r\n" +
		"#EXT-X-MAP:URI=\"init.mp4\",BYTERANGE=\"800@16\"\r\n" +
		"\r\n" + // the library panics on this
		"#EXT-X-PROGRAM-DATE-TIME:2026-05-01T12:00:00.250Z\r\n" +
		"#EXTINF:4.004,title, with a comma\r\n" +
		"#EXT-X-BYTERANGE:1000@100\r\n" +
		"a.mp4\r\n" +
		"#EXTINF:4,\r\n" +
		"#EXT-X-BYTERANGE:500\r\n" + // goes on at 1100
		"a.mp4\r\n" +
		"#EXT-X-DISCONTINUITY\r\n" +
		"#EXT-X-GAP\r\n" +
		"#EXT-X-KEY:METHOD=AES-128,URI=\"key\"\r\n" +
		"#EXTINF:3.5\r\n" +
		"b.mp4?x=1\r\n" +
		"#EXT-X-KEY:METHOD=NONE\r\n" +
		"#EXT-X-MAP:URI=\"init2.mp4\"\r\n" +
		"#EXTINF:3.5,\r\n" +
		"c.mp4\r\n" +
		"#EXT-X-PART:DURATION=0.5,URI=\"part\"\r\n" +
		"#EXT-X-ENDLIST"
	got, fail := Parse([]byte(text))
	if fail != nil {
		t.Fatal(fail)
	}
	first := Init{URI: "init.mp4", Range: ByteRange{Offset: 16, Length: 800}}
	keys := []Key{{Method: "AES-128", URI: "key", KeyFormat: "identity", KeyFormatVersions: "1"}}
	want := &Playlist{
		Version: 6, TargetDuration: 4 * time.Second, MediaSequence: 18446744073709000000, DiscontinuitySequence: 7, EndList: true,
		Segments: []Segment{
			{Sequence: 18446744073709000000, URI: "a.mp4", Duration: 4004 * time.Millisecond, Init: first,
				ProgramDateTime: time.Date(2026, 5, 1, 12, 0, 0, 250e6, time.UTC), Range: ByteRange{Offset: 100, Length: 1000}},
			{Sequence: 18446744073709000001, URI: "a.mp4", Duration: 4 * time.Second, Init: first, Range: ByteRange{Offset: 1100, Length: 500}},
			{Sequence: 18446744073709000002, URI: "b.mp4?x=1", Duration: 3500 * time.Millisecond, Init: first, Discontinuity: true, Gap: true, Encryption: "AES-128", Keys: keys},
			{Sequence: 18446744073709000003, URI: "c.mp4", Duration: 3500 * time.Millisecond, Init: Init{URI: "init2.mp4"}},
		},
		Parts: []Part{{URI: "part", Duration: 500 * time.Millisecond}},
		Next:  Segment{Sequence: 18446744073709000004, Init: Init{URI: "init2.mp4"}},
	}
	got.seen = scanned{} // told by the findings of other tests
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseMultivariant(t *testing.T) {
	t.Parallel()
	const text = "#EXTM3U\n" +
		"#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID=\"a\",NAME=\"English, UK\",URI=\"a.m3u8\"\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS=\"avc1.64001e,mp4a.40.2\",RESOLUTION=640x360,AUDIO=\"a\"\n\n" +
		"v/low.m3u8?t=1\n" +
		"#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=1,URI=\"i.m3u8\"\n" +
		"#EXT-X-STREAM-INF:BANDWIDTH=5000000\nhigh.m3u8\n" +
		"#EXT-X-VERSION:6\n" // the library takes a late version tag for a media playlist's
	got, fail := Parse([]byte(text))
	if fail != nil {
		t.Fatal(fail)
	}
	want := &Playlist{
		Version: 6, Multivariant: true,
		Variants: []Variant{
			{URI: "v/low.m3u8?t=1", Bandwidth: 500000, Codecs: "avc1.64001e,mp4a.40.2", Resolution: "640x360", Audio: "a"},
			{URI: "high.m3u8", Bandwidth: 5000000},
		},
		IFrames:    []Variant{{URI: "i.m3u8", Bandwidth: 1}},
		Renditions: []Rendition{{Type: "AUDIO", Group: "a", Name: "English, UK", URI: "a.m3u8"}},
	}
	got.seen = scanned{}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestParseFailures(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, text string
		reason     prober.Reason
		detail     string
	}{
		{"nothing", "", prober.ReasonEmptyBody, "0 bytes"},
		{"blanks", " \r\n\t\n", prober.ReasonEmptyBody, "no content"},
		{"HTML", "<!DOCTYPE html>\n<html>", prober.ReasonNotAPlaylist, `"<!DOCTYPE html>"`},
		{"JSON", `{"errors":["not found"]}`, prober.ReasonNotAPlaylist, "4.4.1.1"},
		{"byte order mark", "\ufeff#EXTM3U\n", prober.ReasonNotAPlaylist, `\ufeff#EXTM3U`},
		{"tag that only begins so", "#EXTM3UX\n", prober.ReasonNotAPlaylist, "#EXTM3UX"},
		{"late header", "\n#EXTM3U\n", prober.ReasonNotAPlaylist, "first line"},
		{"URI without EXTINF", mediaHead + "#EXT-X-KEY:METHOD=NONE\nseg.ts\n", prober.ReasonPlaylistMalformed, "line 4: a URI without EXTINF"},
		{"EXTINF without URI", mediaHead + "#EXTINF:4,\n", prober.ReasonPlaylistMalformed, "line 3: ends where the URI of EXTINF"},
		{"two EXTINF", mediaHead + "#EXTINF:4,\n#EXTINF:4,\na\n", prober.ReasonPlaylistMalformed, "line 4: EXTINF where the URI"},
		{"no target duration", "#EXTM3U\n#EXTINF:4,\na\n", prober.ReasonPlaylistMalformed, "TARGETDURATION"},
		{"target duration NaN", "#EXTM3U\n#EXT-X-TARGETDURATION:NaN\n", prober.ReasonPlaylistMalformed, "NaN"},
		{"duration negative", mediaHead + "#EXTINF:-1,\na\n", prober.ReasonPlaylistMalformed, "EXTINF:-1"},
		{"duration endless", mediaHead + "#EXTINF:1e300,\na\n", prober.ReasonPlaylistMalformed, "EXTINF:1e300"},
		{"duration missing", mediaHead + "#EXTINF:,\na\n", prober.ReasonPlaylistMalformed, "not a duration"},
		{"sequence too large", mediaHead + "#EXT-X-MEDIA-SEQUENCE:18446744073709551616\n#EXTINF:4,\na\n", prober.ReasonPlaylistMalformed, "not a number in range"},
		{"sequence that would wrap", mediaHead + "#EXT-X-MEDIA-SEQUENCE:18446744073709551615\n#EXTINF:4,\na\n", prober.ReasonPlaylistMalformed, "wrap"},
		{"both kinds", mediaHead + "#EXTINF:4,\na\n#EXT-X-STREAM-INF:BANDWIDTH=1\nb\n", prober.ReasonPlaylistMalformed, "both #EXTINF and #EXT-X-STREAM-INF"},
		{"variant without URI", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\n#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", prober.ReasonPlaylistMalformed, "line 3"},
		{"delta update without a number", mediaHead + "#EXT-X-SKIP:\n#EXTINF:4,\na\n", prober.ReasonPlaylistMalformed, "SKIPPED-SEGMENTS"},
		{"too many segments", mediaHead + strings.Repeat("#EXTINF:1,\na\n", maxSegments+1), prober.ReasonTooLarge, "50000 segments"},
		{"too many variants", "#EXTM3U\n" + strings.Repeat("#EXT-X-STREAM-INF:BANDWIDTH=1\na\n", maxVariants+1), prober.ReasonTooLarge, "200 variants"},
		{"too many renditions", "#EXTM3U\n" + strings.Repeat("#EXT-X-MEDIA:TYPE=AUDIO\n", maxRenditions+1), prober.ReasonTooLarge, "1000 renditions"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, fail := Parse([]byte(tt.text))
			if p != nil || fail == nil {
				t.Fatalf("got %+v, %v", p, fail)
			}
			if fail.Outcome != prober.Fail || fail.Stage != prober.StageManifest || fail.Reason != tt.reason || !strings.Contains(fail.Detail, tt.detail) {
				t.Errorf("got %+v, want %s with %q", *fail, tt.reason, tt.detail)
			}
			if bound := tt.reason == prober.ReasonTooLarge; (fail.Section == "") != bound || !bound && !strings.HasSuffix(fail.Detail, " ("+fail.Section+")") {
				t.Errorf("%q stands in %q", fail.Detail, fail.Section)
			}
			if moved := at(strings.Repeat("x", prober.MaxDetail), fail); moved.Section != fail.Section || len(moved.Detail) > prober.MaxDetail || fail.Section != "" && !strings.HasSuffix(moved.Detail, " ("+fail.Section+")") {
				t.Errorf("at a place: %+v", *moved)
			}
		})
	}
}

// A playlist that lists nothing yet is one, and Analyze says so.
func TestParseNothingYet(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"#EXTM3U", "#EXTM3U\n#EXT-X-VERSION:3\n", mediaHead} {
		if p, fail := Parse([]byte(text)); fail != nil || p.Multivariant || len(p.Segments) != 0 {
			t.Errorf("%q: %+v, %v", text, p, fail)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(mediaHead + "#EXTINF:4,\nseg.ts\n#EXT-X-ENDLIST\n"))
	f.Add([]byte("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1,CODECS=\"avc1,mp4a\"\nv.m3u8\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		before := string(body)
		p, fail := Parse(body)
		switch {
		case string(body) != before:
			t.Fatal("Parse wrote into its input")
		case (p == nil) == (fail == nil):
			t.Fatalf("want a playlist or a failure, got %v and %v", p, fail)
		case fail != nil:
			checkFailure(t, fail)
			return
		}
		for i, s := range p.Segments {
			if s.Sequence != p.MediaSequence+uint64(i) || s.URI == "" || s.Duration < 0 || s.Duration > maxDuration ||
				s.Range.Offset < 0 || s.Range.Length < 0 {
				t.Fatalf("segment %d of %d: %+v", i, p.MediaSequence, s)
			}
		}
		alone := Analyze(nil, p, time.Unix(0, 0))
		for _, f := range Analyze(p, p, p.Updated) {
			if !slices.ContainsFunc(alone, func(g prober.Finding) bool { return g.Rule == f.Rule }) {
				t.Fatalf("the same playlist twice at once breaks a rule: %+v", f)
			}
		}
	})
}

// checkFailure holds what every failure of the parser must be. The library
// must not have panicked: recover is a guard, not the way.
func checkFailure(t *testing.T, fail *prober.Failure) {
	t.Helper()
	if fail.Outcome != prober.Fail || fail.Stage != prober.StageManifest || len(fail.Detail) > prober.MaxDetail || fail.Detail == "" {
		t.Fatalf("%+v", *fail)
	}
	if strings.Contains(fail.Detail, parserPanicked) {
		t.Fatalf("the library panicked: %s", fail.Detail)
	}
}

// A long line is too much only where it is read.
func TestLongLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 70<<10)
	playlist := func(line string) []byte {
		return []byte("#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:4\n" + line + "\n#EXTINF:4,\na.ts\n")
	}
	for _, line := range []string{"# " + long, "#EXT-X-VENDOR:" + long, "#EXT-OATCLS-SCTE35:{$none}" + long} {
		if _, fail := Parse(playlist(line)); fail != nil {
			t.Errorf("%.30s: %+v", line, fail)
		}
	}
	for _, line := range []string{"#EXT-X-DATERANGE:" + long, "#EXT-X-KEY:" + long, "#EXTINF:4,\n" + long} {
		if _, fail := Parse(playlist(line)); fail == nil || fail.Reason != prober.ReasonTooLarge {
			t.Errorf("%.30s: %+v", line, fail)
		}
	}
}

// Every section of a failure can be given a severity.
func TestFailureSections(t *testing.T) {
	t.Parallel()
	sections := regexp.MustCompile(`(?:against|malformed)\("([0-9.]+)"`)
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := []string{headerSection}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range sections.FindAllSubmatch(text, -1) {
			used = append(used, string(m[1]))
		}
	}
	slices.Sort(used)
	if used = slices.Compact(used); !slices.Equal(used, failureSections()) {
		t.Errorf("used are %q", used)
	}
	for _, section := range used {
		r := Rules{Severity: map[string]prober.Severity{section: prober.SeverityNote}, Expect: ExpectAny}
		if err := r.Check(); err != nil {
			t.Error(err)
		}
		if fail := r.condition(against(section, prober.ReasonPlaylistMalformed, "x")); fail != nil {
			t.Errorf("%s as a note is still %+v", section, fail)
		}
	}
}

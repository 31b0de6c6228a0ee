package hls

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"streamcanary/prober"
)

func TestDefine(t *testing.T) {
	t.Parallel()
	source := Source{
		URL:     &url.URL{RawQuery: "token=a%2Fb&token=c&quote=%22&none="},
		Defines: map[string]string{"base": "https://cdn.example", "empty": ""},
	}
	tests := []struct{ name, text, want string }{ // want is the URI of the last segment, or ! and what the failure says
		{"name", "#EXT-X-DEFINE:NAME=\"a-B_1\",VALUE=\"x\"\n" + "#EXTINF:4,\n{$a-B_1}/{$a-B_1}.ts", "x/x.ts"},
		{"empty value", "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"\"\n" + "#EXTINF:4,\n{$a}0.ts", "0.ts"},
		{"import", "#EXT-X-DEFINE:IMPORT=\"base\"\n#EXTINF:4,\n{$base}/0.ts", "https://cdn.example/0.ts"},
		{"import of an empty one", "#EXT-X-DEFINE:IMPORT=\"empty\"\n#EXTINF:4,\n{$empty}/0.ts", "/0.ts"},
		{"query parameter", "#EXT-X-DEFINE:QUERYPARAM=\"token\"\n#EXTINF:4,\n0.ts?t={$token}", "0.ts?t=a/b"},
		{"not twice over", "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"{$b}\"\n#EXT-X-DEFINE:NAME=\"b\",VALUE=\"x\"\n#EXTINF:4,\n{$a}", "{$b}"},
		{"braces without a variable", "#EXTINF:4,\n{$a}.ts", "{$a}.ts"},
		{"braces that are no reference", "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"x\"\n#EXTINF:4,\n{$a b}{$", "{$a b}{$"},
		{"undefined", "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"x\"\n#EXTINF:4,\n{$b}", "!line 5: {$b} is not defined (4.3)"},
		{"defined too late", "#EXT-X-DEFINE:NAME=\"b\",VALUE=\"x\"\n#EXTINF:4,\n{$a}\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"x\"", "!{$a} is not defined"},
		{"defined twice", "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"x\"\n#EXT-X-DEFINE:IMPORT=\"base\"\n#EXT-X-DEFINE:NAME=\"a\",VALUE=\"x\"", "!second time"},
		{"nothing to import", "#EXT-X-DEFINE:IMPORT=\"other\"", "!no value for \"other\""},
		{"no such parameter", "#EXT-X-DEFINE:QUERYPARAM=\"other\"", "!no value for \"other\""},
		{"parameter without a value", "#EXT-X-DEFINE:QUERYPARAM=\"none\"", "!no value for \"none\""},
		{"parameter with a quote", "#EXT-X-DEFINE:QUERYPARAM=\"quote\"", "!no value for \"quote\""},
		{"a line of nothing", "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"\"\n#EXT-X-MAP:URI=\"i\"\n#EXTINF:4,\n{$a}", "!no URI"},
		{"a line of a tag", "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"#EXT-X-ENDLIST\"\n#EXTINF:4,\n{$a}", "!no URI"},
		{"no value", "#EXT-X-DEFINE:NAME=\"a\"", "!no value for \"a\""},
		{"no name", "#EXT-X-DEFINE:VALUE=\"a\"", "!wants one of"},
		{"two names", "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"x\",IMPORT=\"base\"", "!wants one of"},
		{"no legal name", "#EXT-X-DEFINE:NAME=\"a b\",VALUE=\"x\"", "!no name of a variable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p, fail := ParseFrom([]byte("#EXTM3U\n"+target4+tt.text+"\n"), source)
			if want, fails := strings.CutPrefix(tt.want, "!"); fails {
				if fail == nil || fail.Reason != prober.ReasonPlaylistMalformed || !strings.Contains(fail.Detail, want) {
					t.Errorf("got %+v and %v, want %q", p, fail, want)
				}
				return
			}
			if fail != nil || p.Segments[len(p.Segments)-1].URI != tt.want {
				t.Errorf("got %+v and %v, want %q", p, fail, tt.want)
			}
		})
	}
}

// What a multivariant playlist defines is there for its media playlists.
func TestDefineImport(t *testing.T) {
	t.Parallel()
	top, fail := Parse([]byte("#EXTM3U\n#EXT-X-DEFINE:NAME=\"h\",VALUE=\"cdn\"\n" + multiTag + ",AUDIO=\"{$h}\"\n{$h}/v.m3u8\n"))
	if fail != nil || top.Variants[0].URI != "cdn/v.m3u8" || top.Variants[0].Audio != "cdn" {
		t.Fatalf("%+v %v", top, fail)
	}
	p, fail := ParseFrom([]byte("#EXTM3U\n"+target4+"#EXT-X-DEFINE:IMPORT=\"h\"\n#EXT-X-MAP:URI=\"{$h}/i\"\n#EXTINF:4,\n{$h}.ts\n"), Source{Defines: top.Defines})
	if fail != nil || p.Segments[0].URI != "cdn.ts" || p.Segments[0].Init.URI != "cdn/i" {
		t.Errorf("%+v %v", p, fail)
	}
	if _, fail := ParseFrom([]byte("#EXTM3U\n#EXT-X-DEFINE:IMPORT=\"h\"\n"+multiTag+"\nv\n"), Source{Defines: top.Defines}); fail == nil || !strings.Contains(fail.Detail, "IMPORT in a multivariant") {
		t.Error(fail)
	}
}

// A short playlist must not make an endless one.
func TestDefineIsBounded(t *testing.T) {
	t.Parallel()
	bomb := "#EXTM3U\n" + target4 + "#EXT-X-DEFINE:NAME=\"a\",VALUE=\"" + strings.Repeat("x", 100_000) + "\"\n#EXTINF:4,\n" + strings.Repeat("{$a}", 100_000) + "\n"
	if _, fail := Parse([]byte(bomb)); fail == nil || fail.Reason != prober.ReasonTooLarge {
		t.Error(fail)
	}
	var many strings.Builder
	for i := range maxDefines + 1 {
		_, _ = fmt.Fprintf(&many, "#EXT-X-DEFINE:NAME=\"a%d\",VALUE=\"\"\n", i)
	}
	if _, fail := Parse([]byte("#EXTM3U\n" + many.String())); fail == nil || fail.Reason != prober.ReasonTooLarge {
		t.Error(fail)
	}
}

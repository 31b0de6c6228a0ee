package hls

import (
	"fmt"
	"html"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"streamcanary/prober"
)

// However a server writes a secret, and wherever the text is cut, no more than three
// bytes of it are left: prober.Hide has to know a beginning by how cutAt ends.
func TestCutAtHides(t *testing.T) {
	t.Parallel()
	const secret = `q7Zk2+x9/r4Tn"Hs1é<6Wc3&b5Jf0%pKzQe7\tUv2=iAo9`
	for name, said := range map[string]string{
		"as it is": secret, "query": url.QueryEscape(secret), "path": url.PathEscape(secret), "HTML": html.EscapeString(secret),
		"JSON": strings.NewReplacer(`"`, `\"`, `\`, `\\`, "é", `\u00e9`, "<", `\u003c`, "&", `\u0026`).Replace(secret),
		"PHP":  strings.NewReplacer(`"`, `\"`, `\`, `\\`, "é", `\u00e9`, "/", `\/`).Replace(secret),
	} {
		for pad := range 60 {
			for _, quote := range []string{"begins with %s", "begins with %q"} {
				text := fmt.Sprintf(quote, cutAt(strings.Repeat(" ", pad)+said+" later", 60))
				text = prober.Clip(text, 72)
				got := prober.Hide(text, prober.Secret("Bearer "+url.QueryEscape(secret)), prober.Secret(secret))
				for i := range len(said) - 3 {
					if piece := said[i : i+4]; strings.Contains(got, piece) {
						t.Errorf("%s: %s became %s, with %q in it", name, text, got, piece)
						break
					}
				}
			}
		}
	}
}

func TestCutAt(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{"": "", "abcd": "abcd", "abcde": "abcd...", "abcéf": "abc...", "ab\xff\xff\xff": "ab\xff\xff...", "éééé": "éé...", "a\x80\x80\x80\x80\x80": "a..."} {
		got := cutAt(in, 4)
		if got != want || utf8.ValidString(in) && !utf8.ValidString(got) {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

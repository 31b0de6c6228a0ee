package prober_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"streamcanary/prober"
)

func TestClip(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, in, want string }{
		{"short", "as it is", "as it is"},
		{"at the bound", "0123456789", "0123456789"},
		{"above the bound", "01234567890", "0123456..."},
		{"between bytes of a character", "012345üü", "012345üü"},
		{"amid a character", "012345üüü", "012345..."},
		{"lines", "a\r\nb\tc", "a  b c"},
		{"terminal", "\x1b[31m", " [31m"},
		{"separator", "a\u2028b", "a b"},
		{"not UTF-8", "a\xff\xfeb", "a?b"},
		{"shrinks into the bound", "\u2028\u2028\u2028\u2028", "    "},
		{"shrinks, but was cut off", strings.Repeat("\xff", 41), "?..."},
		{"nothing", "", ""},
	} {
		if got := prober.Clip(tt.in, 10); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func FuzzClip(f *testing.F) {
	f.Add("a\r\nü\xff\u2028", uint8(3))
	f.Add(strings.Repeat("\U0001F600", 100), uint8(255))
	f.Fuzz(func(t *testing.T, s string, n uint8) {
		limit := max(int(n), 3)
		got := prober.Clip(s, limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q, at most %d bytes: got %q", s, limit, got)
		}
		if again := prober.Clip(got, limit); again != got {
			t.Errorf("%q becomes %q", got, again)
		}
	})
}

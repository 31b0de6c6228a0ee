package prober

import (
	"html"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// reading is a way to read a text at a place: the character that stands there, in one
// case, and where it ends.
type reading struct {
	char rune
	end  int
}

// unprintable is the character of which only that is known.
const unprintable = -1

// printable says whether Clip keeps a character.
func printable(r rune) bool { return r != utf8.RuneError && unicode.IsPrint(r) }

// is says whether a character may have been written so: U+FFFD stands for bytes of none.
func (w reading) is(r rune) bool {
	return w.char == r || w.char == unprintable && !printable(r) || w.char == utf8.RuneError && r >= broken
}

// reader reads one text as URLs, HTML, JSON and quotes write it.
type reader struct {
	text string
	runs []int // by place, the end of the backslashes there; nil: the text has none
}

// plain says whether a byte is a character, and stands for no other.
func plain(c byte) bool {
	switch c {
	case '%', '+', ' ', '?', '&', '\\':
		return false
	}
	return c < utf8.RuneSelf
}

func newReader(text string) reader {
	r := reader{text: text}
	if strings.IndexByte(text, '\\') < 0 {
		return r
	}
	r.runs = make([]int, len(text))
	for at, end := len(text)-1, len(text); at >= 0; at-- {
		if text[at] != '\\' {
			end = at
		}
		r.runs[at] = end
	}
	return r
}

// afterBackslashes is where the backslashes at a place end, however many quotes have
// quoted there; the place itself if there are none.
func (r reader) afterBackslashes(at int) int {
	if r.runs == nil || at >= len(r.text) {
		return at
	}
	return r.runs[at]
}

// read adds the ways to read the text at a place, which are six at most: as it is, and
// as what stands for another character. escaped says that backslashes before it belong
// to a character before, and may be more than that one's.
func (r reader) read(ways []reading, at int, escaped bool) []reading {
	c := r.text[at]
	if c == '\\' {
		end := r.afterBackslashes(at)
		ways = append(ways, reading{'\\', end})
		if end < len(r.text) {
			char, size := decode(r.text, end)
			ways = r.escape(append(ways, reading{char, end + size}), end)
		}
		return ways
	}
	char, size := decode(r.text, at)
	ways = append(ways, reading{char, at + size})
	switch c {
	case '%':
		ways = r.hexed(ways, at, "%")
		ways = r.hexed(ways, at, "%25") // an address in another's query
	case '+':
		ways = append(ways, reading{' ', at + 1})
	case ' ', '?': // Clip puts them in the place of what cannot be printed
		ways = append(ways, reading{unprintable, at + 1})
	case '&':
		ways = r.entity(ways, at)
	}
	if escaped {
		ways = r.escape(ways, at)
	}
	return ways
}

// escape adds what the text has at a place behind backslashes.
func (r reader) escape(ways []reading, at int) []reading {
	const letters, meant = `abfnrtv`, "\a\b\f\n\r\t\v"
	switch c := r.text[at] | 0x20; {
	case c == 'x':
		return r.hexed(ways, at, r.text[at:at+1])
	case c == 'u':
		return r.unicode(ways, at)
	case strings.IndexByte(letters, c) >= 0:
		return append(ways, reading{rune(meant[strings.IndexByte(letters, c)]), at + 1})
	}
	return ways
}

// unicode adds the character of "u0041" or "U00000041".
func (r reader) unicode(ways []reading, at int) []reading {
	if char, ok := r.digits(at+1, 8); ok && char <= unicode.MaxRune {
		ways = append(ways, reading{fold(char), at + 9})
	}
	char, ok := r.digits(at+1, 4)
	if !ok {
		return ways
	}
	end := at + 5
	if utf16.IsSurrogate(char) {
		low := r.afterBackslashes(end)
		second, ok := r.digits(low+1, 4)
		if low == end || !ok || r.text[low]|0x20 != 'u' {
			return ways
		}
		char, end = utf16.DecodeRune(char, second), low+5
	}
	return append(ways, reading{fold(char), end})
}

// hexed adds the character whose bytes stand at a place in hexadecimal, each behind a
// mark: one for "%", and "x" behind backslashes.
func (r reader) hexed(ways []reading, at int, mark string) []reading {
	var bytes [utf8.UTFMax]byte
	for n := range bytes {
		if n > 0 && mark[0] != '%' { // the backslashes before the first were read
			next := r.afterBackslashes(at)
			if next == at {
				break
			}
			at = next
		}
		if !strings.HasPrefix(r.text[at:], mark) {
			break
		}
		value, ok := r.digits(at+len(mark), 2)
		if !ok {
			break
		}
		at += len(mark) + 2
		bytes[n] = byte(value) //nolint:gosec // two digits
		if n == 0 && value >= utf8.RuneSelf {
			ways = append(ways, reading{broken + value, at})
		}
		if char, size := utf8.DecodeRune(bytes[:n+1]); size == n+1 && (char != utf8.RuneError || n > 0) {
			return append(ways, reading{fold(char), at})
		}
	}
	return ways
}

// digits is a number in so many hexadecimal digits.
func (r reader) digits(at, count int) (n rune, ok bool) {
	if at+count > len(r.text) {
		return 0, false
	}
	for _, c := range []byte(r.text[at : at+count]) {
		switch {
		case n > unicode.MaxRune:
			return 0, false
		case c >= '0' && c <= '9':
			n = n<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			n = n<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}

// entity adds the character that is referred to at a place (HTML 13.5).
func (r reader) entity(ways []reading, at int) []reading {
	const longest = 12
	rest := r.text[at:min(len(r.text), at+longest)]
	end := strings.IndexByte(rest, ';')
	if end < 2 {
		return ways
	}
	said := html.UnescapeString(rest[:end+1])
	if char, size := decode(said, 0); size == len(said) {
		ways = append(ways, reading{char, at + end + 1})
	}
	return ways
}

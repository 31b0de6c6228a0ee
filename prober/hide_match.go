package prober

import (
	"encoding/hex"
	"html"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// form is what is looked for in a text: a whole secret, or a part of one, of which the
// beginning is enough.
type form struct {
	text string
	part bool
}

// escapes begin what stands for another character.
const escapes = `%+ ?&\`

// match is the length of what a text has of the form at a place, the longest there is;
// 0 is nothing.
func (f form) match(text string, at int) int {
	if text[at] < utf8.RuneSelf && text[at]|0x20 != f.text[0]|0x20 && f.text[0] < utf8.RuneSelf && strings.IndexByte(escapes, text[at]) < 0 {
		return 0 // as nearly everywhere
	}
	best, ends := 0, []int{at} // of the ways to read what was read so far
	for i := 0; i < len(f.text); {
		for _, end := range ends {
			best = max(best, f.beginning(text, at, end, i))
		}
		_, size := utf8.DecodeRuneInString(f.text[i:])
		var next []int
		for _, end := range ends {
			next = read(next, text, end, f.text[i:i+size])
		}
		if len(next) == 0 {
			return best
		}
		ends = next
		i += size
	}
	for _, end := range ends {
		if len(f.text) >= shortSecret || !inWord(text, at-1) && !inWord(text, end) {
			best = max(best, end-at)
		}
	}
	return best
}

// beginning is the length of what a text has of a part when length bytes of it were
// read up to end; 0 is too little.
func (f form) beginning(text string, at, end, length int) int {
	if !f.part || length < shortSecret {
		return 0
	}
	if cut := cutOff(text, end); cut >= 0 {
		return cut - at
	}
	if length < leastBeginning {
		return 0
	}
	return end - at
}

// cutOff is where a text was cut off, if that is at a place or in an escape that
// begins there; -1 is elsewhere.
func cutOff(text string, at int) int {
	const more, longest = "...", len(`\\\\U0010ffff`)
	rest := text[at:]
	if i := strings.Index(rest[:min(len(rest), longest+len(more))], more); i == 0 || i > 0 && strings.IndexByte(`%\&`, rest[0]) >= 0 {
		return at + i
	}
	return -1
}

func inWord(text string, at int) bool {
	return at >= 0 && at < len(text) && (text[at] >= '0' && text[at] <= '9' || text[at]|0x20 >= 'a' && text[at]|0x20 <= 'z' || text[at] >= 0x80)
}

// read adds to ends where a character ends that a text has at a place, for each way to
// write it: as it is, and as URLs, HTML, JSON and quotes escape it.
func read(ends []int, text string, at int, char string) []int {
	if at >= len(text) {
		return ends
	}
	add := func(from int, written string) {
		if end := from + len(written); from < end && end <= len(text) && strings.EqualFold(text[from:end], written) && !slices.Contains(ends, end) {
			ends = append(ends, end)
		}
	}
	add(at, char)
	switch text[at] {
	case '%':
		add(at, hexed(char, "%"))
		add(at, hexed(char, "%25")) // an address in another's query
	case '+':
		if char == " " {
			add(at, "+")
		}
	case ' ', '?': // Clip puts them in the place of what cannot be printed
		if r, _ := utf8.DecodeRuneInString(char); !unicode.IsPrint(r) || r == utf8.RuneError {
			add(at, text[at:at+1])
		}
	case '&':
		add(at, entity(text[at:], char))
	case '\\':
		readEscape(add, text, at, char)
	}
	return ends
}

// maxBackslashes bounds those before a character: JSON's in a Go string has three, and
// that in another seven.
const maxBackslashes = 8

// readEscape adds what follows backslashes, as many as there are when quotes are quoted.
func readEscape(add func(int, string), text string, at int, char string) {
	for n := 1; n <= maxBackslashes && at+n <= len(text) && text[at+n-1] == '\\'; n++ {
		slashes := text[at : at+n]
		add(at, slashes+char)
		add(at, hexed(char, slashes+"x"))
		r, size := utf8.DecodeRuneInString(char)
		if r == utf8.RuneError && size == 1 {
			continue
		}
		add(at, slashes+"U"+digits(r, 8))
		if high, low := utf16.EncodeRune(r); high != unicode.ReplacementChar {
			add(at, slashes+"u"+digits(high, 4)+slashes+"u"+digits(low, 4))
			continue
		}
		add(at, slashes+"u"+digits(r, 4))
		if short := strconv.QuoteRune(r); len(short) == len(`'\n'`) && short[1] == '\\' {
			add(at, slashes+short[2:3])
		}
	}
}

// hexed is a character's bytes in hexadecimal, each behind a mark.
func hexed(char, mark string) string {
	var b strings.Builder
	for i := range len(char) {
		b.WriteString(mark + hex.EncodeToString([]byte{char[i]}))
	}
	return b.String()
}

func digits(r rune, width int) string {
	s := strconv.FormatInt(int64(r), 16)
	return strings.Repeat("0", width-len(s)) + s
}

// entity is the reference to a character that a text begins with (HTML 13.5), "" where
// it is none or another's.
func entity(text, char string) string {
	const longest = 12
	end := strings.IndexByte(text[:min(len(text), longest)], ';')
	if end < 0 || !strings.EqualFold(html.UnescapeString(text[:end+1]), char) {
		return ""
	}
	return text[:end+1]
}

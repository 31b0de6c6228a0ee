package prober

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Bounds of the work on a text, which a server may have made for it.
const (
	// maxWays bounds the ways to read a text that are followed at once.
	maxWays = 8
	// stepsPerByte bounds the steps of matching a byte of a text on average. Words take
	// less than one, and a token of a thousand bytes that is repeated again and again, of
	// which fifty forms are looked for, takes thirty.
	stepsPerByte = 20
	// formsPerStep are as many forms as add one step.
	formsPerStep = 4
	// stepsOfAny are those that a short text may take besides.
	stepsOfAny = 1 << 16
)

// form is what is looked for in a text: a whole secret, or a part of one, of which the
// beginning is enough.
type form struct {
	text string
	part bool
}

// char is what a form has at a place, and its length: a character, or all of the
// backslashes that stand together, since quotes make more of each.
func (f form) char(at int) (r rune, size int) {
	if f.text[at] != '\\' {
		return decode(f.text, at)
	}
	for size < len(f.text)-at && f.text[at+size] == '\\' {
		size++
	}
	return '\\', size
}

// matcher looks for forms in one text, and in no more than its steps.
type matcher struct {
	reader
	forms map[rune][]form // by the first character
	steps int             // that are left; less than none: the search was given up
}

func newMatcher(text string, forms []form) *matcher {
	m := &matcher{reader: newReader(text), forms: map[rune][]form{}, steps: stepsOfAny + (stepsPerByte+len(forms)/formsPerStep)*len(text)}
	for _, f := range forms {
		first, _ := f.char(0)
		m.forms[first] = append(m.forms[first], f)
		if !printable(first) {
			m.forms[unprintable] = append(m.forms[unprintable], f)
		}
		if first >= broken {
			m.forms[utf8.RuneError] = append(m.forms[utf8.RuneError], f)
		}
	}
	return m
}

// longest is the length of what the text has of any form at a place; 0 is nothing.
func (m *matcher) longest(at int) int {
	n := 0
	var buf [maxWays]reading
	ways := m.read(buf[:0], at, false)
	for i, way := range ways {
		if slices.ContainsFunc(ways[:i], func(w reading) bool { return w.char == way.char }) {
			continue
		}
		for _, f := range m.forms[way.char] {
			n = max(n, m.match(f, at))
		}
	}
	return n
}

// match is the length of what the text has of the form at a place, the longest there is;
// 0 is nothing.
func (m *matcher) match(f form, at int) int {
	var here, there [maxWays]int
	best, ends, next := 0, append(here[:0], at), there[:0] // ends of the ways to read what was read so far
	escaped := false                                       // it ends in backslashes
	for i := 0; i < len(f.text); {
		r, size := f.char(i)
		next = next[:0]
		for _, end := range ends {
			before := len(next)
			next = m.step(next, end, r, size, escaped)
			if len(next) == before || strings.IndexByte(`.%\&`, m.text[end]) >= 0 { // it goes on nowhere, or may be cut off
				best = max(best, m.beginning(f, at, end, i))
			}
		}
		if len(next) == 0 || m.steps < 0 {
			return best
		}
		ends, next = next, ends
		escaped = r == '\\'
		i += size
	}
	for _, end := range ends {
		if len(f.text) >= shortSecret || !inWord(m.text, at-1) && !inWord(m.text, end) {
			best = max(best, end-at)
		}
	}
	return best
}

// step adds to ends where a character ends that the text has at a place, for each way to
// write it.
func (m *matcher) step(ends []int, at int, r rune, size int, escaped bool) []int {
	m.steps--
	switch {
	case m.steps < 0 || at >= len(m.text):
		return ends
	case r == '\\':
		return m.stepBackslashes(ends, at, size)
	case !escaped && plain(m.text[at]): // as nearly everywhere
		if fold(rune(m.text[at])) == r && len(ends) < maxWays && !slices.Contains(ends, at+1) {
			ends = append(ends, at+1)
		}
		return ends
	}
	var buf [maxWays]reading
	for _, way := range m.read(buf[:0], at, escaped) {
		if way.is(r) && len(ends) < maxWays && !slices.Contains(ends, way.end) {
			ends = append(ends, way.end)
		}
	}
	return ends
}

// stepBackslashes is step for so many backslashes: as many or more, or that many that
// are each written as another character.
func (m *matcher) stepBackslashes(ends []int, at, count int) []int {
	if end := m.afterBackslashes(at); end-at >= count && len(ends) < maxWays {
		ends = append(ends, end)
	}
	end := at
	for range count {
		var buf [maxWays]reading
		ways := []reading(nil)
		if m.steps--; m.steps >= 0 && end < len(m.text) {
			ways = m.read(buf[:0], end, false)
		}
		i := slices.IndexFunc(ways, func(w reading) bool { return w.char == '\\' && w.end > m.afterBackslashes(end) })
		if i < 0 {
			return ends
		}
		end = ways[i].end
	}
	if len(ends) < maxWays && !slices.Contains(ends, end) {
		ends = append(ends, end)
	}
	return ends
}

// beginning is the length of what the text has of a part when length bytes of it were
// read up to end; 0 is too little.
func (m *matcher) beginning(f form, at, end, length int) int {
	if !f.part || length < shortSecret {
		return 0
	}
	if cut := m.cutOff(end); cut >= 0 {
		return cut - at
	}
	if length < leastBeginning {
		return 0
	}
	return end - at
}

// cutOff is where the text was cut off, if that is at a place or in an escape that
// begins there; -1 is elsewhere.
func (m *matcher) cutOff(at int) int {
	const more, longest = "...", len(`&#x0010ffff`)
	if strings.HasPrefix(m.text[at:], more) {
		return at
	}
	if at == len(m.text) || strings.IndexByte(`%\&`, m.text[at]) < 0 {
		return -1
	}
	at = m.afterBackslashes(at)
	i := strings.Index(m.text[at:min(len(m.text), at+longest+len(more))], more)
	if i < 0 {
		return -1
	}
	return at + i
}

func inWord(text string, at int) bool {
	return at >= 0 && at < len(text) && (text[at] >= '0' && text[at] <= '9' || text[at]|0x20 >= 'a' && text[at]|0x20 <= 'z' || text[at] >= 0x80)
}

// broken is where the characters begin that stand for bytes of no character.
const broken = unicode.MaxRune + 1

// decode is the character at a place of a text, in one case, and its length.
func decode(text string, at int) (r rune, size int) {
	if c := text[at]; c < utf8.RuneSelf {
		return fold(rune(c)), 1
	}
	r, size = utf8.DecodeRuneInString(text[at:])
	if r == utf8.RuneError && size == 1 {
		return broken + rune(text[at]), 1
	}
	return fold(r), size
}

// fold is the same for the cases of a letter.
func fold(r rune) rune {
	switch {
	case r >= 'a' && r <= 'z':
		return r - 'a' + 'A'
	case r < utf8.RuneSelf:
		return r
	}
	least := r
	for other := unicode.SimpleFold(r); other != r; other = unicode.SimpleFold(other) {
		least = min(least, other)
	}
	return least
}

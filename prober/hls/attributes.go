package hls

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// attributes is an attribute list (4.2), in its order.
type attributes []attribute

type attribute struct {
	name, value string // value without quotes
	quoted      bool
}

// maxAttributes bounds one list: no tag knows as many.
const maxAttributes = 64

// parseAttributes reads an attribute list. What it cannot read ends the list, and
// fault says why; "" is a good list. The names of attributes are not judged, since
// a list may hold any.
func parseAttributes(s string) (list attributes, fault string) {
	read := 0
	for s = strings.TrimLeft(s, " \t"); s != ""; s = strings.TrimLeft(s, " \t") {
		read++
		name, rest, ok := strings.Cut(s, "=")
		name = strings.TrimRight(name, " \t")
		switch {
		case !ok || !isAttributeName(name):
			return list, "not an attribute list (4.2) from \"" + cutShort(s) + "\" on"
		case read > maxAttributes:
			return list, "more than 64 attributes"
		}
		var a attribute
		if a, s, ok = readValue(name, rest); !ok {
			return list, "the value of " + cutShort(name) + " does not end (4.2)"
		}
		if _, twice := list.get(name); twice {
			fault = cutShort(name) + " stands twice in one list (4.2)"
			continue
		}
		list = append(list, a)
	}
	return list, fault
}

// readValue reads a value up to its comma, and gives what follows it.
func readValue(name, s string) (a attribute, rest string, ok bool) {
	a.name = name
	if strings.HasPrefix(s, `"`) {
		value, after, closed := strings.Cut(s[1:], `"`)
		after = strings.TrimLeft(after, " \t")
		if !closed || after != "" && after[0] != ',' {
			return a, "", false
		}
		a.value, a.quoted = value, true
		return a, strings.TrimPrefix(after, ","), true
	}
	value, after, _ := strings.Cut(s, ",")
	a.value = strings.TrimSpace(value)
	return a, after, true
}

func isAttributeName(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return s != ""
}

// cutShort keeps text from outside fit for a detail.
func cutShort(s string) string { return cutAt(s, 40) }

// cutAt keeps at most so many bytes of a text from outside, whole characters. It ends in
// "..." where something is cut off, as does what prober.Clip cuts: by that prober.Hide
// knows the beginning of a secret.
func cutAt(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for back := 0; back < utf8.UTFMax-1 && !utf8.RuneStart(s[most]); back++ {
		most--
	}
	return s[:most] + "..."
}

func (a attributes) get(name string) (value string, ok bool) {
	for i := range a {
		if a[i].name == name {
			return a[i].value, true
		}
	}
	return "", false
}

func (a attributes) text(name string) string { s, _ := a.get(name); return s }
func (a attributes) yes(name string) bool    { return a.text(name) == "YES" }

// seconds is 0 where the attribute is missing or no duration.
func (a attributes) seconds(name string) time.Duration {
	d, _ := parseSeconds(a.text(name))
	return d
}

// integer is 0 where the attribute is missing, or no number that fits.
func (a attributes) integer(name string) int64 {
	v, err := strconv.ParseInt(a.text(name), 10, 64)
	if err != nil || v < 0 {
		return 0
	}
	return v
}

// parseRange reads "n[@o]" (4.4.4.2). known is false without an offset.
func parseRange(s string) (r ByteRange, known, ok bool) {
	length, offset, known := strings.Cut(strings.TrimSpace(s), "@")
	n, err := strconv.ParseInt(length, 10, 64)
	if err != nil || n < 0 {
		return ByteRange{}, known, false
	}
	var o int64
	if known {
		if o, err = strconv.ParseInt(offset, 10, 64); err != nil || o < 0 {
			return ByteRange{}, known, false
		}
	}
	return byteRange(o, n), known, true
}

// parseDate reads an ISO/IEC 8601 date and time (4.4.4.6); without a zone it is UTC.
func parseDate(s string) (time.Time, bool) {
	if s = strings.TrimSpace(s); len(s) > maxNumber { // four errors would hold a copy each
		return time.Time{}, false
	}
	for _, layout := range []string{
		"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999Z0700",
		"2006-01-02T15:04:05.999999999Z07", "2006-01-02T15:04:05.999999999",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

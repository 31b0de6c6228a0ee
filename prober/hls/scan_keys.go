package hls

import (
	"slices"
	"strings"
)

// readKey reads EXT-X-KEY. It applies until another of the same KEYFORMAT, or
// METHOD=NONE (4.4.4.4).
func (s *scan) readKey(tag, value string) {
	if s.seen.oldKeys < 0 {
		s.seen.oldKeys = len(s.Segments)
	}
	k, none := s.key(tag, value)
	if none {
		s.next.Keys, s.next.Encryption = nil, ""
		return
	}
	// A new slice: segments that are listed already keep theirs.
	keys := slices.DeleteFunc(slices.Clone(s.next.Keys), func(o Key) bool { return o.KeyFormat == k.KeyFormat })
	if len(keys) < maxKeys {
		keys = append(keys, k)
	}
	s.next.Keys, s.next.Encryption = keys, keys[0].Method
}

func (s *scan) readSessionKey(tag, value string) {
	k, none := s.key(tag, value)
	if none {
		s.seen.fault(ruleKey, "line %d: EXT-X-SESSION-KEY with METHOD=NONE (4.4.6.5)", s.line)
		return
	}
	if len(s.SessionKeys) < maxSession {
		s.SessionKeys = append(s.SessionKeys, k)
	}
}

// key reads the attributes of a key; none is METHOD=NONE.
func (s *scan) key(tag, value string) (k Key, none bool) {
	a := s.list(tag, value)
	k = Key{
		Method: a.text("METHOD"), URI: a.text("URI"), IV: a.text("IV"),
		KeyFormat: a.text("KEYFORMAT"), KeyFormatVersions: a.text("KEYFORMATVERSIONS"),
	}
	if wrong := k.fault(a); wrong != "" {
		s.seen.fault(ruleKey, "line %d: %s: %s", s.line, tag, wrong)
	}
	if k.IV != "" {
		s.seen.needs(2, "IV")
	}
	if k.KeyFormat != "" || k.KeyFormatVersions != "" {
		s.seen.needs(5, "KEYFORMAT")
	}
	if k.KeyFormat == "" {
		k.KeyFormat = "identity"
	}
	if k.KeyFormatVersions == "" {
		k.KeyFormatVersions = "1"
	}
	return k, k.Method == "NONE"
}

// fault says which rule of 4.4.4.4 a key breaks; "" is none.
func (k Key) fault(a attributes) string {
	switch k.Method {
	case "":
		return "METHOD is missing"
	case "NONE":
		if len(a) > 1 {
			return "METHOD=NONE with other attributes"
		}
		return ""
	case "AES-256-GCM", "SAMPLE-AES-CTR":
		if k.IV != "" {
			return k.Method + " with IV"
		}
	}
	switch {
	case k.URI == "":
		return "URI is missing"
	case k.IV != "" && !isIV(k.IV):
		return "IV is no 128-bit number in hexadecimal"
	}
	return ""
}

// isIV checks a hexadecimal sequence (4.2) of at most 128 bits.
func isIV(s string) bool {
	digits, ok := strings.CutPrefix(strings.ToLower(s), "0x")
	return ok && digits != "" && len(digits) <= 32 && strings.Trim(digits, "0123456789abcdef") == ""
}

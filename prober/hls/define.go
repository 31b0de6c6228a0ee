package hls

import (
	"net/url"
	"strings"

	"streamcanary/prober"
)

// Bounds on EXT-X-DEFINE: a few variables can make an endless text.
const (
	maxDefines  = 1000
	maxExpanded = 4 << 20 // bytes that substitution may add
)

// Source is where a playlist came from, as far as its variables need it (4.4.2.3).
type Source struct {
	URL     *url.URL          // after redirects; for QUERYPARAM
	Defines map[string]string // Playlist.Defines of the multivariant playlist; for IMPORT
}

// define reads EXT-X-DEFINE. What the RFC says a parser must fail at is a failure.
func (s *scan) define(a attributes) *prober.Failure {
	name, hasName := a.get("NAME")
	imported, hasImport := a.get("IMPORT")
	param, hasParam := a.get("QUERYPARAM")
	var value string
	var ok bool
	switch {
	case hasName && !hasImport && !hasParam:
		value, ok = a.get("VALUE")
		s.seen.needs(8, "EXT-X-DEFINE")
	case hasImport && !hasName && !hasParam:
		name = imported
		value, ok = s.source.Defines[imported]
		s.imports = true
		s.seen.needs(8, "EXT-X-DEFINE")
	case hasParam && !hasName && !hasImport:
		name = param
		value, ok = s.queryParam(param)
		s.seen.needs(11, "EXT-X-DEFINE with QUERYPARAM")
	default:
		return s.malformed("4.4.2.3", "EXT-X-DEFINE wants one of NAME, IMPORT and QUERYPARAM")
	}
	_, twice := s.defines[name]
	switch {
	case !ok || strings.ContainsAny(value, "\"\r\n"): // 4.2
		return s.malformed("4.4.2.3", "EXT-X-DEFINE gives no value for %q", cutShort(name))
	case !isVariableName(name):
		return s.malformed("4.4.2.3", "EXT-X-DEFINE of %q, which is no name of a variable", cutShort(name))
	case twice:
		return s.malformed("4.4.2.3", "EXT-X-DEFINE of %q for the second time", cutShort(name))
	case len(s.defines) == maxDefines:
		return manifest(prober.ReasonTooLarge, "more than %d variables", maxDefines)
	}
	if s.defines == nil {
		s.defines = make(map[string]string)
	}
	s.defines[name] = value
	return nil
}

// queryParam is the decoded value of a parameter of the playlist's own URL.
func (s *scan) queryParam(name string) (string, bool) {
	if s.source.URL == nil {
		return "", false
	}
	if s.query == nil {
		s.query = s.source.URL.Query()
	}
	value := s.query.Get(name)
	return value, value != ""
}

func isVariableName(s string) bool {
	name, rest := cutName(s)
	return name != "" && rest == ""
}

// cutName takes a variable's name off a text. It looks no further than that: a
// line may hold any number of references that are not closed.
func cutName(s string) (name, rest string) {
	for i := range len(s) {
		if c := s[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return s[:i], s[i:]
		}
	}
	return s, ""
}

// substitute replaces {$name} in a line (4.3), once. Without any EXT-X-DEFINE
// the characters mean themselves.
func (s *scan) substitute(line string) (string, *prober.Failure) {
	if len(s.defines) == 0 || !strings.Contains(line, "{$") {
		return line, nil
	}
	var b strings.Builder
	rest := line
	for {
		before, after, found := strings.Cut(rest, "{$")
		b.WriteString(before)
		if !found {
			break
		}
		name, tail := cutName(after)
		if name == "" || !strings.HasPrefix(tail, "}") {
			b.WriteString("{$")
			rest = after
			continue
		}
		value, known := s.defines[name]
		if !known {
			return "", s.malformed("4.3", "{$%s} is not defined", cutShort(name))
		}
		if s.expanded += len(value); s.expanded > maxExpanded {
			return "", manifest(prober.ReasonTooLarge, "variables make more than %d bytes", maxExpanded)
		}
		b.WriteString(value)
		rest = tail[1:]
	}
	return b.String(), nil
}

package hls

import (
	"fmt"
	"net/url"
	"strings"
	"unicode"

	"streamcanary/prober"
)

// maxDetail is prober.Failure's bound on Detail, in bytes.
const maxDetail = 300

func failf(stage prober.Stage, reason prober.Reason, format string, args ...any) *prober.Failure {
	return &prober.Failure{Outcome: prober.Fail, Stage: stage, Reason: reason, Detail: clip(fmt.Sprintf(format, args...))}
}

func manifest(reason prober.Reason, format string, args ...any) *prober.Failure {
	return failf(prober.StageManifest, reason, format, args...)
}

// at puts a place before a failure's detail.
func at(place string, f *prober.Failure) *prober.Failure {
	g := *f
	g.Detail = clip(place + ": " + f.Detail)
	return &g
}

// place names a URL in a detail: host and path, never user, query or fragment,
// which may hold tokens.
func place(u *url.URL) string {
	if u == nil {
		return "the playback URL"
	}
	p := u.Host + u.EscapedPath()
	if len(p) > 120 {
		p = p[:117] + "..."
	}
	return p
}

// clip makes text from the network fit for a detail: one line, printable, bounded.
func clip(s string) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "?"))
	if len(s) > maxDetail {
		s = strings.ToValidUTF8(s[:maxDetail-3], "") + "..."
	}
	return s
}

package hls

import (
	"fmt"
	"net/url"
	"strings"

	"streamcanary/prober"
)

func failf(stage prober.Stage, reason prober.Reason, format string, args ...any) *prober.Failure {
	return &prober.Failure{Outcome: prober.Fail, Stage: stage, Reason: reason, Detail: prober.Clip(fmt.Sprintf(format, args...), prober.MaxDetail)}
}

func manifest(reason prober.Reason, format string, args ...any) *prober.Failure {
	return failf(prober.StageManifest, reason, format, args...)
}

// against is manifest of what breaks a rule of rfc8216bis, which the detail ends with.
func against(section string, reason prober.Reason, format string, args ...any) *prober.Failure {
	f := manifest(reason, format, args...)
	f.Section, f.Detail = section, withSection(f.Detail, section)
	return f
}

// failureSections are those that against is given.
func failureSections() []string {
	return []string{"4.1", "4.3", "4.4.1.1", "4.4.2.3", "4.4.3", "4.4.3.1", "4.4.4.1", "4.4.4.2", "4.4.4.4", "4.4.4.5", "4.4.5.2", "6.2.2", "6.2.5.1"}
}

// withSection ends a detail with where the rule stands, however long it is.
func withSection(detail, section string) string {
	if section == "" { // what is ours, such as markers, stands in no specification
		return detail
	}
	end := " (" + section + ")"
	return prober.Clip(detail, prober.MaxDetail-len(end)) + end
}

// at puts a place before a failure's detail.
func at(place string, f *prober.Failure) *prober.Failure {
	g := *f
	detail := strings.TrimSuffix(f.Detail, withSection("", f.Section))
	g.Detail = withSection(prober.Clip(place+": "+detail, prober.MaxDetail), f.Section)
	return &g
}

// place names a URL in a detail: host and path, never user, query or fragment,
// which may hold tokens.
func place(u *url.URL) string {
	if u == nil {
		return "the playback URL"
	}
	return cutAt(u.Host+u.EscapedPath(), 117)
}

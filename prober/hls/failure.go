package hls

import (
	"fmt"
	"net/url"

	"streamcanary/prober"
)

func failf(stage prober.Stage, reason prober.Reason, format string, args ...any) *prober.Failure {
	return &prober.Failure{Outcome: prober.Fail, Stage: stage, Reason: reason, Detail: prober.Clip(fmt.Sprintf(format, args...), prober.MaxDetail)}
}

func manifest(reason prober.Reason, format string, args ...any) *prober.Failure {
	return failf(prober.StageManifest, reason, format, args...)
}

// at puts a place before a failure's detail.
func at(place string, f *prober.Failure) *prober.Failure {
	g := *f
	g.Detail = prober.Clip(place+": "+f.Detail, prober.MaxDetail)
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

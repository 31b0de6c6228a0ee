package origin

import (
	"crypto/rand"
	"net/http"
)

func beginPlaylist404(o *Origin) (heal func() error, err error) {
	return override404(&o.playback.playlists), nil
}

func beginSegment404(o *Origin) (heal func() error, err error) {
	return override404(&o.playback.segments), nil
}

func override404(of *overrides) (heal func() error) {
	return healOverride(of.add(func(w http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) {
		http.NotFound(w, r)
	}))
}

func beginEmptyPlaylist(o *Origin) (heal func() error, err error) {
	return overrideBody(&o.playback.playlists, func([]byte) (string, []byte) { return "", nil }), nil
}

func beginHTMLPlaylist(o *Origin) (heal func() error, err error) {
	const page = "<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>\n"
	return overrideBody(&o.playback.playlists, func([]byte) (string, []byte) {
		return "text/html; charset=utf-8", []byte(page)
	}), nil
}

func beginGarbageSegments(o *Origin) (heal func() error, err error) {
	return overrideBody(&o.playback.segments, func(body []byte) (string, []byte) {
		_, _ = rand.Read(body) // never fails
		return "", body
	}), nil
}

// overrideBody puts another body, and another content type unless it is "",
// into good answers; what is not there stays 404.
func overrideBody(of *overrides, change func([]byte) (contentType string, body []byte)) (heal func() error) {
	return healOverride(of.add(func(w http.ResponseWriter, _ *http.Request, normal func(http.ResponseWriter)) {
		answer := newRecorded()
		normal(answer)
		if answer.status == http.StatusOK {
			contentType, body := change(answer.body)
			if answer.body = body; contentType != "" {
				answer.header.Set("Content-Type", contentType)
			}
		}
		answer.send(w)
	}))
}

func healOverride(remove func()) (heal func() error) {
	return func() error {
		remove()
		return nil
	}
}

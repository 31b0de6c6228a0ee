package origin

import (
	"net/http"
	"strconv"
	"time"
)

func beginPlaylist404(o *Origin) (heal func() error, err error) {
	return override404(&o.playback.playlists), nil
}

func beginSegment404(o *Origin) (heal func() error, err error) {
	return override404(&o.playback.segments), nil
}

func override404(of *overrides) (heal func() error) {
	return healBy(of.add(func(w http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) {
		http.NotFound(w, r)
	}))
}

func beginPlaylist500(o *Origin) (heal func() error, err error) {
	return healBy(o.playback.playlists.add(func(w http.ResponseWriter, _ *http.Request, _ func(http.ResponseWriter)) {
		http.Error(w, "internal server error", http.StatusInternalServerError)
	})), nil
}

// beginRedirectLoop redirects playlists to themselves.
func beginRedirectLoop(o *Origin) (heal func() error, err error) {
	return healBy(o.playback.playlists.add(func(w http.ResponseWriter, r *http.Request, _ func(http.ResponseWriter)) {
		http.Redirect(w, r, r.URL.Path, http.StatusFound) //nolint:gosec // back to where it was asked for
	})), nil
}

func beginEmptyPlaylist(o *Origin) (heal func() error, err error) {
	return overrideBody(&o.playback.playlists, func([]byte) (string, []byte) { return "", nil }), nil
}

const errorPage = "<!DOCTYPE html><html><body><h1>Welcome</h1></body></html>\n"

func beginHTMLPlaylist(o *Origin) (heal func() error, err error) {
	return overrideBody(&o.playback.playlists, asErrorPage), nil
}

func asErrorPage([]byte) (contentType string, body []byte) {
	return "text/html; charset=utf-8", []byte(errorPage)
}

// slowness is how long a slow answer takes to begin: longer than any client here waits.
const slowness = 12 * time.Second

func beginSlowPlaylists(o *Origin) (heal func() error, err error) {
	return slow(&o.playback.playlists), nil
}

func beginSlowSegments(o *Origin) (heal func() error, err error) {
	return slow(&o.playback.segments), nil
}

func slow(of *overrides) (heal func() error) {
	over := make(chan struct{})
	remove := of.add(func(w http.ResponseWriter, r *http.Request, normal func(http.ResponseWriter)) {
		if wait(r, slowness, over) {
			normal(w)
		}
	})
	return func() error {
		remove()
		close(over)
		return nil
	}
}

// wait says whether somebody still wants the answer after d, or once the fault is over.
func wait(r *http.Request, d time.Duration, over <-chan struct{}) (wanted bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-over:
	case <-r.Context().Done():
		return false
	}
	return true
}

// overrideBody puts another body, and another content type unless it is "",
// into good answers; what is not there stays 404.
func overrideBody(of *overrides, change func([]byte) (contentType string, body []byte)) (heal func() error) {
	return overrideGood(of, func(w http.ResponseWriter, _ *http.Request, answer *recorded) {
		contentType, body := change(answer.body)
		if answer.body = body; contentType != "" {
			answer.header.Set("Content-Type", contentType)
		}
		answer.send(w)
	})
}

// overrideGood sends good answers otherwise; what is not there stays 404.
func overrideGood(of *overrides, send func(w http.ResponseWriter, r *http.Request, answer *recorded)) (heal func() error) {
	return healBy(of.add(func(w http.ResponseWriter, r *http.Request, normal func(http.ResponseWriter)) {
		answer := newRecorded()
		normal(answer)
		if answer.status != http.StatusOK {
			answer.send(w)
			return
		}
		send(w, r, answer)
	}))
}

// announce says how long the answer's body is.
func announce(w http.ResponseWriter, answer *recorded, length int) {
	for key, values := range answer.header {
		w.Header()[key] = values
	}
	w.Header().Set("Content-Length", strconv.Itoa(length))
	w.WriteHeader(answer.status)
}

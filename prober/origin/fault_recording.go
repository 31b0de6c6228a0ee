package origin

import (
	"io"
	"net/http"
	"strings"
)

func beginRecording404(o *Origin) (heal func() error, err error) {
	return override404(&o.playback.stored), nil
}

// beginRecordingDenied answers as an object store does whose link has expired.
func beginRecordingDenied(o *Origin) (heal func() error, err error) {
	const denied = `<?xml version="1.0" encoding="UTF-8"?>` + "\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>\n"
	return healBy(o.playback.stored.add(func(w http.ResponseWriter, _ *http.Request, _ func(http.ResponseWriter)) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, denied) // the client is gone: nothing to tell it
	})), nil
}

// beginRecordingShort lists the first of the segments alone.
func beginRecordingShort(o *Origin) (heal func() error, err error) {
	return overrideGood(&o.playback.stored, func(w http.ResponseWriter, _ *http.Request, answer *recorded) {
		answer = &recorded{status: answer.status, header: answer.header, body: answer.body}
		if text := string(answer.body); strings.Contains(text, "#EXTINF:") {
			answer.body = []byte(firstSegment(text))
		}
		answer.send(w)
	}), nil
}

func firstSegment(playlist string) string {
	at := strings.Index(playlist, "#EXTINF:")
	head, rest := playlist[:at], playlist[at:]
	lines := strings.SplitN(rest, "\n", 3)
	return head + strings.Join(lines[:min(2, len(lines))], "\n") + "\n#EXT-X-ENDLIST\n"
}
